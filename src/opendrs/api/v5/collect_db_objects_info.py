"""POST /v5.1/{project_id}/jobs/{job_id}/db-objects/collect: ask for a listing of objects; parameters in the body."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.control import collecting
from opendrs.control.objects import TYPES, demand_databases


class Request(Wire):
    """QuerySelectObjectInfoReq."""

    type: str
    db_names: list[str] | None = None
    is_refresh: bool | None = None


def handle(call: Call, body: Request) -> dict[str, Any]:
    kind = one_of("type", body.type, TYPES)
    names, refresh = demand_databases(body.db_names or ()), bool(body.is_refresh)
    key, status = collecting.collect(call.asking, call.job_id, kind, names, refresh=refresh)
    return {"id": key, "job_id": call.job_id, "status": status}


OPERATION = Operation(version="v5", name="collect_db_objects_info", handle=handle, body=Request)
