"""POST /v5/{project_id}/jobs/{job_id}/alarms/{alarm_id}/clean: somebody has seen the alarm of a statement."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.v5.list_job_ddls import NUMBER_MAX
from opendrs.control.asking import shown
from opendrs.control.steering import clean_alarm
from opendrs.errors import DrsError, Fault


def handle(call: Call) -> dict[str, Any]:
    text = call.path["alarm_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(NUMBER_MAX))):
        reason = f"{shown(text)!r} is no number as list_job_ddls answers it (seqno)"
        raise DrsError(Fault.PARAMETER_INVALID, name="alarm_id", reason=reason)
    clean_alarm(call.asking, call.job_id, int(text))
    return {}


OPERATION = Operation(version="v5", name="clean_alarms", handle=handle)
