"""GET /v5/{project_id}/jobs/{job_id}/progress-data/{type}: progress of each object of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.api.wire.progress import CONSTRAINED, has_indexes, percent, phase_of, table_percent
from opendrs.api.wire.times import ms
from opendrs.control.asking import job_head
from opendrs.errors import DrsError, Fault
from opendrs.model.selection import Selection
from opendrs.store import jobs, progress
from opendrs.store.jobs import Head
from opendrs.store.progress import SavedProgress, TableCounts

# The published misspelling, and what people write instead of it.
SPELLINGS: Final = {"table_index": "table_indexs", "table_indexes": "table_indexs"}
NONE_CARRIED: Final = ("event", "procedure", "function", "trigger")


def handle(call: Call) -> dict[str, Any]:
    kind = one_of("type", call.path["type"], (*KINDS, *NONE_CARRIED, "view", *SPELLINGS))
    kind = SPELLINGS.get(kind, kind)
    limit, offset = call.query.page()
    rows: list[dict[str, Any]] = []
    search = call.query.text("search_name") or ""
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id, missing=Fault.JOB_INFO_NOT_FOUND)
        saved = progress.load(connection, head.id)
        if kind == "view":
            raise DrsError(Fault.UNSUPPORTED, what="The progress of views")
        if kind in NONE_CARRIED or (kind == "table_indexs" and not has_indexes(head)):
            total = 0  # this flow carries none of these
        elif kind == "database":
            rows, total = _databases(connection, head, search, limit, offset)
        else:
            found, total = progress.page_tables(connection, head.id, search=search, limit=limit, offset=offset)
            selection = jobs.selection_of(connection, head.id)
            rows = [_row(table, KINDS[kind](table, saved), selection) for table in found]
    at = saved.updated_at if saved else head.updated_at
    return {"count": total, "create_time": ms(at), "flow_compare_data": rows}


def _row(table: TableCounts, done: int, selection: Selection) -> dict[str, Any]:
    target = selection.target(table.name)
    return {
        "src_db": table.name.schema,
        "src_tb": table.name.table,
        "dst_db": target.schema,
        "dst_tb": target.table,
        "progress": done,
    }


def _databases(
    connection: Connection, head: Head, search: str, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    found, total = progress.page_databases(connection, head.id, search=search, limit=limit, offset=offset)
    selection = jobs.selection_of(connection, head.id)
    rows = [
        {
            "src_db": one.name,
            "dst_db": selection.schemas.get(one.name, one.name),
            "progress": percent(one.done, whole=one.loaded == one.tables),
        }
        for one in found
    ]
    return rows, total


def _structure(table: TableCounts, saved: SavedProgress | None) -> int:
    del table
    return 100 if phase_of(saved) is not None else 0


def _indexes(table: TableCounts, saved: SavedProgress | None) -> int:
    del table
    return 100 if phase_of(saved) in CONSTRAINED else 0


KINDS: Final[dict[str, Callable[[TableCounts, SavedProgress | None], int]]] = {
    "table": lambda table, saved: table_percent(table),
    "table_structure": _structure,
    "table_indexs": _indexes,
    "database": lambda table, saved: 0,  # of all tables together, above
}

OPERATION = Operation(version="v5", name="show_progress_data", handle=handle, quick=True)
