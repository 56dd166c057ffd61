"""POST /v3/{project_id}/jobs/batch-transformation: filters of tables of several jobs. Each row is one rule, of whatever
number of tables; it is saved or refused by itself, when a worker has held it against the source."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.errors import message
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import ids_of
from opendrs.api.wire.transforming import Transformation, changes_of, demand_new
from opendrs.control import rules
from opendrs.control.asking import job_head
from opendrs.control.waiting import Deadline, result_of
from opendrs.errors import DrsError, Fault
from opendrs.store import jobs


class Request(Wire):
    """BatchDataTransformationReq. What a CheckDataTransformationReq must look like is looked at row by row."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    ids = ids_of("jobs", body.jobs)
    deadline = Deadline(call.asking)
    asked = [_ask(call, job_id, facts) for job_id, facts in zip(ids, body.jobs, strict=True)]
    rows = [_row(call, job_id, one, deadline) for job_id, one in zip(ids, asked, strict=True)]
    return {"count": len(rows), "results": rows}


def _ask(call: Call, job_id: str, facts: dict[str, Any]) -> str | DrsError:
    """Its id, or why not."""
    try:
        with call.asking.store.read() as connection:
            head = job_head(call.asking, connection, job_id, missing=Fault.JOB_INFO_NOT_FOUND)
            selection = jobs.chosen_of(connection, head.id)
        changes = changes_of(checked(facts, Transformation))
        demand_new(changes, selection)
        return rules.change(call.asking, job_id, changes, missing=Fault.JOB_INFO_NOT_FOUND)
    except DrsError as error:
        return error


def _row(call: Call, job_id: str, asked: str | DrsError, deadline: Deadline) -> dict[str, Any]:
    """DataTransformationResp."""
    try:
        if isinstance(asked, DrsError):
            raise asked
        result_of(call.asking, job_id, asked, deadline)
    except DrsError as error:
        told = message(error, call.language)
        return {"id": job_id, "status": "failed", "error_code": error.code, "error_msg": told}
    return {"id": job_id, "status": "success"}


OPERATION = Operation(version="v3", name="batch_change_data", handle=handle, body=Request)
