"""POST /v5/{project_id}/jobs/{job_id}/db-object/template: a filled template. A worker reads it; progress tells more."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.templates import level_of, mapping_of
from opendrs.control import importing
from opendrs.control.importing import Upload
from opendrs.templates.files import FILE_MAX


def handle(call: Call, file: Upload) -> dict[str, Any]:
    level = level_of(call.query)
    importing.take(call.asking, call.folder, call.job_id, level, mapping_of(call.query), file)
    return {"send_success": True, "process_status": "pending", "parsed_success_number": "0"}


OPERATION = Operation(version="v5", name="upload_db_object_template", handle=handle, upload=FILE_MAX)
