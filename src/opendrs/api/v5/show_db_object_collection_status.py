"""GET /v5/{project_id}/jobs/{job_id}/db-objects/collection-status: a listing, and what it found."""

from __future__ import annotations

from typing import Any

from opendrs.api.errors import told
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.status import status_word
from opendrs.control import collecting
from opendrs.control.objects import listed


def handle(call: Call) -> dict[str, Any]:
    action = collecting.collection(call.asking, call.job_id, call.query.needed("query_id"))
    answer: dict[str, Any] = {"id": call.job_id, "status": status_word(action.status)}
    if action.result is not None:
        tree = action.result.get("tree")
        answer |= tree if tree is not None else listed(action.result)
    if action.failure is not None:
        answer |= {"error_code": action.failure.code, "error_msg": told(action.failure)}
    return answer


OPERATION = Operation(version="v5", name="show_db_object_collection_status", handle=handle)
