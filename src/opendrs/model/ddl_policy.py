"""Changes of the schema that a job does not carry over because its user says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from opendrs.model.alteration import (
    AddIndex,
    Alteration,
    AlterTable,
    DropColumn,
    DropDatabase,
    DropIndex,
    DropTable,
    TruncateTable,
)
from opendrs.model.job import SkippableDdl

_KINDS: Final[dict[type[object], SkippableDdl]] = {
    DropDatabase: "drop_database",
    DropTable: "drop_table",
    TruncateTable: "truncate_table",
    DropColumn: "drop_column",
    AddIndex: "add_index",
    DropIndex: "drop_index",
}


def carried(alteration: Alteration, skipped: Collection[SkippableDdl]) -> tuple[Alteration | None, list[SkippableDdl]]:
    """What of it the target is to be told, and the kinds that are left out."""
    if not skipped:
        return alteration, []
    if isinstance(alteration, AlterTable):
        left = [kind for change in alteration.changes if (kind := _KINDS.get(type(change))) in skipped]
        kept = tuple(change for change in alteration.changes if _KINDS.get(type(change)) not in skipped)
        return (replace(alteration, changes=kept) if kept else None), [kind for kind in left if kind]
    kind = _KINDS.get(type(alteration))
    return (None, [kind]) if kind in skipped and kind else (alteration, [])
