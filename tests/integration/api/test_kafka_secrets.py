"""Endpoints of Kafka over the wire: whatever is sent is answered in the published shape, and no secret comes back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opendrs.store import jobs
from tests.harness.service import PROJECT
from tests.integration.api.conftest import SECRETS
from tests.integration.api.raw import Raw, listening
from tests.integration.api.test_bad_input import (
    EMPTY,
    INVALID,
    REQUEST,
    UNSUPPORTED,
    WRONG,
    changed,
    creation,
    fits,
    leaves,
)
from tests.integration.api.world import World
from tests.unit.api.kafka import KEY, PASSWORD, PEM, key_store, trust_store

KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
STORE, TRUST = key_store(), trust_store()
SECURITY = {
    "type": "SASL_SSL", "sasl_mechanism": "PLAIN", "trust_store_key": TRUST, "trust_store_password": PASSWORD,
    "trust_store_key_name": "trust.p12", "endpoint_algorithm": "https", "enable_key_store": True,
    "key_store_key": STORE, "key_store_password": PASSWORD, "key_store_key_name": "own.p12",
    "set_private_key_password": True, "key_password": "key-secret-1", "delegation_tokens": False,
}  # fmt: skip
# Besides those of the file's own bodies: the key as text and as bytes, and what it is sent in.
HIDDEN = (PASSWORD, "key-secret-1", STORE, *KEY_PEM.splitlines()[1:-1])


@pytest.fixture
def raw(world: World) -> Iterator[Raw]:
    with listening() as log:
        raw = Raw(world.url, log)
        yield raw
        raw.end((*SECRETS, *HIDDEN))


def end(**inner: Any) -> dict[str, Any]:
    endpoint = {"endpoint_name": "kafka", "ip": "one:9093,two:9093", "db_user": "me", "db_password": SECRETS[1]}
    return {
        "db_type": "kafka", "endpoint_type": "offline", "endpoint_role": "ta",
        "endpoint": {**endpoint, **inner}, "kafka_security": SECURITY,
    }  # fmt: skip


def to_kafka(name: str = "") -> dict[str, Any]:
    body = creation(name, engine_type="mysql-to-kafka")
    body["job"]["target_endpoint"] = [end()]
    return body


def test_nothing_of_it_comes_back_or_stands_anywhere(world: World, raw: Raw, tmp_path: Path) -> None:
    job = raw.good("POST", "jobs", to_kafka("has-secrets"))["id"]
    world.step()
    raw.good("POST", f"jobs/{job}/action", {"job": {"action_name": "network", "action_params": {"endpoints": [end()]}}})
    found = raw.good("GET", f"jobs/{job}", type="detail")
    assert fits("show_job_detail", found) == []
    (shown,) = found["job"]["target_endpoint"]
    assert shown["kafka_security"] == {
        name: SECURITY[name]
        for name in (
            "type", "sasl_mechanism", "trust_store_key_name", "endpoint_algorithm", "enable_key_store",
            "key_store_key_name", "set_private_key_password", "delegation_tokens",
        )
    }  # fmt: skip
    for view in ("overview", "log", "progress"):
        raw.good("GET", f"jobs/{job}", type=view)
    raw.good("GET", "jobs", job_type="sync")
    with world.store.read() as connection:
        record = jobs.find(connection, job)
        sealed = jobs.sealed_secrets(connection, job)
    assert record is not None and record.target == (
        "kafka://me:***@one:9093/?sasl=PLAIN&tls=verify-full&brokers=two%3A9093"
    )
    assert sealed.keys() == {"source_password", "target_password", "target_key"}
    assert world.seal.open(sealed["target_key"], f"job/{job}/target_key") == KEY_PEM
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("opendrs.db*"))
    assert PEM.splitlines()[1].encode() in stored, "certificates are no secrets"
    der = base64.b64decode("".join(KEY_PEM.splitlines()[1:-1]))
    for secret in (*SECRETS[:2], *HIDDEN):
        assert secret.encode() not in stored
    assert der not in stored and base64.b64decode(STORE) not in stored


def test_a_store_that_cannot_be_read_is_told_without_what_is_in_it(raw: Raw) -> None:
    for field, value, words in (
        ("key_store_password", "another-secret-1", "kafka_security.key_store_key is invalid: the password is wrong"),
        ("trust_store_key", TRUST[:-400], "kafka_security.trust_store_key is invalid: it is cut off"),
        ("trust_store_key", "", "kafka_security.trust_store_key"),
        ("type", "SSL", "kafka_security.type"),
        ("type", "PLAINTEXT", "kafka_security.trust_store_key"),
    ):
        body = changed(to_kafka(), f"job.target_endpoint.0.kafka_security.{field}", value)
        told = raw.refused(INVALID if value else EMPTY, "POST", "jobs", body)
        assert words in told and "another-secret-1" not in told


def test_every_field_of_an_endpoint_with_every_type(world: World, raw: Raw) -> None:
    body = to_kafka()
    job = raw.good("POST", "jobs", body)["id"]
    world.step()
    for path in leaves(body["job"]["target_endpoint"][0]):
        for value in WRONG:
            asked = changed(to_kafka(), f"job.target_endpoint.0.{path}", value)
            answer = raw.ask("POST", "jobs", asked)
            assert answer.status_code in (202, 400), (path, value, answer.text[:300])
            if answer.status_code == 400:
                assert answer.json()["error_code"] in {EMPTY, INVALID, UNSUPPORTED, REQUEST}, (path, value)
                continue
            found = raw.good("GET", f"jobs/{answer.json()['id']}", type="detail")
            assert fits("show_job_detail", found) == [], (path, value)
    policy = {"jobs": [{"job_id": job, "topic_policy": "1", "partitions_num": 3, "ddl_trans": False, "gtid_set": ""}]}
    for path in leaves(policy):
        for value in WRONG:
            answer = raw.ask("POST", f"/v3/{PROJECT}/jobs/batch-sync-policy", changed(policy, path, value))
            assert answer.status_code in (200, 400), (path, value, answer.text[:300])


def test_a_database_has_none_of_it(raw: Raw) -> None:
    body = changed(creation(), "job.target_endpoint.0.kafka_security", {"type": "PLAINTEXT"})
    assert "kafka_security" in raw.refused(INVALID, "POST", "jobs", body)
    body = changed(creation(), "job.source_endpoint.0.endpoint.kafka_security", {"type": "PLAINTEXT"})
    assert "endpoint.kafka_security" in raw.refused(INVALID, "POST", "jobs", body)
