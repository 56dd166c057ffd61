"""POST /v5/{project_id}/job/{job_id}/column-info-modification: how columns are called in the target, and which are
left out. Columns that are not named stay as they are. What the source does not have is refused."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import ColumnMapping, said_of_columns
from opendrs.control import rules
from opendrs.control.changing import Change, Changes
from opendrs.errors import DrsError, Fault


class Request(Wire):
    """ModifyColumnInfoReq."""

    column_map_infos: list[ColumnMapping]


def handle(call: Call, body: Request) -> dict[str, Any]:
    if not body.column_map_infos:
        raise DrsError(Fault.PARAMETER_EMPTY, name="column_map_infos")
    said = said_of_columns(body.column_map_infos)
    each = tuple(Change(tables=(name,), columns=columns, adds=True) for name, columns in said.items())
    rules.change_now(call.asking, call.job_id, Changes(each=each))
    return {"modify_result": True}


OPERATION = Operation(version="v5", name="modify_column_infos", handle=handle, body=Request)
