"""POST /v5/{project_id}/jobs/{job_id}/db-objects/collect: ask for a listing of objects; parameters in the query."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.control import collecting
from opendrs.control.objects import TYPES, demand_databases


def handle(call: Call) -> dict[str, Any]:
    call.query.needed("type")
    kind = call.query.word("type", TYPES) or ""
    call.query.page()
    refresh = call.query.flag("is_refresh") or False
    names = demand_databases(call.query.texts("db_names"))
    key, status = collecting.collect(call.asking, call.job_id, kind, names, refresh=refresh)
    return {"id": key, "job_id": call.job_id, "status": status}


OPERATION = Operation(version="v5", name="collect_db_objects_async", handle=handle)
