"""The objects of a job as a tree that can be opened: databases, and tables in them. What a database that is chosen as
a whole has is read from its last listing, or listed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from opendrs.control import collecting
from opendrs.control.asking import Asking
from opendrs.control.waiting import Deadline, result_of
from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.selection import Selection
from opendrs.store import actions

KEPT: Final = 20  # listings that are searched


class Tables(NamedTuple):
    """The chosen tables of a database. `unlisted`: how many there are, of one that has too many to be listed."""

    names: Sequence[TableName]
    unlisted: int = 0


def databases(asking: Asking, job_id: str, selection: Selection, *, refresh: bool) -> list[str]:
    """Those of which something is chosen. Raises COLUMNS_UNREAD, TOO_SLOW."""
    if not selection.everything:
        return sorted({*selection.databases, *(name.schema for name in selection.tables)})
    return sorted(_listing(asking, job_id, None, refresh=refresh))


def tables(asking: Asking, job_id: str, selection: Selection, database: str, *, refresh: bool) -> Tables:
    """The chosen tables of a database. Raises COLUMNS_UNREAD, TOO_SLOW."""
    exact = [name for name in selection.tables if name.schema == database and name not in selection.views]
    if not (selection.everything or database in selection.databases):
        return Tables(sorted(exact))
    found = _listing(asking, job_id, database, refresh=refresh).get(database, {"tables": [], "total": 0})
    there = [TableName(database, table) for table, kind in found["tables"] if kind == "table"]
    unlisted = 0 if found["tables"] else int(found["total"])
    return Tables(sorted(name for name in there if selection.wants(name)), unlisted)


def _listing(asking: Asking, job_id: str, database: str | None, *, refresh: bool) -> Mapping[str, Any]:
    """What the source has, by database; of this one at least."""
    if not refresh:
        with asking.store.read() as connection:
            found = actions.done(connection, job_id, Kind.COLLECT, most=KEPT)
        for action in found:
            listed = action.params.get("databases") or None
            covers = listed is None or (database is not None and database in listed)
            if action.params["type"] == "source" and covers and action.result is not None:
                known: Mapping[str, Any] = action.result["databases"]
                return known
    names = () if database is None else (database,)
    key, _ = collecting.collect(asking, job_id, "source", names, refresh=True)
    result: Mapping[str, Any] = result_of(asking, job_id, key, Deadline(asking))["databases"]
    return result
