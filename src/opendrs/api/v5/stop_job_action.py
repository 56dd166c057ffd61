"""POST /v5/{project_id}/jobs/{job_id}/stop: end a job for good."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.control import verbs


class Request(Wire):
    """StopJobActionReq."""

    is_force_stop: bool = False


def handle(call: Call, body: Request) -> dict[str, Any]:
    query_id, head = verbs.terminate(call.asking, call.job_id, force=body.is_force_stop)
    return {"id": head.id, "name": head.name, "status": "success", "query_id": query_id}


OPERATION = Operation(version="v5", name="stop_job_action", handle=handle, body=Request)
