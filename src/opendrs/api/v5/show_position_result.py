"""GET /v5/{project_id}/jobs/{job_id}/db-position: the place that was looked for, once it is found."""

from __future__ import annotations

from typing import Any

from opendrs.api.errors import told
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.status import status_word
from opendrs.control import positions


def handle(call: Call) -> dict[str, Any]:
    action = positions.position(call.asking, call.job_id, call.query.needed("query_id"))
    answer: dict[str, Any] = {"job_id": action.job_id, "status": status_word(action.status)}
    if action.result is not None:
        answer |= {name: action.result[name] for name in ("position", "gtid_set", "time") if action.result[name]}
    if action.failure is not None:
        answer |= {"error_code": action.failure.code, "error_msg": told(action.failure)}
    return answer


OPERATION = Operation(version="v5", name="show_position_result", handle=handle, quick=True)
