"""PUT /v3/{project_id}/jobs/batch-select-objects: which objects several jobs replicate. Each is saved or refused by
itself, when a worker has held it against the source."""

from __future__ import annotations

from functools import partial
from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import queued
from opendrs.api.wire.selected import Asked, tree_of
from opendrs.control import configuring
from opendrs.control.asking import job_head, link
from opendrs.control.objects import selection
from opendrs.errors import Fault


class Request(Wire):
    """BatchUpdateDatabaseObjectReq. What an UpdateDatabaseObjectReq must look like is looked at job by job."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    rows = queued(call, "jobs", body.jobs, partial(_ask, call), _row)
    return {"all_counts": len(rows), "results": rows}


def _ask(call: Call, job_id: str, facts: dict[str, Any]) -> str:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, job_id, missing=Fault.JOB_INFO_NOT_FOUND)
    tree = tree_of(checked(facts, Asked))
    chosen = selection(tree, link(head).target)
    shown = tree.model_dump(exclude_none=True)
    return configuring.save_objects(call.asking, job_id, chosen, shown, queued=True)[0]


def _row(job_id: str, problem: dict[str, Any] | None) -> dict[str, Any]:
    """DatabaseObjectResp."""
    return {"job_id": job_id, "status": problem is None, **(problem or {})}


OPERATION = Operation(version="v3", name="batch_set_objects", handle=handle, body=Request)
