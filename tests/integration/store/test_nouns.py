"""What is written to the store comes back, on both databases."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event as hooks
from sqlalchemy import select, text

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.comparison import TableProof
from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy
from opendrs.model.lifecycle import State
from opendrs.store import checkpoints, commands, events, jobs, leases, progress, proofs, tables
from opendrs.store.database import Store
from opendrs.store.events import Event
from opendrs.store.leases import Holder
from opendrs.store.progress import TableCounts
from tests.integration.state_fixtures import a_job

HOLDER = Holder(owner="supervisor", pid=4711, started_at=1_700_000_000.25, host="here")


def test_a_job_comes_back_without_its_passwords(store: Store, job: Job) -> None:
    with store.read() as connection:
        found = jobs.find(connection, job.id)
        assert found == jobs.every(connection)[0]
    assert found is not None
    assert (found.task, found.selection, found.policy) == (job.task, job.selection, job.policy)
    assert found.state is State.STARTING
    assert found.failure is None
    assert found.source == "mysql://anna:***@source.example:3306/shop"
    assert found.target == "postgresql://ben:***@target.example:5432/shop?tls=disable"
    assert found.created_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=5)


def test_a_job_that_is_there_is_not_made_again(store: Store, job: Job) -> None:
    with store.write() as connection:
        again = jobs.create(connection, replace(job, policy=Policy(readers=7)), name="other")
        assert again.policy == job.policy
        assert len(jobs.every(connection)) == 1


def test_a_job_is_found_by_its_name_and_by_nothing_else(store: Store) -> None:
    job = a_job("nightly")
    with store.write() as connection:
        jobs.create(connection, job, name="nightly")
        found = jobs.find(connection, "nightly")
        assert found is not None and found.id == job.id
        assert jobs.find(connection, "night") is None


def test_a_job_may_get_another_policy(store: Store, job: Job) -> None:
    with store.write() as connection:
        jobs.revise(connection, replace(job, policy=Policy(invalid_dates="null")))
        found = jobs.find(connection, job.id)
    assert found is not None and found.policy.invalid_dates == "null"


def test_only_the_newest_worker_moves_a_job(store: Store, job: Job) -> None:
    failure = Failure.of(DrsError(Fault.LOG_PURGED, position="x", reason="y"))
    with store.write() as connection:
        assert not jobs.enter(connection, job.id, State.FULL, epoch=1)  # nobody has a lease yet
        leases.claim(connection, job.id, HOLDER, {})
        assert jobs.enter(connection, job.id, State.FULL_FAILED, epoch=1, failure=failure)
        found = jobs.find(connection, job.id)
        assert found is not None and found.state is State.FULL_FAILED and found.failure == failure
        leases.claim(connection, job.id, HOLDER, {})
        assert not jobs.enter(connection, job.id, State.FULL, epoch=1)
        assert not jobs.enter(connection, job.id, State.INCREMENTAL, epoch=2), "it has failed, and nobody resumed it"
        assert jobs.enter(connection, job.id, State.STARTING, epoch=2)
        assert jobs.enter(connection, job.id, State.INCREMENTAL, epoch=2)
        found = jobs.find(connection, job.id)
        assert found is not None and found.state is State.INCREMENTAL and found.failure is None


def test_checkpoints_are_replaced(store: Store, job: Job) -> None:
    with store.write() as connection:
        assert checkpoints.load(connection, job.id) is None
        checkpoints.save(connection, job.id, epoch=1, phase=Phase.LOADING, position=None)
        checkpoints.save(connection, job.id, epoch=2, phase=Phase.FOLLOWING, position='{"gtid": "…"}')
        saved = checkpoints.load(connection, job.id)
    assert saved is not None
    assert (saved.epoch, saved.phase, saved.position) == (2, Phase.FOLLOWING, '{"gtid": "…"}')


def test_progress_of_tables_is_ordered_for_people(store: Store, job: Job) -> None:
    def counts(name: str, state: str, size: int = 0) -> TableCounts:
        return TableCounts(name=TableName("s", name), state=state, rows=size, nbytes=size, bytes_estimate=size)  # type: ignore[arg-type]

    with store.write() as connection:
        progress.save(connection, job.id, {"version": 1, "metrics": {"apply_latency": None}})
        progress.save(connection, job.id, {"version": 1, "metrics": {"apply_latency": 0.5}})
        progress.save_tables(connection, job.id, [])
        first = [counts("a", "loaded", 9), counts("b", "waiting", 5), counts("c", "waiting", 7)]
        progress.save_tables(connection, job.id, first)
        progress.save_tables(connection, job.id, [counts("d", "loading", 1 << 40), counts("b", "loading", 6)])
        found = progress.tables(connection, job.id)
        assert [table.name.table for table in found] == ["d", "b", "c", "a"]
        assert found[0].nbytes == 1 << 40
        assert found[1] == counts("b", "loading", 6)
        assert len(progress.tables(connection, job.id, limit=2)) == 2
        assert progress.count_tables(connection, job.id) == {"loaded": 1, "loading": 2, "waiting": 1}
        progress.forget_tables(connection, job.id, [TableName("s", "d"), TableName("x", "b")])
        assert [table.name.table for table in progress.tables(connection, job.id)] == ["b", "c", "a"]
        progress.forget_tables(connection, job.id)
        assert progress.tables(connection, job.id) == []
        saved = progress.load(connection, job.id)
    assert saved is not None and saved.counters["metrics"] == {"apply_latency": 0.5}


def test_events_come_in_order_and_only_new_ones(store: Store, job: Job) -> None:
    with store.write() as connection:
        events.append(connection, job.id, [Event(name=f"e{n}", message="m", fields={"n": n}) for n in range(5)])
        seen = events.after(connection, job.id)
        assert [saved.event.fields["n"] for saved in seen] == [0, 1, 2, 3, 4]
        assert events.after(connection, job.id, seen[-1].id) == []
        events.append(connection, job.id, [Event(name="x", message="later", level="warning")])
        (later,) = events.after(connection, job.id, seen[-1].id)
        assert (later.event.message, later.event.level) == ("later", "warning")
        newest = events.after(connection, job.id, limit=2)
        assert [saved.event.name for saved in newest] == ["e4", "x"]


def test_events_do_not_grow_for_ever(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT", 20)
    with store.write() as connection:
        events.append(connection, job.id, [Event(name="e", message=str(n)) for n in range(700)])
        kept = events.after(connection, job.id, limit=1000)
    assert 20 <= len(kept) < 20 + 256
    assert kept[-1].event.message == "699"


def test_the_newest_proof_of_a_table_counts(store: Store, job: Job) -> None:
    name = TableName("shop", "orders")
    first = TableProof(name=name, verdict="different", source_rows=3, target_rows=2, reason="one row is missing")
    second = replace(first, verdict="equal", target_rows=3, source_checksum="ab", target_checksum="ab", reason="")
    other = TableProof(name=TableName("shop", "logs"), verdict="unproven", reason="no key", seconds=1.5)
    with store.write() as connection:
        proofs.save(connection, job.id, [first, other])
        proofs.save(connection, job.id, [second])
        assert proofs.load(connection, job.id) == [other, second]
        proofs.clear(connection, job.id)
        assert proofs.load(connection, job.id) == []


def test_a_command_is_taken_once_and_in_order(store: Store, job: Job) -> None:
    with store.write() as connection:
        assert commands.take(connection, job.id) == []
        commands.ask(connection, job.id, "proof")
        commands.ask(connection, job.id, "pause")
        commands.ask(connection, job.id, "proof")
        assert commands.take(connection, job.id) == ["proof", "pause", "proof"]
        assert commands.take(connection, job.id) == []
        commands.ask(connection, job.id, "pause")
        commands.ask(connection, job.id, "proof")
        commands.withdraw(connection, job.id, "pause")
        assert commands.take(connection, job.id) == ["proof"]


def test_a_removed_job_leaves_nothing(store: Store, job: Job) -> None:
    with store.write() as connection:
        leases.claim(connection, job.id, HOLDER, {})
        checkpoints.save(connection, job.id, epoch=1, phase=Phase.LOADING, position=None)
        progress.save(connection, job.id, {})
        progress.save_tables(connection, job.id, [TableCounts(name=TableName("a", "b"), state="waiting")])
        events.append(connection, job.id, [Event(name="e", message="m")])
        proofs.save(connection, job.id, [TableProof(name=TableName("a", "b"), verdict="equal")])
        commands.ask(connection, job.id, "proof")
    with store.write() as connection:
        jobs.remove(connection, job.id)
    with store.read() as connection:
        for table in tables.metadata.sorted_tables:
            assert connection.execute(select(table)).all() == [], table.name


def test_text_is_not_harmed(store: Store, job: Job) -> None:
    odd = "Ünïcødé ' \" \\ % :x ? 🐢 \n\t"
    with store.write() as connection:
        events.append(connection, job.id, [Event(name="e", message=odd, fields={odd: [odd, None, 1.5, True]})])
        (saved,) = events.after(connection, job.id)
    assert saved.event.message == odd and saved.event.fields == {odd: [odd, None, 1.5, True]}


def test_an_instant_needs_a_zone_and_keeps_its_moment(store: Store, job: Job) -> None:
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7)))
    with store.write() as connection:
        events.append(connection, job.id, [Event(name="e", message="m", at=at)])
        assert events.after(connection, job.id)[0].event.at == at
    with pytest.raises(Exception, match="time zone"), store.write() as connection:
        events.append(connection, job.id, [Event(name="e", message="m", at=datetime(2026, 1, 1))])


def test_a_failed_transaction_leaves_nothing(store: Store, job: Job) -> None:
    with pytest.raises(RuntimeError), store.write() as connection:
        events.append(connection, job.id, [Event(name="e", message="m")])
        raise RuntimeError
    with store.read() as connection:
        assert events.after(connection, job.id) == []


def test_what_a_statement_was_given_is_in_no_error(store: Store) -> None:
    with pytest.raises(Exception) as raised, store.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "S3cret-Value"})
    assert "S3cret-Value" not in str(raised.value)


def test_lists_are_written_by_few_statements(store: Store, job: Job) -> None:
    """Ten thousand tables must not be ten thousand round trips."""
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    hooks.listen(store.engine, "before_cursor_execute", count)
    with store.write() as connection:
        many = [TableCounts(name=TableName("s", f"t{n}"), state="waiting") for n in range(5000)]
        progress.save_tables(connection, job.id, many)
        assert sum(progress.count_tables(connection, job.id).values()) == 5000
    assert counted < 50


def test_a_job_is_removed_while_its_worker_writes(store: Store, job: Job) -> None:
    """Whoever removes waits for the worker, and the worker for nobody."""
    with store.write() as connection:
        epoch = leases.claim(connection, job.id, HOLDER, {})
    assert epoch == 1
    waits, ends = threading.Event(), []

    def remove() -> None:
        with store.write() as connection:
            waits.set()
            jobs.remove(connection, job.id)
        ends.append("removed")

    with store.write() as connection:
        assert leases.renew(connection, job.id, 1)
        remover = threading.Thread(target=remove)
        remover.start()
        # SQLite lets nobody in; on PostgreSQL the other one has asked for its first lock by then, or not.
        waits.wait(0.5)
        time.sleep(0.2)
        assert jobs.enter(connection, job.id, State.FULL, epoch=1)
    remover.join()
    with store.read() as connection:
        assert ends == ["removed"] and jobs.find(connection, job.id) is None
        assert leases.current(connection, job.id) is None
