"""The same world, with a target that keeps whatever it gets: a list of messages, in which nothing may come twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opendrs.engines.memory.database import Change, Row, key_of
from opendrs.engines.memory.position import Lsn
from opendrs.engines.memory.sink import Sink, Target, _apply, _merge
from opendrs.engines.memory.source import Changes, Rows, _between
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration, CreateTable, RenameTable
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.engine import Repeat
from opendrs.model.event import SchemaChange, Window
from opendrs.pipeline.barrier import Barrier, NoBarrier
from opendrs.pipeline.publishing import in_order
from tests.torture.sim.world import World


@dataclass(frozen=True, slots=True)
class Init:
    """A row of the load."""

    table: TableName
    row: Row


Message = Init | Change | Alteration


class History(Target):
    """What survives a crash of the worker: messages, of which only the rows that they make are kept. Each must fit
    those before it; but for tables of which chunks were begun: rows of those may come twice, and may be missing.

    Lanes of a load are fenced apart from the rest, as producers of Kafka are: by whoever opened one last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lane = 0

    def know(self, tables: Sequence[Table]) -> None:
        """Tables of which there is no message yet."""
        for table in tables:
            self.contents.alter(CreateTable(table))

    def forget(self, name: TableName) -> None:
        del self.contents.tables[name], self.contents.rows[name]

    def append(self, messages: Sequence[Message]) -> None:
        contents = self.contents
        known = self.checkpoint.tables.items() if self.checkpoint is not None else ()
        loose = {name for name, progress in known if progress.begun}
        for message in messages:
            match message:
                case Init(name, row):
                    take = _merge if name in loose else _apply
                    take(contents.tables[name], contents.rows[name], Change(name, None, row))
                case Change(name):
                    take = _merge if name in loose else _apply
                    take(contents.tables[name], contents.rows[name], message)
                case RenameTable(old, new):
                    contents.alter(message)
                    if old in loose:
                        loose.add(new)
                case CreateTable(table) if table.name in contents.tables:
                    raise AssertionError(f"{table.name} is made twice")
                case _:
                    contents.alter(message)


class Topic(Sink):
    """Collects messages, and appends them when it flushes."""

    append_only = True
    world: HistoryWorld

    def __init__(self, target: History, epoch: int) -> None:
        super().__init__(target, epoch)
        self._history = target
        self._messages: list[Message] = []

    def begin(self, checkpoint: Checkpoint) -> None:
        if self._target.epoch != self._epoch:
            raise DrsError(Fault.FENCED, epoch=self._epoch)
        self._target.checkpoint = checkpoint
        self._history.know([progress.table for progress in checkpoint.tables.values()])

    def restart(self, progress: TableProgress) -> None:
        assert not self._guard().tables[progress.table.name].chunks, "rows that are there would come twice"
        self._put(progress)
        self._history.know([progress.table])

    def forget(self, name: TableName) -> None:
        checkpoint = self._guard()
        tables = {known: progress for known, progress in checkpoint.tables.items() if known != name}
        self._target.checkpoint = replace(checkpoint, tables=tables)
        self._history.forget(name)

    def open(self) -> Checkpoint | None:
        super().open()
        self.world.here("opened")
        self._history.lane = self._epoch
        return self._target.checkpoint

    @contextmanager
    def loader(self) -> Iterator[Lane]:
        self._history.lane = self._epoch
        self.world.here("lane.opened")
        self._demand_ours()
        yield Lane(self)

    def _demand_ours(self) -> None:
        self._guard()

    def write(self, window: Window, *, idempotent: bool) -> None:
        self._guard()
        assert not idempotent
        if self.world.wavers():
            raise Repeat
        ordered: list[tuple[int, Change]] = []
        for changes in window.tables:
            assert isinstance(changes.batch, Changes)
            ordered.extend(changes.batch.changes)
        self._messages.extend(change for _, change in sorted(ordered, key=lambda item: item[0]))

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        self._guard()
        self._messages.extend(alterations)
        self._tables.update(tables)

    def flush(self, position: Lsn | None, phase: Phase) -> None:
        self._guard()
        self._history.append(self._messages)
        super().flush(position, phase)
        if position is not None:
            self.world.compare(position)

    def rollback(self) -> None:
        super().rollback()
        self._messages = []


class Lane:
    """One lane of the load."""

    def __init__(self, sink: Topic) -> None:
        self._sink = sink
        self._table: Table | None = None
        self._chunk: Chunk | None = None
        self._begun = False
        self._rows: list[Row] = []

    def begin(self, table: Table, chunk: Chunk) -> None:
        self._table, self._chunk, self._begun = table, chunk, False

    def write(self, batch: Rows) -> None:
        assert self._table is not None
        self._rows.extend(batch.rows)
        if self._table.key and self._sink.world.lags():
            self._show()

    def _show(self) -> None:
        """It takes too long: some rows become visible before the chunk is there."""
        assert self._chunk is not None
        progress = self._guard().tables[self._chunk.table]
        if not self._begun:
            self._begun = True
            self._put(replace(progress, begun=(*progress.begun, self._chunk)))
        half = len(self._rows) // 2
        self._sink._history.append([Init(self._chunk.table, row) for row in self._rows[:half]])
        del self._rows[:half]
        self._sink.world.here("chunk.shown")

    def commit(self, loaded: LoadedChunk) -> None:
        progress = self._guard().tables[loaded.chunk.table]
        assert not progress.loaded, "a chunk of a table that was loaded already"
        self._sink._history.append([Init(loaded.chunk.table, row) for row in self._rows])
        begun = list(progress.begun)
        if self._begun:
            begun.remove(loaded.chunk)
        self._put(replace(progress, chunks=(*progress.chunks, loaded), begun=tuple(begun)))
        self._begun = False
        self.rollback()

    def rollback(self) -> bool:
        self._rows = []
        return self._begun

    def _guard(self) -> Checkpoint:
        history, checkpoint = self._sink._history, self._sink._history.checkpoint
        if history.lane != self._sink._epoch:
            raise DrsError(Fault.FENCED, epoch=self._sink._epoch)
        assert checkpoint is not None
        return checkpoint

    def _put(self, progress: TableProgress) -> None:
        checkpoint = self._guard()
        self._sink._history.checkpoint = replace(
            checkpoint, tables={**checkpoint.tables, progress.table.name: progress}
        )


class HistoryWorld(World):
    """Its oracle: at every position the messages, folded, are the source's rows of then; of tables that are not whole
    yet, those of the chunks that are there, and perhaps some of those that were begun."""

    target: History

    def new_target(self) -> History:
        return History()

    def barrier(self, epoch: int) -> Barrier:
        del epoch
        return NoBarrier()

    def wavers(self) -> bool:
        """Whether the sink finds out now that it must take something otherwise."""
        return not self.quiet and self.random.random() < 0.03

    def lags(self) -> bool:
        """Whether a chunk takes longer than it may."""
        return not self.quiet and self.random.random() < 0.15

    def compare(self, position: Lsn) -> None:
        checkpoint = self.target.checkpoint
        assert checkpoint is not None
        shown, there = self.source.history[position.number], self.target.contents
        for name, progress in checkpoint.tables.items():
            assert progress.table == shown.tables[name], f"{name} is known otherwise than it is at {position}"
            rows, mine = shown.rows[name], there.rows[name]
            if not progress.loaded:
                chunks = in_order(progress.chunks)
                begun = [row for row in mine if not _in(progress.table, row, chunks)]
                assert all(_in(progress.table, row, progress.begun) and row in rows for row in begun), (
                    f"{name} at {position}: {begun}"
                )
                rows, mine = ([row for row in some if _in(progress.table, row, chunks)] for some in (rows, mine))
            assert sorted(mine, key=repr) == sorted(rows, key=repr), f"{name} at {position}"

    def check(self) -> None:
        checkpoint = self.target.checkpoint
        assert checkpoint is not None
        assert self.target.contents.same(self.source.contents), "the messages tell of another source"
        assert self.target.constrained
        assert all(progress.loaded for progress in checkpoint.tables.values())
        known = {name: replace(progress.table) for name, progress in checkpoint.tables.items()}
        assert known == self.source.contents.tables, "the schema history is wrong"


def _in(table: Table, row: Row, chunks: Sequence[Chunk]) -> bool:
    if not table.key:
        return bool(chunks)
    return any(_between(key_of(table, row), chunk.lower, chunk.upper) for chunk in chunks)
