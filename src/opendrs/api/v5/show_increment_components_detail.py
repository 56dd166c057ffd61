"""GET /v5/{project_id}/jobs/{job_id}/increment-components-detail: how far the log is pulled, and how far applied."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.times import iso
from opendrs.control.asking import job_head
from opendrs.model.lifecycle import Intent, State
from opendrs.store import progress
from opendrs.store.jobs import Head

COMPONENTS: Final = ("capture", "apply")
AT_WORK: Final = frozenset({State.STARTING, State.FULL, State.INCREMENTAL, State.INCREMENTAL_FAILED})


def handle(call: Call) -> dict[str, Any]:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        saved = progress.load(connection, head.id)
    counters: Mapping[str, Any] = saved.counters if saved else {}
    # A job that only loads follows no log.
    rows = [] if head.task == "full" else [_row(head, counters, name) for name in COMPONENTS]
    return {"update_time": iso(saved.updated_at if saved else head.updated_at), "increment_components_list": rows}


def _row(head: Head, counters: Mapping[str, Any], name: str) -> dict[str, Any]:
    """IncreComponentDetail. Of what does not run, it is how it was when it stopped."""
    known: Mapping[str, Any] | None = (counters.get("components") or {}).get(name)
    row = {"type": name, "status": _status(head, counters, known)}
    if known is None:
        return row
    delay_s = known["delay_s"]
    return {
        **row,
        "start_time": _time(known["began_at"]),
        "start_point": known["start"],
        "current_point": known["point"],
        "resolution_time": _time(known["resolved_at"]),
        "delay": None if delay_s is None else str(int(delay_s)),
    }


def _status(head: Head, counters: Mapping[str, Any], known: Mapping[str, Any] | None) -> str:
    if head.intent is Intent.REST or head.state not in AT_WORK:
        return "STOPPED"
    if head.intent is not Intent.RUN:
        return "STOPPED" if known is None else "STOPPING"
    if head.state is State.STARTING or counters.get("trouble") is not None:
        return "STARTING"  # once more, perhaps: a server does not answer
    return "STOPPED" if known is None else "STARTED"


def _time(told: str | None) -> str | None:
    return None if told is None else iso(datetime.fromisoformat(told))


OPERATION = Operation(version="v5", name="show_increment_components_detail", handle=handle, quick=True)
