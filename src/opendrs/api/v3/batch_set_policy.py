"""POST /v3/{project_id}/jobs/batch-sync-policy: how several jobs work. Each is changed or refused by itself."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire, checked
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.batches import modified
from opendrs.api.wire.policy import PolicyConfig, changed
from opendrs.control import configuring
from opendrs.control.asking import link
from opendrs.errors import Fault
from opendrs.model.job import Policy
from opendrs.store.jobs import Head


class Request(Wire):
    """BatchSetupSyncPolicyReq. What a SyncPolicyReq must look like is looked at job by job."""

    jobs: list[dict[str, Any]]


def handle(call: Call, body: Request) -> dict[str, Any]:
    return modified(call, "jobs", body.jobs, lambda job_id, facts: _set(call, job_id, checked(facts, PolicyConfig)))


def _set(call: Call, job_id: str, asked: PolicyConfig) -> None:
    def change(head: Head, policy: Policy) -> Policy:
        return changed(policy, asked, link(head).target, "")

    configuring.set_policy(call.asking, job_id, change, missing=Fault.JOB_INFO_NOT_FOUND)


OPERATION = Operation(version="v3", name="batch_set_policy", handle=handle, body=Request)
