"""Whose proof is asked for: a pair of URLs, or a job of a service."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from opendrs.cli import evidence
from opendrs.cli.main import app
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job
from opendrs.model.sealed import about_password, password_name
from opendrs.settings import ServiceState
from opendrs.store import jobs
from opendrs.store.database import open_store
from opendrs.store.jobs import Service
from opendrs.store.sealing import Seal

JOB = Job(
    id="job-1",
    source=Endpoint.parse("mysql://a:one@b"),
    target=Endpoint.parse("postgresql://a:two@b/c"),
    task="full+incremental",
)
OF_SERVICE = Service(
    project_id="p", description="", job_type="sync", engine_type="mysql-to-pgl", job_direction="up", net_type="vpc",
    places=(), facts={},
)  # fmt: skip


@pytest.mark.parametrize("words", [[], ["mysql://a@b"], ["mysql://a@b", "postgresql://a@b/c", "--job", "x"]])
def test_either_two_urls_or_a_job(words: list[str]) -> None:
    found = CliRunner().invoke(app, ["proof", *words])
    assert found.exit_code == 2 and "--job" in found.output


def test_a_folder_without_a_service_is_left_alone(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["proof", "--job", "x", "--data", str(tmp_path / "nothing")])
    assert found.exit_code == 2 and "is not the folder of a service" in found.output
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def place(tmp_path: Path) -> ServiceState:
    place = ServiceState.read(tmp_path, None, {})
    key = b"k" * 32
    (tmp_path / "secret.key").write_bytes(base64.b64encode(key))
    (tmp_path / "secret.key").chmod(0o600)
    store, seal = open_store(place.url), Seal(key)
    with store.write() as connection:
        jobs.add(connection, JOB, "Shop-Moves", OF_SERVICE)
        for side, password in (("source", "one"), ("target", "two")):
            sealed = seal.seal(password, about_password(JOB.id, side))  # type: ignore[arg-type]
            jobs.seal_secret(connection, JOB.id, password_name(side), sealed)  # type: ignore[arg-type]
    store.close()
    return place


@pytest.mark.parametrize("name", ["job-1", "shop-moves", "Shop-Moves"])
def test_a_job_of_the_service_by_id_or_name(place: ServiceState, name: str) -> None:
    found = evidence.job_of_service(place, name)
    assert (found.id, found.source.password.reveal(), found.target.password.reveal()) == ("job-1", "one", "two")


def test_a_job_that_the_service_does_not_have(place: ServiceState) -> None:
    with pytest.raises(DrsError) as error:
        evidence.job_of_service(place, "other")
    assert error.value.fault is Fault.JOB_UNKNOWN


@pytest.mark.parametrize("timeout_s", [None, 1.0])
def test_a_history_has_no_proof(place: ServiceState, timeout_s: float | None) -> None:
    """What is in Kafka is no state that a row could be held against; nobody waits for one."""
    published = replace(JOB, target=Endpoint.parse("kafka://a:two@b/t"))
    with pytest.raises(DrsError) as error:
        evidence.gather(place.url, JOB.id, lambda record: published, where=place.folder, timeout_s=timeout_s)
    assert error.value.fault is Fault.NO_PROOF and "history" in error.value.message
