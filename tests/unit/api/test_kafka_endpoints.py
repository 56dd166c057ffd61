"""Endpoints of Kafka, as they are sent, understood and shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from opendrs.api.wire.endpoints import End, EndpointInfo, read_end
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from tests.unit.api.kafka import FLOW, KEY, PASSWORD, PEM, certificate, key_store, trust_store

EMPTY, INVALID, UNSUPPORTED = Fault.PARAMETER_EMPTY, Fault.PARAMETER_INVALID, Fault.UNSUPPORTED
SSL = {"type": "SSL", "trust_store_key": trust_store(), "trust_store_password": PASSWORD}
SASL = {"type": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512"}
OWN = {"enable_key_store": True, "key_store_key": key_store(), "key_store_password": PASSWORD}


def end(endpoint: dict[str, Any] | None = None, **info: Any) -> End:
    body = {
        "db_type": "kafka",
        "endpoint_type": "offline",
        "endpoint_role": "ta",
        "endpoint": {"ip": "one:9093", "db_user": "", "db_password": "", **(endpoint or {})},
        **info,
    }
    return read_end("t", EndpointInfo.model_validate(body), FLOW)


def refused(fault: Fault, endpoint: dict[str, Any] | None = None, **info: Any) -> str:
    with pytest.raises(DrsError) as raised:
        end(endpoint, **info)
    assert raised.value.fault is fault, raised.value
    return raised.value.message


USER = {"db_user": "me", "db_password": "secret-1"}


# addresses


@pytest.mark.parametrize(
    "ip, port, url",
    [
        ("one", "", "kafka://one:9092/"),
        ("one", "9094", "kafka://one:9094/"),
        ("one:9093", "9094", "kafka://one:9093/"),
        ("one:9093,two:9094", "", "kafka://one:9093/?brokers=two%3A9094"),
        (" one , two:1 ,three", "9094", "kafka://one:9094/?brokers=two%3A1%2Cthree%3A9094"),
        ("[::1]:9093,[::2]", "", "kafka://[::1]:9093/?brokers=%5B%3A%3A2%5D%3A9092"),
        ("::1", "9093", "kafka://[::1]:9093/"),
    ],
)
def test_brokers(ip: str, port: str, url: str) -> None:
    found = end({"ip": ip, "db_port": port, "db_name": "means-nothing"})
    assert str(found.endpoint) == url
    assert Endpoint.parse(found.endpoint.url()) == found.endpoint
    assert found.facts["endpoint"]["ip"] == ip.strip() or " " in ip


@pytest.mark.parametrize(
    "ip", ["one,", "one,,two", "one:x", "one:0", "one:65536", "one:1:2x", "[::1", "a b:1", ":9092", "-"]
)
def test_no_brokers(ip: str) -> None:
    assert "t.endpoint.ip" in refused(INVALID, {"ip": ip})


def test_addresses_that_are_missing_or_not_understood() -> None:
    assert "t.endpoint.ip" in refused(EMPTY, {"ip": " "})
    assert "t.endpoint.db_port" in refused(INVALID, {"ip": "one", "db_port": "x"})
    refused(UNSUPPORTED, {"ip": "", "instance_id": "i-1"})


# security


def options(endpoint: dict[str, Any] | None = None, **info: Any) -> dict[str, str]:
    return dict(end(endpoint, **info).endpoint.options)


def test_nothing_said_is_plain() -> None:
    for security in ({}, {"kafka_security": {}}, {"kafka_security": {"type": "", "enable_key_store": False}}):
        assert options(**security) == {}
    assert options(USER) == {}, "PLAIN is the engine's own choice"
    assert options(ssl={"ssl_link": False}) == {"tls": "disable"}


def test_ssl_of_other_databases_means_the_same() -> None:
    found = end(USER, ssl={"ssl_link": True, "ssl_cert_key": PEM})
    assert found.endpoint.options == {"tls": "verify-ca"} and found.protection.ca == PEM
    assert found.facts["ssl"]["ssl_cert_key"] == PEM
    assert options(ssl={"ssl_link": True}) == {"tls": "require"}


@pytest.mark.parametrize(
    "security, user, wanted",
    [
        ({"type": "PLAINTEXT"}, {}, {"tls": "disable"}),
        ({"type": "sasl_plaintext", "sasl_mechanism": "plain"}, USER, {"tls": "disable", "sasl": "PLAIN"}),
        ({"type": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-256"}, USER, {"tls": "disable", "sasl": "SCRAM-SHA-256"}),
        (SSL, {}, {"tls": "verify-ca"}),
        ({**SSL, "endpoint_algorithm": ""}, {}, {"tls": "verify-ca"}),
        ({**SSL, "endpoint_algorithm": "HTTPS"}, {}, {"tls": "verify-full"}),
        ({**SSL, **SASL}, USER, {"tls": "verify-ca", "sasl": "SCRAM-SHA-512"}),
        ({**SSL, **OWN}, {}, {"tls": "verify-ca"}),
    ],
)  # fmt: skip
def test_types(security: dict[str, Any], user: dict[str, str], wanted: dict[str, str]) -> None:
    for found in (
        end(user, kafka_security=security),
        end({**user, "kafka_security": security}),
        end(user, kafka_security_config=security),
        end({**user, "kafka_security_config": security}),
    ):
        assert found.endpoint.options == wanted
        assert found.protection.ca == (PEM if "SSL" in security["type"] else "")
        assert bool(found.protection.key) == ("enable_key_store" in security)


def test_the_stores() -> None:
    found = end(kafka_security={**SSL, **OWN})
    assert found.certificates == {"target_ca": PEM, "target_certificate": PEM}
    assert "PRIVATE KEY" in found.protection.key.reveal() and "PRIVATE" not in repr(found)
    plain = key_store("other-secret")
    own = {**OWN, "key_store_key": "\n".join(plain[n : n + 64] for n in range(0, len(plain), 64))}
    assert "password is wrong" in refused(INVALID, kafka_security={**SSL, **own})
    assert end(kafka_security={**SSL, **own, "key_store_password": "other-secret"}).protection.key


def test_where_else_an_authority_may_stand() -> None:
    ssl = {"ssl_link": True, "ssl_cert_key": PEM}
    assert options(ssl=ssl, kafka_security={"type": "SSL", "endpoint_algorithm": "https"}) == {"tls": "verify-full"}
    assert options(USER, ssl={"ssl_link": True}, kafka_security=SASL) == {"tls": "require", "sasl": "SCRAM-SHA-512"}
    assert "ssl_cert_key" not in end(ssl={"ssl_link": True}, kafka_security=SSL).facts["ssl"]


def test_what_is_shown_has_no_secret() -> None:
    security = {
        **SSL,
        **OWN,
        "set_private_key_password": True,
        "key_password": "key-secret-1",
        "trust_store_key_name": "t.jks",
    }
    for found in (end(kafka_security=security), end({"kafka_security": security})):
        text = json.dumps(found.facts)
        for secret in (PASSWORD, "key-secret-1", key_store(), trust_store()[:40], SSL["trust_store_key"], "PRIVATE"):
            assert secret not in text
        shown = found.facts.get("kafka_security") or found.facts["endpoint"]["kafka_security"]
        assert shown == {
            "type": "SSL",
            "enable_key_store": True,
            "set_private_key_password": True,
            "trust_store_key_name": "t.jks",
        }
    assert "secret-1" not in json.dumps(end(USER).facts)


@pytest.mark.parametrize(
    "fault, words, security, user",
    [
        (UNSUPPORTED, "GSSAPI", {"type": "SASL_SSL", "sasl_mechanism": "gssapi"}, USER),
        (UNSUPPORTED, "delegation tokens", {**SASL, "delegation_tokens": True}, USER),
        (EMPTY, "kafka_security.type", {"sasl_mechanism": "PLAIN"}, USER),
        (INVALID, "kafka_security.type", {"type": "TLS"}, {}),
        (INVALID, "kafka_security.sasl_mechanism", {**SSL, **SASL, "sasl_mechanism": "MD5"}, USER),
        (EMPTY, "endpoint.db_user, t.kafka_security.sasl_mechanism", {"type": "SASL_PLAINTEXT"}, {}),
        (EMPTY, "endpoint.db_user", {"type": "PLAINTEXT"}, {"db_password": "secret-1"}),
        (EMPTY, "endpoint.db_user", {}, {"db_password": "secret-1"}),
        (INVALID, "kafka_security.type is invalid: with SSL nobody logs in: take SASL_SSL", SSL, USER),
        (INVALID, "sasl_mechanism", {"type": "PLAINTEXT", "sasl_mechanism": "PLAIN"}, {}),
        (EMPTY, "kafka_security.trust_store_key", {"type": "SSL"}, {}),
        (EMPTY, "db_user, t.kafka_security.trust_store_key, t.kafka_security.key_store_key, t.kafka_security.key_store_password",
         {**SASL, "enable_key_store": True}, {}),
        (EMPTY, "kafka_security.key_store_password", {**SSL, **OWN, "key_store_password": ""}, {}),
        (EMPTY, "kafka_security.key_password", {**SSL, **OWN, "set_private_key_password": True}, {}),
        (INVALID, "enable_key_store is invalid: it is not true", {**SSL, "key_store_key": key_store()}, {}),
        (INVALID, "endpoint_algorithm", {**SSL, "endpoint_algorithm": "ldaps"}, {}),
        (INVALID, "trust_store_key is invalid: with SASL_PLAINTEXT", {"type": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN",
            "enable_key_store": True, "trust_store_key": "eA=="}, USER),
        (INVALID, "trust_store_key is invalid: it is no base64", {**SSL, "trust_store_key": "$"}, {}),
        (INVALID, "it is empty", {**SSL, "trust_store_key": " "}, {}),
        (INVALID, "it is PEM", {**SSL, "trust_store_key": base64.b64encode(PEM.encode()).decode()}, {}),
        (INVALID, "neither JKS nor PKCS#12", {**SSL, "trust_store_key": "YWJj"}, {}),
        (INVALID, "the password is wrong", {**SSL, "trust_store_password": "wrong-one"}, {}),
        (INVALID, "needs a password", {**SSL, "trust_store_password": None}, {}),
        (INVALID, "no private key", {**SSL, **OWN, "key_store_key": trust_store()}, {}),
        (INVALID, "more than 262144 characters", {**SSL, "trust_store_key": "A" * 300_000}, {}),
        (INVALID, "more than 1024 characters", {**SSL, "trust_store_password": "A" * 1025}, {}),
    ],
)  # fmt: skip
def test_what_contradicts_itself(fault: Fault, words: str, security: dict[str, Any], user: dict[str, str]) -> None:
    told = refused(fault, user, kafka_security=security)
    assert words in told
    for secret in ("wrong-one", PASSWORD, "secret-1"):
        assert secret not in told


def test_both_ways_of_saying_it() -> None:
    assert "kafka_security" in refused(INVALID, {"kafka_security": SSL}, kafka_security=SSL)
    assert end({"kafka_security": SSL}, kafka_security={}).protection.ca
    assert "ssl.ssl_link" in refused(INVALID, ssl={"ssl_link": False}, kafka_security=SSL)
    assert "ssl.ssl_link" in refused(INVALID, ssl={"ssl_link": True}, kafka_security={"type": "PLAINTEXT"})
    both = refused(INVALID, ssl={"ssl_link": True, "ssl_cert_key": PEM}, kafka_security=SSL)
    assert "trust_store_key is invalid: ssl.ssl_cert_key gives" in both
    https = {"type": "SSL", "endpoint_algorithm": "https"}
    assert "endpoint_algorithm" in refused(INVALID, ssl={"ssl_link": True}, kafka_security=https)


def test_a_store_with_too_many_authorities() -> None:
    many = trust_store(*(certificate(KEY, f"number {n}") for n in range(200)))
    told = refused(INVALID, kafka_security={"type": "SSL", "trust_store_key": many, "trust_store_password": PASSWORD})
    assert "it holds 200 certificates, more than 64 KiB" in told


def test_a_database_is_no_kafka() -> None:
    body = {
        "db_type": "mysql", "endpoint_type": "offline", "endpoint_role": "so",
        "endpoint": {"ip": "one", "db_user": "me", "db_password": ""},
    }  # fmt: skip
    assert read_end("s", EndpointInfo.model_validate({**body, "kafka_security": {}}), FLOW).endpoint.engine == "mysql"
    with pytest.raises(DrsError, match=r"s\.kafka_security is invalid: mysql is no Kafka"):
        read_end("s", EndpointInfo.model_validate({**body, "kafka_security": SSL}), FLOW)
