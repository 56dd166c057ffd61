"""What a connection test may change of a job."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.endpoint import Endpoint, Secret, Side
from opendrs.model.job import Job
from opendrs.model.lifecycle import State
from opendrs.store import actions, checkpoints, jobs
from opendrs.store.database import open_store
from opendrs.store.jobs import Service
from opendrs.store.sealing import Seal
from opendrs.worker.assembly import Place, job_of
from opendrs.worker.errands import Errand, network

JOB = Job(
    id="01234567-89ab-cdef-0123-456789ajb20p",
    source=Endpoint.parse("mysql://anna:old@source.example"),
    target=Endpoint.parse("postgresql://ben@target.example/ware"),
    task="full+incremental",
)
SERVICE = Service(
    project_id="p", description="", job_type="sync", engine_type="mysql-to-pgl", job_direction="up", net_type="vpc",
    places=(), facts={},
)  # fmt: skip


KAFKA = "kafka://broker-1:9093/?tls=verify-ca&brokers=broker-2%3A9093"
CERTIFICATES = {"target_ca": "the authority", "target_certificate": "who we are"}
KEY = "a private key"


def errand(folder: Path, state: State, job: Job = JOB, **secrets: str) -> Errand:
    place = Place(store=open_store(f"sqlite:///{folder / 'opendrs.db'}"), seal=Seal(bytes(32)), folder=folder)
    with place.store.write() as connection:
        jobs.add(connection, job, "a-job", SERVICE)
        jobs.change(connection, JOB.id, state=state.value)
        key = actions.ask(connection, JOB.id, Kind.NETWORK, "somebody", revision=0)
        action, record = actions.find(connection, JOB.id, key), jobs.find(connection, JOB.id)
    assert action is not None and record is not None
    return Errand(place=place, action=action, record=record, job=job, secrets=secrets)


def keep(
    errand: Errand, url: str, side: Side = "source", certificates: Mapping[str, str] | None = None
) -> jobs.JobRecord:
    end = {"url": url, "facts": {"endpoint": {"ip": "other.example"}}, "certificates": certificates or {}}
    network._keep(errand, side, Endpoint.parse(url).password, end)
    with errand.place.store.read() as connection:
        found = jobs.find(connection, JOB.id)
    assert found is not None
    return found


def test_an_end_that_answers_is_the_job_s_from_then_on(tmp_path: Path) -> None:
    task = errand(tmp_path, State.CONFIGURATION)
    found = keep(task, "mysql://anna:new@other.example:3307/")
    assert found.source == "mysql://anna:***@other.example:3307/"
    assert found.revision == 1, "the prechecks have looked at another server"
    with task.place.store.read() as connection:
        sealed = jobs.sealed_secrets(connection, JOB.id)["source_password"]
    assert task.place.seal.open(sealed, f"job/{JOB.id}/source_password") == "new"


def test_a_job_that_was_started_meanwhile_keeps_its_ends(tmp_path: Path) -> None:
    task = errand(tmp_path, State.STARTING)
    with pytest.raises(DrsError) as raised:
        keep(task, "mysql://anna:new@other.example/")
    assert raised.value.fault is Fault.WRONG_STATE


def test_a_job_that_has_begun_stays_with_its_server_and_takes_another_password(tmp_path: Path) -> None:
    task = errand(tmp_path, State.PAUSED)
    with task.place.store.write() as connection:
        checkpoints.save(connection, JOB.id, epoch=1, phase=Phase.FOLLOWING, position=None)
    with pytest.raises(DrsError) as raised:
        keep(task, "mysql://anna:new@other.example/")
    assert raised.value.fault is Fault.PARAMETER_INVALID
    assert keep(task, "mysql://anna:new@source.example/").revision == 0


def assembled(task: Errand) -> Endpoint:
    """The target, as a worker is told."""
    with task.place.store.read() as connection:
        record, sealed = jobs.find(connection, JOB.id), jobs.sealed_secrets(connection, JOB.id)
    assert record is not None
    return job_of(task.place, record, sealed).target


def test_certificates_and_keys_are_files_of_the_job(tmp_path: Path) -> None:
    task = errand(tmp_path, State.CONFIGURATION, target_key=KEY)
    keep(task, KAFKA, "target", CERTIFICATES)
    with task.place.store.read() as connection:
        sealed = jobs.sealed_secrets(connection, JOB.id)["target_key"]
        record = jobs.find(connection, JOB.id)
    assert task.place.seal.open(sealed, f"job/{JOB.id}/target_key") == KEY
    assert record is not None and record.facts is not None and CERTIFICATES.items() <= record.facts.items()
    options = assembled(task).options
    found = {name: Path(options[name]) for name in ("tls_ca", "tls_cert", "tls_key")}
    assert [path.read_text() for path in found.values()] == [*CERTIFICATES.values(), KEY]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found.values()} == {0o600}
    assert {path.parent for path in found.values()} == {task.place.folder_of(JOB.id)}
    assert assembled(task).options == options, "the same files again"
    assert KEY.encode() not in (tmp_path / "opendrs.db").read_bytes()

    keep(replace(task, secrets={"target_key": "another"}), KAFKA, "target", {"target_certificate": "new"})
    assert set(assembled(task).options) == {"tls", "brokers", "tls_cert", "tls_key"}
    assert found["tls_key"].read_text() == "another" and found["tls_cert"].read_text() == "new"
    keep(replace(task, secrets={}), KAFKA, "target")
    assert set(assembled(task).options) == {"tls", "brokers"}
    assert not any(path.exists() for path in found.values())


def test_what_is_tested_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = errand(tmp_path, State.CONFIGURATION, target_key=KEY, target_password="new")
    seen: list[tuple[str, str, str]] = []

    def look(endpoint: Endpoint) -> str:
        path = Path(endpoint.options["tls_key"])
        seen.append((path.read_text(), oct(path.stat().st_mode)[-3:], endpoint.password.reveal()))
        return "1"

    monkeypatch.setattr(network, "version", look)
    end = {"side": "target", "url": KAFKA.replace("//", "//me:***@"), "facts": {}, "certificates": CERTIFICATES}
    task.action.params["ends"] = [end]  # type: ignore[index]
    assert network.run(task)["ends"][0]["success"]
    assert seen == [(KEY, "600", "new")]
    assert [path for path in (tmp_path / "jobs").rglob("*") if path.is_file()] == []


def test_who_logs_in_nowhere_has_no_password(tmp_path: Path) -> None:
    task = errand(tmp_path, State.CONFIGURATION)
    known = replace(task, job=replace(JOB, target=replace(JOB.target, password=Secret("old"))))
    for url, password in ((KAFKA, ""), (KAFKA.replace("//", "//me@"), "old")):
        end = {"side": "target", "url": url, "facts": {}, "certificates": {}}
        assert network._given(known, end, tmp_path)[1].password.reveal() == password


def test_a_job_that_has_begun_stays_with_its_brokers(tmp_path: Path) -> None:
    task = errand(tmp_path, State.PAUSED, replace(JOB, target=Endpoint.parse(KAFKA)))
    with task.place.store.write() as connection:
        checkpoints.save(connection, JOB.id, epoch=1, phase=Phase.FOLLOWING, position=None)
    keep(task, "kafka://broker-2:9093/?brokers=broker-3%3A9093", "target")
    with pytest.raises(DrsError) as raised:
        keep(task, "kafka://broker-2:9094/", "target")
    assert raised.value.fault is Fault.PARAMETER_INVALID
