"""Changes of a schema, independent of the SQL that a source or a target speaks.

A source reads its DDL into these, `altered` applies them to a table definition, and a target renders
them. What a source cannot read with certainty is never in here: it is a Fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from opendrs.model.catalog import Check, Column, Default, ForeignKey, Index, Table, TableName


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """`charset`, `collation`: default of new tables, as the source names them; empty if it has no such thing."""

    name: str
    charset: str = ""
    collation: str = ""
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropDatabase:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`like`: the table that it was made like, as that is known here."""

    table: Table
    if_not_exists: bool = False
    like: TableName | None = None


@dataclass(frozen=True, slots=True)
class DropTable:
    name: TableName
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ForgetTable:
    """The table has left the selection: it stays where it is, and nothing more of it is followed."""

    name: TableName


@dataclass(frozen=True, slots=True)
class RenameTable:
    old: TableName
    new: TableName


@dataclass(frozen=True, slots=True)
class TruncateTable:
    name: TableName


@dataclass(frozen=True, slots=True)
class AddColumn:
    """`after`: None = at the end, "" = first, else behind the column of that name.

    `fill`: what rows that are there get, if that is not the default: CURRENT_TIMESTAMP at that moment.
    """

    column: Column
    after: str | None = None
    if_not_exists: bool = False
    fill: Default | None = None


@dataclass(frozen=True, slots=True)
class DropColumn:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ModifyColumn:
    """Column `old` becomes `column`, which may have another name; `after` as in AddColumn, None = stays."""

    old: str
    column: Column
    after: str | None = None


@dataclass(frozen=True, slots=True)
class RenameColumn:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SetDefault:
    column: str
    default: Default | None


@dataclass(frozen=True, slots=True)
class AddIndex:
    """Also ADD PRIMARY KEY (`primary`)."""

    index: Index
    primary: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Also DROP PRIMARY KEY (name PRIMARY)."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameIndex:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    key: ForeignKey


@dataclass(frozen=True, slots=True)
class DropForeignKey:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AddCheck:
    check: Check


@dataclass(frozen=True, slots=True)
class DropCheck:
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameConstraint:
    """A foreign key or a check gets another name: servers do so when they rename a table."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SetComment:
    comment: str


@dataclass(frozen=True, slots=True)
class SetCharset:
    """Default character set of new columns; no existing column changes."""

    charset: str
    collation: str


@dataclass(frozen=True, slots=True)
class SetNextAuto:
    value: int


Change = (
    AddColumn
    | DropColumn
    | ModifyColumn
    | RenameColumn
    | SetDefault
    | AddIndex
    | DropIndex
    | RenameIndex
    | AddForeignKey
    | DropForeignKey
    | AddCheck
    | DropCheck
    | RenameConstraint
    | SetComment
    | SetCharset
    | SetNextAuto
)


@dataclass(frozen=True, slots=True)
class ChangeViews:
    """Views that were made, changed, renamed or dropped: what they are now, the source says when it is asked."""

    names: tuple[TableName, ...]


@dataclass(frozen=True, slots=True)
class AlterTable:
    """Changes of one table, in order, together."""

    name: TableName
    changes: tuple[Change, ...]


Alteration = (
    CreateDatabase
    | DropDatabase
    | CreateTable
    | DropTable
    | ForgetTable
    | RenameTable
    | TruncateTable
    | AlterTable
    | ChangeViews
)


def altered(table: Table, change: Change) -> Table:
    """The definition after one change. KeyError or ValueError if the change does not fit the table."""
    match change:
        case AddColumn():
            return _add_column(table, change)
        case DropColumn(name, if_exists):
            return _drop_column(table, name, if_exists)
        case ModifyColumn():
            return _modify_column(table, change)
        case RenameColumn(old, new):
            return _rename_column(table, old, new)
        case SetDefault(column, default):
            return table.with_column(column, default=default)
        case AddIndex(index, primary, if_not_exists):
            return _add_index(table, index, primary, if_not_exists)
        case DropIndex(name, if_exists):
            return _drop_index(table, name, if_exists)
        case RenameIndex(old, new):
            _require(table.indexes, old)
            renamed = tuple(replace(i, name=new) if _same(i.name, old) else i for i in table.indexes)
            return replace(table, indexes=renamed)
        case AddForeignKey(key):
            return replace(table, foreign_keys=(*table.foreign_keys, key))
        case DropForeignKey(name, if_exists):
            if not if_exists:
                _require(table.foreign_keys, name)
            return replace(table, foreign_keys=tuple(k for k in table.foreign_keys if not _same(k.name, name)))
        case AddCheck(check):
            return replace(table, checks=(*table.checks, check))
        case DropCheck(name, if_exists):
            if not if_exists:
                _require(table.checks, name)
            return replace(table, checks=tuple(c for c in table.checks if not _same(c.name, name)))
        case RenameConstraint(old, new):
            return _rename_constraint(table, old, new)
        case SetComment(comment):
            return replace(table, comment=comment)
        case SetCharset(charset, collation):
            return replace(table, charset=charset, collation=collation)
        case SetNextAuto(value):
            return replace(table, next_auto=value)
        case _:
            assert_never(change)


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _require(named: tuple[Index, ...] | tuple[ForeignKey, ...] | tuple[Check, ...], name: str) -> None:
    if not any(_same(item.name, name) for item in named):
        raise KeyError(name)


def _has(table: Table, name: str) -> bool:
    return any(_same(column.name, name) for column in table.columns)


def _rename_constraint(table: Table, old: str, new: str) -> Table:
    keys = tuple(replace(k, name=new) if _same(k.name, old) else k for k in table.foreign_keys)
    checks = tuple(replace(c, name=new) if _same(c.name, old) else c for c in table.checks)
    if keys == table.foreign_keys and checks == table.checks:
        raise KeyError(old)
    return replace(table, foreign_keys=keys, checks=checks)


def _placed(columns: tuple[Column, ...], column: Column, after: str | None) -> tuple[Column, ...]:
    if after is None:
        return (*columns, column)
    if after == "":
        return (column, *columns)
    for at, other in enumerate(columns):
        if _same(other.name, after):
            return (*columns[: at + 1], column, *columns[at + 1 :])
    raise KeyError(after)


def _add_column(table: Table, change: AddColumn) -> Table:
    if _has(table, change.column.name):
        if change.if_not_exists:
            return table
        raise ValueError(f"column {change.column.name} exists already")
    return replace(table, columns=_placed(table.columns, change.column, change.after))


def _drop_column(table: Table, name: str, if_exists: bool) -> Table:
    if not _has(table, name):
        if if_exists:
            return table
        raise KeyError(name)
    # MySQL takes the column out of every index, and drops an index that loses its last column.
    indexes = (_without(index, name) for index in table.indexes)
    return replace(
        table,
        columns=tuple(c for c in table.columns if not _same(c.name, name)),
        primary=_without(table.primary, name) if table.primary else None,
        indexes=tuple(index for index in indexes if index is not None),
    )


def _without(index: Index, column: str) -> Index | None:
    parts = tuple(part for part in index.parts if not _same(part.column, column))
    return replace(index, parts=parts) if parts else None


def _modify_column(table: Table, change: ModifyColumn) -> Table:
    at = next((i for i, c in enumerate(table.columns) if _same(c.name, change.old)), None)
    if at is None:
        raise KeyError(change.old)
    if change.after is None:
        columns = (*table.columns[:at], change.column, *table.columns[at + 1 :])
    else:
        rest = (*table.columns[:at], *table.columns[at + 1 :])
        columns = _placed(rest, change.column, change.after)
    return _renamed_in_keys(replace(table, columns=columns), change.old, change.column.name)


def _rename_column(table: Table, old: str, new: str) -> Table:
    return _renamed_in_keys(table.with_column(old, name=new), old, new)


def _renamed_in_keys(table: Table, old: str, new: str) -> Table:
    if old == new:
        return table

    def in_index(index: Index) -> Index:
        return replace(
            index, parts=tuple(replace(p, column=new) if p.column and _same(p.column, old) else p for p in index.parts)
        )

    def in_names(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if _same(name, old) else name for name in names)

    return replace(
        table,
        primary=in_index(table.primary) if table.primary else None,
        indexes=tuple(in_index(index) for index in table.indexes),
        foreign_keys=tuple(replace(key, columns=in_names(key.columns)) for key in table.foreign_keys),
    )


def _add_index(table: Table, index: Index, primary: bool, if_not_exists: bool) -> Table:
    if primary:
        if table.primary is not None:
            raise ValueError("the table has a primary key already")
        keyed = {name.lower() for name in index.columns}
        columns = tuple(replace(c, nullable=False) if c.name.lower() in keyed else c for c in table.columns)
        return replace(table, primary=index, columns=columns)
    if any(_same(other.name, index.name) for other in table.indexes):
        if if_not_exists:
            return table
        raise ValueError(f"index {index.name} exists already")
    return replace(table, indexes=(*table.indexes, index))


def _drop_index(table: Table, name: str, if_exists: bool) -> Table:
    if _same(name, "PRIMARY"):
        if table.primary is None and not if_exists:
            raise KeyError(name)
        return replace(table, primary=None)
    if not if_exists:
        _require(table.indexes, name)
    return replace(table, indexes=tuple(index for index in table.indexes if not _same(index.name, name)))
