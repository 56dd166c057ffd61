"""Authentication and encryption, on servers of the tests' own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opendrs._core import PgConnection, PgError
from tests.harness import certificates
from tests.harness.fixtures import StartServer
from tests.harness.postgres import Postgres
from tests.harness.server import PASSWORD, Options
from tests.integration.postgres_wire.conftest import options
from tests.integration.postgres_wire.relay import Relay

VERSIONS = ("postgres15", "postgres16", "postgres18")


def opened(server: Postgres, **given: Any) -> PgConnection:
    connection = PgConnection(options(server, **given))
    assert connection.query("SELECT current_user") == [("opendrs",)]
    return connection


def refused(server: Postgres, **given: Any) -> PgError:
    with pytest.raises(PgError) as raised:
        PgConnection(options(server, **given))
    assert PASSWORD not in str(raised.value)
    return raised.value


def rewrite_access(server: Postgres, line: str) -> None:
    """Replace what the server asks of clients that come by TCP."""
    path = server.data / "pg_hba.conf"
    path.write_text("local all all trust\n" + line + "\n")
    server.execute("SELECT pg_reload_conf()")
    ((line_number,),) = server.execute("SELECT count(*) FROM pg_hba_file_rules WHERE type LIKE 'host%'")
    assert line_number == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("auth", ["scram-sha-256", "md5", "trust"])
def test_methods(start_server: StartServer, version: str, auth: str) -> None:
    server = start_server(version, Options(auth=auth))
    opened(server).close()
    if auth == "trust":
        opened(server, password=None).close()
        return
    error = refused(server, password="wrong")
    assert (error.kind, error.sqlstate) == ("server", "28P01")
    assert refused(server, password=None).kind == "auth"


def test_a_password_in_clear_needs_leave_or_tls(start_server: StartServer) -> None:
    server = start_server("postgres15", Options(tls=True))
    rewrite_access(server, "host all all 127.0.0.1/32 password")
    assert refused(server, tls={"mode": "disable"}).kind == "auth"
    opened(server, tls={"mode": "disable"}, allow_cleartext=True).close()
    connection = opened(server, tls={"mode": "require"})
    assert connection.is_encrypted
    connection.close()


def test_an_unknown_method_is_named(start_server: StartServer) -> None:
    server = start_server("postgres15", Options())
    rewrite_access(server, "host all all 127.0.0.1/32 gss")
    error = refused(server)
    assert error.kind in ("auth", "server")


@pytest.mark.parametrize("version", VERSIONS)
def test_tls(start_server: StartServer, version: str) -> None:
    server = start_server(version, Options(tls=True))
    assert server.tls is not None
    ca = str(server.tls.ca)
    for mode in ("prefer", "require"):
        connection = opened(server, tls={"mode": mode})
        assert connection.is_encrypted
        assert connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [("t",)]
        connection.close()
    for mode in ("verify_ca", "verify_full"):
        opened(server, tls={"mode": mode, "ca_file": ca}).close()
        assert refused(server, tls={"mode": mode}).kind == "tls", "the system knows not this authority"
    opened(server, tls={"mode": "verify_ca", "ca_file": ca, "server_name": "elsewhere"}).close()
    assert refused(server, tls={"mode": "verify_full", "ca_file": ca, "server_name": "elsewhere"}).kind == "tls"
    connection = opened(server, tls={"mode": "disable"})
    assert not connection.is_encrypted
    connection.close()


def test_a_man_in_the_middle_is_refused(start_server: StartServer, tmp_path: Path) -> None:
    """Without a look at the certificate: the password's proof is bound to it (SCRAM-SHA-256-PLUS)."""
    server = start_server("postgres15", Options(tls=True))
    other = certificates.make(tmp_path / "other")
    with Relay(server.port) as relay:
        opened(server, port=relay.port, tls={"mode": "require"}).close()
    with Relay(server.port, other) as relay:
        error = refused(server, port=relay.port, tls={"mode": "require"})
        assert (error.kind, error.sqlstate) == ("server", "28000"), error
        assert "channel binding" in error.message


def test_a_server_without_tls(start_server: StartServer) -> None:
    server = start_server("postgres15", Options())
    connection = opened(server, tls={"mode": "prefer"})
    assert not connection.is_encrypted
    connection.close()
    for mode in ("require", "verify_ca", "verify_full"):
        assert refused(server, tls={"mode": mode}).kind == "tls"


def test_cancel_goes_the_same_encrypted_way(start_server: StartServer) -> None:
    server = start_server("postgres15", Options(tls=True))
    rewrite_access(server, "hostssl all all 127.0.0.1/32 scram-sha-256")
    connection = opened(server, tls={"mode": "require"})
    connection.cancel()
    connection.close()
