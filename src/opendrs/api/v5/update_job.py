"""PUT /v5/{project_id}/jobs/{job_id}: change one aspect of a job, which `job.type` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.api.wire.policy import PolicyConfig, changed
from opendrs.control import configuring
from opendrs.control.asking import job_head, link
from opendrs.control.objects import selection
from opendrs.control.tree import DbObject
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Policy
from opendrs.store.jobs import Head


class BaseInfo(Wire):
    """Of JobBaseInfo, what can be changed."""

    name: str | None = None
    description: str | None = None


class Params(Wire):
    """UpdateJob."""

    base_info: BaseInfo = BaseInfo()
    db_object: DbObject | None = None
    policy_config: PolicyConfig | None = None


class Job(Wire):
    """UpdateJobReq."""

    type: str
    params: Params


class Request(Wire):
    """SingleUpdateJobReq."""

    job: Job


Changed = tuple[Head, str | None]


def handle(call: Call, body: Request) -> dict[str, Any]:
    kind = one_of("job.type", body.job.type, KINDS)
    head, query_id = KINDS[kind](call, body.job.params)
    # The SDK's model has no query id, and yet the saving of objects is asked for by one.
    return {
        "id": head.id,
        "name": head.name,
        "status": "success",
        **({"query_id": query_id} if query_id else {}),
    }


def _name(call: Call, params: Params) -> Changed:
    if not params.base_info.name:
        raise DrsError(Fault.PARAMETER_EMPTY, name="job.params.base_info.name")
    return configuring.rename(call.asking, call.job_id, params.base_info.name), None


def _description(call: Call, params: Params) -> Changed:
    if params.base_info.description is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="job.params.base_info.description")
    return configuring.describe(call.asking, call.job_id, params.base_info.description), None


def _policy(call: Call, params: Params) -> Changed:
    asked = params.policy_config
    if asked is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="job.params.policy_config")

    def change(head: Head, policy: Policy) -> Policy:
        return changed(policy, asked, link(head).target, "policy_config.")

    return configuring.set_policy(call.asking, call.job_id, change), None


def _objects(call: Call, params: Params) -> Changed:
    asked = params.db_object
    if asked is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="job.params.db_object")
    shown = asked.model_dump(exclude_none=True)
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
    chosen = selection(asked, link(head).target)
    query_id, head = configuring.save_objects(call.asking, call.job_id, chosen, shown)
    return head, query_id


def _not_yet(kind: str) -> Callable[[Call, Params], Changed]:
    def refuse(call: Call, params: Params) -> Changed:
        del params
        with call.asking.store.read() as connection:
            job_head(call.asking, connection, call.job_id)
        raise DrsError(Fault.UNSUPPORTED, what=f"update_job of type {kind}")

    return refuse


LATER: Final = ("re_create", "expired_days", "notify", "all", "network", "precheck")
KINDS: Final[dict[str, Callable[[Call, Params], Changed]]] = {
    "name": _name,
    "description": _description,
    "policy": _policy,
    "db_object": _objects,
    **{kind: _not_yet(kind) for kind in LATER},
}

OPERATION = Operation(version="v5", name="update_job", handle=handle, body=Request)
