"""GET /v5/{project_id}/jobs/{job_id}/data-processing-rules/result: what became of the saving of rules."""

from __future__ import annotations

from typing import Any

from opendrs.api.errors import told
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.status import status_word
from opendrs.control.asking import action_of
from opendrs.model.action import Kind


def handle(call: Call) -> dict[str, Any]:
    action = action_of(call.asking, call.job_id, call.query.needed("query_id"), Kind.OBJECTS)
    answer = {"id": action.id, "job_id": action.job_id, "status": status_word(action.status)}
    if action.failure is not None:
        answer |= {"error_code": action.failure.code, "error_msg": told(action.failure)}
    return answer


OPERATION = Operation(version="v5", name="show_data_processing_rules_result", handle=handle, quick=True)
