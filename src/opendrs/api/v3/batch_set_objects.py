"""PUT /v3/{project_id}/jobs/batch-select-objects: which objects several jobs replicate. Each is saved or refused by
itself, when a worker has held it against the source."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.errors import message
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import ids_of
from opendrs.api.wire.selected import Asked, tree_of
from opendrs.control import configuring
from opendrs.control.asking import job_head, link
from opendrs.control.objects import selection
from opendrs.control.waiting import Deadline, result_of
from opendrs.errors import DrsError, Fault


class Request(Wire):
    """BatchUpdateDatabaseObjectReq. What an UpdateDatabaseObjectReq must look like is looked at job by job."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    ids = ids_of("jobs", body.jobs)
    deadline = Deadline(call.asking)
    # All are asked for before any is waited for: they are done at the same time.
    asked = [_ask(call, job_id, facts) for job_id, facts in zip(ids, body.jobs, strict=True)]
    rows = [_row(call, job_id, one, deadline) for job_id, one in zip(ids, asked, strict=True)]
    return {"all_counts": len(rows), "results": rows}


def _ask(call: Call, job_id: str, facts: dict[str, Any]) -> str | DrsError:
    """Its id, or why not."""
    try:
        with call.asking.store.read() as connection:
            head = job_head(call.asking, connection, job_id, missing=Fault.JOB_INFO_NOT_FOUND)
        tree = tree_of(checked(facts, Asked))
        chosen = selection(tree, link(head).target)
        shown = tree.model_dump(exclude_none=True)
        return configuring.save_objects(call.asking, job_id, chosen, shown, queued=True)[0]
    except DrsError as error:
        return error


def _row(call: Call, job_id: str, asked: str | DrsError, deadline: Deadline) -> dict[str, Any]:
    """DatabaseObjectResp."""
    try:
        if isinstance(asked, DrsError):
            raise asked
        result_of(call.asking, job_id, asked, deadline)
    except DrsError as error:
        told = message(error, call.language)
        return {"job_id": job_id, "status": False, "error_code": error.code, "error_msg": told}
    return {"job_id": job_id, "status": True}


OPERATION = Operation(version="v3", name="batch_set_objects", handle=handle, body=Request)
