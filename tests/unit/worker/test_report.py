"""What a worker tells about itself: counts, rates, latency, trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import DropTable
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.checkpoint import Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.event import Event, Heartbeat, SchemaChange, Window
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import State
from opendrs.model.position import Position
from opendrs.model.types import Logical
from opendrs.telemetry import METRICS
from opendrs.worker.heart import end_state, failed_state, state_now
from opendrs.worker.ledger import Entry, Ledger, Stands
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

    def brief(self) -> str:
        return "p"


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


# what became of objects


def test_a_filtered_table_is_as_far_as_its_key_ranges_are_read() -> None:
    """Few of its rows are wanted, and they come late: neither do they say how far it is, nor is it stuck."""
    clock = Clock()
    report = Report(clock=clock, now=clock, filtered=lambda name: name.table == "some")
    some, every = a_table("some", rows=1000), a_table("every", rows=1000)
    for table in (some, every):
        report.table(TableProgress(table=table))
        report.chunk(Chunk(table=table.name, ordinal=0, rows=250))  # of which none was wanted
    shares = {t.name.table: t.done for t in report.fetch().tables}
    assert shares == {"some": 0.25, "every": 0.0}
    report.copied(some.name, 3, 30)  # in flight: of the next chunk, three rows were looked at at least
    assert report.fetch().tables[0].done == 0.25
    report.chunk(Chunk(table=some.name, ordinal=1, rows=250))
    assert report.fetch().tables[0].done == 0.5
    for ordinal in (2, 3, 4):
        report.chunk(Chunk(table=some.name, ordinal=ordinal, rows=250))
    (counts,) = report.fetch().tables
    assert 0.99 < counts.done < 1.0, "more ranges than were estimated are no end"
    report.table(TableProgress(table=some, loaded=True, rows=3))
    assert report.fetch().tables[0].done == 1.0


def test_a_filtered_table_that_is_resumed_goes_on_where_it_was() -> None:
    clock = Clock()
    report = Report(clock=clock, now=clock, filtered=lambda name: True)
    table = a_table("t", rows=1000)
    chunks = tuple(
        LoadedChunk(chunk=Chunk(table=table.name, ordinal=n, upper=(str(n),)), rows=1, nbytes=1) for n in (0, 1)
    )
    report.table(TableProgress(table=table, chunks=chunks, rows=2))
    assert report.fetch().tables[0].done == 2 / 1000, "how many rows a chunk has is not known yet"
    report.chunk(Chunk(table=table.name, ordinal=2, rows=250))
    assert report.fetch().tables[0].done == 0.75


def test_a_table_that_begins_anew_begins_at_nothing() -> None:
    clock = Clock()
    report = Report(clock=clock, now=clock, filtered=lambda name: True)
    table = a_table("t")
    report.table(TableProgress(table=table))
    report.chunk(Chunk(table=table.name, ordinal=0, rows=500))
    report.indexes(table.name, 1, 2)
    report.table(TableProgress(table=table))
    (counts,) = report.fetch().tables
    assert (counts.done, counts.indexes_made) == (0.0, 0)


def test_a_filtered_table_without_a_key_shows_what_comes() -> None:
    clock = Clock()
    report = Report(clock=clock, now=clock, filtered=lambda name: True)
    table = a_table("t", rows=1000)
    report.table(TableProgress(table=table))
    report.copied(table.name, 100, 1000)
    assert report.fetch().tables[0].done == 0.1
    report.chunk(Chunk(table=table.name, ordinal=0))
    assert report.fetch().tables[0].done == 0.1


def test_indexes_are_told_table_by_table() -> None:
    report, _ = a_report()
    table = a_table("t")
    report.indexes(table.name, 1, 3)  # of a table that was not told of
    report.table(TableProgress(table=table))
    report.indexes(table.name, 1, 3)
    report.table(TableProgress(table=table, loaded=True))
    report.indexes(table.name, 2, 3)
    update = report.fetch()
    assert [(t.indexes_made, t.indexes) for t in update.tables] == [(2, 3)]
    assert (update.counters["load"]["indexes_made"], update.counters["load"]["indexes"]) == (2, 3)


def test_views_are_told_when_they_are_known_and_when_they_are_made() -> None:
    report, _ = a_report()
    a, b, c = (TableName("s", name) for name in "abc")
    assert (report.fetch().planned, report.fetch().views) == (None, ())
    report.planned([a, b])
    report.views([a], {b: "it does not translate"})
    update = report.fetch()
    assert update.planned == {a, b}
    assert [(view.name, view.made, view.reason) for view in update.views] == [
        (a, True, ""), (b, False, "it does not translate"),
    ]  # fmt: skip
    assert report.fetch().planned is None
    report.put_back(update)
    report.views([b], {})
    assert [(view.name, view.made) for view in report.fetch().views] == [(a, True), (b, True)]
    report.put_back(update)
    report.planned([b, c])  # a is gone
    again = report.fetch()
    assert again.planned == {b, c} and [view.name for view in again.views] == [b]


def test_what_an_earlier_process_said_holds_until_there_is_more_to_say() -> None:
    report, _ = a_report()
    report.phase(Phase.FOLLOWING)
    assert not report.fetch().first, "the target has not been reached yet"
    report.table(TableProgress(table=a_table("t")))
    update = report.fetch()
    assert update.first
    report.put_back(update)
    assert report.fetch().first and not report.fetch().first


def test_how_long_a_load_still_takes() -> None:
    report, clock = a_report()
    table = a_table("t", rows=1000)
    report.table(TableProgress(table=table))
    assert report.fetch().counters["load"]["left_s"] is None
    clock.at += 10
    report.copied(table.name, 250, 0)
    assert report.fetch().counters["load"]["left_s"] == 30
    report.table(TableProgress(table=table, loaded=True))
    assert report.fetch().counters["load"]["left_s"] is None


# capture and apply


class At(Place):
    def __init__(self, number: int) -> None:
        self.number = number

    def dump(self) -> str:
        return f"dump {self.number}"

    def brief(self) -> str:
        return f"log.1:{self.number}"


class Pulling:
    """A stream, as far as people know it."""

    where = ""

    def pulled(self) -> str:
        return self.where


def components(report: Report) -> dict[str, Any]:
    return dict(report.fetch().counters["components"])


def test_capture_is_as_far_as_the_log_is_pulled_and_apply_as_far_as_it_is_durable() -> None:
    report, clock = a_report()
    assert components(report) == {}
    stream: Any = Pulling()
    report.phase(Phase.LOADING)
    report.pulls(At(1), stream)
    found = components(report)
    assert found.keys() == {"capture"}, "nothing is applied while tables are loaded"
    assert (found["capture"]["start"], found["capture"]["point"]) == ("log.1:1", "log.1:1")
    assert (found["capture"]["resolved_at"], found["capture"]["delay_s"]) == (None, None)
    stream.where = "log.1:9"
    clock.at += 60
    assert components(report)["capture"]["point"] == "log.1:9"
    report.phase(Phase.CATCHING_UP)
    report.read(replace(a_window(committed_s=clock.at - 5), position=At(4)))
    found = components(report)
    assert (found["capture"]["point"], found["capture"]["delay_s"]) == ("log.1:9", 5.0)
    assert found["capture"]["resolved_at"] == "1970-01-01T00:17:35.000+00:00"
    assert (found["apply"]["start"], found["apply"]["point"], found["apply"]["delay_s"]) == ("log.1:1", "log.1:1", None)
    report.save(At(3), Phase.CATCHING_UP)
    report.applied(a_window(committed_s=clock.at - 7))
    found = components(report)
    assert (found["apply"]["point"], found["apply"]["delay_s"]) == ("log.1:3", 7.0)
    assert found["apply"]["began_at"] > found["capture"]["began_at"]


def test_where_the_worker_before_stood_is_told_until_there_is_more() -> None:
    report, _ = a_report()
    report.resumed_in(Phase.FOLLOWING, {"capture": {"point": "old"}, "apply": {"point": "old"}})
    assert components(report) == {"capture": {"point": "old"}, "apply": {"point": "old"}}
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]
    assert {name: one["point"] for name, one in components(report).items()} == {"capture": "log.1:1", "apply": "old"}
    report.phase(Phase.FOLLOWING)
    assert components(report)["apply"]["point"] == "log.1:1"


def test_a_log_that_cannot_say_how_far_it_is_pulled_is_as_far_as_it_was_read() -> None:
    report, _ = a_report()
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]
    report.read(replace(a_window(), position=At(5)))
    report.read(replace(a_window(), position=None))  # a part of a transaction has no place
    assert components(report)["capture"]["point"] == "log.1:5"


def test_a_log_that_is_opened_once_more_begins_where_the_target_stands() -> None:
    report, clock = a_report()
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]
    report.phase(Phase.FOLLOWING)
    report.read(replace(a_window(committed_s=clock.at), position=At(9)))
    clock.at += 10
    report.pulls(At(5), Pulling())  # type: ignore[arg-type]
    found = components(report)
    assert {found[name]["start"] for name in found} == {found[name]["point"] for name in found} == {"log.1:5"}
    assert found["capture"]["delay_s"] is None


# changes of the schema


class Book(Ledger):
    """Written at once."""

    def __init__(self) -> None:
        super().__init__(patience_s=0.0)

    def entries(self) -> list[Entry]:
        found = self.fetch()
        self.written(found)
        return found


def a_change(
    position: Position | None, *, committed_s: float = 5.0, statement: str = "ALTER TABLE s.t ADD c INT"
) -> SchemaChange:
    dropped = DropTable(TableName("s", "t"))
    return SchemaChange(alterations=(dropped,), statement=statement, position=position, last_commit_s=committed_s)


def test_a_change_of_the_schema_is_noted_before_it_is_durable() -> None:
    book = Book()
    report = Report(ledger=book, mask=lambda text: text.replace("secret", "***"))
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]
    change = a_change(At(3), statement="ALTER TABLE t COMMENT 'secret'")
    report.altering(change)
    stands, record = book.entries()
    assert stands == Stands("dump 1") and isinstance(record, DdlRecord)
    assert (record.key, record.before, record.point, record.unsure) == ("dump 3", "dump 1", "log.1:3", False)
    assert (record.outcome, record.statement, record.reason) == ("executed", "ALTER TABLE t COMMENT '***'", "")
    assert record.at == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    report.save(At(3), Phase.FOLLOWING)
    report.save(At(4), Phase.FOLLOWING)
    assert book.entries() == [Stands("dump 3")], "once is enough"


def test_a_change_that_the_policy_leaves_out() -> None:
    book = Book()
    Report(ledger=book, left_out=lambda change: ["drop_table", "drop_index"]).altering(a_change(At(3)))
    (record,) = book.entries()
    assert isinstance(record, DdlRecord) and (record.outcome, record.reason) == ("left_out", "drop_table, drop_index")


def test_a_change_that_does_not_concern_the_job_is_not_noted() -> None:
    book = Book()
    report = Report(ledger=book)
    nothing = SchemaChange(alterations=(), statement="GRANT", position=At(3))
    report.altering(nothing)
    report.refused(nothing, DrsError(Fault.FENCED, epoch=1))
    assert book.entries() == []


def test_a_change_that_fails_says_why() -> None:
    book = Book()
    error = DrsError(Fault.DDL_UNSUPPORTED, position="p", reason="it is odd", statement="ALTER")
    report = Report(ledger=book)
    report.refused(a_change(At(3)), error)
    report.refused(replace(a_change(At(4)), alterations=(), failure=error), error)
    first, second = book.entries()
    for record in (first, second):
        assert isinstance(record, DdlRecord) and record.outcome == "failed" and "it is odd" in record.reason


def test_a_change_inside_a_transaction_has_no_place_of_its_own() -> None:
    book = Book()
    report = Report(ledger=book)
    report.altering(a_change(None))
    report.altering(a_change(None))
    report.altering(a_change(None, committed_s=6.0))
    first, second, third = (entry for entry in book.entries() if isinstance(entry, DdlRecord))
    assert first.key == second.key != third.key and first.unsure and first.point == ""


def test_what_was_undone_is_not_durable_when_the_log_goes_on() -> None:
    book = Book()
    report = Report(ledger=book)
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]
    report.altering(a_change(At(3)))
    report.pulls(At(1), Pulling())  # type: ignore[arg-type]  the target has rolled back
    report.save(At(2), Phase.FOLLOWING)
    assert [entry for entry in book.entries() if isinstance(entry, Stands)] == [Stands("dump 1")] * 2
