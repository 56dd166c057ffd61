"""GET /v5/{project_id}/jobs/{job_id}/timelines: what was done to a job, by whom, and what came of it."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.times import iso
from opendrs.control.asking import job_head
from opendrs.store import actions


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        found, total = actions.page(connection, head.id, limit=limit, offset=offset)
    rows = [
        {
            "name": action.kind.value,
            "operation_time": iso(action.asked_at),
            "status": "running" if action.status in actions.OPEN else action.status,
            "user_name": action.user,
        }
        for action in found
    ]
    return {"count": total, "timelines": rows}


OPERATION = Operation(version="v5", name="show_timeline", handle=handle)
