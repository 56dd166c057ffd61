"""GET /v5.1/{project_id}/jobs/{job_id}/db-object: the objects that are chosen."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.trees import tree
from opendrs.control.objects import TYPES


def handle(call: Call) -> dict[str, Any]:
    call.query.needed("type")
    return tree(call.asking, call.job_id, call.query.word("type", TYPES) or "", (), None)


OPERATION = Operation(version="v5", name="show_db_objects_list", handle=handle)
