"""GET /v5/{project_id}/jobs/{job_id}/configuration-histories: who changed which parameter when, and if it counts."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.times import iso, span
from opendrs.control.asking import job_head
from opendrs.store import parameters


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    begin, end = span(call.query)
    name = call.query.text("name") or ""
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        found, total = parameters.page(connection, head.id, name=name, begin=begin, end=end, limit=limit, offset=offset)
    rows = [
        {
            "name": one.name,
            "old_value": one.old,
            "new_value": one.new,
            # What is refused is not written down.
            "is_update_success": True,
            "is_applied": one.applied_at is not None,
            "update_time": iso(one.changed_at),
            **({} if one.applied_at is None else {"apply_time": iso(one.applied_at)}),
            "user_name": one.user,
        }
        for one in found
    ]
    return {"count": total, "parameter_history_config_list": rows}


OPERATION = Operation(version="v5", name="list_job_history_parameters", handle=handle)
