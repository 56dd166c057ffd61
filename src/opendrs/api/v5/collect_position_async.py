"""POST /v5/{project_id}/jobs/{job_id}/collect-db-position: look for the place in the source's log that belongs to a
time."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.status import status_word
from opendrs.api.wire.times import read
from opendrs.control import positions
from opendrs.errors import DrsError, Fault


class Request(Wire):
    """QueryDbPositionReq."""

    reset_position_time: str


def handle(call: Call, body: Request) -> dict[str, Any]:
    if not body.reset_position_time:
        raise DrsError(Fault.PARAMETER_EMPTY, name="reset_position_time")
    at = read("reset_position_time", body.reset_position_time)
    key, status = positions.collect(call.asking, call.job_id, at)
    return {"id": key, "job_id": call.job_id, "status": status_word(status)}


OPERATION = Operation(version="v5", name="collect_position_async", handle=handle, body=Request)
