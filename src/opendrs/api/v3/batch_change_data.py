"""POST /v3/{project_id}/jobs/batch-transformation: filters of tables of several jobs. Each row is one rule, of whatever
number of tables; it is saved or refused by itself, when a worker has held it against the source."""

from __future__ import annotations

from functools import partial
from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import queued
from opendrs.api.wire.transforming import Transformation, changes_of, demand_new
from opendrs.control import rules
from opendrs.control.asking import job_head
from opendrs.errors import Fault
from opendrs.store import jobs


class Request(Wire):
    """BatchDataTransformationReq. What a CheckDataTransformationReq must look like is looked at row by row."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    rows = queued(call, "jobs", body.jobs, partial(_ask, call), _row)
    return {"count": len(rows), "results": rows}


def _ask(call: Call, job_id: str, facts: dict[str, Any]) -> str:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, job_id, missing=Fault.JOB_INFO_NOT_FOUND)
        selection = jobs.chosen_of(connection, head.id)
    changes = changes_of(checked(facts, Transformation))
    demand_new(changes, selection)
    return rules.change(call.asking, job_id, changes, missing=Fault.JOB_INFO_NOT_FOUND)


def _row(job_id: str, problem: dict[str, Any] | None) -> dict[str, Any]:
    """DataTransformationResp."""
    return {"id": job_id, "status": "failed" if problem else "success", **(problem or {})}


OPERATION = Operation(version="v3", name="batch_change_data", handle=handle, body=Request)
