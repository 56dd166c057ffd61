"""GET /v5/{project_id}/jobs/{job_id}/extra-column-info: additional columns, by the tables that they arrive in."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import extra_rows
from opendrs.control import rules


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    _, selection, sent = rules.look(call.asking, call.job_id)
    rows = extra_rows(selection, sent)
    if call.query.flag("is_only_show_sent"):
        rows = [row for row in rows if row["is_sent"]]
    page = rows if call.query.flag("fetch_all") else rows[offset : offset + limit]
    return {"total_count": len(rows), "column_process_objects": page}


OPERATION = Operation(version="v5", name="list_extra_columns", handle=handle, quick=True)
