"""DELETE /v5/{project_id}/job/{job_id}/column-info: the columns of these objects arrive as they are again."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import NO_SCHEMAS
from opendrs.control import rules
from opendrs.control.changing import Change, Changes
from opendrs.control.object_ids import databases_of, tables_of
from opendrs.errors import DrsError, Fault


class Request(Wire):
    """DeleteColumnInfoReq."""

    table_ids: list[str]
    schema_ids: list[str]
    db_ids: list[str]


def handle(call: Call, body: Request) -> dict[str, Any]:
    if not (body.table_ids or body.schema_ids or body.db_ids):
        raise DrsError(Fault.PARAMETER_EMPTY, name="table_ids")
    if body.schema_ids:
        raise DrsError(Fault.PARAMETER_INVALID, name="schema_ids", reason=NO_SCHEMAS)
    tables, homes = tables_of("table_ids", body.table_ids), databases_of("db_ids", body.db_ids)
    _, selection, _ = rules.look(call.asking, call.job_id)
    rules.demand_chosen(selection, "table_ids", tables, homes)
    ruled = [name for name, rule in selection.rules.items() if rule.columns]
    concerned = sorted(name for name in ruled if name in tables or name.schema in homes)
    if concerned:
        change = Change(tables=tuple(concerned), columns={})
        rules.change_now(call.asking, call.job_id, Changes(each=(change,)))
    return {"delete_result": True}


OPERATION = Operation(version="v5", name="delete_column_infos", handle=handle, body=Request)
