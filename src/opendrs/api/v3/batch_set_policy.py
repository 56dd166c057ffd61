"""POST /v3/{project_id}/jobs/batch-sync-policy: how several jobs work. Each is changed or refused by itself."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.errors import message
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import ids_of
from opendrs.api.wire.policy import PolicyConfig, changed
from opendrs.control import configuring
from opendrs.control.asking import link
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Policy
from opendrs.store.jobs import Head


class Request(Wire):
    """BatchSetupSyncPolicyReq. What a SyncPolicyReq must look like is looked at job by job."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    ids = ids_of(body.jobs)
    rows = [_row(call, job_id, facts) for job_id, facts in zip(ids, body.jobs, strict=True)]
    return {"count": len(rows), "results": rows}


def _row(call: Call, job_id: str, facts: dict[str, Any]) -> dict[str, Any]:
    try:
        _set(call, job_id, checked(facts, PolicyConfig))
    except DrsError as error:
        told = message(error, call.language)
        return {"id": job_id, "status": "failed", "error_code": error.code, "error_msg": told}
    return {"id": job_id, "status": "success"}


def _set(call: Call, job_id: str, asked: PolicyConfig) -> None:
    def change(head: Head, policy: Policy) -> Policy:
        return changed(policy, asked, link(head).target, "")

    configuring.set_policy(call.asking, job_id, change, missing=Fault.JOB_INFO_NOT_FOUND)


OPERATION = Operation(version="v3", name="batch_set_policy", handle=handle, body=Request)
