"""PUT /v5/{project_id}/jobs/{job_id}/start-position: where in its source's log a job without a load begins."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.start import start_position
from opendrs.control import configuring
from opendrs.errors import DrsError, Fault


class Request(Wire):
    """ModifyStartPositionReq."""

    file_and_position: str | None = None
    gtid_set: str | None = None


def handle(call: Call, body: Request) -> dict[str, Any]:
    start = start_position(body.file_and_position, body.gtid_set, "")
    if start is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="file_and_position")
    head, query_id = configuring.begin_at(call.asking, call.job_id, start)
    # Published is an empty body. Whether the source has the place is found out meanwhile, and asked for by this id.
    return {"id": head.id, "query_id": query_id}


OPERATION = Operation(version="v5", name="update_start_position", handle=handle, body=Request)
