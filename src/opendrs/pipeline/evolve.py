"""Changes of the schema: what they make of the tables, and which loads they make worthless."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    CreateDatabase,
    CreateTable,
    CreateTableLike,
    DropDatabase,
    DropTable,
    RenameTable,
    TruncateTable,
    altered,
)
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.engine import SchemaChanged
from opendrs.model.event import SchemaChange
from opendrs.model.position import Position

Tables = dict[TableName, TableProgress]


def evolved(tables: Tables, change: SchemaChange, *, catching_up: bool) -> tuple[list[Alteration], Tables]:
    """The alterations to carry out, and the tables behind them.

    While catching up, the definition of a table was read some time after the stream began, so that nobody
    can say whether it has the change already. Then the load of that table is worthless, and SchemaChanged
    is raised; but what a table's `low` covers is in it already, and is dropped here.
    Raises DDL_UNSUPPORTED if a change does not fit the table it names.
    """
    wanted: list[Alteration] = []
    after = dict(tables)
    for alteration in change.alterations:
        if catching_up and _already_there(after, alteration, change.position):
            continue
        try:
            _apply(after, alteration)
        except (KeyError, ValueError) as error:
            raise DrsError(
                Fault.DDL_UNSUPPORTED,
                position=change.position.dump() if change.position else "a transaction",
                reason=f"it does not fit the known definition ({error})",
                statement=change.statement,
            ) from error
        wanted.append(alteration)
    return wanted, after


def _already_there(tables: Tables, alteration: Alteration, position: Position | None) -> bool:
    match alteration:
        case AlterTable(name) | TruncateTable(name) | DropTable(name):
            progress = tables.get(name)
            if progress is None:
                return True  # gone before its load could begin
            if progress.low is not None and position is not None and progress.low.covers(position):
                return True
            if isinstance(alteration, AlterTable):
                raise SchemaChanged(name, "it changed before its load was caught up with")
            return False
        case RenameTable(old, new):
            if new in tables:
                raise SchemaChanged(new, "it was renamed before its load was caught up with")
            return old not in tables
        case CreateTable(table):
            # Known already: it was there when the catalog was read, and its rows come by key.
            return table.name in tables
        case CreateTableLike(name):
            return name in tables
        case CreateDatabase() | DropDatabase():
            return False
        case _:
            assert_never(alteration)


def _apply(tables: Tables, alteration: Alteration) -> None:
    match alteration:
        case CreateTable(table, if_not_exists):
            _create(tables, table, if_not_exists)
        case CreateTableLike(name, like, if_not_exists):
            # Foreign keys are not taken over, and numbering begins anew.
            copy = replace(tables[like].table, name=name, foreign_keys=(), next_auto=None)
            _create(tables, copy, if_not_exists)
        case DropTable(name, if_exists):
            if name not in tables and not if_exists:
                raise KeyError(str(name))
            tables.pop(name, None)
        case RenameTable(old, new):
            if new in tables:
                raise ValueError(f"{new} exists already")
            progress = tables.pop(old)
            tables[new] = replace(progress, table=replace(progress.table, name=new))
            _redirect(tables, old, new)
        case AlterTable(name, changes):
            progress = tables[name]
            table = progress.table
            for change in changes:
                table = altered(table, change)
            tables[name] = replace(progress, table=table)
        case DropDatabase(name):
            for known in [known for known in tables if known.schema == name]:
                del tables[known]
        case TruncateTable(name):
            tables[name]
        case CreateDatabase():
            pass
        case _:
            assert_never(alteration)


def _create(tables: Tables, table: Table, if_not_exists: bool) -> None:
    if table.name in tables:
        if if_not_exists:
            return
        raise ValueError(f"{table.name} exists already")
    tables[table.name] = TableProgress(table=table, loaded=True)


def _redirect(tables: Tables, old: TableName, new: TableName) -> None:
    """Foreign keys follow a renamed table."""
    for name, progress in tables.items():
        keys = tuple(replace(k, referenced=new) if k.referenced == old else k for k in progress.table.foreign_keys)
        if keys != progress.table.foreign_keys:
            tables[name] = replace(progress, table=replace(progress.table, foreign_keys=keys))


def difference(before: Tables, after: Tables) -> dict[TableName, TableProgress | None]:
    """What a stream and a sink must be told: definitions that are new or changed, None for those gone."""
    changed: dict[TableName, TableProgress | None] = {
        name: progress for name, progress in after.items() if before.get(name) != progress
    }
    changed.update((name, None) for name in before if name not in after)
    return changed
