"""Real processes, scripted work."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from opendrs.model.job import Job
from opendrs.model.lifecycle import State
from opendrs.settings import SECRET_VARIABLES
from opendrs.store import database, events, jobs, leases, progress
from opendrs.store.database import Store
from opendrs.store.leases import Lease
from opendrs.worker import process
from opendrs.worker.order import Options, Order
from opendrs.worker.outcome import Outcome
from opendrs.worker.starting import LOG, OUTPUT
from opendrs.worker.supervisor import Supervisor
from opendrs.worker.timing import Timing
from tests.integration.state_fixtures import job, store, url
from tests.integration.worker import fakes

__all__ = ["job", "store", "url"]

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0
TIMING = Timing(
    ttl_s=5.0, start_s=60.0, beat_s=0.1, poll_s=0.02, grace_s=10.0, first_wait_s=0.02, wait_max_s=0.1,
    shown_after_s=0.5, steady_s=60.0,
)  # fmt: skip


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where workers keep compiled modules: without one, each of them compiles everything again."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, bytecode: Path) -> None:
    """A worker finds the fakes, and starts quickly; and nothing secret is inherited by accident."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "src")]))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))
    for name in SECRET_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisors of this process do not wait long for whoever holds the store."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 2.0)


@dataclass
class Stage:
    """A job with scripted work, and eyes on the store."""

    store: Store
    order: Order
    supervisor: Supervisor
    extra: list[Supervisor] = field(default_factory=list)

    @property
    def job(self) -> Job:
        return self.order.job

    def play(self, *acts: dict[str, Any]) -> None:
        fakes.write_script(self.order.folder, *acts)
        self.supervisor.ensure(self.order)

    def with_order(self, **changes: Any) -> None:
        self.order = replace(self.order, **changes)

    def ends(self, supervisor: Supervisor | None = None) -> Outcome:
        outcome = (supervisor or self.supervisor).wait(self.job.id, PATIENCE_S)
        assert outcome is not None, f"it goes on; {self.events()} {self.output()}"
        return outcome

    def calls(self) -> list[tuple[int, int]]:
        return fakes.calls(self.order.folder)

    def until(self, what: Callable[[], Any]) -> Any:
        """Waits for something to be true, and returns it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := what():
                return found
            time.sleep(0.02)
        raise AssertionError(f"it did not happen; {self.events()} {self.output()}")

    def lease(self) -> Lease | None:
        with self.store.read() as connection:
            return leases.current(connection, self.job.id)

    def worker(self) -> psutil.Process:
        """The process that works, once it does."""

        def found() -> psutil.Process | None:
            lease = self.lease()
            ready = lease and lease.holder.owner == "worker" and process.alive(lease.holder)
            called = lease and any(pid == lease.holder.pid for _, pid in self.calls())
            return psutil.Process(lease.holder.pid) if lease and ready and called else None

        result: psutil.Process = self.until(found)
        return result

    def put_to_sleep(self) -> psutil.Process:
        """Stops the worker, and not while it writes to the store."""
        worker = self.worker()
        while True:
            worker.send_signal(signal.SIGSTOP)
            self.until(lambda: worker.status() == psutil.STATUS_STOPPED)
            if self._writable():
                return worker
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.01)

    def _writable(self) -> bool:
        """Whether nobody holds the lease just now."""
        connection = self.store.engine.raw_connection()
        try:
            cursor = connection.cursor()
            if self.store.engine.dialect.name == "sqlite":
                cursor.execute("PRAGMA busy_timeout = 0")
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("SELECT * FROM leases FOR UPDATE NOWAIT")
            connection.rollback()
            return True
        except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
            return False
        finally:
            connection.invalidate()  # with its settings

    def state(self) -> State:
        with self.store.read() as connection:
            record = jobs.find(connection, self.job.id)
        assert record is not None
        return record.state

    def record(self) -> jobs.JobRecord:
        with self.store.read() as connection:
            record = jobs.find(connection, self.job.id)
        assert record is not None
        return record

    def counters(self) -> dict[str, Any]:
        with self.store.read() as connection:
            saved = progress.load(connection, self.job.id)
        return dict(saved.counters) if saved else {}

    def events(self) -> list[str]:
        with self.store.read() as connection:
            return [saved.event.name for saved in events.after(connection, self.job.id, limit=1000)]

    def output(self) -> str:
        path = self.order.folder / OUTPUT
        return path.read_text() if path.exists() else ""

    def log(self) -> str:
        return (self.order.folder / LOG).read_text()

    def another(self) -> Supervisor:
        supervisor = Supervisor(self.store)
        self.extra.append(supervisor)
        return supervisor


@pytest.fixture
def stage(store: Store, url: str, job: Job, tmp_path: Path) -> Iterator[Stage]:
    folder = tmp_path / "jobs" / job.id
    folder.mkdir(parents=True)
    order = Order(job=job, state=url, folder=folder, options=Options(), timing=TIMING, replicate=fakes.REPLICATE)
    stage = Stage(store, order, Supervisor(store))
    yield stage
    for supervisor in (stage.supervisor, *stage.extra):
        if job.id in supervisor._jobs:
            supervisor.kill(job.id)
        supervisor.close()
    for _, pid in stage.calls():  # whoever is left is ours
        if psutil.pid_exists(pid) and job.id in " ".join(_cmdline(pid)):
            psutil.Process(pid).kill()


def _cmdline(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
