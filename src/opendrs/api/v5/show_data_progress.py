"""GET /v5/{project_id}/jobs/{job_id}/data-processing-rules: what is said of databases and tables."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.processed import info_rows
from opendrs.control.asking import head_and_policy, link
from opendrs.control.rules import selection_and_sent


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    with call.asking.store.read() as connection:
        head, policy = head_and_policy(call.asking, connection, call.job_id)
        selection, sent = selection_and_sent(connection, head)
    rows = info_rows(selection, policy, link(head).target, sent)
    return {"count": len(rows), "data_process_info": rows[offset : offset + limit]}


OPERATION = Operation(version="v5", name="show_data_progress", handle=handle, quick=True)
