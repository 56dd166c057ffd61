"""What must be written down before the work goes on: who enters something waits for the heart, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyRow
from opendrs.pipeline.snapshotting import Stopped
from opendrs.worker import ledger as module
from opendrs.worker.ledger import LEAVING_S, Entry, Ledger, Rows, Stands

ROW = DirtyRow(
    key="k", table=TableName("s", "t"), op="insert", kind="conflict", reason="r", statement="s", resolved="ignored",
    at=datetime(2026, 11, 30, tzinfo=UTC),
)  # fmt: skip
DDL = DdlRecord(key="k", before="p", point="p", statement="ALTER", at=None, outcome="executed")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)


class Clock:
    """A second passes with every look at it."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1.0
        return self.at


def entering(act: Callable[[], None]) -> tuple[threading.Thread, list[BaseException]]:
    """Does it in a thread, which is to wait."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def fetched(ledger: Ledger) -> list[Entry]:
    """What the heart is woken up for."""
    assert ledger.nudge.wait(30)
    ledger.nudge.clear()
    return ledger.fetch()


def test_who_records_rows_waits_until_they_are_written() -> None:
    ledger = Ledger()
    thread, raised = entering(lambda: ledger.record([ROW]))
    entries = fetched(ledger)
    assert entries == [Rows((ROW,))] and thread.is_alive()
    ledger.put_back(entries)  # the store is away
    assert ledger.fetch() == entries and thread.is_alive()
    ledger.written(entries)
    thread.join(30)
    assert not thread.is_alive() and raised == []
    assert ledger.rows == 1


def test_no_rows_are_nothing_to_wait_for() -> None:
    ledger = Ledger()
    ledger.record([])
    assert ledger.fetch() == [] and not ledger.nudge.is_set()


def test_what_could_not_be_written_stays_in_its_order() -> None:
    ledger = Ledger(patience_s=0.0)
    ledger.note(DDL)
    ledger.stands("one")
    first = ledger.fetch()
    ledger.stands("two")
    ledger.put_back(first)
    assert ledger.fetch() == [DDL, Stands("one"), Stands("two")]


def test_a_statement_does_not_wait_for_ever() -> None:
    """The job goes on without the store, and the statement is written when it is back."""
    ledger = Ledger(patience_s=5.0, clock=Clock())
    ledger.note(DDL)
    assert ledger.fetch() == [DDL]


def test_while_the_store_is_away_only_the_first_statement_waits() -> None:
    clock = Clock()
    ledger = Ledger(patience_s=5.0, clock=clock)
    ledger.note(DDL)
    assert clock.at >= 5.0
    before = clock.at
    ledger.note(DDL)
    assert clock.at - before <= 3.0
    ledger.written(ledger.fetch())  # it is back
    before = clock.at
    ledger.note(DDL)
    assert clock.at - before >= 5.0


def test_a_row_waits_for_as_long_as_it_takes() -> None:
    ledger = Ledger(patience_s=0.0, clock=Clock())
    thread, raised = entering(lambda: ledger.record([ROW]))
    entries = fetched(ledger)
    thread.join(0.2)
    assert thread.is_alive() and raised == []
    ledger.written(entries)
    thread.join(30)
    assert not thread.is_alive()


def test_who_is_to_pause_waits_a_little_and_then_no_more() -> None:
    clock = Clock()
    ledger = Ledger(clock=clock)
    ledger.stop.set()
    with pytest.raises(Stopped):
        ledger.record([ROW])
    assert clock.at >= LEAVING_S


def test_who_is_to_pause_and_gets_its_answer_goes_on() -> None:
    ledger = Ledger()
    ledger.stop.set()
    thread, raised = entering(lambda: ledger.record([ROW]))
    ledger.written(fetched(ledger))
    thread.join(30)
    assert not thread.is_alive() and raised == []


def test_several_who_wait_are_answered_each_for_its_own() -> None:
    ledger = Ledger()
    first, _ = entering(lambda: ledger.record([ROW]))
    entries = fetched(ledger)
    second, _ = entering(lambda: ledger.note(DDL))
    others = fetched(ledger)
    ledger.written(entries)
    first.join(30)
    assert not first.is_alive() and second.is_alive()
    ledger.written(others)
    second.join(30)
    assert not second.is_alive()
