"""What a job remembers in Kafka: whatever was written is read back, in this release and in all to come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.engines.kafka import control
from opendrs.engines.kafka.connect import Topic
from opendrs.engines.kafka.control import Kept, ParsePosition, Record, of_job
from opendrs.engines.memory.position import Lsn
from opendrs.engines.memory.position import parse_position as parse
from opendrs.engines.mysql.position import parse_position
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Default, Index, IndexPart, Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.types import Logical

GOLDEN = Path(__file__).parents[3] / "golden/kafka"
JOB = "9f7a"
A = TableName("s", "a")
SERVER = "3e11fa47-71ca-11e1-9e33-c80aa9429562"


def table(name: str, schema: str = "s") -> Table:
    columns = (Column(name="id", type=Logical(kind="int", bits=32), native="int"),)
    return Table(name=TableName(schema, name), columns=columns)


def chunk(name: TableName, ordinal: int, *, rows: int = 5, exact: Lsn | None = None) -> LoadedChunk:
    lower = (str(ordinal),) if ordinal else None
    where = Chunk(table=name, ordinal=ordinal, lower=lower, upper=(str(ordinal + 1), None))
    return LoadedChunk(chunk=where, rows=rows, nbytes=rows * 10, exact=exact)


def job(**facts: Any) -> Record:
    usual: dict[str, Any] = {"epoch": 1, "lanes": 0, "position": Lsn(1), "phase": Phase.LOADING, "next_id": 1}
    return control.job_record(**{**usual, "tables": 0, **facts})


def read(records: Sequence[Record], parse: ParsePosition) -> Kept:
    return control.read(JOB, of_job(JOB, records), parse)


def compacted(records: Sequence[Record]) -> list[Record]:
    """As a topic may look later: the newest of each key, tombstones gone."""
    return [(key, value) for key, value in dict(records).items() if value is not None]


# --- for ever ---


def golden(name: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    for line in (GOLDEN / name).read_text().splitlines():
        key, _, value = line.partition("\t")
        yield key.encode(), None if value == "null" else value.encode()


def test_what_version_1_has_written_is_read() -> None:
    position = {"version": 1, "kind": "mysql-gtid", "server": SERVER}
    first, second = (
        parse_position(json.dumps({**position, "gtid": f"{SERVER}:1-{last}", "file": {"file": file, "pos": pos}}))
        for last, file, pos in ((7, "binlog.000003", 1234), (9, "binlog.000004", 900))
    )
    text = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
    orders = Table(
        name=TableName("shop", "orders"),
        columns=(
            Column(name="id", type=Logical(kind="int", bits=32), native="int", nullable=False, auto=True),
            Column(
                name="who", type=Logical(kind="text"), native="varchar(20)", length=20, default=Default("literal", ""),
                **text,
            ),
            Column(name="what", type=Logical(kind="enum"), native="enum('a','b')", members=("a", "b"), **text),
        ),
        primary=Index(name="PRIMARY", parts=(IndexPart(column="id"),), unique=True),
        engine="InnoDB", next_auto=9, rows_estimate=8, bytes_estimate=16384, **text,
    )  # fmt: skip
    line = Column(name="line", type=Logical(kind="text"), native="text", **text)
    journal = Table(name=TableName("shop", 'Journal ä "x", [1]'), columns=(line,), engine="InnoDB")
    five, nine = ('{"int":5}',), ('{"int":9}',)
    chunks = (
        LoadedChunk(chunk=Chunk(table=orders.name, ordinal=0, upper=five), rows=10, nbytes=1000),
        LoadedChunk(chunk=Chunk(table=orders.name, ordinal=2, lower=nine), rows=7, nbytes=700),
        LoadedChunk(chunk=Chunk(table=orders.name, ordinal=1, lower=five, upper=nine), rows=3, nbytes=300, exact=first),
    )
    kept = control.read(JOB, golden("checkpoint-v1.tsv"), parse_position)
    tables = {
        orders.name: TableProgress(
            table=orders, chunks=chunks, begun=(Chunk(table=orders.name, ordinal=1, lower=five),), rows=20, nbytes=2000
        ),
        journal.name: TableProgress(table=journal, loaded=True, rows=12, nbytes=600),
    }
    keys = (
        b'["job"]', b'["table","shop","orders"]', '["table","shop","Journal ä \\"x\\", [1]"]'.encode(),
        b'["chunk","shop","orders",1]', b'["chunk","shop","orders",2]', b'["begun","shop","orders",1,11]',
    )  # fmt: skip
    assert kept == Kept(
        epoch=3, checkpoint=Checkpoint(phase=Phase.LOADING, position=second, tables=tables), lanes=2, next_id=40,
        done=12, undone=((3, 5), (8, 12)), keys=frozenset(keys),
    )  # fmt: skip


def test_a_reset_that_version_1_has_begun_is_seen() -> None:
    kept = control.read(JOB, golden("checkpoint-v1-resetting.tsv"), parse_position)
    assert (kept.resetting, kept.epoch, kept.lanes, kept.checkpoint) == (True, 4, 2, None)
    assert len(kept.keys) == 6


@pytest.mark.parametrize("name", ["checkpoint-v1.tsv", "checkpoint-v1-resetting.tsv"])
def test_it_makes_no_difference_whether_the_topic_is_compacted(name: str) -> None:
    records = [(key or b"", value) for key, value in golden(name)]
    kept = control.read(JOB, records, parse_position)
    assert control.read(JOB, compacted(records), parse_position) == kept


@pytest.mark.parametrize("key", ["job", "table", "chunk"])
def test_a_version_that_is_not_understood_is_refused(key: str) -> None:
    records = {
        "job": job(tables=1),
        "table": control.table_record(TableProgress(table=table("t"))),
        "chunk": control.chunk_record(chunk(TableName("s", "t"), 0), 1),
    }
    place, value = records[key]
    newer = json.dumps({**json.loads(value or b""), "version": 2}).encode()
    with pytest.raises(ValueError, match="version 2"):
        read([*records.values(), (place, newer)], parse)


def test_what_a_newer_release_has_written_and_taken_back_does_no_harm() -> None:
    key = control.chunk_key(chunk(TableName("s", "t"), 0).chunk)
    assert read([(key, b'{"version": 2}'), (key, None), job()], parse).epoch == 1


def test_names_in_records_are_for_ever() -> None:
    """Written by this release as version 1 is read: another spelling needs another version."""
    progress = TableProgress(table=table("t"), chunks=(chunk(TableName("s", "t"), 0),), rows=5, nbytes=50)
    key, value = control.table_record(progress)
    assert key == b'["table","s","t"]'
    assert json.loads(value or b"").keys() == {"version", "definition", "loaded", "chunks", "begun", "rows", "nbytes"}
    key, value = control.chunk_record(chunk(TableName("s", "t"), 3), 9)
    assert key == b'["chunk","s","t",3]'
    assert json.loads(value or b"") == {
        "version": 1, "next_id": 9, "ordinal": 3, "lower": ["3"], "upper": ["4", None], "rows": 5, "nbytes": 50,
        "exact": None,
    }  # fmt: skip
    key, value = control.begun_record(chunk(TableName("s", "t"), 3).chunk, 7, 9)
    assert key == b'["begun","s","t",3,7]'
    assert json.loads(value or b"") == {
        "version": 1, "next_id": 9, "ordinal": 3, "lower": ["3"], "upper": ["4", None],
    }  # fmt: skip
    key, value = job(done=4, undone=[(1, 2)], resetting=True)
    facts = json.loads(value or b"")
    assert key == b'["job"]' and facts.pop("saved_at").endswith("+00:00")
    assert facts == {
        "version": 1, "epoch": 1, "lanes": 0, "phase": "loading", "position": "1:1", "next_id": 1, "tables": 0, "done": 4,
        "undone": [[1, 2]], "resetting": True,
    }  # fmt: skip


# --- there and back ---


def test_nothing_is_there() -> None:
    assert read([], parse) == Kept()
    assert control.read(JOB, [(None, b"not ours"), (b"[]", b"{}"), (b"x", b"{}")], parse) == Kept()


def test_a_job_that_was_opened_and_has_not_begun() -> None:
    kept = read([job(epoch=7, position=None, phase=None, lanes=2, next_id=5)], parse)
    assert kept == Kept(epoch=7, lanes=2, next_id=5, keys=frozenset({b'["job"]'}))


def test_tables_without_a_job_make_no_checkpoint() -> None:
    """The load was cut short before the first checkpoint: it is begun anew."""
    kept = read([control.table_record(TableProgress(table=table("t")))], parse)
    assert kept.checkpoint is None and kept.keys == {b'["table","s","t"]'}


def test_a_job_without_a_log_has_no_position() -> None:
    kept = read([job(position=None, phase=Phase.DONE)], parse)
    assert kept.checkpoint == Checkpoint(phase=Phase.DONE, position=None)


def test_the_newest_record_of_a_key_counts() -> None:
    name = TableName("s", "t")
    records = [
        job(epoch=1, next_id=3),
        control.table_record(TableProgress(table=table("t"))),
        control.chunk_record(chunk(name, 0, rows=5), 4),
        control.chunk_record(chunk(name, 0, rows=6), 5),
        job(epoch=2, next_id=6, position=Lsn(9), tables=1),
    ]
    kept = read(records, parse)
    assert (kept.epoch, kept.next_id) == (2, 6)
    assert kept.checkpoint is not None and kept.checkpoint.position == Lsn(9)
    assert kept.checkpoint.tables[name].rows == 6


def test_chunks_that_were_added_stand_beside_those_in_the_tables_record() -> None:
    name = TableName("s", "t")
    embedded, added = chunk(name, 0, exact=Lsn(3)), chunk(name, 2, rows=7, exact=Lsn(4))
    progress = TableProgress(table=table("t"), chunks=(embedded,), rows=5, nbytes=50)
    kept = read([control.chunk_record(added, 9), control.table_record(progress), job(tables=1)], parse)
    assert kept.checkpoint is not None
    found = kept.checkpoint.tables[name]
    assert found.chunks == (embedded, added)
    assert (found.rows, found.nbytes, found.loaded) == (12, 120, False)


def test_a_whole_table_needs_no_chunks() -> None:
    progress = TableProgress(table=table("t"), loaded=True, chunks=(chunk(TableName("s", "t"), 0),), rows=5, nbytes=50)
    kept = read([control.table_record(progress), job(tables=1)], parse)
    assert kept.checkpoint is not None
    found = kept.checkpoint.tables[progress.table.name]
    assert (found.loaded, found.chunks, found.rows) == (True, (), 5)


def test_the_next_id_is_the_largest_of_all_records() -> None:
    name = TableName("s", "t")
    records = [job(next_id=7), control.chunk_record(chunk(name, 1), 30), control.chunk_record(chunk(name, 0), 20)]
    assert read(records, parse).next_id == 30
    assert read([job(next_id=31), *records[1:]], parse).next_id == 31


def test_a_tombstone_takes_away() -> None:
    one, other = TableName("s", "t"), TableName("s", "u")
    records = [job(tables=2), *(control.table_record(TableProgress(table=table(name))) for name in "tu")]
    records += [control.chunk_record(chunk(one, 0), 5), control.chunk_record(chunk(other, 0), 6)]
    records += [control.begun_record(chunk(one, 1).chunk, 7, 8)]
    keys = read(records, parse).keys
    records += [control.gone(one), *control.chunks_of(one, keys), job(tables=1)]
    kept = read(records, parse)
    assert kept.checkpoint is not None and kept.checkpoint.tables.keys() == {other}
    assert kept.keys == {b'["job"]', b'["table","s","u"]', b'["chunk","s","u",0]'}


@pytest.mark.parametrize("others", [["tt", "t,1", 't"', "T", "t "], ['t","u']])
def test_only_chunks_of_that_very_table(others: Sequence[str]) -> None:
    names = [TableName("s", name) for name in ("t", *others)] + [TableName("s2", "t"), TableName("", "s")]
    keys = [control.chunk_key(chunk(name, number).chunk) for name in names for number in (0, 1, 10)]
    assert control.chunks_of(names[0], keys) == [(key, None) for key in keys[:3]]


def test_a_reset_forgets_everything_but_the_job_itself() -> None:
    records = [job(tables=1), control.table_record(TableProgress(table=table("t")))]
    records += [control.chunk_record(chunk(TableName("s", "t"), 0), 5)]
    forgotten = control.forgotten(read(records, parse).keys)
    kept = read([*records, *forgotten, job(phase=None)], parse)
    assert kept.keys == {b'["job"]'} and kept.epoch == 1


def test_the_marker_of_a_reset_comes_and_goes() -> None:
    assert read([job(resetting=True)], parse).resetting
    assert not read([job(resetting=True), job()], parse).resetting


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
KEYS = st.none() | st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=5), max_size=3).map(tuple)


@st.composite
def loads(draw: st.DrawFn) -> TableProgress:
    name = TableName(draw(NAMES), draw(NAMES))
    chunks = []
    for ordinal in range(draw(st.integers(0, 4))):
        where = Chunk(table=name, ordinal=ordinal, lower=draw(KEYS), upper=draw(KEYS))
        exact = draw(st.none() | st.integers(0, 9).map(Lsn))
        chunks.append(
            LoadedChunk(chunk=where, rows=draw(st.integers(0, 9)), nbytes=draw(st.integers(0, 99)), exact=exact)
        )
    rows, nbytes = sum(one.rows for one in chunks), sum(one.nbytes for one in chunks)
    return TableProgress(table=table(name.table, name.schema), chunks=tuple(chunks), rows=rows, nbytes=nbytes)


@given(st.lists(loads(), max_size=4, unique_by=lambda one: one.table.name), st.data())
def test_whatever_is_loaded_is_read_back(tables: list[TableProgress], data: st.DataObject) -> None:
    """Whether a chunk was added by a record of its own or stands in the table's."""
    records: list[Record] = [job(next_id=2, tables=len(tables))]
    for progress in tables:
        embedded = data.draw(st.integers(0, len(progress.chunks)))
        within, added = progress.chunks[:embedded], progress.chunks[embedded:]
        part = TableProgress(
            table=progress.table, chunks=within, rows=sum(one.rows for one in within),
            nbytes=sum(one.nbytes for one in within),
        )  # fmt: skip
        records += [control.table_record(part), *(control.chunk_record(one, 3) for one in added)]
    kept = read(records, parse)
    assert kept.checkpoint is not None
    assert kept.checkpoint.tables == {progress.table.name: progress for progress in tables}
    assert read(compacted(records), parse) == kept


def test_jobs_that_share_a_topic_know_nothing_of_each_other() -> None:
    others = ["9f7", "9f7ab", "job", "table", '9f7a","job', "[9f7a]"]
    mine = [job(epoch=3, tables=1), control.table_record(TableProgress(table=table("t")))]
    records = [record for other in others for record in of_job(other, [job(epoch=9, phase=None), control.gone(A)])]
    kept = control.read(JOB, [*records, *of_job(JOB, mine), *records], parse)
    assert kept == read(mine, parse) and kept.epoch == 3
    assert all(control.read(other, [*of_job(JOB, mine), *records], parse).epoch == 9 for other in others)


@pytest.mark.parametrize("lost", ["t", "u", "tu"])
def test_tables_that_are_lost_are_missed(lost: str) -> None:
    """Whoever deletes old records leaves the job's, which is written again and again."""
    records = [control.table_record(TableProgress(table=table(name))) for name in "tu" if name not in lost]
    with pytest.raises(DrsError) as caught:
        read([*records, job(tables=2, position=Lsn(7))], parse)
    assert caught.value.fault is Fault.CHECKPOINT_MISSING
    assert caught.value.details["position"] == Lsn(7).dump()


def test_every_attempt_at_a_chunk_is_remembered() -> None:
    """The next one may have other bounds, and what the first has published is there nevertheless."""
    name = TableName("s", "t")
    first, second = Chunk(table=name, ordinal=0, upper=("100",)), Chunk(table=name, ordinal=0, upper=("80",))
    records = [control.table_record(TableProgress(table=table("t"))), job(tables=1)]
    records += [control.begun_record(first, 1, 50), control.begun_record(second, 50, 90)]
    kept = read(records, parse)
    assert kept.checkpoint is not None
    assert kept.checkpoint.tables[name].begun == (first, second) and kept.next_id == 90
    # In a record of the table's, if that is written before the load is over.
    progress = kept.checkpoint.tables[name]
    again = read([*records, control.table_record(progress), *control.chunks_of(name, kept.keys)], parse)
    assert again.checkpoint == kept.checkpoint


# --- the topic ---


class Client:
    def __init__(self, brokers: int, *topics: str) -> None:
        self._brokers, self._topics = brokers, topics
        self.made: list[tuple[str, dict[str, Any]]] = []

    def brokers(self) -> list[str]:
        return [f"b{number}:9092" for number in range(self._brokers)]

    def topics(self) -> dict[str, Topic]:
        return {name: Topic(name=name, partitions=1, replicas=1) for name in self._topics}

    def create(self, name: str, **facts: Any) -> bool:
        self.made.append((name, facts))
        return True


@pytest.mark.parametrize(("brokers", "asked", "replicas"), [(1, 1, 1), (2, 1, 2), (5, 1, 3), (5, 4, 4), (1, 3, 3)])
def test_the_topic_has_as_many_replicas_as_are_good_and_can_be(brokers: int, asked: int, replicas: int) -> None:
    """Who asks for more than there are is told so by the brokers, and by the prechecks before."""
    client = Client(brokers)
    control.make(client, "state", asked)  # type: ignore[arg-type]
    ((name, facts),) = client.made
    assert (name, facts["partitions"], facts["replicas"]) == ("state", 1, replicas)
    assert facts["config"]["cleanup.policy"] == "compact"
    assert facts["config"].get("min.insync.replicas") == ("2" if replicas >= 3 else None)


def test_a_topic_that_is_there_is_left_as_it_is() -> None:
    client = Client(3, "state")
    control.make(client, "state", 1)  # type: ignore[arg-type]
    assert client.made == []
