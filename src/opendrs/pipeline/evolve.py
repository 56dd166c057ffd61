"""Changes of the schema: what they make of the tables, and which loads they make worthless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
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
Gone = Mapping[TableName, Position | None]
"""Tables that were looked for at a position of the source, and were not there."""
NOTHING: Final[Gone] = {}


def evolved(
    tables: Tables, change: SchemaChange, *, catching_up: bool, gone: Gone = NOTHING
) -> tuple[list[Alteration], Tables]:
    """The alterations to carry out, and the tables behind them.

    While catching up, the definition of a table was read some time after the stream began, so that nobody
    can say whether it has the change already. Then the load of that table is worthless, and SchemaChanged
    is raised; but what a table's `low` covers is in it already, and is dropped here.
    Raises DDL_UNSUPPORTED if a change does not fit the table it names.
    """
    if change.failure is not None:
        _failed(tables, change, change.failure, catching_up, gone)
    wanted: list[Alteration] = []
    after = dict(tables)
    for said in change.alterations:
        if catching_up and _already_there(after, said, change.position, gone):
            continue
        alteration = _of_views(after, said)
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


def _failed(tables: Tables, change: SchemaChange, failure: DrsError, catching_up: bool, gone: Gone) -> None:
    """Returns if the statement was only read against definitions that are newer than itself."""
    if not catching_up or not change.concerns or any(_made(tables, name) for name in change.concerns):
        raise failure
    for name in change.concerns:
        if not (_knows(tables[name], change.position) if name in tables else _behind(gone.get(name), change.position)):
            raise SchemaChanged(name, "it changed before its load was caught up with") from failure


def _made(tables: Tables, name: TableName) -> bool:
    """Whether the log made the table, so that its definition is that of the log's own place."""
    return name in tables and tables[name].made


def _of_views(tables: Tables, alteration: Alteration) -> Alteration:
    """RENAME TABLE renames views too. Every table is known, so that what is not known is one."""
    if isinstance(alteration, RenameTable) and not {alteration.old, alteration.new} & tables.keys():
        return ChangeViews((alteration.old, alteration.new))
    return alteration


def _covers(progress: TableProgress, position: Position | None) -> bool:
    """Whether the table's rows were read behind the position."""
    return _behind(progress.low, position)


def _knows(progress: TableProgress, position: Position | None) -> bool:
    """Whether the table's definition was read behind the position, and its rows with it. The one scan of a table
    without a key may come later than its definition."""
    return _behind(progress.defined, position)


def _behind(known: Position | None, position: Position | None) -> bool:
    return known is not None and position is not None and known.covers(position)


def _already_there(tables: Tables, alteration: Alteration, position: Position | None, gone: Gone) -> bool:
    match alteration:
        case AlterTable(name) | TruncateTable(name) | DropTable(name) | ForgetTable(name):
            progress = tables.get(name)
            if progress is None:
                return True  # gone before its load could begin
            if not isinstance(alteration, AlterTable):
                return _covers(progress, position)
            if not progress.made and not _knows(progress, position):
                raise SchemaChanged(name, "it changed before its load was caught up with")
            return not progress.made
        case RenameTable(old, new):
            if _made(tables, old) and new not in tables:
                return False
            # Which of the two names stood for these rows when they were read, nobody can say.
            anew = [name for name in (old, new) if name in tables and not _knows(tables[name], position)]
            anew += [new] if new not in tables and not _behind(gone.get(new), position) else []
            if anew:
                raise SchemaChanged(anew[0], "it was renamed before its load was caught up with", anew[1:])
            return True
        case CreateTable(table, like=other):
            # Known already: it was there when the catalog was read, and its rows come by key. Or it was looked for
            # behind this place, and was not there any more.
            if table.name in tables or _behind(gone.get(table.name), position):
                return True
            if other in tables and _knows(tables[other], position):
                raise SchemaChanged(table.name, f"it was made like {other}, of which only a later definition is known")
            return False
        case CreateDatabase() | DropDatabase():
            return False
        case ChangeViews():
            return True  # they are made when the log is caught up with, as they are then
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
            found[name] = TableProgress(table=table, loaded=True, made=True)
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
