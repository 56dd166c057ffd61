"""The service in one process, without servers and workers: the API, the store and the attendant are real, and a test
plays the workers and the runners. What happens is what the test lets happen, one step at a time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from opendrs.api.app import App, Limits
from opendrs.api.gateway import Gateway
from opendrs.api.server import Patience, bind, server
from opendrs.control.changing import Changes, changed, numbered
from opendrs.errors import DrsError, Fault
from opendrs.model.action import IMPORTS, Action, Kind
from opendrs.model.caller import Wanted
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Secret
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import ALLOWED, Intent, State, Trigger, Verb
from opendrs.model.links import link_of
from opendrs.model.selection import Selection
from opendrs.store import actions, identity, jobs, leases
from opendrs.store.database import Store, open_store
from opendrs.store.jobs import JobRecord
from opendrs.store.leases import Holder
from opendrs.store.sealing import Seal
from opendrs.worker.assembly import Place
from opendrs.worker.attending import Attendant
from opendrs.worker.claiming import RESTED
from opendrs.worker.editing import carried_out, pending
from opendrs.worker.errands import terminate
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit, Outcome
from tests.harness.service import ACCESS_KEY, PASSWORD, PROJECT, SECRET_KEY, USER, Sdk, sdk
from tests.integration.api.meanwhile import meanwhile

HOLDER = Holder(owner="worker", pid=1, started_at=1.0, host="a machine of the test")
# What the source of every job has.
THERE = {"shop": [TableName("shop", "lines"), TableName("shop", "orders")]}
RUNNER = Holder(owner="worker", pid=2, started_at=1.0, host="a machine of the test")


@dataclass
class Worker:
    """What a scripted worker, with its supervisor, has been told."""

    order: Order
    epoch: int
    pausing: bool = False
    outcome: Outcome | None = None


@dataclass
class Workers:
    """Implements worker.attending.Supervising: each job has at most one worker, which does what the test says.

    working   those that live; they outlive whoever watches them
    watching  those that are watched, or have ended and nobody has asked yet
    """

    store: Store
    working: dict[str, Worker] = field(default_factory=dict)
    watching: dict[str, Worker] = field(default_factory=dict)

    def ensure(self, order: Order, *, pausing: bool = False) -> None:
        job = order.job.id
        if self.watched(job):
            return
        worker = self.working.get(job)
        if worker is None and pausing:
            self._pause_idle(job)
            worker = Worker(order, 0, outcome=Outcome(exit=Exit.PAUSED))
        elif worker is None:
            worker = self.working[job] = self._start(order)
        worker.pausing |= pausing
        self.watching[job] = worker

    def _pause_idle(self, job: str) -> None:
        """What a watch does where nobody works."""
        with self.store.write() as connection:
            lease = leases.current(connection, job)
            if lease is not None and jobs.intent_of(connection, job) is not Intent.RUN:
                jobs.enter(connection, job, State.PAUSED, epoch=lease.epoch, rests=True)

    def _start(self, order: Order) -> Worker:
        job = order.job.id
        with self.store.write() as connection:
            epoch = leases.claim(connection, job, HOLDER, order.settings())
            assert epoch is not None
            record = jobs.find(connection, job)
            assert record is not None
            if record.state in RESTED:
                jobs.enter(connection, job, State.STARTING, epoch=epoch)
        return Worker(order, epoch)

    def watched(self, job_id: str) -> bool:
        worker = self.watching.get(job_id)
        return worker is not None and worker.outcome is None

    def take_outcome(self, job_id: str) -> Outcome | None:
        if self.watched(job_id) or job_id not in self.watching:
            return None
        return self.watching.pop(job_id).outcome

    def pause(self, job_id: str) -> None:
        self.watching[job_id].pausing = True

    def kill(self, job_id: str) -> None:
        self.watching[job_id].pausing = True

    # what the test lets happen

    def says(self, job_id: str, state: State) -> bool:
        """The worker reports where it is; one that follows has carried out what was edited."""
        worker = self.working[job_id]
        with self.store.write() as connection:
            entered = jobs.enter(connection, job_id, state, epoch=worker.epoch)
        if entered and state is State.INCREMENTAL and (edit := pending(self.store, job_id)) is not None:
            carried_out(self.store, job_id, edit)
        return entered

    def ends(self, job_id: str, state: State, outcome: Outcome) -> None:
        """Its last word."""
        worker = self.working.pop(job_id)
        with self.store.write() as connection:
            paused = outcome.exit is Exit.PAUSED
            if not (paused and jobs.intent_of(connection, job_id) is Intent.RUN):
                jobs.enter(connection, job_id, state, epoch=worker.epoch, failure=outcome.failure, rests=True)
        worker.outcome = outcome


@dataclass
class World:
    """All of it. `sdk` speaks to the API over HTTP; everything else is called directly."""

    store: Store
    seal: Seal
    workers: Workers
    attendant: Attendant
    url: str

    def sdk(self, **credentials: str) -> Sdk:
        return sdk(self.url, **credentials)

    def step(self) -> None:
        self.attendant.step()

    def crash(self) -> None:
        """The service is killed, and starts again; the workers go on."""
        self.workers.watching.clear()
        self.attendant = Attendant(place=self.attendant.place, supervisor=self.workers, clock=self.attendant.clock)

    def take(self) -> Action | None:
        """A runner takes the errand that has waited longest."""
        with self.store.write() as connection:
            return actions.take(connection, RUNNER)

    def finish(self, action: Action, *, well: bool = True) -> None:
        """A runner's last word on an errand, with what such an errand leaves behind."""
        failure = None if well else Failure.of(DrsError(Fault.SOURCE_UNREACHABLE, endpoint="there", reason="gone"))
        with self.store.write() as connection:
            if action.kind is Kind.TERMINATE:
                if failure is None:
                    jobs.move(connection, action.job_id, Trigger.RELEASED, intent=Intent.REST)
                else:
                    failure = terminate.failed(connection, action, failure)
            result = _result(action) if well else None
            if action.kind is Kind.OBJECTS and result is not None:
                record = jobs.find(connection, action.job_id)
                assert record is not None
                values, failure = _saved(record, action)
                if failure is not None:
                    result = None
                elif record.state in ALLOWED[Verb.EDIT]:  # it has begun
                    jobs.change(connection, action.job_id, prechecked=True)
                    result = {**result, "selection": values["selection"], "narrows": False}
                else:
                    jobs.change(connection, action.job_id, prechecked=True, **values)
            actions.finish(connection, action.id, RUNNER, result=result, failure=failure)

    def runners(self) -> AbstractContextManager[None]:
        """Errands are done meanwhile, as they come: for requests that wait for them."""
        return meanwhile(self.run_errands)

    def run_errands(self, *, well: bool = True) -> None:
        while (action := self.take()) is not None:
            self.finish(action, well=well)

    def configured(self, sdk: Sdk, job_id: str) -> None:
        """Brings a job that was just created to where it can be started."""
        self.step()
        sdk.act(job_id, "precheck", precheck_mode="forStartJob")
        self.run_errands()

    def forget(self, job_id: str) -> None:
        """Takes a job away, wherever it is."""
        self.workers.working.pop(job_id, None)
        self.workers.watching.pop(job_id, None)
        with self.store.write() as connection:
            jobs.remove(connection, job_id)

    def state(self, job_id: str) -> State:
        with self.store.read() as connection:
            found = jobs.find(connection, job_id)
        assert found is not None
        return found.state


def _saved(job: JobRecord, action: Action) -> tuple[dict[str, Any], Failure | None]:
    """What a job has after a saving, by a source that has THERE and takes every filter."""
    params = action.params
    if "changes" not in params:
        return {"selection": numbered(Selection.from_json(params["selection"]), job.selection).to_json()}, None
    link = link_of(job.engine_type)
    kafka = link is not None and link.target == "kafka"
    after, problems = changed(job.selection, Changes.from_json(params["changes"]), THERE, kafka=kafka)
    if problems:
        return {}, Failure.of(DrsError(Fault.OBJECTS_MISSING, reason="; ".join(problems)))
    policy = job.policy
    if "ddl" in params:
        policy = replace(policy, ddl=params["ddl"], skipped_ddl=tuple(params["skipped_ddl"]))
    return {"selection": numbered(after, job.selection).to_json(), "policy": policy.to_json()}, None


def _result(action: Action) -> Mapping[str, Any]:
    end = {"ip": "127.0.0.1", "success": True, "version": "1", "code": "", "message": ""}
    finding = {"item": "srcDbConnection", "group": "network", "result": "PASSED", "message": "it answers", "remedy": ""}
    position = {"position": "mysql-bin.000277:805", "gtid_set": "0-1-2", "time": "2026-11-30T07:00:00Z"}
    return {
        Kind.NETWORK: {"ends": [{**end, "side": side} for side in ("source", "target")]},
        Kind.COLLECT: {
            "databases": {
                home: {"tables": [[name.table, "table"] for name in names], "total": len(names)}
                for home, names in THERE.items()
            },
            "most": 10,
        },
        Kind.OBJECTS: {"databases": 1, "tables": 1},
        Kind.COLUMNS: {
            "tables": [
                {"name": name, "columns": [["id", "int(11)", "PRI"], ["note", "varchar(20)", ""]]}
                for name in action.params.get("tables", [])
            ]
        },
        Kind.FILTERS: {
            "objects": [
                {"name": name, "message": ""} for one in action.params.get("filters", []) for name in one["tables"]
            ]
        },
        **{kind: {"rows": 1} for kind in IMPORTS},
        Kind.PRECHECK: {"passed": True, "findings": [finding]},
        Kind.POSITION: position,
        Kind.START_POSITION: position,
        Kind.TERMINATE: {"left": ""},
    }[action.kind]


@contextmanager
def open_world(
    folder: Path,
    *,
    url: str = "",
    limits: Limits | None = None,
    patience: Patience | None = None,
    patience_s: float = 0.0,
) -> Iterator[World]:
    """A world with the identity of tests.harness.service; its store is a file in the folder if no URL is given.

    patience_s   how long requests wait for runners: not at all, if the test plays them itself
    """
    store, seal = open_store(url or f"sqlite:///{folder / 'opendrs.db'}", pinned=True), Seal(bytes(32))
    wanted = Wanted(
        project_id=PROJECT, user_name=USER, password=Secret(PASSWORD),
        access_key=ACCESS_KEY, secret_key=Secret(SECRET_KEY),
    )  # fmt: skip
    identity.ensure(store, seal, wanted)
    if not url:
        _note_moves(store)
    workers = Workers(store)
    place = Place(store=store, seal=seal, folder=folder)
    ticks = itertools.count(0, 100)  # nothing has to be waited for
    attendant = Attendant(place=place, supervisor=workers, clock=lambda: float(next(ticks)))
    listener = bind("127.0.0.1", 0)
    serving = server(App(Gateway(store, seal, folder=folder, patience_s=patience_s), limits), patience)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield World(store, seal, workers, attendant, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        serving.should_exit = True
        thread.join()
        listener.close()
        store.close()


def _note_moves(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("CREATE TABLE moves (job_id TEXT, before TEXT, after TEXT)"))
        connection.execute(
            text(
                "CREATE TRIGGER moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state"
                " BEGIN INSERT INTO moves VALUES (new.id, old.state, new.state); END"
            )
        )


def moves(store: Store) -> list[tuple[str, State, State]]:
    """Every change of a state that there was, whoever made it."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT job_id, before, after FROM moves")).all()
    return [(row.job_id, State(row.before), State(row.after)) for row in rows]
