"""Changes of the schema: what they make of the tables, and which loads they make worthless."""

from __future__ import annotations

from collections.abc import Mapping
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
)
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.engine import SchemaChanged
from opendrs.model.event import SchemaChange
from opendrs.model.evolution import applied
from opendrs.model.position import Position

Tables = dict[TableName, TableProgress]


def evolved(
    tables: Tables, change: SchemaChange, *, catching_up: bool, gone: Mapping[TableName, Position | None] | None = None
) -> tuple[list[Alteration], Tables]:
    """The alterations to carry out, and the tables behind them.

    gone   tables that were looked for at a position of the source, and were not there

    While catching up, the definition of a table was read some time after the stream began, so that nobody
    can say whether it has the change already. Then the load of that table is worthless, and SchemaChanged
    is raised; but what a table's `low` covers is in it already, and is dropped here.
    Raises DDL_UNSUPPORTED if a change does not fit the table it names.
    """
    if change.failure is not None:
        _failed(tables, change, change.failure, catching_up)
    wanted: list[Alteration] = []
    after = dict(tables)
    for alteration in change.alterations:
        if catching_up and _already_there(after, gone or {}, alteration, change.position):
            continue
        try:
            after = _applied(after, alteration)
        except (KeyError, ValueError) as error:
            raise DrsError(
                Fault.DDL_UNSUPPORTED,
                position=change.position.dump() if change.position else "a transaction",
                reason=f"it does not fit the known definition ({error})",
                statement=change.statement,
            ) from error
        wanted.append(alteration)
    return wanted, after


def _failed(tables: Tables, change: SchemaChange, failure: DrsError, catching_up: bool) -> None:
    """Returns if the statement was only read against definitions that are newer than itself."""
    concerned = [tables[name] for name in change.concerns if name in tables]
    if not catching_up or not concerned:
        raise failure
    for progress in concerned:
        if not _covers(progress, change.position):
            raise SchemaChanged(progress.table.name, "it changed before its load was caught up with") from failure


def _covers(progress: TableProgress, position: Position | None) -> bool:
    """Whether the table's definition and rows were read behind the position."""
    return _behind(progress.low, position)


def _behind(low: Position | None, position: Position | None) -> bool:
    return low is not None and position is not None and low.covers(position)


def _already_there(
    tables: Tables, gone: Mapping[TableName, Position | None], alteration: Alteration, position: Position | None
) -> bool:
    match alteration:
        case AlterTable(name) | TruncateTable(name) | DropTable(name):
            progress = tables.get(name)
            if progress is None:
                return True  # gone before its load could begin
            if _covers(progress, position):
                return True
            if isinstance(alteration, AlterTable):
                raise SchemaChanged(name, "it changed before its load was caught up with")
            return False
        case RenameTable(old, new):
            if any(not _covers(tables[name], position) for name in (old, new) if name in tables):
                # Which of the two names stood for these rows when they were read, nobody can say.
                raise SchemaChanged(old, "it was renamed before its load was caught up with", [new])
            if new not in tables and not _behind(gone.get(new), position):
                # Renamed twice: what was looked for under a name in between was not there.
                raise SchemaChanged(new, "a table that is not known was renamed to it")
            return True
        case CreateTable(table):
            # Known already: it was there when the catalog was read, and its rows come by key.
            return table.name in tables
        case CreateTableLike(name):
            return name in tables
        case CreateDatabase() | DropDatabase():
            return False
        case _:
            assert_never(alteration)


def _applied(tables: Tables, alteration: Alteration) -> Tables:
    """The progress of all tables behind an alteration; new tables have nothing to load."""
    before = {name: progress.table for name, progress in tables.items()}
    after = applied(before, alteration)
    moved = {alteration.new: alteration.old} if isinstance(alteration, RenameTable) else {}
    found: Tables = {}
    for name, table in after.items():
        known = tables.get(moved.get(name, name))
        if known is None:
            found[name] = TableProgress(table=table, loaded=True)
        else:
            found[name] = known if known.table == table else replace(known, table=table)
    return found


def difference(before: Tables, after: Tables) -> dict[TableName, TableProgress | None]:
    """What a stream and a sink must be told: definitions that are new or changed, None for those gone."""
    changed: dict[TableName, TableProgress | None] = {
        name: progress for name, progress in after.items() if before.get(name) != progress
    }
    changed.update((name, None) for name in before if name not in after)
    return changed
