"""Changes of the schema that a job does not carry over because its user says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from opendrs.model.alteration import (
    AddCheck,
    AddIndex,
    Alteration,
    AlterTable,
    Change,
    ChangeViews,
    CreateDatabase,
    DropColumn,
    DropDatabase,
    DropIndex,
    DropTable,
    ModifyColumn,
    RenameIndex,
    SetCharset,
    SetComment,
    SetDefault,
    SetNextAuto,
    TruncateTable,
)
from opendrs.model.catalog import Table, TableName
from opendrs.model.job import Policy, SkippableDdl

_KINDS: Final[dict[type[object], SkippableDdl]] = {
    DropDatabase: "drop_database",
    DropTable: "drop_table",
    TruncateTable: "truncate_table",
    DropColumn: "drop_column",
    AddIndex: "add_index",
    DropIndex: "drop_index",
}
# Changes of which no row depends: a job that carries none over goes on without these as well.
_NEEDLESS: Final[dict[type[object], str]] = {
    CreateDatabase: "create_database",
    ChangeViews: "views",
    AddCheck: "add_check",
    RenameIndex: "rename_index",
    SetCharset: "default_charset",
    SetComment: "comment",
    SetDefault: "default",
    SetNextAuto: "auto_increment",
}


def carried(alteration: Alteration, policy: Policy) -> tuple[Alteration | None, list[str]]:
    """What of it the target is to be told, and the kinds that are left out."""
    if isinstance(alteration, AlterTable):
        left = [kind for change in alteration.changes if (kind := _left_out(change, policy))]
        kept = tuple(change for change in alteration.changes if not _left_out(change, policy))
        return (replace(alteration, changes=kept) if kept else None), left
    kind = _left_out(alteration, policy)
    return (None, [kind]) if kind else (alteration, [])


def _left_out(change: Alteration | Change, policy: Policy) -> str:
    """The kind under which it is left out; empty if it is carried over."""
    kind = _KINDS.get(type(change))
    if policy.ddl == "refuse":
        # Whatever else there is: had it been indispensable, the job would have stopped.
        return kind or _NEEDLESS.get(type(change), "modify_column")
    return kind if kind in policy.skipped_ddl and kind else ""


def indispensable(alteration: Alteration, tables: Mapping[TableName, Table]) -> bool:
    """Whether the target is unfit for the rows behind a change that is not carried over; `tables` as it meets them."""
    if isinstance(alteration, AlterTable):
        table = tables.get(alteration.name)
        return any(_indispensable(change, table) for change in alteration.changes)
    return type(alteration) not in _KINDS and type(alteration) not in _NEEDLESS


def _indispensable(change: Change, table: Table | None) -> bool:
    if isinstance(change, DropIndex):  # a unique one would refuse rows that the source now has
        indexes = (table.primary, *table.indexes) if table is not None else ()
        return any(i is not None and i.unique and i.name.lower() == change.name.lower() for i in indexes)
    if isinstance(change, ModifyColumn) and table is not None:  # what of it does not matter to rows that name it
        old, new = table.column(change.old), change.column
        return replace(old, default=new.default, comment=new.comment, on_update=new.on_update) != new
    return type(change) not in _KINDS and type(change) not in _NEEDLESS
