"""DELETE /v5/{project_id}/jobs/{job_id}: forget a job that has ended, or was never built."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.control import verbs


def handle(call: Call) -> dict[str, Any]:
    verbs.delete(call.asking, call.job_id)
    return {}


OPERATION = Operation(version="v5", name="delete_job", handle=handle)
