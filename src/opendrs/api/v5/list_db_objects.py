"""GET /v5/{project_id}/jobs/{job_id}/db-objects: the tree of objects: of the source, chosen, or replicated."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.trees import tree
from opendrs.control.objects import TYPES


def handle(call: Call) -> dict[str, Any]:
    call.query.needed("type")
    kind = call.query.word("type", TYPES) or ""
    limit, offset = call.query.page()
    paged = (limit, offset) if call.query.text("limit") or call.query.text("offset") else None
    return tree(call.asking, call.job_id, kind, call.query.texts("db_names"), paged)


OPERATION = Operation(version="v5", name="list_db_objects", handle=handle)
