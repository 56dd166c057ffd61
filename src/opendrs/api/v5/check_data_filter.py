"""POST /v5/{project_id}/job/{job_id}/data-filtering/check: ask whether conditions can be filters of tables."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.processing import Request, asked, filters_of
from opendrs.control import filters
from opendrs.control.asking import job_head, link


def handle(call: Call, body: Request) -> dict[str, Any]:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
    changes = asked(body, link(head).target).changes
    filters_of(changes)
    key = filters.check(call.asking, call.job_id, changes)
    return {"id": key, "job_id": call.job_id, "status": "pending"}


OPERATION = Operation(version="v5", name="check_data_filter", handle=handle, body=Request)
