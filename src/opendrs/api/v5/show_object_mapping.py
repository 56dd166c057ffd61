"""POST /v5/{project_id}/jobs/{job_id}/object-mappings: what arrives as what, page by page."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX, within
from opendrs.control import exporting
from opendrs.control.exporting import Mapped


class Request(Wire):
    """QueryUserSelectedObjectInfoReq. Names are parts of names, in whatever case."""

    db_name: str = ""
    schema_name: str = ""
    table_name: str = ""
    has_column_info: bool | None = None
    limit: int = LIMIT_DEFAULT
    offset: int = 0


def handle(call: Call, body: Request) -> dict[str, Any]:
    limit = within("limit", body.limit, 1, LIMIT_MAX)
    offset = within("offset", body.offset, 0, OFFSET_MAX)
    found = [one for one in exporting.mappings(call.asking, call.job_id) if _wanted(one, body)]
    return {"count": len(found), "object_mapping_list": [_row(one) for one in found[offset : offset + limit]]}


def _wanted(one: Mapped, body: Request) -> bool:
    if body.schema_name or (body.has_column_info is not None and body.has_column_info != one.columns):
        return False  # no source here has schemas
    parts = ((body.db_name, one.source.schema), (body.table_name, one.source.table))
    return all(part.lower() in name.lower() for part, name in parts)


def _row(one: Mapped) -> dict[str, Any]:
    """DbObjectInfo. A database as a whole has no names of tables."""
    names = {
        "object_name": one.source.table or one.source.schema,
        "source_db_name": one.source.schema,
        "source_table_name": one.source.table,
        "target_db_name": one.database,
        "target_schema_name": one.target.schema,
        "target_table_name": one.target.table,
    }
    return {**{name: value for name, value in names.items() if value}, "has_column_info": one.columns}


OPERATION = Operation(version="v5", name="show_object_mapping", handle=handle, body=Request)
