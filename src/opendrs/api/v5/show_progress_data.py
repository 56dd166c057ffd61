"""GET /v5/{project_id}/jobs/{job_id}/progress-data/{type}: progress of each object of one kind.

What a flow does not carry over has an empty page: procedures, functions, triggers and events everywhere; views and
indexes of jobs to Kafka.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.api.wire.progress import has_schema, index_percent, percent, phase_of, table_percent
from opendrs.api.wire.times import ms
from opendrs.control.asking import job_head
from opendrs.errors import Fault
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.selection import Selection
from opendrs.store import jobs, progress
from opendrs.store.jobs import Head
from opendrs.store.progress import TableCounts

# The published misspelling, and what people write instead of it.
SPELLINGS: Final = {"table_index": "table_indexs", "table_indexes": "table_indexs"}
NONE_CARRIED: Final = ("event", "procedure", "function", "trigger")
OF_SCHEMAS: Final = ("view", "table_indexs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows are wanted, of which job."""

    head: Head
    phase: Phase | None
    search: str
    limit: int
    offset: int


Rows = tuple[list[dict[str, Any]], int]


def handle(call: Call) -> dict[str, Any]:
    kind = one_of("type", call.path["type"], (*KINDS, *NONE_CARRIED, *SPELLINGS))
    kind = SPELLINGS.get(kind, kind)
    limit, offset = call.query.page()
    search = call.query.text("search_name") or ""
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id, missing=Fault.JOB_INFO_NOT_FOUND)
        saved = progress.load(connection, head.id)
        rows: list[dict[str, Any]] = []
        total = 0
        if kind in KINDS and (kind not in OF_SCHEMAS or has_schema(head)):
            page = Page(head=head, phase=phase_of(saved), search=search, limit=limit, offset=offset)
            rows, total = KINDS[kind](connection, page)
    at = saved.updated_at if saved else head.updated_at
    return {"count": total, "create_time": ms(at), "flow_compare_data": rows}


def _row(name: TableName, done: int, selection: Selection) -> dict[str, Any]:
    target = selection.target(name)
    return {
        "src_db": name.schema,
        "src_tb": name.table,
        "dst_db": target.schema,
        "dst_tb": target.table,
        "progress": done,
    }


def _of_tables(done: Callable[[TableCounts, Phase | None], int]) -> Callable[[Connection, Page], Rows]:
    def rows(connection: Connection, page: Page) -> Rows:
        found, total = progress.page_tables(
            connection, page.head.id, search=page.search, limit=page.limit, offset=page.offset
        )
        selection = jobs.selection_of(connection, page.head.id)
        return [_row(table.name, done(table, page.phase), selection) for table in found], total

    return rows


def _structure(table: TableCounts, phase: Phase | None) -> int:
    """All tables are made, empty, before the first of them is loaded; until all are, no phase has begun."""
    del table
    return 100 if phase is not None else 0


def _databases(connection: Connection, page: Page) -> Rows:
    found, total = progress.page_databases(
        connection, page.head.id, search=page.search, limit=page.limit, offset=page.offset
    )
    selection = jobs.selection_of(connection, page.head.id)
    rows = [
        {
            "src_db": one.name,
            "dst_db": selection.schemas.get(one.name, one.name),
            "progress": percent(one.done, whole=one.loaded == one.tables),
        }
        for one in found
    ]
    return rows, total


def _views(connection: Connection, page: Page) -> Rows:
    """One that the target refused stays at 0; the log of the job says why."""
    found, total = progress.page_views(
        connection, page.head.id, search=page.search, limit=page.limit, offset=page.offset
    )
    selection = jobs.selection_of(connection, page.head.id)
    return [_row(view.name, 100 if view.made else 0, selection) for view in found], total


KINDS: Final[dict[str, Callable[[Connection, Page], Rows]]] = {
    "table": _of_tables(lambda table, phase: table_percent(table)),
    "table_structure": _of_tables(_structure),
    "table_indexs": _of_tables(index_percent),
    "database": _databases,
    "view": _views,
}

OPERATION = Operation(version="v5", name="show_progress_data", handle=handle, quick=True)
