"""POST /v5/{project_id}/jobs/{job_id}/action: one named action on one job."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.api.wire import times
from opendrs.api.wire.endpoints import EndpointInfo, read_end
from opendrs.control import verbs
from opendrs.control.asking import job_head, link
from opendrs.errors import DrsError, Fault
from opendrs.model.sealed import about_action, key_name, password_name
from opendrs.store.jobs import Head


class Params(Wire):
    """ActionParams."""

    endpoints: list[EndpointInfo] | None = None
    precheck_mode: str | None = None
    start_time: str | None = None
    pause_mode: str | None = None
    force_delete: bool = False
    is_sync_re_edit: bool = False


class Job(Wire):
    """ActionReq."""

    action_name: str
    action_params: Params = Params()


class Request(Wire):
    """JobActionReq."""

    job: Job


def handle(call: Call, body: Request) -> dict[str, Any]:
    name = one_of("job.action_name", body.job.action_name, ACTIONS)
    query_id, head = ACTIONS[name](call, body.job.action_params)
    # The SDK's model has the query id only; the published guide shows the others, too.
    return {"query_id": query_id, "id": head.id, "name": head.name, "status": "success"}


Asked = tuple[str, Head]


def _network(call: Call, params: Params) -> Asked:
    """Tests the ends that are given, which the job has from then on if they answer; without any, its own."""
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
    ends = [
        read_end(f"action_params.endpoints.{number}", info, link(head))
        for number, info in enumerate(params.endpoints or [])
    ]
    if len({end.side for end in ends}) < len(ends):
        reason = "two of them are of the same side"
        raise DrsError(Fault.PARAMETER_INVALID, name="action_params.endpoints", reason=reason)
    asked = [
        {"side": end.side, "url": str(end.endpoint), "facts": end.facts, "certificates": end.certificates}
        for end in ends
    ]
    given = {password_name(end.side): end.endpoint.password for end in ends}
    given |= {key_name(end.side): end.protection.key for end in ends}
    secrets = {name: secret.reveal() for name, secret in given.items() if secret}
    sealed = call.asking.seal.seal(json.dumps(secrets), about_action(head.id)) if secrets else None
    return verbs.test_network(call.asking, call.job_id, {"ends": asked}, sealed)


def _precheck(call: Call, params: Params) -> Asked:
    mode = one_of("action_params.precheck_mode", params.precheck_mode or MODES[0], MODES)
    return verbs.precheck(call.asking, call.job_id, {"mode": mode})


def _start(call: Call, params: Params) -> Asked:
    if params.is_sync_re_edit:
        return verbs.edit(call.asking, call.job_id)
    at = times.read("action_params.start_time", params.start_time) if params.start_time else None
    return verbs.start(call.asking, call.job_id, at=at)


def _stop(call: Call, params: Params) -> Asked:
    if params.pause_mode and one_of("action_params.pause_mode", params.pause_mode, PAUSES) != "all":
        raise DrsError(Fault.UNSUPPORTED, what="Pausing the target only")
    return verbs.stop(call.asking, call.job_id)


def _restart(call: Call, params: Params) -> Asked:
    if params.is_sync_re_edit:
        return verbs.edit(call.asking, call.job_id)
    return verbs.restart(call.asking, call.job_id)


def _reset(call: Call, params: Params) -> Asked:
    del params
    return verbs.reset(call.asking, call.job_id)


def _terminate(call: Call, params: Params) -> Asked:
    return verbs.terminate(call.asking, call.job_id, force=params.force_delete)


def _not_yet(name: str) -> Callable[[Call, Params], Asked]:
    def refuse(call: Call, params: Params) -> Asked:
        del params
        with call.asking.store.read() as connection:
            job_head(call.asking, connection, call.job_id)
        raise DrsError(Fault.UNSUPPORTED, what=f"The action {name}")

    return refuse


MODES: Final = ("forStartJob", "forRetryJob")
PAUSES: Final = ("all", "target")
LATER: Final = (
    "skip_precheck", "create_compare", "cancel_compare", "column_limit", "reload_parameters", "bind_eip", "unbind_eip",
    "set_writable", "set_readonly", "cloud_connection", "diagnosis", "start_repair", "stop_repair",
)  # fmt: skip
ACTIONS: Final[dict[str, Callable[[Call, Params], Asked]]] = {
    "network": _network,
    "precheck": _precheck,
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "reset": _reset,
    "terminate": _terminate,
    **{name: _not_yet(name) for name in LATER},
}

OPERATION = Operation(version="v5", name="execute_job_action", handle=handle, body=Request)
