"""GET /v5/{project_id}/jobs/{job_id}/dirty-data: rows that did not come into the target as the source has them."""

from __future__ import annotations

from typing import Any, Final

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.masking import masked, masked_message
from opendrs.api.wire.times import iso, span
from opendrs.control.asking import job_head
from opendrs.model.dirty import DirtyRow
from opendrs.store import dirty

FULL: Final = "FULL_TRANSFER"


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    begin, end = span(call.query)
    anonymous = call.query.flag("anonymize_mode") or False
    phase = call.query.word("task_mode", (FULL,))
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        found, total = dirty.page(
            connection, head.id, "full" if phase else "incremental", begin=begin, end=end, limit=limit, offset=offset
        )
    return {"count": total, "dirty_data_list": [_row(saved.row, anonymous=anonymous) for saved in found]}


def _row(row: DirtyRow, *, anonymous: bool) -> dict[str, Any]:
    """DirtyData. Of a source without schemas there is none to tell."""
    return {
        "db_name": row.table.schema,
        "table_name": row.table.table,
        "error_sql": masked(row.statement) if anonymous else row.statement,
        "error_time": iso(row.at),
        "error_msg": masked_message(row.reason) if anonymous else row.reason,
        "operation": row.op,
        "kind": row.kind,
        "resolved": row.resolved,
    }


OPERATION = Operation(version="v5", name="show_dirty_data", handle=handle)
