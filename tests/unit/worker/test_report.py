"""What a worker tells about itself: counts, rates, latency, trouble."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.event import Event, Heartbeat, SchemaChange, Window
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import State
from opendrs.model.types import Logical
from opendrs.telemetry import METRICS
from opendrs.worker.heart import end_state, failed_state, state_now
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.report import Report, Trouble
from opendrs.worker.timing import Timing

GONE = Failure.of(DrsError(Fault.SOURCE_UNREACHABLE, endpoint="e", reason="r"))


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Place:
    def dump(self) -> str:
        return "p"

    def covers(self, other: object) -> bool:
        return True


def a_report() -> tuple[Report, Clock]:
    clock = Clock()
    return Report(clock=clock, now=clock), clock


def a_table(name: str, *, rows: int = 1000, nbytes: int = 10_000) -> Table:
    column = Column(name="id", type=Logical(kind="int", bits=64), native="bigint")
    return Table(name=TableName("s", name), columns=(column,), rows_estimate=rows, bytes_estimate=nbytes)


def a_window(changes: int = 3, *, committed_s: float = 0.0, transactions: int = 1) -> Window:
    return Window(
        tables=(), position=Place(), changes=changes, nbytes=changes * 10, transactions=transactions,
        last_commit_s=committed_s,
    )  # fmt: skip


def metrics(report: Report) -> dict[str, Any]:
    return dict(report.fetch().counters["metrics"])


def test_a_load_is_told_table_by_table() -> None:
    report, _ = a_report()
    report.phase(Phase.LOADING)
    big, small = a_table("big", nbytes=90_000), a_table("small", nbytes=10_000)
    report.table(TableProgress(table=big))
    report.table(TableProgress(table=small))
    report.copied(big.name, 250, 2500)
    update = report.fetch()
    assert update.first and update.phase is Phase.LOADING
    assert [(t.name.table, t.state, t.rows) for t in update.tables] == [
        ("big", "loading", 250),
        ("small", "waiting", 0),
    ]
    load = update.counters["load"]
    assert (load["tables"], load["loaded"], load["rows"], load["bytes"]) == (2, 0, 250, 2500)
    assert load["done"] == pytest.approx(0.25 * 0.9)
    report.table(TableProgress(table=small, loaded=True, rows=990, nbytes=9900))
    update = report.fetch()
    assert not update.first
    assert [(t.name.table, t.state) for t in update.tables] == [("small", "loaded")]
    assert update.counters["load"]["done"] == pytest.approx(0.25 * 0.9 + 0.1)
    assert report.fetch().tables == ()


def test_a_chunk_that_is_taken_back_leaves_the_table_as_it_was() -> None:
    report, _ = a_report()
    table = a_table("t")
    report.table(TableProgress(table=table, rows=100, nbytes=1000))
    report.copied(table.name, 50, 500)
    report.copied(table.name, -50, -500)
    (counts,) = report.fetch().tables
    assert (counts.rows, counts.nbytes) == (100, 1000)


def test_an_estimate_that_is_too_low_never_makes_a_table_done() -> None:
    report, _ = a_report()
    report.table(TableProgress(table=a_table("t", rows=10)))
    report.copied(TableName("s", "t"), 5000, 50_000)
    assert 0.99 < report.fetch().counters["load"]["done"] < 1.0


def test_a_forgotten_table_is_told_once_and_may_come_back() -> None:
    report, _ = a_report()
    report.table(TableProgress(table=a_table("t")))
    report.forgotten(TableName("s", "t"))
    update = report.fetch()
    assert update.tables == () and update.forgotten == (TableName("s", "t"),)
    assert report.fetch().forgotten == ()
    report.forgotten(TableName("s", "t"))
    report.table(TableProgress(table=a_table("t")))
    update = report.fetch()
    assert len(update.tables) == 1 and update.forgotten == ()


def test_what_could_not_be_written_comes_again() -> None:
    report, _ = a_report()
    report.table(TableProgress(table=a_table("a")))
    report.table(TableProgress(table=a_table("b")))
    report.save(Place(), Phase.LOADING)
    report.forgotten(TableName("s", "gone"))
    update = report.fetch()
    report.copied(TableName("s", "a"), 5, 50)
    report.forgotten(TableName("s", "b"))
    report.put_back(update)
    again = report.fetch()
    assert again.first and again.checkpoint == update.checkpoint
    assert [(t.name.table, t.rows) for t in again.tables] == [("a", 5)]
    assert {name.table for name in again.forgotten} == {"gone", "b"}


def test_a_newer_checkpoint_is_not_replaced_by_one_that_is_put_back() -> None:
    report, _ = a_report()
    report.save(Place(), Phase.LOADING)
    update = report.fetch()
    newer = Place()
    report.save(newer, Phase.FOLLOWING)
    report.put_back(update)
    assert report.fetch().checkpoint == (Phase.FOLLOWING, newer)


def test_rates_are_means_over_a_few_seconds() -> None:
    report, clock = a_report()
    report.fetch()
    for _ in range(10):
        clock.at += 1.0
        report.applied(a_window(100, transactions=20))
        found = metrics(report)
    assert (found["apply_rows_rate"], found["apply_transactions_rate"], found["apply_bytes_rate"]) == (100, 20, 1000)
    for _ in range(6):
        clock.at += 1.0
        found = metrics(report)
    assert found["apply_rows_rate"] == 0
    assert found["apply_rows_total"] == 1000 and found["apply_transactions_total"] == 200


def test_rows_that_are_taken_back_make_no_negative_rate() -> None:
    report, clock = a_report()
    report.fetch()
    clock.at += 1.0
    report.copied(TableName("s", "t"), -50, -500)
    assert metrics(report)["apply_rows_rate"] == 0


def test_schema_changes_are_counted() -> None:
    report, _ = a_report()
    report.applied(SchemaChange(alterations=(), statement="", position=Place()))
    assert metrics(report)["apply_ddls_total"] == 1


def test_latency_is_the_age_of_the_newest_commit_when_it_was_applied() -> None:
    report, clock = a_report()
    assert metrics(report)["apply_latency"] is None
    report.applied(a_window(committed_s=clock.at - 2.5))
    clock.at += 5.0
    assert metrics(report)["apply_latency"] == 2.5


def test_latency_grows_when_nothing_is_heard_for_long() -> None:
    report, clock = a_report()
    report.applied(a_window(committed_s=clock.at - 1.0))
    clock.at += 40.0
    assert metrics(report)["apply_latency"] == pytest.approx(31.0)


def test_an_idle_source_means_no_latency() -> None:
    report, clock = a_report()
    report.applied(a_window(committed_s=clock.at - 100.0))
    report.applied(Heartbeat(position=Place(), last_commit_s=clock.at - 100.0))
    assert metrics(report)["apply_latency"] == 0


def test_a_source_whose_clock_is_ahead_makes_no_negative_latency() -> None:
    report, clock = a_report()
    report.applied(a_window(committed_s=clock.at + 100.0))
    assert metrics(report)["apply_latency"] == 0


def test_every_figure_is_in_the_table_of_metrics() -> None:
    report, _ = a_report()
    spent = {"cpu_util": 1.0, "mem_util": 2.0, "mem_bytes": 3}
    report.usage = lambda: spent
    names = [metric.name for metric in METRICS]
    assert set(metrics(report)) == set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("sign", ["window", "heartbeat", "copied"])
def test_trouble_is_over_at_the_first_sign_of_life(sign: str) -> None:
    report, clock = a_report()
    report.begins()
    assert report.interrupted(GONE).attempts == 1
    clock.at += 5
    report.begins()
    assert report.interrupted(GONE).attempts == 2
    update = report.fetch()
    assert update.trouble is not None and update.trouble.since == 1000.0 and update.recovered is None
    assert update.counters["trouble"]["attempts"] == 2
    assert update.counters["metrics"]["apply_current_state"] == 0
    report.phase(Phase.FOLLOWING)  # the target answers, which says nothing about the source
    assert report.fetch().trouble is not None
    alive: Event = Heartbeat(position=Place()) if sign == "heartbeat" else a_window()
    if sign == "copied":
        report.copied(TableName("s", "t"), 1, 1)
    else:
        report.applied(alive)
    update = report.fetch()
    assert update.trouble is None and update.recovered is not None and update.recovered.attempts == 2
    assert update.counters["trouble"] is None
    assert report.fetch().recovered is None
    assert report.interrupted(GONE).attempts == 1


def test_rows_that_are_taken_back_are_no_sign_of_life() -> None:
    report, _ = a_report()
    report.interrupted(GONE)
    report.copied(TableName("s", "t"), -5, -50)
    assert report.fetch().trouble is not None


def test_an_attempt_that_lasts_has_got_through() -> None:
    report, clock = a_report()
    report.begins()
    report.interrupted(GONE)
    clock.at += 100.0
    assert report.fetch().trouble is not None, "it waits: nothing has got through"
    report.begins()
    clock.at += 29.0
    assert report.fetch().trouble is not None
    clock.at += 2.0
    update = report.fetch()
    assert update.trouble is None and update.recovered is not None


def test_the_store_s_phase_holds_until_the_target_has_spoken() -> None:
    report, _ = a_report()
    report.resumed_in(Phase.FOLLOWING)
    assert report.reached() is Phase.FOLLOWING
    report.phase(Phase.CATCHING_UP)
    report.resumed_in(Phase.FOLLOWING)
    assert report.reached() is Phase.CATCHING_UP


TROUBLE = Trouble(failure=GONE, since=0.0, began_at=None, attempts=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phase", "trouble", "waited_s", "state"),
    [
        (None, None, 0.0, None),
        (Phase.LOADING, None, 0.0, State.FULL),
        (Phase.LOADING, TROUBLE, 3600.0, State.FULL),
        (Phase.CATCHING_UP, None, 0.0, State.INCREMENTAL),
        (Phase.FOLLOWING, None, 0.0, State.INCREMENTAL),
        (Phase.FOLLOWING, TROUBLE, 30.0, State.INCREMENTAL),
        (Phase.FOLLOWING, TROUBLE, 30.1, State.INCREMENTAL_FAILED),
        (Phase.CATCHING_UP, TROUBLE, 31.0, State.INCREMENTAL_FAILED),
        (Phase.DONE, None, 0.0, State.FULL_DONE),
    ],
)
def test_the_published_word_while_it_works(
    phase: Phase | None, trouble: Trouble | None, waited_s: float, state: State | None
) -> None:
    assert state_now(phase, trouble, waited_s, Timing()) is state


@pytest.mark.parametrize(
    ("exit_", "phase", "state"),
    [
        (Exit.DONE, Phase.DONE, State.FULL_DONE),
        (Exit.DONE, Phase.FOLLOWING, State.PAUSED),
        (Exit.PAUSED, Phase.LOADING, State.PAUSED),
        (Exit.FAILED, Phase.LOADING, State.FULL_FAILED),
        (Exit.FAILED, Phase.FOLLOWING, State.INCREMENTAL_FAILED),
        (Exit.FAILED, None, State.START_FAILED),
        (Exit.LATER, Phase.FOLLOWING, None),
        (Exit.NETWORK, Phase.FOLLOWING, None),
        (Exit.FENCED, Phase.FOLLOWING, None),
    ],
)
def test_the_published_word_at_the_end(exit_: Exit, phase: Phase | None, state: State | None) -> None:
    assert end_state(Outcome(exit=exit_), phase) is state


def test_a_job_that_failed_before_it_began_has_failed_to_start() -> None:
    assert failed_state(None) is State.START_FAILED


def test_reports_of_many_threads_are_all_counted() -> None:
    import threading

    report, _ = a_report()
    table = a_table("t")
    report.table(TableProgress(table=table))
    threads = [
        threading.Thread(target=lambda: [report.copied(table.name, 1, 10) for _ in range(2000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    update = report.fetch()
    assert update.tables[0].rows == 8000 and update.counters["metrics"]["apply_bytes_total"] == 80_000
    assert replace(update.tables[0], rows=0, nbytes=0, state="waiting").rows_estimate == 1000
