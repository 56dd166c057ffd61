"""GET /v5/{project_id}/jobs/{job_id}/db-object/template/progress: how far the last file is read, what came of it."""

from __future__ import annotations

from typing import Any, Final

from opendrs.api.errors import told
from opendrs.api.operation import Call, Operation
from opendrs.control import importing
from opendrs.model.action import Kind

# Without a type it is the last file of objects or of keys; `compare_key` is ours.
TYPES: Final = {
    "": (Kind.IMPORT, Kind.IMPORT_KEYS),
    "column": (Kind.IMPORT_COLUMNS,),
    "compare_key": (Kind.IMPORT_KEYS,),
}


def handle(call: Call) -> dict[str, Any]:
    call.query.page()  # there is nothing to page through; what is no number is wrong all the same
    kinds = TYPES[call.query.word("type", [word for word in TYPES if word]) or ""]
    found = importing.latest(call.asking, call.job_id, kinds)
    if found is None:
        return {"send_success": False, "parsed_success_number": "0"}
    answer = {
        "send_success": True,
        "process_status": found.status,
        "parsed_success_number": str(found.rows),
    }
    if found.failure is not None:
        answer |= {"error_code": found.failure.code, "error_msg": told(found.failure)}
    return answer


OPERATION = Operation(version="v5", name="show_db_object_template_progress", handle=handle, quick=True)
