"""POST /v3/{project_id}/jobs/batch-replace-definer: whose the objects in the target are. They are the target user's."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import modified
from opendrs.control.steering import demand_definers_replaced
from opendrs.errors import Fault


class Request(Wire):
    """BatchReplaceDefinerReq."""

    jobs: list[dict[str, Any]]


class Wanted(Wire):
    """ReplaceDefinerInfo."""

    replace_definer: bool


def handle(call: Call, body: Request) -> dict[str, Any]:
    def act(job_id: str, facts: dict[str, Any]) -> None:
        replace = checked(facts, Wanted).replace_definer
        demand_definers_replaced(call.asking, job_id, replace=replace, missing=Fault.JOB_INFO_NOT_FOUND)

    return modified(call, "jobs", body.jobs, act)


OPERATION = Operation(version="v3", name="batch_set_definer", handle=handle, body=Request)
