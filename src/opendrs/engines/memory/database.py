"""A database in memory: tables, and a log of everything that happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from opendrs.engines.memory.position import Lsn
from opendrs.model.alteration import AddColumn, Alteration, AlterTable, CreateTable, DropTable, TruncateTable, altered
from opendrs.model.catalog import Table, TableName

Row = tuple[int | None, ...]
Op = Literal["insert", "update", "delete"]


class LogPurgedError(Exception):
    """Groups were asked for that the database was told to forget."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row change. `before` is None for an insert, `after` for a delete."""

    table: TableName
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Group:
    """What the log holds: a transaction's changes, or one change of the schema."""

    changes: Sequence[Change] = ()
    alteration: Alteration | None = None
    widths: tuple[tuple[TableName, int], ...] = ()  # number of columns of each table when the group was logged


class Contents:
    """Rows of tables, as multisets: a table without a key may hold a row twice."""

    def __init__(self) -> None:
        self.tables: dict[TableName, Table] = {}
        self.rows: dict[TableName, list[Row]] = {}

    def copy(self) -> Contents:
        other = Contents()
        other.tables = dict(self.tables)
        other.rows = {name: list(rows) for name, rows in self.rows.items()}
        return other

    def same(self, other: Contents) -> bool:
        return self.rows.keys() == other.rows.keys() and all(
            sorted(self.rows[name], key=repr) == sorted(other.rows[name], key=repr) for name in self.rows
        )

    def alter(self, alteration: Alteration) -> None:
        match alteration:
            case CreateTable(table):
                self.tables[table.name] = table
                self.rows[table.name] = []
            case DropTable(name):
                del self.tables[name], self.rows[name]
            case TruncateTable(name):
                self.rows[name] = []
            case AlterTable(name, changes):
                for change in changes:
                    self.tables[name] = altered(self.tables[name], change)
                    if isinstance(change, AddColumn):
                        self.rows[name] = [(*row, None) for row in self.rows[name]]
            case _:
                raise NotImplementedError(f"the memory engine cannot carry out {alteration}")


def key_of(table: Table, row: Row) -> Row:
    """The values of the row's key."""
    names = [column.name for column in table.columns]
    return tuple(row[names.index(name)] for name in table.key)


class Database:
    """The source's side. Every committed group is logged, until it is forgotten."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.contents = Contents()
        self.log: list[Group] = []
        self.forgotten = 0
        for table in tables:
            self.contents.alter(CreateTable(table))
        self.history = [self.contents.copy()]  # the contents at every Lsn: what a correct target must show

    @property
    def lsn(self) -> Lsn:
        return Lsn(len(self.log))

    def commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            rows = self.contents.rows[change.table]
            if change.before is not None:
                rows.remove(change.before)
            if change.after is not None:
                rows.append(change.after)
        self._log(Group(changes=tuple(changes)))

    def alter(self, alteration: Alteration) -> None:
        self.contents.alter(alteration)
        self._log(Group(alteration=alteration))

    def _log(self, group: Group) -> None:
        widths = tuple((name, len(table.columns)) for name, table in self.contents.tables.items())
        self.log.append(replace(group, widths=widths))
        self.history.append(self.contents.copy())

    def forget(self, position: Lsn) -> None:
        self.forgotten = max(self.forgotten, position.number)

    def group(self, number: int) -> Group:
        if number < self.forgotten:
            raise LogPurgedError(f"group {number} was acknowledged and is gone")
        return self.log[number]
