"""The Kafka sink: what consumers see, what is remembered with it, and what a successor makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.engines.kafka import control, sink
from opendrs.engines.kafka.producing import transactional_id
from opendrs.engines.memory.position import Lsn
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    Alteration,
    CreateTable,
    DropTable,
    RenameTable,
    TruncateTable,
)
from opendrs.model.checkpoint import Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.engine import Repeat
from opendrs.model.event import Control, Window
from opendrs.model.job import Policy
from tests.unit.engines.kafka.fakes import (
    CARTS,
    DELETE,
    JOB,
    KEYLESS,
    ORDERS,
    Brokers,
    Client,
    Message,
    Opened,
    Rows,
    Worker,
    table,
    window,
    worker,
)
from tests.unit.engines.kafka.steps import (
    ADDED,
    FOLLOWING,
    LEAST,
    TOLD,
    WIDE,
    alter,
    begun,
    change,
    heir,
    load,
    policy,
    rows,
)

# --- the log ---


def test_messages_and_position_are_durable_together(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(5, 10, 11, (CARTS, DELETE, 12)), idempotent=False)
    assert here.messages == [] and here.kept().checkpoint.position == Lsn(1)  # type: ignore[union-attr]
    made.sink.flush(Lsn(5), FOLLOWING)
    assert here.messages == [
        Message(topic="shop-orders", id=1, table=ORDERS, row=10, op=1, width=1),
        Message(topic="shop-orders", id=2, table=ORDERS, row=11, op=1, width=1),
        Message(topic="shop-carts", id=3, table=CARTS, row=12, op=4, width=1),
    ]
    kept = here.kept()
    assert (kept.next_id, kept.done, kept.checkpoint and kept.checkpoint.position) == (4, 0, Lsn(5))
    assert here.commits[-1] == ("opendrs.j", 3)


def test_several_windows_are_one_transaction_of_kafka(here: Brokers) -> None:
    made = begun()
    for position in (2, 3, 4):
        made.sink.write(window(position, position), idempotent=False)
    made.sink.flush(Lsn(4), FOLLOWING)
    assert rows(here) == [2, 3, 4] and here.ids() == [1, 2, 3]


def test_what_is_taken_back_comes_with_the_same_ids(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    made.sink.write(window(3, 7, 8), idempotent=False)
    made.sink.rollback()
    made.sink.write(window(3, 7, 8), idempotent=False)
    made.sink.flush(Lsn(3), FOLLOWING)
    assert rows(here) == [1, 7, 8] and here.ids() == [1, 2, 3]


def test_a_window_of_which_nothing_is_told_needs_no_origins(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, origins=None), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert here.messages == [] and here.kept().checkpoint.position == Lsn(2)  # type: ignore[union-attr]


def test_nothing_that_is_published_can_be_made_up_for(here: Brokers) -> None:
    with pytest.raises(AssertionError):
        begun().sink.write(window(2, 1), idempotent=True)


def test_a_successor_goes_on_where_another_ended(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1, 2), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    made.sink.write(window(3, 3), idempotent=False)  # is forgotten
    other, checkpoint = heir()
    assert checkpoint.position == Lsn(2) and checkpoint.tables.keys() == {ORDERS, CARTS}
    other.sink.write(window(3, 3), idempotent=False)
    other.sink.flush(Lsn(3), FOLLOWING)
    assert rows(here) == [1, 2, 3] and here.ids() == [1, 2, 3]


def test_a_successor_that_goes_back_does_not_go_behind_what_it_found(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1, 2, 3), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    other, _ = heir()
    other.sink.write(window(3, 4), idempotent=False)
    other.sink.rollback()
    other.sink.write(window(3, 4), idempotent=False)
    other.sink.flush(Lsn(3), FOLLOWING)
    assert here.ids() == [1, 2, 3, 4]


def test_an_overtaken_worker_commits_nothing(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1), idempotent=False)
    heir()
    with pytest.raises(DrsError) as raised:
        made.sink.flush(Lsn(2), FOLLOWING)
    assert raised.value.fault is Fault.TARGET_UNREACHABLE and here.messages == []


# --- a large transaction ---


def test_a_transaction_that_is_not_too_large_is_whole(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(None, 1, 2), idempotent=False)
    made.sink.write(window(None, 3), idempotent=False)
    assert here.messages == []
    made.sink.write(window(2, 4), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 2, 3, 4] and here.ids() == [1, 2, 3, 4]


SMALL = policy(transaction_bytes=250)  # three messages of these are more


def test_a_transaction_of_more_bytes_is_published_in_parts(here: Brokers) -> None:
    made = begun(given=SMALL)
    made.sink.write(window(None, 1, 2), idempotent=False)
    assert here.messages == []
    made.sink.write(window(None, 3, 4), idempotent=False)
    kept = here.kept()
    assert rows(here) == [1, 2, 3, 4] and (kept.done, kept.next_id) == (4, 5)
    assert kept.checkpoint is not None and kept.checkpoint.position == Lsn(1)
    made.sink.write(window(None, 5), idempotent=False)  # counted from the last commit
    assert rows(here) == [1, 2, 3, 4]
    made.sink.write(window(2, 6), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 2, 3, 4, 5, 6] and here.kept().done == 0


def test_parts_are_of_the_transaction_behind_the_last_position(here: Brokers) -> None:
    made = begun(given=SMALL)
    made.sink.write(window(5, 1), idempotent=False)
    made.sink.flush(Lsn(5), FOLLOWING)
    made.sink.write(window(None, 2, 3, 4), idempotent=False)
    kept = here.kept()
    assert (kept.done, kept.checkpoint and kept.checkpoint.position) == (3, Lsn(5))


def test_a_transaction_that_takes_longer_than_brokers_wait_is_published_in_parts(here: Brokers) -> None:
    here.settings["transaction.max.timeout.ms"] = "60000"
    made = begun()
    here.open_for_s = 30.0
    made.sink.write(window(None, 1), idempotent=False)
    assert here.messages == []
    here.open_for_s = 30.1
    made.sink.write(window(None, 2), idempotent=False)
    assert rows(here) == [1, 2] and here.kept().done == 2


def test_a_successor_leaves_out_what_is_published(here: Brokers) -> None:
    made = begun(given=SMALL)
    parts = [window(None, 1, 2), window(None, 3, 4), window(2, 5, 6)]
    for part in parts[:2]:
        made.sink.write(part, idempotent=False)
    other, checkpoint = heir(SMALL)
    assert checkpoint.position == Lsn(1)
    for part in parts:
        other.sink.write(part, idempotent=False)
    assert here.kept().done == 4
    other.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 2, 3, 4, 5, 6] and here.ids() == [1, 2, 3, 4, 5, 6]
    # The next transaction has nothing to do with it.
    other.sink.write(window(3, 7, 8), idempotent=False)
    other.sink.flush(Lsn(3), FOLLOWING)
    assert rows(here)[6:] == [7, 8]


def test_what_was_published_is_not_published_again_for_being_large(here: Brokers) -> None:
    """A successor that skips a part has sent nothing that would have to be remembered."""
    made = begun(given=SMALL)
    made.sink.write(window(None, 1, 2, 3), idempotent=False)
    other, _ = heir(SMALL)
    here.open_for_s = 1e6
    commits = len(here.commits)
    other.sink.write(window(None, 1, 2, 3), idempotent=False)
    assert len(here.commits) == commits and here.kept().done == 3


def test_a_savepoint_that_is_gone_back_to_is_told_otherwise(here: Brokers) -> None:
    made = begun(table(), table(CARTS, engine="MyISAM"))
    first = window(None, 1, 2, (CARTS, 1, 20), controls=[Control(1, "savepoint", "s")])
    second = window(2, 3, controls=[Control(0, "rollback_to", "s")])
    made.sink.write(first, idempotent=False)
    with pytest.raises(Repeat):
        made.sink.write(second, idempotent=False)
    made.sink.rollback()
    made.sink.write(first, idempotent=False)
    made.sink.write(second, idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    # What a table without transactions has, no rollback takes from it.
    assert rows(here) == [1, 20, 3] and here.ids() == [1, 2, 3]


@pytest.mark.parametrize("engine", ["InnoDB", "innodb", "", "ROCKSDB"])
def test_engines_whose_changes_are_undone(here: Brokers, engine: str) -> None:
    made = begun(table(engine=engine))
    parts = [
        window(None, 1, 2, controls=[Control(1, "savepoint", "s")]),
        window(2, 3, controls=[Control(0, "rollback_to", "s")]),
    ]
    made.sink.write(parts[0], idempotent=False)
    with pytest.raises(Repeat):
        made.sink.write(parts[1], idempotent=False)
    made.sink.rollback()
    for part in parts:
        made.sink.write(part, idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 3]


def test_what_consumers_have_seen_cannot_be_undone(here: Brokers) -> None:
    made = begun(given=SMALL)
    made.sink.write(window(None, 1, 2, 3, controls=[Control(1, "savepoint", "s")]), idempotent=False)
    assert rows(here) == [1, 2, 3]
    with pytest.raises(DrsError) as raised:
        made.sink.write(window(2, 4, controls=[Control(0, "rollback_to", "s")]), idempotent=False)
    assert raised.value.fault is Fault.LOG_UNSUPPORTED and "transaction_bytes" in raised.value.message
    assert rows(here) == [1, 2, 3]


def test_a_successor_knows_what_was_left_out_of_what_is_published(here: Brokers) -> None:
    first = window(None, 1, 2, 3, 4, controls=[Control(1, "savepoint", "s")])
    second = window(None, 5, 6, controls=[Control(0, "rollback_to", "s")])
    third = window(2, 7)
    made = begun(given=SMALL)
    here.open_for_s = 0.0
    large = replace(SMALL, publishing=replace(SMALL.publishing, transaction_bytes=10_000))
    made = heir(large)[0]
    made.sink.write(first, idempotent=False)
    with pytest.raises(Repeat):
        made.sink.write(second, idempotent=False)
    made.sink.rollback()
    made.sink.write(first, idempotent=False)
    here.open_for_s = 1e6  # so that it is published in parts from now on
    made.sink.write(second, idempotent=False)
    assert rows(here) == [1, 5, 6] and (here.kept().done, here.kept().undone) == (6, ((1, 4),))
    here.open_for_s = 0.0
    other, _ = heir(large)
    for part in (first, second, third):
        other.sink.write(part, idempotent=False)
    other.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 5, 6, 7] and (here.kept().done, here.kept().undone) == (0, ())


# --- at least once ---


def test_at_least_once_tells_again_with_the_same_ids(here: Brokers) -> None:
    made = begun(given=LEAST)
    made.sink.write(window(2, 1, 2), idempotent=False)
    other, _ = heir(LEAST)
    other.sink.write(window(2, 1, 2), idempotent=False)
    other.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 2, 1, 2] and here.ids() == [1, 2, 1, 2]


def twice(made: Worker, *parts: Window) -> None:
    """As a run does it: what a sink has to see once more comes once more."""
    try:
        for part in parts:
            made.sink.write(part, idempotent=False)
    except Repeat:
        made.sink.rollback()
        for part in parts:
            made.sink.write(part, idempotent=False)


def test_without_transactions_nothing_is_sent_before_it_is_known_what_is_undone(here: Brokers) -> None:
    """Whatever is sent is seen: whoever read what is undone would keep rows that never were."""
    made = begun(given=LEAST)
    parts = [
        window(None, 1, 2, controls=[Control(1, "savepoint", "s")]),
        window(2, 3, controls=[Control(0, "rollback_to", "s")]),
    ]
    made.sink.write(parts[0], idempotent=False)
    assert rows(here) == []
    with pytest.raises(Repeat):
        made.sink.write(parts[1], idempotent=False)
    assert rows(here) == []
    made.sink.rollback()
    for part in parts:
        made.sink.write(part, idempotent=False)
    assert rows(here) == [1, 3] and here.ids() == [1, 2]
    made.sink.flush(Lsn(2), FOLLOWING)
    # The next one is looked at by itself.
    made.sink.write(window(3, 4), idempotent=False)
    made.sink.write(window(None, 5), idempotent=False)
    assert rows(here) == [1, 3, 4]


def test_without_transactions_large_ones_are_remembered_in_parts_as_well(here: Brokers) -> None:
    small = policy(delivery="at-least-once", transaction_bytes=250)
    made = begun(given=small)
    parts = [window(None, 1, 2), window(None, 3, 4), window(None, 5), window(2, 6)]
    twice(made, *parts)
    assert (here.kept().done, rows(here)) == (4, [1, 2, 3, 4, 5, 6])
    other, _ = heir(small)
    twice(other, *parts)
    other.sink.flush(Lsn(2), FOLLOWING)
    assert rows(here) == [1, 2, 3, 4, 5, 6, 5, 6] and here.ids() == [1, 2, 3, 4, 5, 6, 5, 6]


# --- changes of the schema ---


def test_rows_behind_a_change_have_the_new_shape(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1), idempotent=False)
    alter(made, ADDED, orders=WIDE)
    made.sink.write(window(3, 2), idempotent=False)
    made.sink.flush(Lsn(3), FOLLOWING)
    made.sink.write(window(4, 3), idempotent=False)
    made.sink.flush(Lsn(4), FOLLOWING)
    assert [message.width for message in here.messages] == [1, 2, 2]
    _, checkpoint = heir()
    assert checkpoint.tables[ORDERS].table == WIDE


def test_a_change_that_is_taken_back_is_as_if_it_had_not_been(here: Brokers) -> None:
    made = begun()
    alter(made, ADDED, orders=WIDE)
    made.sink.write(window(2, 1), idempotent=False)
    made.sink.rollback()
    made.sink.write(window(2, 1), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert [message.width for message in here.messages] == [1]
    checkpoint = here.kept().checkpoint
    assert checkpoint is not None and checkpoint.tables[ORDERS].table == table()


def test_going_back_does_not_go_behind_a_change_that_is_durable(here: Brokers) -> None:
    made = begun()
    alter(made, ADDED, orders=WIDE)
    made.sink.flush(Lsn(2), FOLLOWING)
    alter(made, ADDED, orders=table(ORDERS, "a", "b"))
    made.sink.rollback()
    made.sink.write(window(3, 1), idempotent=False)
    made.sink.flush(Lsn(3), FOLLOWING)
    assert [message.width for message in here.messages] == [2]


def test_statements_are_published_between_the_rows_that_they_come_between(here: Brokers) -> None:
    made = begun(given=TOLD)
    made.sink.write(window(2, 1), idempotent=False)
    alter(made, ADDED, orders=WIDE)
    assert here.messages == []
    made.sink.flush(Lsn(3), FOLLOWING)
    made.sink.write(window(4, 2), idempotent=False)
    made.sink.flush(Lsn(4), FOLLOWING)
    assert [(one.topic, one.sql or one.row, one.id) for one in here.messages] == [
        ("shop-orders", 1, 1), ("ddl", "ALTER their words", 2), ("shop-orders", 2, 3),
    ]  # fmt: skip
    assert made.reported == []


@pytest.mark.parametrize(
    ("given", "alteration", "reported"),
    [
        (policy(), TruncateTable(ORDERS), ["TRUNCATE shop.orders"]),
        (policy(), DropTable(ORDERS), ["DROP shop.orders"]),
        (policy(), ADDED, []),
        (replace(TOLD, skipped_ddl=("truncate_table",)), TruncateTable(ORDERS), ["TRUNCATE shop.orders"]),
        (replace(TOLD, ddl="refuse"), DropTable(ORDERS), ["DROP shop.orders"]),
        (TOLD, TruncateTable(ORDERS), []),
    ],
)
def test_what_takes_rows_away_is_reported_where_it_is_not_told(
    here: Brokers, given: Policy, alteration: Alteration, reported: list[str]
) -> None:
    made = begun(given=given)
    alter(made, alteration)
    assert [what for what, _ in made.reported] == reported


def test_a_job_that_carries_no_statements_over_has_no_topic_of_them(here: Brokers) -> None:
    made = begun(given=replace(TOLD, ddl="refuse"), phase=Phase.LOADING)
    alter(made, ADDED, orders=WIDE)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert here.messages == [] and "ddl" not in here.topics


def test_a_table_that_is_made_gets_its_topic(here: Brokers) -> None:
    made = begun()
    made_table = table(KEYLESS, key=())
    alter(made, CreateTable(made_table), lines=made_table)
    assert "shop-lines" in here.topics
    made.sink.write(window(2, (KEYLESS, 1, 5)), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert [message.topic for message in here.messages] == ["shop-lines"]
    assert heir()[1].tables[KEYLESS].table == made_table


def test_a_table_that_is_dropped_is_known_no_more(here: Brokers) -> None:
    made = begun()
    alter(made, DropTable(ORDERS), orders=None)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert heir()[1].tables.keys() == {CARTS}
    assert "shop-orders" in here.topics, "what is published belongs to its readers"


def test_a_table_that_is_renamed_takes_its_chunks_along(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    load(made, table(), 0, [1, 2], upper="2")
    checkpoint = here.kept().checkpoint
    assert checkpoint is not None
    progress = replace(checkpoint.tables[ORDERS], table=table(KEYLESS))
    renamed = RenameTable(ORDERS, KEYLESS)
    made.sink.alter(change(renamed), [renamed], {ORDERS: None, KEYLESS: progress})
    made.sink.flush(Lsn(2), Phase.LOADING)
    assert here.kept().keys == {b'["job"]', b'["table","shop","carts"]', b'["table","shop","lines"]'}
    tables = heir()[1].tables
    assert tables.keys() == {CARTS, KEYLESS} and tables[KEYLESS].rows == 2
    (chunk,) = tables[KEYLESS].chunks
    assert chunk.chunk == Chunk(table=KEYLESS, ordinal=0, upper=("2",))


# --- opening ---


def generation(here: Brokers, lane: int | None) -> int:
    return here.generations["opendrs.j" if lane is None else f"opendrs.j.{lane}"]


def test_opening_fences_every_lane_while_the_load_goes_on(here: Brokers) -> None:
    begun(phase=Phase.LOADING, given=replace(policy(), readers=4))
    before = [generation(here, lane) for lane in (None, 0, 1, 2, 3)]
    heir(replace(policy(), readers=1))
    # As many as there have been, not as many as are wanted now.
    assert [generation(here, lane) for lane in (None, 0, 1, 2, 3)] == [number + 1 for number in before]
    assert all(one.is_closed for one in Opened.all if one.lane is not None)
    assert here.kept().lanes == 4


def test_a_chunk_of_a_lane_that_was_about_to_commit_is_seen_or_is_not_there(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    with made.sink.loader() as lane:
        lane.begin(table(), Chunk(table=ORDERS, ordinal=0))
        lane.write(Rows([1]))
        heir()
        with pytest.raises(DrsError):
            lane.commit(LoadedChunk(chunk=Chunk(table=ORDERS, ordinal=0), rows=1, nbytes=8))
    assert here.messages == []


def test_behind_the_load_lanes_are_left_alone(here: Brokers) -> None:
    begun()
    before = generation(here, 0)
    heir()
    assert generation(here, 0) == before


def test_an_overtaken_worker_does_not_fence_its_successor(here: Brokers) -> None:
    begun()
    made = worker(policy(), epoch=10_000)
    made.sink.open()
    before = dict(here.generations)
    with pytest.raises(DrsError) as raised:
        worker(policy(), epoch=9_999).sink.open()
    assert raised.value.fault is Fault.FENCED
    assert here.generations == before
    made.sink.write(window(2, 1), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)


def test_who_was_overtaken_while_it_opened_finds_out(here: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its first look and its fence a newer one has come and gone."""
    begun()
    made = worker(policy(), epoch=20_000)
    original = Opened.__init__

    def overtaken(self: Opened, *arguments: Any) -> None:
        monkeypatch.setattr(Opened, "__init__", original)
        worker(policy(), epoch=20_001).sink.open()
        original(self, *arguments)

    monkeypatch.setattr(Opened, "__init__", overtaken)
    with pytest.raises(DrsError) as raised:
        made.sink.open()
    assert raised.value.fault is Fault.FENCED


def test_opening_is_remembered_before_anything_is_done(here: Brokers) -> None:
    made = worker(policy(), epoch=30_000)
    made.sink.open()
    kept = here.kept()
    assert (kept.epoch, kept.checkpoint) == (30_000, None)
    assert here.topics == {"_opendrs.j"}


def test_a_reset_that_has_not_ended_is_not_worked_over(here: Brokers) -> None:
    begun()
    blank = control.job_record(epoch=1, lanes=0, position=None, phase=None, next_id=1, tables=0, resetting=True)
    here.records += control.of_job(JOB, [blank])
    with pytest.raises(DrsError) as raised:
        worker(policy()).sink.open()
    assert raised.value.fault is Fault.RESET_UNFINISHED


def test_leaving_forgets_what_is_not_flushed(here: Brokers) -> None:
    made = begun()
    with made.sink:
        made.sink.write(window(2, 1), idempotent=False)
        main = made.main
    assert main.is_closed and here.messages == []
    worker(policy()).sink.__exit__(None, None, None)


def test_a_sink_that_rests_forgets_what_is_not_flushed(here: Brokers) -> None:
    made = begun()
    made.sink.write(window(2, 1), idempotent=False)
    made.sink.rest({})
    made.sink.constrain({})
    assert here.messages == [] and not made.main.producer.is_open


@pytest.mark.parametrize(
    ("settings", "timeout_ms"),
    [
        ({}, 300_000),
        ({"transaction.max.timeout.ms": "900000"}, 300_000),
        ({"transaction.max.timeout.ms": "60000"}, 60_000),
    ],
)
def test_a_transaction_lasts_no_longer_than_brokers_allow(
    here: Brokers, settings: dict[str, str], timeout_ms: int
) -> None:
    here.settings |= settings
    assert begun().main.timeout_ms == timeout_ms


def test_who_may_not_ask_for_limits_takes_what_all_brokers_allow(
    here: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fault: Fault) -> Any:
        def configuration(*_: Any) -> dict[str, str]:
            raise DrsError(fault, endpoint="h", what="ask", reason="no")

        return configuration

    monkeypatch.setattr(Client, "configuration", refuse(Fault.PRIVILEGE_MISSING))
    assert begun().main.timeout_ms == 300_000
    monkeypatch.setattr(Client, "configuration", refuse(Fault.TARGET_UNREACHABLE))
    with pytest.raises(DrsError):
        worker(policy()).sink.open()


def test_a_statement_whose_transaction_is_published_in_part_does_not_come_again(here: Brokers) -> None:
    small = policy(ddl_topic="ddl", transaction_bytes=150)
    made = begun(given=small)
    made.sink.alter(change(CreateTable(table(KEYLESS)), position=None), [CreateTable(table(KEYLESS))], {
        KEYLESS: TableProgress(table=table(KEYLESS), loaded=True)})  # fmt: skip
    made.sink.write(window(None, (KEYLESS, 1, 1), (KEYLESS, 1, 2)), idempotent=False)
    assert [one.sql or one.row for one in here.messages] == ["CREATE their words", 1, 2]
    other, _ = heir(small)
    other.sink.alter(change(CreateTable(table(KEYLESS)), position=None), [CreateTable(table(KEYLESS))], {
        KEYLESS: TableProgress(table=table(KEYLESS), loaded=True)})  # fmt: skip
    other.sink.write(window(None, (KEYLESS, 1, 1), (KEYLESS, 1, 2)), idempotent=False)
    other.sink.write(window(2, (KEYLESS, 1, 3)), idempotent=False)
    other.sink.flush(Lsn(2), FOLLOWING)
    assert [one.sql or one.row for one in here.messages] == ["CREATE their words", 1, 2, 3]


def test_a_topic_that_forgets_is_not_written_to(here: Brokers) -> None:
    begun()
    here.settings["cleanup.policy"] = "delete"
    with pytest.raises(DrsError) as raised:
        worker(policy()).sink.open()
    assert raised.value.fault is Fault.TARGET_REFUSED and "cleanup.policy=delete" in raised.value.message


def test_topics_of_other_names_are_made_when_the_job_goes_on(here: Brokers) -> None:
    begun()
    heir(policy(topic_name_format="$tablename$", ddl_topic="ddl"))
    assert {"orders", "carts", "ddl"} <= here.topics


def test_whoever_was_overtaken_is_told_by_which_epoch(here: Brokers) -> None:
    begun()
    worker(policy(), epoch=77_000).sink.open()
    with pytest.raises(DrsError) as raised:
        worker(policy(), epoch=76_999).sink.open()
    assert (raised.value.fault, raised.value.details["newer"]) == (Fault.FENCED, "77000")


# --- transactions that nobody has ended ---

JOB_KEY, CHUNK_KEY = b'["j","job"]', b'["j","chunk","shop","orders",0]'


def test_what_the_log_has_left_open_is_taken_back(here: Brokers) -> None:
    begun(given=policy(ddl_topic="statements"))
    here.open = [(JOB_KEY, b"{}")]
    heir(policy(ddl_topic="statements"))
    names = ["_opendrs.j", *sorted(here.topics - {"_opendrs.j"})]
    assert here.disowned == [(transactional_id(JOB), [(name, 0) for name in names])]


def test_what_lanes_have_left_open_they_take_back(here: Brokers) -> None:
    """Where their tables go: another table's topic is none of theirs."""
    begun(phase=Phase.LOADING)
    here.open = [(CHUNK_KEY, b"{}"), (b"opendrs", b""), (None, b"")]
    heir()
    (topic,) = {name for name in here.topics if name.endswith("orders")}
    assert [identity for identity, _ in here.disowned] == [transactional_id(JOB, lane) for lane in range(2)]
    assert all(partitions == [("_opendrs.j", 0), (topic, 0)] for _, partitions in here.disowned)
    assert all(one.is_closed for one in Opened.all if one.lane is not None)


def test_where_one_may_count_on_the_other_nothing_is_guessed(here: Brokers) -> None:
    begun(phase=Phase.LOADING)
    here.open = [(CHUNK_KEY, b"{}"), (JOB_KEY, b"{}")]
    with pytest.raises(DrsError, match=r"_opendrs\.j-0") as raised:
        heir()
    assert raised.value.fault is Fault.TARGET_REFUSED and here.disowned == []


def test_the_end_of_another_jobs_transaction_is_waited_for(here: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    begun()
    here.open = [(b'["another","job"]', b"{}"), (JOB_KEY, b"{}")]
    monkeypatch.setattr(sink.time, "sleep", lambda seconds: here.open.clear())
    heir()
    assert here.disowned == []


def test_who_waits_too_long_is_told(here: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    begun()
    here.open = [(b'["another","job"]', b"{}")]
    monkeypatch.setattr(sink, "PATIENCE_S", 0.0)
    monkeypatch.setattr(sink, "PAUSE_S", 0.001)
    with pytest.raises(DrsError, match="has been open") as raised:
        heir()
    assert raised.value.fault is Fault.TARGET_UNREACHABLE


def test_who_has_no_transactions_looks_for_none(here: Brokers) -> None:
    begun(given=policy(delivery="at-least-once"))
    here.open = [(JOB_KEY, b"{}")]
    heir(policy(delivery="at-least-once"))
    assert here.disowned == []
