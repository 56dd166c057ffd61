"""The memory engine as a target: rows and checkpoint in one transaction, guarded by the epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from opendrs.engines.memory.database import Change, Contents, Row, key_of
from opendrs.engines.memory.position import Lsn
from opendrs.engines.memory.source import Changes, Rows
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration, CreateTable
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.event import SchemaChange, Window
from opendrs.model.selection import Selection


class Target:
    """What survives a crash of the worker."""

    def __init__(self) -> None:
        self.contents = Contents()
        self.epoch = 0
        self.checkpoint: Checkpoint | None = None
        self.constrained = False


class Sink:
    """Writes a Target. A transaction works on a copy that replaces the contents when it commits."""

    append_only = False

    def __init__(self, target: Target, epoch: int) -> None:
        self._target = target
        self._epoch = epoch
        self._open: Contents | None = None
        self._tables: dict[TableName, TableProgress | None] = {}

    def _guard(self) -> Checkpoint:
        if self._target.epoch != self._epoch:
            raise DrsError(Fault.FENCED, epoch=self._epoch)
        assert self._target.checkpoint is not None
        return self._target.checkpoint

    def _put(self, progress: TableProgress) -> None:
        checkpoint = self._guard()
        tables = {**checkpoint.tables, progress.table.name: progress}
        self._target.checkpoint = replace(checkpoint, tables=tables)

    def open(self) -> Checkpoint | None:
        if self._epoch <= self._target.epoch:
            raise DrsError(Fault.FENCED, epoch=self._epoch)
        self._target.epoch = self._epoch
        return self._target.checkpoint

    def begin(self, checkpoint: Checkpoint) -> None:
        if self._target.epoch != self._epoch:
            raise DrsError(Fault.FENCED, epoch=self._epoch)
        for name, progress in checkpoint.tables.items():
            if name not in self._target.contents.tables:
                self._target.contents.alter(CreateTable(progress.table))
        self._target.checkpoint = checkpoint

    def restart(self, progress: TableProgress) -> None:
        self._put(progress)
        self._target.contents.alter(CreateTable(progress.table))

    def forget(self, name: TableName) -> None:
        checkpoint = self._guard()
        tables = {known: progress for known, progress in checkpoint.tables.items() if known != name}
        self._target.checkpoint = replace(checkpoint, tables=tables)
        self._target.contents.tables.pop(name, None)
        self._target.contents.rows.pop(name, None)

    @contextmanager
    def loader(self) -> Iterator[Loader]:
        yield Loader(self, self._target)

    def together(self, name: TableName) -> Sequence[TableName]:
        del name
        return ()

    def finish_table(self, progress: TableProgress) -> None:
        self._put(replace(progress, chunks=()))

    def write(self, window: Window, *, idempotent: bool) -> None:
        self._guard()
        contents = self._working()
        ordered: list[tuple[int, Change]] = []
        for changes in window.tables:
            assert isinstance(changes.batch, Changes)
            ordered.extend(changes.batch.changes)
        for _, change in sorted(ordered, key=lambda item: item[0]):
            table, rows = contents.tables[change.table], contents.rows[change.table]
            (_merge if idempotent and table.key else _apply)(table, rows, change)

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        del change
        self._guard()
        for alteration in alterations:
            self._working().alter(alteration)
        self._tables.update(tables)

    def exchange(
        self,
        edit: str,
        selection: Selection,
        joining: Mapping[TableName, TableProgress],
        giver: str,
        leaving: Sequence[TableName],
    ) -> None:
        del edit, selection, giver
        self._guard()
        self._tables.update({**joining, **dict.fromkeys(leaving)})

    def flush(self, position: Lsn | None, phase: Phase) -> None:
        checkpoint = self._guard()
        changed = {**checkpoint.tables, **self._tables}
        tables = {name: progress for name, progress in changed.items() if progress is not None}
        if self._open is not None:
            self._target.contents = self._open
        self._target.checkpoint = Checkpoint(phase=phase, position=position, tables=tables)
        self.rollback()

    def rollback(self) -> None:
        self._open = None
        self._tables = {}

    def rest(self, tables: Mapping[TableName, TableProgress]) -> None:
        del tables
        self.rollback()

    def constrain(self, tables: Mapping[TableName, TableProgress]) -> None:
        self._guard()
        assert all(progress.loaded for progress in tables.values())
        self._target.constrained = True

    def _working(self) -> Contents:
        if self._open is None:
            self._open = self._target.contents.copy()
        return self._open


def _apply(table: Table, rows: list[Row], change: Change) -> None:
    """Exactly: what is to be replaced or deleted is there, what is to be inserted is not."""
    if change.before is not None:
        if change.before not in rows:
            raise DrsError(Fault.CONFLICT, table=table.name, reason="the row to change is not there")
        rows.remove(change.before)
    if change.after is not None:
        if table.key and any(key_of(table, row) == key_of(table, change.after) for row in rows):
            raise DrsError(Fault.CONFLICT, table=table.name, reason="the row to insert is there already")
        rows.append(change.after)


def _merge(table: Table, rows: list[Row], change: Change) -> None:
    """By key, whatever is there: the rows may hold this change, and later ones, already."""
    for image in (change.before, change.after):
        if image is not None:
            rows[:] = [row for row in rows if key_of(table, row) != key_of(table, image)]
    if change.after is not None:
        rows.append(change.after)


class Loader:
    """One lane of the load."""

    def __init__(self, sink: Sink, target: Target) -> None:
        self._sink = sink
        self._target = target
        self._table: Table | None = None
        self._rows: list[Row] = []

    def begin(self, table: Table, chunk: Chunk) -> None:
        del chunk
        assert self._table is None, "one chunk at a time"
        self._table = table

    def write(self, batch: Rows) -> None:
        self._rows.extend(batch.rows)

    def commit(self, loaded: LoadedChunk) -> None:
        checkpoint = self._sink._guard()
        name = loaded.chunk.table
        progress = checkpoint.tables[name]
        assert not progress.loaded, "a chunk of a table that was loaded already"
        self._sink._put(replace(progress, chunks=(*progress.chunks, loaded), rows=progress.rows + loaded.rows))
        self._target.contents.rows[name].extend(self._rows)
        self.rollback()

    def rollback(self) -> bool:
        self._table = None
        self._rows = []
        return False
