"""What a change of the schema makes of all tables together: foreign keys follow what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    Change,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    ModifyColumn,
    RenameColumn,
    RenameTable,
    TruncateTable,
    altered,
)
from opendrs.model.catalog import ForeignKey, Table, TableName

Tables = Mapping[TableName, Table]


def applied(tables: Tables, alteration: Alteration) -> dict[TableName, Table]:
    """The tables behind an alteration. KeyError or ValueError if it does not fit them."""
    after = dict(tables)
    match alteration:
        case CreateTable(table, if_not_exists):
            _create(after, table, if_not_exists)
        case DropTable(name, if_exists):
            if name not in after and not if_exists:
                raise KeyError(str(name))
            after.pop(name, None)
        case ForgetTable(name):
            del after[name]
            for other in after.values():
                if any(key.acts and key.referenced == name for key in other.foreign_keys):
                    raise ValueError(
                        f"{name} leaves the selection, and what its changes do to {other.name} is not logged"
                    )
        case RenameTable(old, new):
            if new in after:
                raise ValueError(f"{new} exists already")
            after[new] = replace(after.pop(old), name=new)
            _refer(after, lambda key: replace(key, referenced=new) if key.referenced == old else key)
        case AlterTable(name, changes):
            for change in changes:
                change_table(after, name, change)
        case DropDatabase(name):
            after = {other: table for other, table in after.items() if other.schema != name}
        case TruncateTable(name):
            after[name]
        case CreateDatabase() | ChangeViews():
            pass
        case _:
            assert_never(alteration)
    return after


def change_table(tables: dict[TableName, Table], name: TableName, change: Change) -> None:
    """Carries out one change of one table, and what it means for foreign keys that refer to the table."""
    tables[name] = altered(tables[name], change)
    old, new = "", ""
    if isinstance(change, RenameColumn):
        old, new = change.old, change.new
    elif isinstance(change, ModifyColumn):
        old, new = change.old, change.column.name
    if old == new:
        return

    def follow(key: ForeignKey) -> ForeignKey:
        if key.referenced != name:
            return key
        columns = (new if column.lower() == old.lower() else column for column in key.referenced_columns)
        return replace(key, referenced_columns=tuple(columns))

    _refer(tables, follow)


def _create(tables: dict[TableName, Table], table: Table, if_not_exists: bool) -> None:
    if table.name in tables:
        if if_not_exists:
            return
        raise ValueError(f"{table.name} exists already")
    tables[table.name] = table


def _refer(tables: dict[TableName, Table], follow: Callable[[ForeignKey], ForeignKey]) -> None:
    for name, table in tables.items():
        keys = tuple(follow(key) for key in table.foreign_keys)
        if keys != table.foreign_keys:
            tables[name] = replace(table, foreign_keys=keys)
