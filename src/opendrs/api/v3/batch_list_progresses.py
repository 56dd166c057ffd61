"""POST /v3/{project_id}/jobs/batch-progress: how far several jobs are."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import demand_some, problem
from opendrs.api.wire.progress import batch_progress
from opendrs.control.asking import job_head
from opendrs.errors import DrsError, Fault
from opendrs.store import progress


class Request(Wire):
    """BatchQueryProgressReq: ids."""

    jobs: list[str]


def handle(call: Call, body: Request) -> dict[str, Any]:
    demand_some("jobs", body.jobs)
    rows = [{"job_id": job_id, **_row(call, job_id)} for job_id in body.jobs]
    return {"count": len(rows), "results": rows}


def _row(call: Call, job_id: str) -> dict[str, Any]:
    try:
        with call.asking.store.read() as connection:
            head = job_head(call.asking, connection, job_id, missing=Fault.JOB_INFO_NOT_FOUND)
            return batch_progress(head, progress.load(connection, head.id))
    except DrsError as error:
        return problem(call, error)


OPERATION = Operation(version="v3", name="batch_list_progresses", handle=handle, body=Request)
