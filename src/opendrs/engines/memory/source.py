"""The memory engine as a source: catalog, snapshot, stream."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opendrs.engines.memory.database import Change, Database, Row, key_of
from opendrs.engines.memory.position import Lsn
from opendrs.model.catalog import Catalog, Table, TableName
from opendrs.model.checkpoint import Chunk, Key, TableProgress
from opendrs.model.engine import SchemaChanged
from opendrs.model.event import Batch, Event, Heartbeat, SchemaChange, TableChanges, Window
from opendrs.model.selection import Selection


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a chunk."""

    rows: Sequence[Row]

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        return 8 * sum(map(len, self.rows))


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of one table with their place in the window."""

    changes: Sequence[tuple[int, Change]]

    @property
    def num_rows(self) -> int:
        return len(self.changes)

    @property
    def nbytes(self) -> int:
        return 16 * len(self.changes)


class ChunkRows:
    """One statement's view: all rows of a chunk as they were when reading began."""

    def __init__(self, rows: list[Row], at: Lsn, batch_rows: int) -> None:
        self._rows = rows
        self._batch_rows = batch_rows
        self.exact = at

    def __iter__(self) -> Iterator[Rows]:
        for start in range(0, len(self._rows), self._batch_rows):
            yield Rows(self._rows[start : start + self._batch_rows])


class Snapshot:
    """Reads chunks, each as of the moment it is read, or all as of one moment."""

    def __init__(self, database: Database, chunk_rows: int, frozen: Database | None) -> None:
        self._live = database
        self._database = frozen or database
        self._chunk_rows = chunk_rows
        self.exact = frozen.lsn if frozen is not None else None

    def holds(self, table: Table) -> bool:
        del table
        return False  # every snapshot is a copy

    def keep(self, names: Collection[TableName]) -> None:
        del names  # nothing is held

    def bound(self, table: Table) -> Key | None:
        return _bound(self._live, table)

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        while after != upper:
            keys = sorted(key for key in self._keys(table) if _between(key, after, upper))[: self._chunk_rows]
            # The last chunk reaches to the bound even if the rows there have gone.
            bound = _text(keys[-1]) if len(keys) == self._chunk_rows else upper
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=bound)
            after, ordinal = bound, ordinal + 1

    def _keys(self, table: Table) -> list[Row]:
        contents = self._database.contents
        if table.name not in contents.tables:
            raise SchemaChanged(table.name, "it is gone")
        return [key_of(table, row) for row in contents.rows[table.name]]

    @contextmanager
    def read(self, table: Table, chunk: Chunk) -> Iterator[ChunkRows]:
        contents = self._database.contents
        if contents.tables.get(table.name) != table:
            raise SchemaChanged(table.name, "its definition changed")
        rows = list(contents.rows[table.name])
        if table.key:
            rows = [row for row in rows if _between(key_of(table, row), chunk.lower, chunk.upper)]
        yield ChunkRows(rows, self._database.lsn, self._chunk_rows)


def _bound(database: Database, table: Table) -> Key | None:
    if table.name not in database.contents.tables:
        raise SchemaChanged(table.name, "it is gone")
    keys = [key_of(table, row) for row in database.contents.rows[table.name]] if table.key else []
    return _text(max(keys)) if keys else None


def _text(key: Row) -> Key:
    return tuple(str(value) for value in key)


def _value(key: Key) -> tuple[int, ...]:
    return tuple(int(value or 0) for value in key)


def _between(key: Row, lower: Key | None, upper: Key | None) -> bool:
    return (lower is None or key > _value(lower)) and (upper is None or key <= _value(upper))


class Stream:
    """The log from a position on, in windows of random size."""

    def __init__(self, source: Source, position: Lsn) -> None:
        self._database = source.database
        self._random = source.random
        self._at = position.number
        self._tables: dict[TableName, TableProgress | None] = {}
        self._parts: list[Window] = []
        self._stop_at: Lsn | None = None
        self._barrier = True  # until the tables are known

    def next(self, timeout_s: float) -> Event | None:
        del timeout_s  # time stands still here
        assert not self._barrier, "read without resume"
        if self._parts:
            return self._parts.pop(0)
        if self._at == self._database.lsn.number:
            return Heartbeat(position=Lsn(self._at))
        first = self._database.group(self._at)
        if first.alteration is not None:
            self._at += 1
            self._barrier = True
            return SchemaChange(
                alterations=(first.alteration,), statement=str(first.alteration), position=Lsn(self._at)
            )
        if len(first.changes) > 1 and self._random.random() < 0.2:
            return self._in_parts(first.changes)
        return self._window()

    def _window(self) -> Window:
        wanted: list[tuple[int, Change]] = []
        transactions = 0
        while self._at < self._database.lsn.number and transactions < self._random.randint(1, 4):
            group = self._database.group(self._at)
            if group.alteration is not None:
                break
            self._at += 1
            transactions += 1
            wanted.extend(enumerate(self._selected(group.changes), len(wanted)))
            if self._stop_at == Lsn(self._at):
                break
        return _window(wanted, Lsn(self._at), transactions)

    def _in_parts(self, changes: Sequence[Change]) -> Window:
        self._at += 1
        selected = list(enumerate(self._selected(changes)))
        middle = len(selected) // 2
        self._parts = [_window(selected[middle:], Lsn(self._at), 1)]
        return _window(selected[:middle], None, 0)

    def _selected(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Changes of the group just passed that the load has not seen."""
        widths = dict(self._database.group(self._at - 1).widths)
        for change in changes:
            if change.table not in self._tables:
                raise SchemaChanged(change.table, "it was never announced")
            progress = self._tables[change.table]
            if progress is None:
                continue
            if progress.low is not None and progress.low.covers(Lsn(self._at)):
                continue
            if len(progress.table.columns) != widths[change.table]:
                raise SchemaChanged(change.table, "the log has another number of columns")
            yield change

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._barrier = False
        self._tables.update(tables)

    def pulled(self) -> str:
        return self._database.lsn.brief()

    def stop_at(self, position: Lsn | None) -> None:
        self._stop_at = position

    def acknowledge(self, position: Lsn) -> None:
        self._database.forget(position)

    def reselect(self, selection: Selection) -> None:
        del selection  # everything, always


def _window(changes: list[tuple[int, Change]], position: Lsn | None, transactions: int) -> Window:
    by_table: dict[TableName, list[tuple[int, Change]]] = {}
    for place, change in changes:
        by_table.setdefault(change.table, []).append((place, change))
    tables = [TableChanges(name, Changes(own)) for name, own in by_table.items()]
    return Window(tables=tables, position=position, transactions=transactions, changes=len(changes))


class Source:
    """Reads a Database."""

    def __init__(self, database: Database, rng: random.Random, chunk_rows: int = 3, start: Lsn | None = None) -> None:
        self.database = database
        self.random = rng
        self._chunk_rows = chunk_rows
        self._start = start

    def catalog(self) -> Catalog:
        return Catalog(tables=tuple(self.database.contents.tables.values()))

    def low(self) -> Lsn:
        return self.database.lsn

    def chosen(self) -> Lsn | None:
        return self._start

    def tables_at(self, position: Lsn, stop: Callable[[], bool]) -> Sequence[Table] | None:
        del stop
        return list(self.database.history[position.number].tables.values())

    def high(self) -> Lsn:
        return self.database.lsn

    def bound(self, table: Table) -> Key | None:
        return _bound(self.database, table)

    def within(self, table: Table, batch: Batch, chunks: Sequence[Chunk]) -> Changes:
        assert isinstance(batch, Changes)

        def there(row: Row | None) -> Row | None:
            inside = row is not None and (
                not table.key or any(_between(key_of(table, row), chunk.lower, chunk.upper) for chunk in chunks)
            )
            return row if inside else None

        halves = [
            (place, replace(one, before=there(one.before), after=there(one.after))) for place, one in batch.changes
        ]
        return Changes([(place, one) for place, one in halves if one.before is not None or one.after is not None])

    @contextmanager
    def snapshot(self, *, consistent: bool) -> Iterator[Snapshot]:
        frozen = None
        if consistent:
            frozen = Database(())
            frozen.contents = self.database.contents.copy()
            frozen.log = list(self.database.log)
        yield Snapshot(self.database, self._chunk_rows, frozen)

    def reselect(self, selection: Selection) -> None:
        del selection  # everything, always

    @contextmanager
    def stream(self, position: Lsn) -> Iterator[Stream]:
        yield Stream(self, position)
