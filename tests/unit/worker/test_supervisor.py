"""A watch that fails, in whatever way, ends for those who wait for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from opendrs.errors import Fault
from opendrs.store import jobs
from opendrs.store.database import open_store
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit
from opendrs.worker.supervisor import Supervisor
from opendrs.worker.timing import Timing
from tests.unit.worker.test_watch import JOB


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no space left on device")


@pytest.fixture
def no_log() -> Iterator[None]:
    handler = Broken()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


@pytest.mark.usefixtures("no_log")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_that_it_cannot_be_told_keeps_nobody_waiting(tmp_path: Path) -> None:
    def launch(order: Order, epoch: int, life: int) -> None:
        raise RuntimeError("a fault of ours")

    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    with store.write() as connection:
        jobs.create(connection, JOB)
    order = Order(job=JOB, state="", folder=tmp_path, timing=Timing())
    supervisor = Supervisor(store, launch=launch)  # type: ignore[arg-type]
    supervisor.ensure(order)
    outcome = supervisor.wait(JOB.id, 20.0)
    store.close()
    assert outcome is not None and outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.code == Fault.INTERNAL.spec.code
