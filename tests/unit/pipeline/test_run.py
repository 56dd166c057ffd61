"""The loop with a target that keeps what it gets: what it reads again, what it makes durable, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from opendrs.engines.memory.position import Lsn
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import AddColumn, Alteration, AlterTable, CreateTable
from opendrs.model.catalog import Catalog, Column, Index, IndexPart, Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, Key, LoadedChunk, Phase, TableProgress
from opendrs.model.engine import Repeat, Stream
from opendrs.model.event import Batch, Event, Heartbeat, SchemaChange, TableChanges, Window
from opendrs.model.types import Logical
from opendrs.pipeline.flow import Flow, Inline
from opendrs.pipeline.run import Run, Settings
from opendrs.pipeline.snapshotting import Stopped

INT = Logical(kind="int", bits=64)
T, U = TableName("s", "t"), TableName("s", "u")


def a_table(name: TableName, *columns: str) -> Table:
    primary = Index(name="PRIMARY", parts=(IndexPart(column="id"),), unique=True)
    listed = tuple(Column(name=column, type=INT, native="bigint") for column in ("id", *columns))
    return Table(name=name, columns=listed, primary=primary)


@dataclass(frozen=True)
class Words:
    """A batch that is a word."""

    word: str
    num_rows: int = 1
    nbytes: int = 1


def window(word: str, position: int | None, table: TableName = T) -> Window:
    at = None if position is None else Lsn(position)
    return Window(tables=[TableChanges(table, Words(word))], position=at, nbytes=1, transactions=0 if at is None else 1)


def change(alteration: Alteration, position: int | None) -> SchemaChange:
    at = None if position is None else Lsn(position)
    return SchemaChange(alterations=(alteration,), statement="ALTER", position=at)


@dataclass
class Source:
    """Tells what a script says. `moments` are the positions that its snapshots show, one behind the other."""

    log: Sequence[Event]
    tables: Sequence[Table] = (a_table(T),)
    moments: list[int] = field(default_factory=list)
    end: int = 0
    streams: list[int] = field(default_factory=list)
    known: list[Mapping[TableName, TableProgress | None]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    lows: Callable[[], None] = lambda: None
    start: Lsn | None = None
    then: Sequence[Table] | None = None

    def chosen(self) -> Lsn | None:
        return self.start

    def tables_at(self, position: Lsn, stop: Callable[[], bool]) -> Sequence[Table] | None:
        assert position == self.start and not stop()
        return self.then

    def catalog(self) -> Catalog:
        return Catalog(tables=tuple(self.tables))

    def low(self) -> Lsn:
        self.lows()
        return Lsn(0)

    def high(self) -> Lsn:
        return Lsn(self.end)

    def bound(self, table: Table) -> Key | None:
        return ("9",)

    def within(self, table: Table, batch: Batch, chunks: Sequence[Chunk]) -> Batch:
        assert isinstance(batch, Words)
        return Words(f"{batch.word}|{len(chunks)}")

    @contextmanager
    def snapshot(self, *, consistent: bool) -> Iterator[Snapshot]:
        assert consistent
        yield Snapshot(Lsn(self.moments.pop(0)))

    @contextmanager
    def stream(self, position: Lsn) -> Iterator[Script]:
        self.streams.append(position.number)
        behind = [number for number, event in enumerate(self.log, 1) if event.position == position]
        yield Script(self, list(self.log[behind[-1] if behind else 0 :]))


@dataclass
class Snapshot:
    exact: Lsn

    def holds(self, table: Table) -> bool:
        return False

    def keep(self, names: Collection[TableName]) -> None:
        return

    def bound(self, table: Table) -> Key | None:
        return ("9",)

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        if after != upper:
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=upper)

    @contextmanager
    def read(self, table: Table, chunk: Chunk) -> Iterator[ChunkRows]:
        yield ChunkRows(f"{table.name.table}@{self.exact.number}")


@dataclass
class ChunkRows:
    word: str
    exact: None = None

    def __iter__(self) -> Iterator[Batch]:
        yield Words(self.word)


@dataclass
class Script:
    """A stream."""

    source: Source
    events: list[Event]

    def next(self, timeout_s: float) -> Event | None:
        return self.events.pop(0) if self.events else Heartbeat(position=Lsn(self.source.end))

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self.source.known.append(dict(tables))

    def pulled(self) -> str:
        return ""

    def stop_at(self, position: Lsn | None) -> None:
        pass

    def acknowledge(self, position: Lsn) -> None:
        self.source.acknowledged.append(position.number)


@dataclass
class Sink:
    """Keeps words. `repeats` are words that it wants to take otherwise when it meets them first."""

    repeats: list[str] = field(default_factory=list)
    append_only: bool = True
    done: list[str] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)
    flushes: list[int | None] = field(default_factory=list)
    altered: list[Mapping[TableName, TableProgress | None]] = field(default_factory=list)
    rollbacks: int = 0
    checkpoint: Checkpoint | None = None

    def open(self) -> Checkpoint | None:
        return self.checkpoint

    def begin(self, checkpoint: Checkpoint) -> None:
        self.done.append(f"begin {len(checkpoint.tables)}")

    def restart(self, progress: TableProgress) -> None:
        self.done.append(f"restart {progress.table.name}")

    def forget(self, name: TableName) -> None:
        self.done.append(f"forget {name}")

    @contextmanager
    def loader(self) -> Iterator[Sink]:
        yield _Lane(self)  # type: ignore[misc]

    def finish_table(self, progress: TableProgress) -> None:
        self.done.append(f"finish {progress.table.name.table}")

    def write(self, window: Window, *, idempotent: bool) -> None:
        assert not idempotent or not self.append_only
        for changes in window.tables:
            assert isinstance(changes.batch, Words)
            if changes.batch.word in self.repeats:
                self.repeats.remove(changes.batch.word)
                raise Repeat
            self.open_.append(changes.batch.word)

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        self.altered.append(dict(tables))
        self.open_.append(type(alterations[0]).__name__)

    def flush(self, position: Lsn | None, phase: Phase) -> None:
        self.done += self.open_
        self.open_.clear()
        self.flushes.append(position.number if position else None)

    def rollback(self) -> None:
        self.rollbacks += 1
        self.open_.clear()

    def constrain(self, tables: Mapping[TableName, TableProgress]) -> None:
        pass

    def rest(self, tables: Mapping[TableName, TableProgress]) -> None:
        self.open_.clear()


class _Lane:
    def __init__(self, sink: Sink) -> None:
        self.sink, self.words = sink, list[str]()

    def begin(self, table: Table, chunk: Chunk) -> None:
        self.words.clear()

    def write(self, batch: Words) -> None:
        self.words.append(batch.word)

    def commit(self, loaded: LoadedChunk) -> None:
        self.sink.done += self.words

    def rollback(self) -> bool:
        self.words.clear()
        return False


class Saved:
    def save(self, position: Lsn | None, phase: Phase) -> None:
        pass


class Grouped(Inline):
    """Gives what is there in groups of so many."""

    group = 1

    def take(self, timeout_s: float) -> list[Event]:
        found = super().take(timeout_s)
        while len(found) < self.group and not isinstance(found[-1], SchemaChange | Heartbeat):
            found += super().take(timeout_s)
        return found


def run(source: Source, sink: Sink, task: Any = "incremental", group: int = 1, **more: Any) -> Phase:
    source.end = max((event.position.number for event in source.log if isinstance(event.position, Lsn)), default=0)

    @contextmanager
    def flow(stream: Stream) -> Iterator[Flow]:
        made = Grouped(stream)
        made.group = group
        yield made

    settings = Settings(task=task, readers=1, until_high=True)
    return Run(source=source, sink=sink, checkpoints=Saved(), settings=settings, flow=flow, **more)()


GROUPS = pytest.mark.parametrize("group", [1, 2, 10])


@GROUPS
def test_a_sink_that_wants_the_log_once_more_gets_it_from_the_last_flush_on(group: int) -> None:
    log = [window("a", 1), window("b1", None), window("b2", None), window("b3", 2), window("c", 3)]
    source, sink = Source(log), Sink(repeats=["b3"])
    assert run(source, sink, group=group) is Phase.FOLLOWING
    assert source.streams == [0, 1]
    assert sink.rollbacks == 1
    assert sink.done == ["begin 1", "a", "b1", "b2", "b3", "c"]
    # Each stream is told of the tables before anything is asked of it.
    assert [known.keys() for known in source.known] == [{T}, {T}]
    assert source.acknowledged == sorted(set(source.acknowledged)) and source.acknowledged[-1] == 3


def test_it_may_want_it_more_than_once() -> None:
    source, sink = Source([window("a1", None), window("a2", None), window("a3", 1)]), Sink(repeats=["a2", "a3", "a1"])
    run(source, sink)
    assert source.streams == [0, 0, 0, 0] and sink.rollbacks == 3
    assert sink.done == ["begin 1", "a1", "a2", "a3"]


def test_a_target_that_is_a_state_may_want_it_too() -> None:
    source, sink = Source([window("a", 1), window("b1", None), window("b2", 2)]), Sink(["b2"], append_only=False)
    run(source, sink)
    assert source.streams == [0, 1] and sink.done == ["begin 1", "a", "b1", "b2"]


def test_definitions_go_back_with_the_log() -> None:
    """A change of the schema within a transaction is read once more, against what was known before it."""
    wide = AlterTable(T, (AddColumn(Column(name="a", type=INT, native="bigint")),))
    log = [change(wide, None), window("b1", None), window("b2", 1)]
    source, sink = Source(log), Sink(repeats=["b2"])
    run(source, sink)
    assert sink.done == ["begin 1", "AlterTable", "b1", "b2"]
    names = [[column.name for column in tables[T].table.columns] for tables in sink.altered if tables[T] is not None]
    assert names == [["id", "a"], ["id", "a"]]
    narrow = [known[T] for known in source.known if T in known]
    assert [len(one.table.columns) for one in narrow if one] == [1, 2, 1, 2]


def test_a_table_that_a_transaction_makes_is_made_anew() -> None:
    log = [change(CreateTable(a_table(U)), None), window("u1", None, U), window("u2", 1, U)]
    source, sink = Source(log), Sink(repeats=["u1"])
    run(source, sink)
    assert sink.done == ["begin 1", "CreateTable", "u1", "u2"]


@GROUPS
def test_while_a_snapshot_waits_for_the_log_it_may_be_wanted_once_more(group: int) -> None:
    log = [window("a", 1, U), window("b1", None, U), window("b2", 2, U), window("c", 3, U), window("d", 4, U)]
    source = Source(log, tables=(a_table(T), a_table(U)), moments=[3, 3])
    sink = Sink(repeats=["b2"])
    # U is whole already; of T nothing is there.
    tables = {T: TableProgress(table=a_table(T)), U: TableProgress(table=a_table(U), loaded=True)}
    sink.checkpoint = Checkpoint(phase=Phase.LOADING, position=Lsn(0), tables=tables)
    assert run(source, sink, "full+incremental", group) is Phase.FOLLOWING
    assert source.streams == [0, 1] and source.moments == []
    assert sink.done == ["a", "b1", "b2", "c", "t@3", "finish t", "d"]


# --- the log up to a moment, then the rows ---


@GROUPS
def test_rows_are_read_when_the_log_has_been_told_up_to_their_moment(group: int) -> None:
    source = Source([window(word, number) for number, word in enumerate("abcd", 1)], moments=[2])
    sink = Sink()
    tables = {T: TableProgress(table=a_table(T)), U: TableProgress(table=a_table(U), loaded=True)}
    sink.checkpoint = Checkpoint(phase=Phase.LOADING, position=Lsn(0), tables=tables)
    run(source, sink, "full+incremental", group)
    # Of T nothing is there before its chunk: what happened to its rows before is in them.
    assert sink.done == ["t@2", "finish t", "c", "d"]
    assert 2 in sink.flushes


def test_of_a_table_that_is_half_there_its_half_is_told() -> None:
    chunk = Chunk(table=T, ordinal=0, upper=("4",))
    half = TableProgress(table=a_table(T), chunks=(LoadedChunk(chunk=chunk, rows=1, nbytes=1),))
    source, sink = Source([window("a", 1), window("b", 2), window("c", 3)], moments=[2]), Sink()
    sink.checkpoint = Checkpoint(phase=Phase.LOADING, position=Lsn(0), tables={T: half})
    run(source, sink, "full+incremental")
    assert sink.done == ["a|1", "b|1", "t@2", "finish t", "c"]


@GROUPS
def test_the_way_to_a_moment_is_made_durable_step_by_step(group: int) -> None:
    """It may be long: a transaction of the target that lasts as long would be given up by its broker, for ever."""
    source, sink = Source([window(f"w{number}", number, U) for number in range(1, 41)], moments=[40]), Sink()
    tables = {T: TableProgress(table=a_table(T)), U: TableProgress(table=a_table(U), loaded=True)}
    sink.checkpoint = Checkpoint(phase=Phase.LOADING, position=Lsn(0), tables=tables)
    run(source, sink, "full+incremental", group)
    assert [at for at in sink.flushes if at is not None][: 40 // group] == list(range(group, 41, group))


def test_a_pause_on_the_way_to_a_moment_keeps_what_is_durable() -> None:
    stop = threading.Event()
    source, sink = Source([window("a", 1, U), window("b", 2, U)], moments=[2]), Sink()
    tables = {T: TableProgress(table=a_table(T)), U: TableProgress(table=a_table(U), loaded=True)}
    sink.checkpoint = Checkpoint(phase=Phase.LOADING, position=Lsn(0), tables=tables)
    stop.set()
    with pytest.raises(Stopped):
        run(source, sink, "full+incremental", stop=stop)
    assert sink.done == [] and sink.open_ == []


# --- position and definitions of one moment ---


def test_definitions_are_those_of_the_position() -> None:
    """While a table changes between two looks, neither of them is certain."""
    source, sink = Source([]), Sink()
    shapes = [a_table(T, "a"), a_table(T, "a", "b")]

    def moved() -> None:
        if shapes:
            source.tables = (shapes.pop(0),)

    source.lows = moved
    run(source, sink)
    (known,) = source.known
    progress = known[T]
    assert progress is not None and [column.name for column in progress.table.columns] == ["id", "a", "b"]


def test_definitions_that_never_agree_are_an_error() -> None:
    source, sink = Source([]), Sink()

    def moved() -> None:
        source.tables = (*source.tables, a_table(TableName("s", f"t{len(source.tables)}")))

    source.lows = moved
    with pytest.raises(DrsError) as raised:
        run(source, sink)
    assert raised.value.fault is Fault.SCHEMA_MISMATCH and "at each of 20 looks" in str(raised.value)
