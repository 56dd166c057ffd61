"""PUT /v5/{project_id}/jobs/{job_id}/modify-configuration: change parameters of a job, from its next start on."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.control.steering import set_parameters
from opendrs.errors import DrsError, Fault


class Value(Wire):
    """ParameterInfo. Without a name nothing is changed, as the guide has it."""

    parameter_name: str
    parameter_value: str


class Request(Wire):
    """ModifyParameterReq."""

    values: list[Value]


def handle(call: Call, body: Request) -> dict[str, Any]:
    named = [(value.parameter_name, value.parameter_value) for value in body.values if value.parameter_name]
    if not body.values:
        raise DrsError(Fault.PARAMETER_EMPTY, name="values")
    set_parameters(call.asking, call.job_id, {None: named})
    return {}


OPERATION = Operation(version="v5", name="update_job_configurations", handle=handle, body=Request)
