"""One beat: the lease is renewed, and what is new is carried to the store, or nothing is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import State
from opendrs.store import checkpoints, commands, events, jobs, leases, progress
from opendrs.store.database import Store, open_store
from opendrs.telemetry import Mask, context
from opendrs.worker.heart import Heart, LeaseLost
from opendrs.worker.journal import WAITING_MAX, Journal
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.report import Report
from opendrs.worker.timing import Timing
from tests.unit.worker.test_report import Clock, Place, a_table, a_window
from tests.unit.worker.test_watch import JOB, Worker

GONE = Failure.of(DrsError(Fault.SOURCE_UNREACHABLE, endpoint="e", reason="r"))


ME = Worker(0, 1).holder


class Body:
    """A heart, and what it carries."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Clock()
        self.report = Report(clock=self.clock, now=self.clock)
        self.journal = Journal(Mask())
        self.obeyed: list[str] = []
        with store.write() as connection:
            jobs.create(connection, JOB)
            leases.claim(connection, JOB.id, ME, {})
        self.heart = Heart(
            store, JOB.id, 1, me=ME, report=self.report, journal=self.journal, timing=Timing(),
            lost=lambda: None, obey=self.obeyed.append,
        )  # fmt: skip
        self.log = logging.getLogger(f"opendrs.test.{id(self)}")
        self.log.setLevel(logging.INFO)
        self.log.addHandler(self.journal)

    def state(self) -> tuple[State, Failure | None]:
        with self.store.read() as connection:
            found = jobs.find(connection, JOB.id)
        assert found is not None
        return found.state, found.failure

    def events(self) -> list[str]:
        with self.store.read() as connection:
            return [saved.event.name for saved in events.after(connection, JOB.id)]


@pytest.fixture
def body(tmp_path: Path) -> Iterator[Body]:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    yield Body(store)
    store.close()


def test_a_beat_carries_everything(body: Body) -> None:
    body.report.phase(Phase.LOADING)
    body.report.table(TableProgress(table=a_table("t")))
    body.report.save(Place(), Phase.LOADING)
    body.log.info("hello", extra=context("test.hello", n=1))
    body.log.info("only for the file")
    with body.store.write() as connection:
        commands.ask(connection, JOB.id, "proof")
    body.heart.beat()
    with body.store.read() as connection:
        saved = checkpoints.load(connection, JOB.id)
        tables = progress.tables(connection, JOB.id)
        counters = progress.load(connection, JOB.id)
    assert saved is not None and (saved.position, saved.epoch) == ("p", 1)
    assert [table.name.table for table in tables] == ["t"]
    assert counters is not None and counters.counters["phase"] == "loading"
    assert body.events() == ["test.hello"]
    assert body.obeyed == ["proof"]
    assert body.state() == (State.FULL, None)


def test_what_an_earlier_worker_said_of_tables_is_void(body: Body) -> None:
    with body.store.write() as connection:
        progress.save_tables(connection, JOB.id, [progress.TableCounts(name=a_table("old").name, state="waiting")])
    body.report.table(TableProgress(table=a_table("new")))
    body.heart.beat()
    with body.store.read() as connection:
        assert [table.name.table for table in progress.tables(connection, JOB.id)] == ["new"]


def test_an_overtaken_worker_writes_nothing(body: Body) -> None:
    with body.store.write() as connection:
        leases.claim(connection, JOB.id, Worker(1, 2).holder, {})
    body.report.phase(Phase.FOLLOWING)
    body.report.save(Place(), Phase.FOLLOWING)
    body.log.info("hello", extra=context("test.hello"))
    with pytest.raises(LeaseLost):
        body.heart.beat()
    with pytest.raises(LeaseLost):
        body.heart.advance()
    with body.heart, pytest.raises(LeaseLost):
        body.heart.close(Outcome(exit=Exit.DONE))
    with body.store.read() as connection:
        assert checkpoints.load(connection, JOB.id) is None and progress.load(connection, JOB.id) is None
        lease = leases.current(connection, JOB.id)
    assert body.events() == [] and body.state() == (State.STARTING, None)
    assert lease is not None and lease.outcome is None


def test_a_new_epoch_is_used_from_then_on(body: Body) -> None:
    assert body.heart.advance() == 2
    body.report.save(Place(), Phase.FOLLOWING)
    body.heart.beat()
    with body.store.read() as connection:
        saved, lease = checkpoints.load(connection, JOB.id), leases.current(connection, JOB.id)
    assert saved is not None and saved.epoch == 2 and lease is not None and lease.epoch == 2


def test_an_epoch_whose_commit_was_not_answered_is_ours_all_the_same(body: Body) -> None:
    with body.store.write() as connection:
        assert leases.advance(connection, JOB.id, 1) == 2  # and the answer never came
    body.heart.beat()
    assert body.heart.advance() == 3
    with body.heart:
        assert body.heart.close(Outcome(exit=Exit.PAUSED))
    assert body.state()[0] is State.PAUSED


def test_an_epoch_whose_commit_failed_is_not_used(body: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    real = Store.write

    @contextmanager
    def failing(store: Store) -> Iterator[object]:
        with real(store) as connection:
            yield connection
            raise OperationalError("", {}, Exception("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", failing)
        with pytest.raises(OperationalError):
            body.heart.advance()
    body.heart.beat()
    assert body.heart.advance() == 2


def test_nothing_is_lost_when_the_store_is_away(body: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("", {}, Exception("gone"))

    body.report.phase(Phase.LOADING)
    body.report.table(TableProgress(table=a_table("t")))
    body.report.save(Place(), Phase.LOADING)
    body.log.info("hello", extra=context("test.hello"))
    with monkeypatch.context() as patch:
        patch.setattr(progress, "save", away)
        for _ in range(3):
            with pytest.raises(OperationalError):
                body.heart.beat()
    body.log.info("again", extra=context("test.again"))
    body.heart.beat()
    with body.store.read() as connection:
        assert len(progress.tables(connection, JOB.id)) == 1 and checkpoints.load(connection, JOB.id) is not None
    assert body.events() == ["test.hello", "test.again"]
    assert body.state() == (State.FULL, None)


def test_long_trouble_shows_in_the_state_and_goes(body: Body) -> None:
    body.report.phase(Phase.FOLLOWING)
    body.report.interrupted(GONE)
    body.heart.beat()
    assert body.state() == (State.INCREMENTAL, None)
    body.clock.at += 31
    body.heart.beat()
    assert body.state() == (State.INCREMENTAL_FAILED, GONE)
    body.report.applied(a_window())
    body.heart.beat()
    assert body.state() == (State.INCREMENTAL, None)


def test_the_last_word(body: Body) -> None:
    body.report.phase(Phase.FOLLOWING)
    failed = Outcome.of(DrsError(Fault.LOG_PURGED, position="p", reason="r"), Mask(), phase="following")
    body.log.info("bye", extra=context("test.bye"))
    with body.heart:
        assert body.heart.close(failed)
    with body.store.read() as connection:
        lease = leases.current(connection, JOB.id)
    assert lease is not None and lease.outcome is not None and Outcome.from_json(lease.outcome) == failed
    assert body.state() == (State.INCREMENTAL_FAILED, failed.failure)
    assert body.events() == ["test.bye"]


def test_a_flood_of_events_is_bounded(body: Body) -> None:
    for number in range(WAITING_MAX + 50):
        body.log.info("flood", extra=context("test.flood", n=number))
    told = body.journal.fetch()
    assert len(told) == WAITING_MAX and told[-1].fields["n"] == WAITING_MAX + 49
    body.log.info("new", extra=context("test.new"))
    body.journal.put_back(told[:3])
    assert [event.name for event in body.journal.fetch()] == ["test.flood"] * 3 + ["test.new"]
