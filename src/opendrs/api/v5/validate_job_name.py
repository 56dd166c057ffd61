"""POST /v5/{project_id}/jobs/name-validation: whether a name is legal and free."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.errors import message
from opendrs.api.operation import Call, Operation
from opendrs.control.creation import demand_name
from opendrs.errors import DrsError, Fault
from opendrs.store import jobs


class Request(Wire):
    """CheckJobNameReq."""

    name: str
    type: str = "trans"


def handle(call: Call, body: Request) -> dict[str, Any]:
    try:
        demand_name(body.name)
        with call.asking.store.read() as connection:
            if jobs.name_taken(connection, call.asking.caller.project_id, body.name):
                raise DrsError(Fault.NAME_EXISTS, name=body.name)
    except DrsError as error:
        return {"is_valid": False, "error_code": error.code, "error_msg": message(error, call.language)}
    return {"is_valid": True}


OPERATION = Operation(version="v5", name="validate_job_name", handle=handle, body=Request)
