"""What a connection test may change of a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job
from opendrs.model.lifecycle import State
from opendrs.store import actions, checkpoints, jobs
from opendrs.store.database import open_store
from opendrs.store.jobs import Service
from opendrs.store.sealing import Seal
from opendrs.worker.assembly import Place
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


def errand(folder: Path, state: State) -> Errand:
    place = Place(store=open_store(f"sqlite:///{folder / 'opendrs.db'}"), seal=Seal(bytes(32)), folder=folder)
    with place.store.write() as connection:
        jobs.add(connection, JOB, "a-job", SERVICE)
        jobs.change(connection, JOB.id, state=state.value)
        key = actions.ask(connection, JOB.id, Kind.NETWORK, "somebody", revision=0)
        action, record = actions.find(connection, JOB.id, key), jobs.find(connection, JOB.id)
    assert action is not None and record is not None
    return Errand(place=place, action=action, record=record, job=JOB, secrets={})


def keep(errand: Errand, url: str) -> jobs.JobRecord:
    end = {"url": url, "facts": {"endpoint": {"ip": "other.example"}}, "ca": ""}
    network._keep(errand, "source", replace(Endpoint.parse(url)), end)
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
