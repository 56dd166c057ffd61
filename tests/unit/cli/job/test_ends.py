"""URLs as the API takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.cli.job import ends
from opendrs.errors import DrsError
from opendrs.model.endpoint import Endpoint


def wire(url: str) -> dict[str, object]:
    return ends.wire(Endpoint.parse(url), "target")


def test_an_endpoint() -> None:
    assert wire("postgresql://me:p%40ss@db:5433/warehouse") == {
        "db_type": "postgresql",
        "endpoint_type": "offline",
        "endpoint_role": "ta",
        "endpoint": {
            "endpoint_name": "postgresql",
            "ip": "db",
            "db_port": "5433",
            "db_user": "me",
            "db_password": "p@ss",
            "db_name": "warehouse",
        },
    }


def test_tls(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("PEM")
    url = "postgresql://me@db/w"
    assert "ssl" not in wire(url) and "ssl" not in wire(f"{url}?tls=prefer")
    assert wire(f"{url}?tls=disable")["ssl"] == {"ssl_link": False}
    assert wire(f"{url}?tls=require")["ssl"] == {"ssl_link": True}
    whole = {"ssl_link": True, "ssl_cert_name": "ca.pem", "ssl_cert_key": "PEM"}
    assert wire(f"{url}?tls=verify-ca&tls_ca={ca}")["ssl"] == whole
    assert wire(f"{url}?tls_ca={ca}")["ssl"] == whole
    for option in ("tls=verify-full", "tls=verify-ca", f"tls_ca={ca}x", "socket=/s", "connect_timeout=3", "tls_key=k"):
        with pytest.raises(DrsError):
            wire(f"{url}?{option}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@db:5433/w",
        "mysql://me@[::1]:3306",
        "mysql://a%40b@db:1?tls=require",
        "mysql://me@db:1?tls=disable",
    ],
)
def test_it_comes_back_as_it_was(url: str) -> None:
    assert ends.shown(wire(url.replace("@", ":secret@", 1))) == url
