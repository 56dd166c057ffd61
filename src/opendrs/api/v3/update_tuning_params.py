"""PUT /v3/{project_id}/job/{job_id}/tuning-params/modify-params: change parameters of a job, by phase."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.parameters import tuning
from opendrs.control.steering import set_parameters
from opendrs.errors import DrsError, Fault
from opendrs.model.parameters import GROUPS

SUCCESS = "success"


class Request(Wire):
    """ModifyTuningParamsReq. `recovery` is sent with the first call; there is nothing here that it could prepare."""

    full_sync: dict[str, str] | None = None
    incre_capture: dict[str, str] | None = None
    incre_apply: dict[str, str] | None = None
    incre_relay: dict[str, str] | None = None
    recovery: bool | None = None


def handle(call: Call, body: Request) -> dict[str, Any]:
    asked = {group: values for group in GROUPS if (values := getattr(body, group))}
    if not asked and not body.recovery:
        raise DrsError(Fault.PARAMETER_EMPTY, name=", ".join(GROUPS))
    set_parameters(
        call.asking,
        call.job_id,
        {group: list(values.items()) for group, values in asked.items()},
        missing=Fault.JOB_INFO_NOT_FOUND,
    )
    return {**tuning(call), "modify_result": SUCCESS}


OPERATION = Operation(version="v3", name="update_tuning_params", handle=handle, body=Request)
