"""The load of the Kafka sink: chunks, lanes, ids, and what a successor makes of them."""

from __future__ import annotations

import pytest

from opendrs.engines.memory.position import Lsn
from opendrs.errors import DrsError
from opendrs.model.checkpoint import Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.selection import Selection
from tests.unit.engines.kafka.fakes import (
    CARTS,
    KEYLESS,
    ORDERS,
    Brokers,
    Rows,
    table,
    window,
)
from tests.unit.engines.kafka.steps import (
    FOLLOWING,
    LEAST,
    TOLD,
    WIDE,
    begun,
    heir,
    load,
    rows,
)


def test_a_load_tells_how_its_tables_are_made(here: Brokers) -> None:
    begun(given=TOLD, phase=Phase.LOADING)
    assert [(one.sql, one.table, one.id) for one in here.messages] == [
        ("CREATE CREATE TABLE carts (snapshot)", CARTS, 1), ("CREATE CREATE TABLE orders (snapshot)", ORDERS, 2),
    ]  # fmt: skip
    assert here.kept().next_id == 3


def test_a_job_without_a_load_makes_nothing_up(here: Brokers) -> None:
    begun(given=TOLD)
    assert here.messages == []


def test_topics_are_there_before_anything_is_sent(here: Brokers) -> None:
    begun(given=TOLD, selection=Selection(topics={CARTS: "mine"}))
    assert here.topics == {"_opendrs.j", "shop-orders", "mine", "ddl"}


def test_each_chunk_is_durable_with_the_record_that_it_is_there(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    load(made, table(), 0, [1, 2, 3], upper="3")
    assert here.commits[-1] == ("opendrs.j.0", 3) and rows(here) == [1, 2, 3]
    progress = heir()[1].tables[ORDERS]
    assert (progress.rows, progress.nbytes, progress.loaded) == (3, 24, False)


def test_a_chunk_that_was_cut_short_leaves_nothing(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    with made.sink.loader() as lane:
        lane.begin(table(), Chunk(table=ORDERS, ordinal=0))
        lane.write(Rows([1, 2]))
        lane.rollback()
        lane.begin(table(), Chunk(table=ORDERS, ordinal=0))
        lane.write(Rows([1]))
    assert here.messages == [] and heir()[1].tables[ORDERS].chunks == ()


def test_an_altered_table_is_loaded_in_its_new_shape(here: Brokers) -> None:
    """A lane outlives a table's definition."""
    made = begun(phase=Phase.LOADING)
    with made.sink.loader() as lane:
        for known in (table(), WIDE):
            lane.begin(known, Chunk(table=known.name, ordinal=0))
            lane.write(Rows([1]))
            lane.commit(LoadedChunk(chunk=Chunk(table=ORDERS, ordinal=0), rows=1, nbytes=8))
    assert [message.width for message in here.messages] == [1, 2]


def test_lanes_side_by_side_are_fenced_apart(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    with made.sink.loader() as one, made.sink.loader() as other:
        for lane, known, row in ((one, table(), 1), (other, table(CARTS), 2)):
            lane.begin(known, Chunk(table=known.name, ordinal=0))
            lane.write(Rows([row]))
        for lane, name in ((other, CARTS), (one, ORDERS)):
            lane.commit(LoadedChunk(chunk=Chunk(table=name, ordinal=0), rows=1, nbytes=8))
    assert sorted(here.ids()) == [1, 2]
    assert [identity for identity, _ in here.commits[-2:]] == ["opendrs.j.1", "opendrs.j.0"]


def test_a_whole_table_needs_no_records_of_chunks(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    load(made, table(), 0, [1, 2])
    load(made, table(CARTS), 0, [3])
    made.sink.finish_table(TableProgress(table=table(), loaded=True, rows=2, nbytes=16))
    keys = here.kept().keys
    assert b'["chunk","shop","orders",0]' not in keys and b'["chunk","shop","carts",0]' in keys
    tables = heir()[1].tables
    assert tables[ORDERS].loaded and not tables[CARTS].loaded and tables[CARTS].rows == 1


def test_no_id_is_given_twice_whatever_is_done_with_records(here: Brokers) -> None:
    """The records of chunks tell how many ids there have been; then they go."""
    made = begun(table(), table(CARTS), table(KEYLESS), phase=Phase.LOADING)
    load(made, table(), 0, [1, 2, 3])
    made.sink.finish_table(TableProgress(table=table(), loaded=True, rows=3, nbytes=24))
    made, _ = heir()
    load(made, table(CARTS), 0, [4])
    made.sink.forget(CARTS)
    made, _ = heir()
    load(made, table(KEYLESS), 0, [5])
    made.sink.restart(TableProgress(table=table(KEYLESS)))
    made, _ = heir()
    made.sink.write(window(2, 6), idempotent=False)
    made.sink.flush(Lsn(2), FOLLOWING)
    assert here.ids() == [1, 2, 3, 4, 5, 6]


def test_a_successor_of_a_load_goes_on_behind_its_ids(here: Brokers) -> None:
    load(begun(phase=Phase.LOADING), table(), 0, [1, 2, 3], upper="3")
    made, _ = heir()
    load(made, table(), 1, [4])
    assert here.ids() == [1, 2, 3, 4]


def test_a_successor_ends_what_another_began(here: Brokers) -> None:
    load(begun(phase=Phase.LOADING), table(), 0, [1, 2])
    made, _ = heir()
    made.sink.finish_table(TableProgress(table=table(), loaded=True, rows=2, nbytes=16))
    assert b'["chunk","shop","orders",0]' not in here.kept().keys


def test_going_back_does_not_go_behind_what_lanes_have_committed(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    load(made, table(), 0, [1, 2, 3], upper="3")
    made.sink.rollback()
    load(made, table(), 1, [4])
    assert here.ids() == [1, 2, 3, 4]


def test_a_table_that_is_gone_is_forgotten_with_its_chunks(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    load(made, table(), 0, [1], upper="1")
    made.sink.forget(ORDERS)
    assert here.kept().keys == {b'["job"]', b'["table","shop","carts"]'}


def test_a_table_that_begins_anew_has_its_topic(here: Brokers) -> None:
    made = begun(phase=Phase.LOADING)
    made.sink.restart(TableProgress(table=table(KEYLESS)))
    assert "shop-lines" in here.topics and heir()[1].tables[KEYLESS].table == table(KEYLESS)


def test_a_scan_that_takes_longer_than_brokers_wait_is_committed_in_pieces(here: Brokers) -> None:
    here.settings["transaction.max.timeout.ms"] = "60000"
    made = begun(table(KEYLESS, key=()), phase=Phase.LOADING)
    with made.sink.loader() as lane:
        lane.begin(table(KEYLESS, key=()), Chunk(table=KEYLESS, ordinal=0))
        lane.write(Rows([1]))
        here.open_for_s = 30.1
        lane.write(Rows([2]))
        lane.write(Rows([3]))
        assert rows(here) == [1, 2]
        here.open_for_s = 0.0
        lane.commit(LoadedChunk(chunk=Chunk(table=KEYLESS, ordinal=0), rows=3, nbytes=24))
    assert rows(here) == [1, 2, 3] and heir()[1].tables[KEYLESS].begun == ()
    # It is told once that an interruption would have told rows twice.
    assert [what for what, _ in made.reported] == ["shop.lines"]


def test_pieces_of_a_scan_that_was_cut_short_keep_their_ids(here: Brokers) -> None:
    """Its rows are published once more, as new messages: to whoever knows messages by their ids they are new, and
    nothing else is taken for them."""
    here.settings["transaction.max.timeout.ms"] = "60000"
    made = begun(table(KEYLESS, key=()), table(), phase=Phase.LOADING)
    with made.sink.loader() as lane:
        lane.begin(table(KEYLESS, key=()), Chunk(table=KEYLESS, ordinal=0))
        lane.write(Rows([1, 2]))
        here.open_for_s = 30.1
        lane.write(Rows([3]))
        here.open_for_s = 0.0
    made, checkpoint = heir()
    assert checkpoint.tables.keys() == {KEYLESS, ORDERS} and checkpoint.tables[KEYLESS].chunks == ()
    # From now on the log tells of them.
    assert checkpoint.tables[KEYLESS].begun == (Chunk(table=KEYLESS, ordinal=0),)
    load(made, table(), 0, [7])
    assert rows(here) == [1, 2, 7]
    first, second, third = here.ids()
    assert (first, second) == (1, 2) and third > 2
    # Whole, the table needs no such records any more.
    made.sink.finish_table(TableProgress(table=table(KEYLESS, key=()), loaded=True))
    assert not any(key.startswith(b'["begun"') for key in here.kept().keys)


def test_without_transactions_every_chunk_is_remembered_before_its_rows(here: Brokers) -> None:
    made = begun(given=LEAST, phase=Phase.LOADING)
    where = Chunk(table=ORDERS, ordinal=0, upper=("9",))
    with made.sink.loader() as lane:
        lane.begin(table(), where)
        lane.write(Rows([1, 2]))
        assert here.kept().checkpoint.tables[ORDERS].begun == (where,)  # type: ignore[union-attr]
        assert lane.rollback(), "its rows stay"
    made, checkpoint = heir(LEAST)
    assert rows(here) == [1, 2] and checkpoint.tables[ORDERS].begun == (where,)
    load(made, table(), 0, [1, 2, 3])
    ids = here.ids()
    assert rows(here) == [1, 2, 1, 2, 3] and len(set(ids)) == 5, "no id names two rows"


def test_a_lane_that_is_opened_late_does_not_stay_open(here: Brokers) -> None:
    """To take a transactional id always succeeds, even from a successor."""
    made = begun(phase=Phase.LOADING)
    heir()
    with pytest.raises(DrsError), made.sink.loader():
        raise AssertionError("an overtaken worker loads")
