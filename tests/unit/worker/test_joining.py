"""What is told of tables that come to a job beside its own run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opendrs.engines.memory.position import Lsn
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Chunk, Phase, TableProgress
from opendrs.model.endpoint import Endpoint
from opendrs.model.event import Heartbeat
from opendrs.model.job import Job
from opendrs.model.selection import Selection
from opendrs.pipeline.meeting import Exchange
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import actions, jobs, progress
from opendrs.store.database import Store, open_store
from opendrs.worker.hooks import Hooks
from opendrs.worker.joining import GuestMeeting, Joining
from opendrs.worker.report import Report
from tests.harness.service import eventually
from tests.unit.worker.test_flows import hooks

JOB = Job(
    id="0123456789abcdef0123456789abcdef",
    source=Endpoint.parse("mysql://a@h"),
    target=Endpoint.parse("postgresql://a@h/d"),
    task="full+incremental",
    selection=Selection(patterns=("a.*",)),
)
OLD, NEW = TableName("a", "t"), TableName("b", "t")
OLD_VIEW, NEW_VIEW = TableName("a", "v"), TableName("b", "v")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    with opened.write() as connection:
        jobs.create(connection, JOB)
    yield opened
    opened.close()


def asked(store: Store, selection: Selection, *, narrows: bool = False) -> str:
    params = {"selection": selection.to_json(), "narrows": narrows}
    with store.write() as connection:
        return actions.ask(connection, JOB.id, Kind.EDIT, "somebody", revision=0, params=params)


def over(store: Store, key: str) -> Callable[[], str | None]:
    def look() -> str | None:
        with store.read() as connection:
            found = actions.find(connection, JOB.id, key)
        return found.status if found is not None and found.status in ("success", "failed") else None

    return look


def made(report: Report, name: TableName) -> None:
    report.table(TableProgress(table=Table(name=name, columns=()), loaded=True))


def written(store: Store, report: Report) -> list[TableName]:
    """As the heart does it; the views that are listed then."""
    update = report.fetch()
    with store.write() as connection:
        if update.planned is not None:
            progress.plan_views(connection, JOB.id, update.planned)
        progress.plan_views(connection, JOB.id, update.beside, beside=True)
        progress.save_views(connection, JOB.id, update.views)
        return [view.name for view in progress.page_views(connection, JOB.id, limit=9, offset=0)[0]]


class Guest:
    """Brings a table and its view, and then meets, or cannot."""

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.may_end = threading.Event()
        self.told = threading.Event()

    def __call__(self, job: Job, epoch: int, hooks: Hooks, meeting: GuestMeeting) -> Phase:
        del job, epoch
        hooks.objects.planned([NEW_VIEW])
        hooks.progress.phase(Phase.LOADING)
        hooks.progress.table(TableProgress(table=Table(name=NEW, columns=(), rows_estimate=10)))
        hooks.progress.copied(NEW, 5, 50)
        hooks.progress.chunk(Chunk(table=NEW, ordinal=0, rows=8))
        hooks.objects.indexes(NEW, 1, 2)
        hooks.objects.views([NEW_VIEW], {})
        hooks.progress.read(Heartbeat(position=Lsn(99), last_commit_s=0.0))
        hooks.progress.applied(Heartbeat(position=Lsn(99), last_commit_s=0.0))
        hooks.checkpoints.save(Lsn(99), Phase.FOLLOWING)
        self.told.set()
        self.may_end.wait(30)
        if self.fails:
            raise DrsError(Fault.DDL_UNSUPPORTED, position="9", reason="it cannot be carried over", statement="x")
        meeting.at(Lsn(5), {NEW: TableProgress(table=Table(name=NEW, columns=()), loaded=True)})
        raise AssertionError("a guest that has joined is over")


def a_report(store: Store) -> Report:
    """Of a job that follows."""
    report = Report()
    report.phase(Phase.FOLLOWING)
    made(report, OLD)
    report.save(Lsn(5), Phase.FOLLOWING)
    report.planned([OLD_VIEW])
    report.views([OLD_VIEW], {})
    assert written(store, report) == [OLD_VIEW]
    return report


def joining(store: Store, folder: Path, report: Report, guest: Any) -> Joining:
    told = hooks(store=store, folder=folder, progress=report, checkpoints=report, objects=report)
    return Joining(JOB, 1, told, guest=guest, drop_guest=lambda job, epoch: None)


def test_what_comes_is_told_with_what_is_there_and_moves_nothing_of_it(store: Store, tmp_path: Path) -> None:
    report, guest = a_report(store), Guest(fails=False)
    key = asked(store, replace(JOB.selection, patterns=("a.*", "b.*")))
    with joining(store, tmp_path, report, guest) as beside:
        assert guest.told.wait(30)
        update = report.fetch()
        report.put_back(update)
        (counts,) = (table for table in update.tables if table.name == NEW)
        assert (counts.rows, counts.scanned, counts.indexes_made, counts.indexes) == (5, 8, 1, 2)
        assert update.phase is Phase.FOLLOWING and update.checkpoint is None
        assert update.counters["metrics"]["apply_changes_total"] == 0
        assert written(store, report) == [OLD_VIEW, NEW_VIEW]
        guest.may_end.set()
        eventually(beside.wanted)
        exchange = beside.at(Lsn(5), {OLD: TableProgress(table=Table(name=OLD, columns=()), loaded=True)})
        assert isinstance(exchange, Exchange) and exchange.joining.keys() == {NEW}
        beside.done(exchange)
        assert eventually(over(store, key)) == "success"
    assert written(store, report) == [OLD_VIEW, NEW_VIEW]


def test_what_does_not_come_after_all_is_not_told_any_more(store: Store, tmp_path: Path) -> None:
    report, guest = a_report(store), Guest(fails=True)
    key = asked(store, replace(JOB.selection, patterns=("a.*", "b.*")))
    with joining(store, tmp_path, report, guest):
        assert guest.told.wait(30)
        assert written(store, report) == [OLD_VIEW, NEW_VIEW]
        guest.may_end.set()
        assert eventually(over(store, key)) == "failed"
    update = report.fetch()
    assert update.forgotten == (NEW,) and update.counters["load"]["tables"] == 1
    assert written(store, report) == [OLD_VIEW]


def test_views_leave_with_their_database(store: Store, tmp_path: Path) -> None:
    report = a_report(store)
    with store.write() as connection:
        jobs.change(connection, JOB.id, selection=Selection(patterns=("a.*", "b.*")).to_json())
        progress.save_views(connection, JOB.id, [progress.ViewCounts(name=NEW_VIEW, made=True)])
    key = asked(store, JOB.selection, narrows=True)
    with joining(store, tmp_path, report, None) as beside:
        eventually(beside.wanted)
        exchange = beside.at(Lsn(5), {name: TableProgress(table=Table(name=name, columns=())) for name in (OLD, NEW)})
        assert isinstance(exchange, Exchange) and exchange.leaving == (NEW,)
        beside.done(exchange)
        assert eventually(over(store, key)) == "success"
    assert written(store, report) == [OLD_VIEW]


def test_a_guest_that_is_to_pause_leaves_what_it_told(store: Store, tmp_path: Path) -> None:
    """The next worker goes on with it."""

    def guest(job: Job, epoch: int, hooks: Hooks, meeting: GuestMeeting) -> Phase:
        made(hooks.progress, NEW)  # type: ignore[arg-type]
        told.set()
        raise Stopped

    told, report = threading.Event(), a_report(store)
    asked(store, replace(JOB.selection, patterns=("a.*", "b.*")))
    with joining(store, tmp_path, report, guest):
        assert told.wait(30)
    assert report.fetch().forgotten == ()
