"""PUT /v3/{project_id}/jobs/batch-limit-speed: how fast the loads of several jobs may be, by the hour of the day."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import modified
from opendrs.api.wire.speed import Window, windows
from opendrs.control.steering import set_speed
from opendrs.errors import Fault


class Request(Wire):
    """BatchLimitSpeedReq."""

    speed_limits: list[dict[str, Any]]


class Wanted(Wire):
    """LimitSpeedReq. No window: no limit."""

    speed_limit: list[Window]


def handle(call: Call, body: Request) -> dict[str, Any]:
    def act(job_id: str, facts: dict[str, Any]) -> None:
        wanted = windows(checked(facts, Wanted).speed_limit, "speed_limit.")
        set_speed(call.asking, job_id, wanted, missing=Fault.JOB_INFO_NOT_FOUND)

    return modified(call, "speed_limits", body.speed_limits, act)


OPERATION = Operation(version="v3", name="batch_set_speed", handle=handle, body=Request)
