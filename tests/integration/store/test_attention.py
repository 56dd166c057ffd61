"""Rows and statements that need attention: kept once each, counted exactly, bounded; and parameters that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opendrs.model.catalog import TableName
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyPhase, DirtyRow, Resolved
from opendrs.model.job import Job
from opendrs.model.speed import SpeedWindow
from opendrs.store import ddls, dirty, jobs, parameters, progress, speeds
from opendrs.store.database import Store
from opendrs.store.progress import TableCounts, ViewCounts

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
T = TableName("shop", "orders")


def rows(
    *numbers: int, phase: DirtyPhase = "incremental", resolved: Resolved = "ignored", statement: str = ""
) -> list[DirtyRow]:
    return [
        DirtyRow(
            key=f"{phase} {number}", table=T, op="insert", kind="conflict", reason=f"row {number}",
            statement=statement or f"INSERT {number}", resolved=resolved, at=AT + timedelta(seconds=number), phase=phase,
        )
        for number in numbers
    ]  # fmt: skip


def save(store: Store, job: Job, found: Sequence[DirtyRow]) -> int:
    with store.write() as connection:
        return dirty.save(connection, job.id, found)


def reasons(store: Store, job: Job, *, limit: int = 100, offset: int = 0, **more: datetime) -> tuple[list[str], int]:
    with store.read() as connection:
        found, total = dirty.page(connection, job.id, "incremental", limit=limit, offset=offset, **more)
    return [saved.row.reason for saved in found], total


def test_a_row_is_kept_once_however_often_it_is_met(store: Store, job: Job) -> None:
    assert save(store, job, rows(1, 2, 2)) == 2
    assert save(store, job, rows(2, 3, 1)) == 1
    assert save(store, job, []) == 0
    assert reasons(store, job) == (["row 3", "row 2", "row 1"], 3)
    with store.read() as connection:
        assert dirty.counts(connection, job.id) == {("incremental", "ignored"): 3}


def test_rows_of_two_tables_may_have_one_key(store: Store, job: Job) -> None:
    """A table that comes to a job is read from the same places of the log, beside the others."""
    (one,) = rows(1)
    save(store, job, [one, replace(one, table=TableName("shop", "other"))])
    assert save(store, job, [replace(one, table=TableName("shop", "other"))]) == 0
    assert reasons(store, job)[1] == 2


def test_what_was_met_first_counts(store: Store, job: Job) -> None:
    save(store, job, rows(1))
    save(store, job, [replace(rows(1)[0], reason="another", resolved="overwritten")])
    assert reasons(store, job) == (["row 1"], 1)


def test_the_two_phases_and_what_became_of_rows_are_counted_apart(store: Store, job: Job) -> None:
    save(store, job, rows(1, 2))
    save(store, job, rows(3, resolved="overwritten"))
    save(store, job, rows(1, 2, 3, 4, phase="full"))
    with store.read() as connection:
        assert dirty.counts(connection, job.id) == {
            ("incremental", "ignored"): 2, ("incremental", "overwritten"): 1, ("full", "ignored"): 4,
        }  # fmt: skip
        found, total = dirty.page(connection, job.id, "full", limit=2, offset=1)
    assert ([saved.row.reason for saved in found], total) == (["row 3", "row 2"], 4)
    assert reasons(store, job)[1] == 3


def test_rows_of_a_time(store: Store, job: Job) -> None:
    save(store, job, rows(*range(10)))
    second = timedelta(seconds=1)
    assert reasons(store, job, begin=AT + 3 * second, end=AT + 5 * second) == (["row 5", "row 4", "row 3"], 3)
    assert reasons(store, job, begin=AT + 8 * second) == (["row 9", "row 8"], 2)
    assert reasons(store, job, end=AT, limit=1) == (["row 0"], 1)
    assert reasons(store, job, begin=AT + 99 * second) == ([], 0)


def test_the_newest_are_kept_and_all_are_counted(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirty, "KEPT", 50)
    monkeypatch.setattr(dirty, "_PRUNED_EVERY", 10)
    for first in range(0, 1000, 7):
        save(store, job, rows(*range(first, min(first + 7, 1000))))
        with store.read() as connection:
            kept = dirty.page(connection, job.id, "incremental", limit=1000, offset=0)[0]
        assert len(kept) <= 2 * 50
    found, total = reasons(store, job, limit=1000)
    assert total == 1000 and 50 <= len(found) <= 100
    assert found == [f"row {number}" for number in range(999, 999 - len(found), -1)]
    assert reasons(store, job, offset=999) == ([], 1000), "a page of rows that are no longer kept"


def test_more_at_once_than_are_kept(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirty, "KEPT", 50)
    monkeypatch.setattr(dirty, "_PRUNED_EVERY", 10)
    assert save(store, job, rows(*range(1200))) == 1200
    found, total = reasons(store, job, limit=1000)
    assert total == 1200 and len(found) == 50 and found[0] == "row 1199"


def test_a_statement_of_any_size_and_of_any_characters(store: Store, job: Job) -> None:
    save(store, job, rows(1, statement="x" * 1_000_000))
    save(store, job, rows(2, statement="a\0b \ud800 Ünï€"))
    with store.read() as connection:
        two, one = (saved.row for saved in dirty.page(connection, job.id, "incremental", limit=9, offset=0)[0])
    assert len(one.statement) == dirty.STATEMENT_MAX and one.statement.endswith("x...")
    assert two.statement == "a\u2400b ? Ünï€"


def test_a_key_of_any_length(store: Store, job: Job) -> None:
    long = replace(rows(1)[0], key="x" * 1_000_000)
    assert save(store, job, [long]) == 1
    assert save(store, job, [long, replace(long, key="y" * 1_000_000)]) == 1


def test_a_job_that_begins_anew_has_none(store: Store, job: Job) -> None:
    save(store, job, rows(1, 2))
    with store.write() as connection:
        dirty.clear(connection, job.id)
        assert dirty.counts(connection, job.id) == {}
    assert reasons(store, job) == ([], 0)
    assert save(store, job, rows(1)) == 1


# statements


def statement(number: int, *, before: str = "", **more: object) -> DdlRecord:
    facts: dict[str, object] = {
        "key": f"key {number}", "before": before or f"at {number - 1}", "point": f"binlog.1:{number}", "outcome": "executed",
        "statement": f"ALTER {number}", "at": AT,
    }  # fmt: skip
    return DdlRecord(**{**facts, **more})  # type: ignore[arg-type]


def note(store: Store, job: Job, *records: DdlRecord) -> None:
    with store.write() as connection:
        for record in records:
            ddls.note(connection, job.id, record)


def stands(store: Store, job: Job, position: str) -> None:
    with store.write() as connection:
        ddls.durable(connection, job.id, position=position)


def listed(store: Store, job: Job, *, limit: int = 100, offset: int = 0, **more: object) -> list[tuple[int, str, bool]]:
    with store.read() as connection:
        found, _ = ddls.page(connection, job.id, limit=limit, offset=offset, **more)  # type: ignore[arg-type]
    return [(one.seqno, one.statement, one.durable) for one in found]


def test_a_statement_is_durable_when_the_target_has_moved_on(store: Store, job: Job) -> None:
    note(store, job, statement(1))
    stands(store, job, "at 0")
    assert listed(store, job) == [(1, "ALTER 1", False)]
    stands(store, job, "at 1")
    assert listed(store, job) == [(1, "ALTER 1", True)]


def test_one_that_is_met_again_is_the_same(store: Store, job: Job) -> None:
    note(store, job, statement(1))
    stands(store, job, "at 0")  # the worker was killed before the flush
    note(store, job, statement(1), statement(2, before="at 1"))
    stands(store, job, "at 2")
    assert listed(store, job) == [(1, "ALTER 1", True), (2, "ALTER 2", True)]


def test_what_guests_meet_is_theirs(store: Store, job: Job) -> None:
    """Tables come to a job by guests, who read the log for themselves."""
    one, other = ddls.beside("11"), ddls.beside("1")
    note(
        store, job, statement(1, before=f"{one}at 0"), statement(2, before=f"{other}at 0"), statement(3, before="at 0")
    )
    stands(store, job, f"{one}at 1")
    assert [durable for *_, durable in listed(store, job)] == [True, False, False]
    stands(store, job, "at 9")
    assert [durable for *_, durable in listed(store, job)] == [True, False, True]
    note(store, job, statement(4, before=f"{one}at 1"), statement(5, before=f"{one}at 1", outcome="failed"))
    with store.write() as connection:
        ddls.gone(connection, job.id, "11")
    assert listed(store, job) == [
        (1, "ALTER 1", True),
        (2, "ALTER 2", False),
        (3, "ALTER 3", True),
        (5, "ALTER 5", False),
    ]
    with store.write() as connection:
        ddls.joined(connection, job.id, "1")
    assert [durable for *_, durable in listed(store, job)] == [True, True, True, False]


def test_words_that_are_met_twice_in_one_second(store: Store, job: Job) -> None:
    """CREATE TABLE ... SELECT, whose place is inside a transaction: its words and its time are all there is."""
    first = statement(1, key="same", unsure=True, before="at 0")
    note(store, job, first)
    note(store, job, first)  # after a crash: the same
    stands(store, job, "at 1")
    note(store, job, replace(first, before="at 1"))
    assert listed(store, job) == [(1, "ALTER 1", True), (2, "ALTER 1", False)]
    note(store, job, replace(first, before="at 1"))  # after a crash: the same
    stands(store, job, "at 2")
    assert listed(store, job) == [(1, "ALTER 1", True), (2, "ALTER 1", True)]


def test_alarms(store: Store, job: Job) -> None:
    note(
        store, job, statement(1), statement(2, outcome="left_out", reason="drop_index"), statement(3, outcome="failed")
    )
    with store.write() as connection:
        assert ddls.alarms(connection, job.id) == 2
        assert not ddls.clean(connection, job.id, 4)
        assert ddls.clean(connection, job.id, 1) and ddls.clean(connection, job.id, 2)
        assert ddls.alarms(connection, job.id) == 1
        ((one, two, three), _) = ddls.page(connection, job.id, limit=9, offset=0)
        assert (one.cleaned_at, three.cleaned_at) == (None, None) and two.cleaned_at is not None
        assert ddls.clean(connection, job.id, 2)
        again = ddls.page(connection, job.id, first=2, last=2, limit=9, offset=0)[0][0]
        assert again.cleaned_at == two.cleaned_at, "the first time counts"
    assert [seqno for seqno, *_ in listed(store, job, alarm=True)] == [3]
    assert [seqno for seqno, *_ in listed(store, job, alarm=False)] == [1, 2]


def test_one_that_fails_again_is_a_new_alarm_and_one_that_is_mended_none(store: Store, job: Job) -> None:
    note(store, job, statement(1, outcome="failed", reason="no"))
    with store.write() as connection:
        ddls.clean(connection, job.id, 1)
    note(store, job, statement(1, outcome="failed", reason="no, again"))
    with store.read() as connection:
        ((one,), _) = ddls.page(connection, job.id, limit=9, offset=0)
        assert one.alarm and one.reason == "no, again" and not one.executed
    stands(store, job, "at 1")
    assert listed(store, job) == [(1, "ALTER 1", False)], "what has failed is not carried out by going on"
    note(store, job, statement(1, before="at 0"))
    stands(store, job, "at 1")
    with store.read() as connection:
        ((one,), _) = ddls.page(connection, job.id, limit=9, offset=0)
    assert one.executed and not one.alarm


def test_pages_of_statements(store: Store, job: Job) -> None:
    note(store, job, *(statement(number) for number in range(1, 11)))
    assert [seqno for seqno, *_ in listed(store, job, limit=3, offset=2)] == [3, 4, 5]
    assert [seqno for seqno, *_ in listed(store, job, first=8)] == [8, 9, 10]
    assert [seqno for seqno, *_ in listed(store, job, first=4, last=5)] == [4, 5]
    assert listed(store, job, offset=10) == [] == listed(store, job, first=11)


def test_old_statements_go_and_numbers_go_on(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ddls, "KEPT", 20)
    monkeypatch.setattr(ddls, "_PRUNED_EVERY", 8)
    note(store, job, *(statement(number) for number in range(1, 101)))
    numbers = [seqno for seqno, *_ in listed(store, job)]
    assert 20 <= len(numbers) <= 28 and numbers[-1] == 100


def test_a_job_that_begins_anew_keeps_its_history(store: Store, job: Job) -> None:
    note(store, job, statement(1), statement(2, before="at 1", outcome="failed"))
    stands(store, job, "at 1")
    note(store, job, statement(3, before="at 1"))
    with store.write() as connection:
        ddls.settle(connection, job.id)
        assert ddls.alarms(connection, job.id) == 0
    assert listed(store, job) == [(1, "ALTER 1", True), (2, "ALTER 2", False)]


# parameters and speed


def test_parameters_wait_until_a_worker_is_started(store: Store, job: Job) -> None:
    with store.write() as connection:
        parameters.note(connection, job.id, "anna", {"read_task_num": ("2", "5"), "skip_all_ddl": ("false", "true")})
        parameters.note(connection, job.id, "ben", {"read_task_num": ("5", "6")})
        assert parameters.waiting(connection, job.id) == {"read_task_num": "6", "skip_all_ddl": "true"}
        assert jobs.policy_of(connection, job.id) == job.policy
        parameters.apply(connection, job.id)
        policy = jobs.policy_of(connection, job.id)
        assert (policy.readers, policy.ddl) == (6, "refuse") and parameters.waiting(connection, job.id) == {}
        found, total = parameters.page(connection, job.id, limit=2, offset=0)
        assert total == 3 and [(one.user, one.name, one.old, one.new) for one in found] == [
            ("ben", "read_task_num", "5", "6"), ("anna", "skip_all_ddl", "false", "true"),
        ]  # fmt: skip
        assert all(one.applied_at is not None for one in found)
        before = found[0].applied_at
        parameters.apply(connection, job.id)
        assert parameters.page(connection, job.id, limit=1, offset=0)[0][0].applied_at == before


def test_what_is_part_of_the_policy_already_does_not_come_again(store: Store, job: Job) -> None:
    """A policy that was changed by hand since is not taken back when a worker is started."""
    with store.write() as connection:
        parameters.note(connection, job.id, "anna", {"skip_all_ddl": ("false", "true")})
        assert parameters.take_in(connection, job.id).ddl == "refuse"
        jobs.change(connection, job.id, policy=job.policy.to_json())
        parameters.apply(connection, job.id)
        assert jobs.policy_of(connection, job.id) == job.policy


def test_a_parameter_of_another_release_is_left_alone(store: Store, job: Job) -> None:
    with store.write() as connection:
        parameters.note(connection, job.id, "anna", {"of_tomorrow": ("1", "2"), "read_task_num": ("2", "3")})
        parameters.apply(connection, job.id)
        assert jobs.policy_of(connection, job.id).readers == 3


def test_what_the_prechecks_look_at_makes_them_void(store: Store, job: Job) -> None:
    def revision() -> int:
        with store.read() as connection:
            found = jobs.find(connection, job.id)
        assert found is not None
        return found.revision

    for name, value, counts in (("shard_length", "9999", 0), ("read_task_num", "3", 1), ("replace_0x00", "true", 1)):
        before = revision()
        with store.write() as connection:
            parameters.note(connection, job.id, "anna", {name: ("?", value)})
            parameters.take_in(connection, job.id)
        assert revision() == before + counts, name


def test_speed_limits(store: Store, job: Job) -> None:
    windows = (SpeedWindow(begin=1, end=5, megabytes=10), SpeedWindow(begin=22, end=0, megabytes=9999, utc=False))
    with store.write() as connection:
        assert speeds.load(connection, job.id) == ()
        speeds.save(connection, job.id, windows)
        assert speeds.load(connection, job.id) == windows
        speeds.save(connection, job.id, windows[:1])
        assert speeds.load(connection, job.id) == windows[:1]
        speeds.save(connection, job.id, ())
        assert speeds.load(connection, job.id) == ()


# objects


def test_views_come_and_go(store: Store, job: Job) -> None:
    a, b, c = (TableName("shop", name) for name in "abc")
    with store.write() as connection:
        progress.plan_views(connection, job.id, {b, a})
        progress.save_views(connection, job.id, [ViewCounts(name=a, made=True)])
        progress.save_views(connection, job.id, [ViewCounts(name=b, made=False, reason="no")])
        progress.plan_views(connection, job.id, {a, b, c})
        found, total = progress.page_views(connection, job.id, limit=10, offset=0)
        assert total == 3 and [(view.name, view.made, view.reason) for view in found] == [
            (a, True, ""), (b, False, "no"), (c, False, ""),
        ]  # fmt: skip
        assert progress.count_views(connection, job.id) == (3, 1, 1)
        progress.plan_views(connection, job.id, {c})
        assert progress.page_views(connection, job.id, search="SHO", limit=10, offset=0)[1] == 1
        assert progress.page_views(connection, job.id, search="x", limit=10, offset=0) == ([], 0)
        progress.plan_views(connection, job.id, {b, c}, beside=True)
        progress.save_views(connection, job.id, [ViewCounts(name=c, made=True)])
        progress.plan_views(connection, job.id, {a, c}, beside=True)
        assert progress.count_views(connection, job.id) == (3, 1, 0), "what is beside takes nothing away"
        progress.forget_views(connection, job.id, kept=lambda name: name == c)
        assert [view.name for view in progress.page_views(connection, job.id, limit=9, offset=0)[0]] == [c]
        progress.plan_views(connection, job.id, set())
        assert progress.count_views(connection, job.id) == (0, 0, 0)


def test_shares_are_of_what_was_looked_at(store: Store, job: Job) -> None:
    """The same in the list of tables and in that of databases."""
    counts = [
        TableCounts(name=TableName("s", "a"), state="loading", rows=10, scanned=500, rows_estimate=1000),
        TableCounts(name=TableName("s", "b"), state="loaded", rows=1, scanned=1, rows_estimate=1000),
        TableCounts(name=TableName("t", "c"), state="loading", rows=2000, scanned=2000, rows_estimate=1000),
    ]
    with store.write() as connection:
        progress.save_tables(connection, job.id, counts)
        found, _ = progress.page_databases(connection, job.id, limit=9, offset=0)
        assert progress.count_indexed(connection, job.id) == 1
        progress.save_tables(connection, job.id, [replace(counts[1], indexes=2, indexes_made=1)])
        assert progress.count_indexed(connection, job.id) == 0
    assert [one.done for one in found] == pytest.approx([0.75, 2000 / 2001])
    assert counts[0].done == 0.5 and counts[1].done == 1.0 and 0.99 < counts[2].done < 1.0
