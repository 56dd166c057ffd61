"""POST /v5/{project_id}/jobs: create one job. It is built behind the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import one_of
from opendrs.api.wire import times
from opendrs.api.wire.conforming import conform
from opendrs.api.wire.endpoints import EndpointInfo, one_end
from opendrs.control import creation
from opendrs.control.asking import shown
from opendrs.control.creation import NewJob
from opendrs.control.verbs import demand_near
from opendrs.errors import DrsError, Fault
from opendrs.model.links import DIRECTIONS, JOB_TYPES, LINKS, NETWORKS, TASK_WORDS, TASKS, Link, link_of
from opendrs.spec import model

TAGS_MAX: Final = 20
KEPT: Final = {"node_info", "public_ip_list", "period_order"}
KEPT_OF_BASE: Final = {
    "charging_mode", "enterprise_project_id", "expired_days", "is_open_fast_clean", "multi_write", "tags",
}  # fmt: skip


class BaseInfo(Wire):
    """JobBaseInfo."""

    name: str
    engine_type: str
    job_type: str = "sync"
    job_direction: str = "non-dbs"
    net_type: str = "eip"
    task_type: str = "FULL_INCR_TRANS"
    description: str = ""
    start_time: str | None = None
    charging_mode: str | None = None
    enterprise_project_id: str | None = None
    expired_days: str | None = None
    is_open_fast_clean: bool | None = None
    multi_write: bool | None = None
    tags: Any = None


class Job(Wire):
    """CreateJobReq."""

    base_info: BaseInfo
    source_endpoint: list[EndpointInfo]
    target_endpoint: list[EndpointInfo]
    node_info: Any = None
    public_ip_list: Any = None
    period_order: Any = None


class Request(Wire):
    """SingleCreateJobReq."""

    job: Job


def handle(call: Call, body: Request) -> dict[str, Any]:
    job, base = body.job, body.job.base_info
    link = _link(base)
    source = one_end("source_endpoint", job.source_endpoint, "source", link)
    target = one_end("target_endpoint", job.target_endpoint, "target", link)
    _demand_days(base.expired_days)
    facts: dict[str, Any] = {
        "base_info": _kept("base_info", "JobBaseInfo", base.model_dump(include=KEPT_OF_BASE)),
        "source_endpoint": source.facts,
        "target_endpoint": target.facts,
        **_kept("", "CreateJobReq", job.model_dump(include=KEPT)),
        **source.certificates,
        **target.certificates,
    }
    task = TASKS[one_of("base_info.task_type", base.task_type, TASKS)]
    head = creation.create(
        call.asking,
        NewJob(
            name=base.name,
            description=base.description,
            job_type=one_of("base_info.job_type", base.job_type, link.job_types),
            link=link,
            job_direction=one_of("base_info.job_direction", base.job_direction, DIRECTIONS),
            net_type=one_of("base_info.net_type", base.net_type, NETWORKS),
            task=task,
            source=source.endpoint,
            target=target.endpoint,
            places=(*source.places, *target.places),
            facts=facts,
            starts_at=_starts_at(base),
            keys={end.side: end.protection.key for end in (source, target)},
        ),
    )
    flat = {
        "id": head.id,
        "name": head.name,
        "status": head.state.value,
        "create_time": times.iso(head.created_at),
        "is_clone_job": "false",
    }
    # The published guide wraps the answer, the SDK's class is flat: both are served.
    return {**flat, "job": flat}


def _link(base: BaseInfo) -> Link:
    link = link_of(base.engine_type)
    one_of("base_info.job_type", base.job_type, JOB_TYPES)
    if link is None or base.job_type.lower() not in link.job_types:
        there = ", ".join(f"{one.engine_type} ({' '.join(one.job_types)})" for one in LINKS)
        what = f"A {base.job_type} job of engine_type {shown(base.engine_type)!r} (there is {there})"
        raise DrsError(Fault.UNSUPPORTED, what=what)
    task = TASKS[one_of("base_info.task_type", base.task_type, TASKS)]
    if task not in link.tasks:
        words = ", ".join(TASK_WORDS[one] for one in link.tasks)
        raise DrsError(Fault.PARAMETER_INVALID, name="base_info.task_type", reason=f"this flow has {words}")
    return link


def _kept(name: str, which: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Parts that mean nothing here, as they are shown again."""
    declared = {field.name: field.type for field in model("v5", which).fields}
    found = {
        part: conform(f"{name}.{part}".removeprefix("."), declared[part], value)
        for part, value in facts.items()
        if value is not None
    }
    if len(found.get("tags", ())) > TAGS_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name="base_info.tags", reason=f"there are more than {TAGS_MAX}")
    return found


def _starts_at(base: BaseInfo) -> datetime | None:
    if not base.start_time:
        return None
    at = times.read("base_info.start_time", base.start_time)
    demand_near("base_info.start_time", at)
    return at


def _demand_days(text: str | None) -> None:
    if text is not None and not (text.isascii() and text.isdecimal() and len(text) < 4 and 14 <= int(text) <= 100):
        reason = f"{shown(text)!r} is no number from 14 to 100"
        raise DrsError(Fault.PARAMETER_INVALID, name="base_info.expired_days", reason=reason)


OPERATION = Operation(version="v5", name="create_job", handle=handle, body=Request)
