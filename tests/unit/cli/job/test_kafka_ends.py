"""URLs of Kafka: what is sent is what the API understands, and what it shows is the URL again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from opendrs.api.wire.endpoints import End, EndpointInfo, read_end
from opendrs.cli.job import ends
from opendrs.errors import DrsError
from opendrs.model.endpoint import Endpoint
from tests.unit.api.kafka import FLOW, KEY, PEM


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text(PEM)
    (tmp_path / "me.pem").write_text(PEM)
    for name, protection in (("me.key", NoEncryption()), ("closed.key", BestAvailableEncryption(b"x"))):
        (tmp_path / name).write_text(key(protection))
    return tmp_path


def key(protection: KeySerializationEncryption | None = None) -> str:
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()).decode()


def wire(url: str) -> dict[str, Any]:
    return ends.wire(Endpoint.parse(url), "target")


def understood(url: str) -> End:
    return read_end("t", EndpointInfo.model_validate(wire(url)), FLOW)


@pytest.mark.parametrize(
    "url, options",
    [
        ("kafka://one", {}),
        ("kafka://one:9093,two:9094,[::1]:9095/a-topic", {"brokers": "two:9094,[::1]:9095"}),
        ("kafka://[::1]:9093,two:9094", {"brokers": "two:9094"}),
        ("kafka://me:secret-1@one?sasl=SCRAM-SHA-256", {"sasl": "SCRAM-SHA-256", "tls": "disable"}),
        ("kafka://me:secret-1@one", {"sasl": "PLAIN", "tls": "disable"}),
        ("kafka://one?tls=disable", {}),
        ("kafka://one?tls=require", {"tls": "require"}),
        ("kafka://me:secret-1@one?tls=require", {"tls": "require", "sasl": "PLAIN"}),
        ("kafka://one?tls=verify-ca&tls_ca={ca}", {"tls": "verify-ca"}),
        ("kafka://one?tls=verify-full&tls_ca={ca}", {"tls": "verify-full"}),
        ("kafka://me:secret-1@one?tls=verify-full&tls_ca={ca}&sasl=SCRAM-SHA-512", {"tls": "verify-full", "sasl": "SCRAM-SHA-512"}),
        ("kafka://one?tls=verify-ca&tls_ca={ca}&tls_cert={me}.pem&tls_key={me}.key", {"tls": "verify-ca"}),
    ],
)  # fmt: skip
def test_what_is_sent_is_understood(url: str, options: dict[str, str], files: Path) -> None:
    whole = url.format(ca=files / "ca.pem", me=files / "me")
    parsed, found = Endpoint.parse(whole), understood(whole)
    assert found.endpoint.options == options
    assert (found.endpoint.host, found.endpoint.port) == (parsed.host, parsed.port)
    assert (found.endpoint.user, found.endpoint.password) == (parsed.user, parsed.password)
    assert found.protection.ca == (PEM if "tls_ca" in url else "")
    if "tls_key" in url:
        assert (found.protection.certificate, found.protection.key.reveal()) == (PEM, key())
        assert "PRIVATE" not in json.dumps(wire(whole))
    assert found.endpoint.database == "" and "db_name" not in wire(whole)["endpoint"]


@pytest.mark.parametrize(
    "query, words",
    [
        ("tls=verify-ca", "tls_ca=FILE"),
        ("tls=verify-full", "tls_ca=FILE"),
        ("tls_ca={ca}", "means nothing"),
        ("tls=require&tls_cert={me}.pem", "tls_key is missing"),
        ("tls=require&tls_key={me}.key", "tls_cert is missing"),
        ("tls=require&tls_cert={me}.pem&tls_key={me}.nothing", "tls_key: "),
        ("tls=require&tls_cert={me}.pem&tls_key={ca}", "must be PEM"),
        ("tls=require&tls_cert={me}.key&tls_key={me}.key", "must be PEM"),
        ("tls=require&tls_cert={me}.pem&tls_key={closed}", "no password"),
        ("connect_timeout=3", "cannot be handed"),
    ],
)
def test_what_cannot_be_sent(query: str, words: str, files: Path) -> None:
    query = query.format(ca=files / "ca.pem", me=files / "me", closed=files / "closed.key")
    with pytest.raises(DrsError, match=words):
        wire(f"kafka://one?{query}")


def test_a_password_without_a_user_is_not_of_kafka() -> None:
    assert wire("kafka://:of-something-else@one")["endpoint"]["db_password"] == ""


@pytest.mark.parametrize(
    "url",
    [
        "kafka://one:9092",
        "kafka://one:9093,two:9094",
        "kafka://a%40b@one:9092?sasl=SCRAM-SHA-512",
        "kafka://me@one:9092?tls=require",
        "kafka://one:9092?tls=verify-ca",
        "kafka://me@one:1?tls=verify-full&sasl=SCRAM-SHA-256",
        "kafka://one:9092?tls=verify-ca&tls_key=me.key",
    ],
)
def test_it_comes_back_as_it_was(url: str, files: Path) -> None:
    more = f"&tls_ca={files / 'ca.pem'}" if "verify" in url else ""
    sent = url.replace("tls_key=me.key", f"tls_key={files / 'me.key'}&tls_cert={files / 'me.pem'}")
    found = understood(sent.replace("@", ":secret-1@", 1) + more)
    assert ends.shown(found.facts) == url


def test_a_trust_store_is_shown_as_what_it_does() -> None:
    info = {"db_type": "kafka", "endpoint": {"ip": "one", "kafka_security": {"type": "SSL"}}}
    assert ends.shown(info) == "kafka://one?tls=verify-ca"
    assert ends.shown({**info, "endpoint": {"ip": "one"}, "ssl": {"ssl_link": False}}) == "kafka://one"
