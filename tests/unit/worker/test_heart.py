"""One beat: the lease is renewed, and what is new is carried to the store, or nothing is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyRow
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import State
from opendrs.model.speed import SpeedWindow
from opendrs.store import checkpoints, commands, ddls, dirty, events, jobs, leases, progress, speeds
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
        self.speeds: list[Sequence[SpeedWindow]] = []
        with store.write() as connection:
            jobs.create(connection, JOB)
            leases.claim(connection, JOB.id, ME, {})
        self.heart = Heart(
            store, JOB.id, 1, me=ME, report=self.report, journal=self.journal, timing=Timing(),
            lost=lambda: None, obey=self.obeyed.append, speed=self.speeds.append,
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


def a_dirty_row(key: str) -> DirtyRow:
    return DirtyRow(
        key=key, table=a_table("t").name, op="insert", kind="conflict", reason="r", statement="s", resolved="ignored",
        at=datetime.now(UTC),
    )  # fmt: skip


def entered(body: Body) -> tuple[threading.Thread, threading.Thread]:
    """Two who wait for the heart: with a row, and with a statement."""
    ledger = body.report.ledger
    record = DdlRecord(key="k", before="p", point="p", statement="ALTER", at=None, outcome="left_out")
    threads = tuple(
        threading.Thread(target=act, daemon=True)
        for act in (lambda: ledger.record([a_dirty_row("a")]), lambda: ledger.note(record))
    )
    for thread in threads:
        thread.start()
        assert ledger.nudge.wait(30)
        ledger.nudge.clear()
    return threads  # type: ignore[return-value]


def counted(body: Body) -> tuple[int, int]:
    with body.store.read() as connection:
        rows = dirty.page(connection, JOB.id, "incremental", limit=9, offset=0)[1]
        return rows, ddls.page(connection, JOB.id, limit=9, offset=0)[1]


def test_a_beat_writes_what_somebody_waits_for(body: Body) -> None:
    threads = entered(body)
    assert counted(body) == (0, 0) and all(thread.is_alive() for thread in threads)
    body.heart.beat()
    for thread in threads:
        thread.join(30)
    assert counted(body) == (1, 1) and not any(thread.is_alive() for thread in threads)


def test_who_waits_waits_on_when_the_store_is_away(body: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("", {}, Exception("gone"))

    threads = entered(body)
    with monkeypatch.context() as patch:
        patch.setattr(progress, "save", away)
        for _ in range(2):
            with pytest.raises(OperationalError):
                body.heart.beat()
    assert all(thread.is_alive() for thread in threads) and counted(body) == (0, 0)
    body.heart.beat()
    for thread in threads:
        thread.join(30)
    assert counted(body) == (1, 1)


def test_an_overtaken_worker_enters_nothing(body: Body) -> None:
    threads = entered(body)
    with body.store.write() as connection:
        leases.claim(connection, JOB.id, Worker(1, 2).holder, {})
    with pytest.raises(LeaseLost):
        body.heart.beat()
    assert counted(body) == (0, 0) and all(thread.is_alive() for thread in threads)


def test_a_beat_tells_how_fast_a_load_may_be(body: Body) -> None:
    window = SpeedWindow(begin=0, end=23, megabytes=7)
    body.heart.beat()
    with body.store.write() as connection:
        speeds.save(connection, JOB.id, [window])
    body.heart.beat()
    assert body.speeds == [(), (window,)]


def test_views_are_carried_with_what_became_of_them(body: Body) -> None:
    a, b = a_table("a").name, a_table("b").name
    body.report.planned([a, b])
    body.heart.beat()
    body.report.views([a], {b: "no"})
    body.heart.beat()
    with body.store.read() as connection:
        found, _ = progress.page_views(connection, JOB.id, limit=9, offset=0)
    assert [(view.name, view.made, view.reason) for view in found] == [(a, True, ""), (b, False, "no")]


def test_tables_of_an_earlier_worker_are_told_until_this_one_knows_its_own(body: Body) -> None:
    with body.store.write() as connection:
        progress.save_tables(connection, JOB.id, [progress.TableCounts(name=a_table("old").name, state="loaded")])
    body.heart.beat()
    with body.store.read() as connection:
        assert [table.name.table for table in progress.tables(connection, JOB.id)] == ["old"]
