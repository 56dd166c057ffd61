"""GET /v5/{project_id}/jobs/{job_id}: one job, in the view that `type` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.jobs import base_info
from opendrs.api.wire.policy import shown_policy
from opendrs.api.wire.progress import objects_info, progress_info
from opendrs.api.wire.results import log_rows, network_rows, precheck_result
from opendrs.api.wire.speed import shown_windows
from opendrs.api.wire.times import iso
from opendrs.control.asking import head_and_policy, link, shown
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.store import actions, ddls, dirty, events, progress, speeds
from opendrs.store.jobs import Head

LEVELS: Final = {"Info": ("info", "debug"), "Warn": ("warning",), "Error": ("error", "critical")}
VERSION: Final = "1"


def handle(call: Call) -> dict[str, Any]:
    call.query.needed("type")
    view = call.query.word("type", VIEWS) or ""
    with call.asking.store.read() as connection:
        head, policy = head_and_policy(call.asking, connection, call.job_id)
        facts = VIEWS[view](call, connection, head)
        if view == "detail":
            facts["policy_config"] = shown_policy(policy, link(head).target)
        return {"job": {"id": head.id, "status": head.state.value, **facts}}


def _overview(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    del call, connection
    return {"base_info": base_info(head), "create_time": iso(head.created_at), "task_version": VERSION}


def _detail(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    facts = head.facts or {}
    kept = ("node_info", "public_ip_list", "period_order")
    return {
        **_overview(call, connection, head),
        "source_endpoint": [facts["source_endpoint"]],
        "target_endpoint": [facts["target_endpoint"]],
        "speed_limit": shown_windows(speeds.load(connection, head.id)),
        **{name: facts[name] for name in kept if name in facts},
    }


def _network(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    return {"network_results": network_rows(_action(call, connection, head, Kind.NETWORK))}


def _precheck(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    return {"precheck_result": precheck_result(head, _action(call, connection, head, Kind.PRECHECK))}


def _progress(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    del call
    saved = progress.load(connection, head.id)
    return {
        "progress_info": progress_info(
            head,
            saved,
            dirty_rows=sum(dirty.counts(connection, head.id).values()),
            ddl_alarms=ddls.alarms(connection, head.id),
        ),
        "migration_object_progress_info": objects_info(
            head,
            saved,
            databases=progress.count_databases(connection, head.id),
            tables=progress.count_tables(connection, head.id),
            indexed=progress.count_indexed(connection, head.id),
            views=progress.count_views(connection, head.id),
        ),
    }


def _log(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    limit, offset = call.query.page()
    level = call.query.word("log_level", LEVELS)
    levels = LEVELS[level] if level else ()
    found, total = events.page(connection, head.id, levels=levels, limit=limit, offset=offset)
    return {"logs": log_rows(found), "total_count": total}


def _not_yet(call: Call, connection: Connection, head: Head) -> dict[str, Any]:
    del connection, head
    raise DrsError(Fault.UNSUPPORTED, what=f"The view {call.query.text('type')} of show_job_detail")


def _action(call: Call, connection: Connection, head: Head, kind: Kind) -> Action:
    query_id = call.query.needed("query_id")
    found = actions.find(connection, head.id, query_id)
    if found is None or found.kind is not kind:
        raise DrsError(Fault.QUERY_UNKNOWN, query_id=shown(query_id))
    return found


VIEWS: Final[dict[str, Callable[[Call, Connection, Head], dict[str, Any]]]] = {
    "overview": _overview,
    "detail": _detail,
    "network": _network,
    "precheck": _precheck,
    "progress": _progress,
    "log": _log,
    **dict.fromkeys(
        (
            "compare", "file", "is_writable", "cloud_connection", "diagnosis", "diagnosis_history",
            "repair_progress", "repair_detail", "repair_export_status", "db_table_details",
        ),
        _not_yet,
    ),
}  # fmt: skip

OPERATION = Operation(version="v5", name="show_job_detail", handle=handle, quick=True)
