"""POST /v5/{project_id}/job/{job_id}/columns/collect: ask for the columns of tables."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import NamedTable, named_tables
from opendrs.api.wire.status import status_word
from opendrs.control import columns


class Request(Wire):
    """QueryColumnReq."""

    db_object_infos: list[NamedTable]
    is_force_refresh: bool | None = None


def handle(call: Call, body: Request) -> dict[str, Any]:
    tables = named_tables("db_object_infos", body.db_object_infos)
    key, status = columns.collect(call.asking, call.job_id, tables, refresh=bool(body.is_force_refresh))
    return {"id": key, "job_id": call.job_id, "status": status_word(status)}


OPERATION = Operation(version="v5", name="collect_columns", handle=handle, body=Request)
