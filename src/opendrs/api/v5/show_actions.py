"""GET /v5/{project_id}/jobs/{job_id}/actions: what may be asked of a job now."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.jobs import actions_of
from opendrs.control.allowed import allowed_now
from opendrs.control.asking import job_head


def handle(call: Call) -> dict[str, Any]:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        return {"job_action": actions_of(head, allowed_now(connection, head))}


OPERATION = Operation(version="v5", name="show_actions", handle=handle, quick=True)
