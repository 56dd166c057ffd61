"""GET /v5/{project_id}/jobs/{job_id}/ddl: changes of the schema that the log has told, and what became of each."""

from __future__ import annotations

from typing import Any, Final

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.times import ms
from opendrs.control.asking import job_head
from opendrs.store import ddls
from opendrs.store.ddls import SavedDdl

NUMBER_MAX: Final = 10**18 - 1
QUIET, ALARM = 0, 1


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    status = call.query.whole("status", low=QUIET, high=ALARM)
    first, last = (call.query.whole(name, low=0, high=NUMBER_MAX) for name in ("start_seq_no", "end_seq_no"))
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        found, total = ddls.page(
            connection, head.id, alarm=None if status is None else status == ALARM,
            first=first, last=last, limit=limit, offset=offset,
        )  # fmt: skip
    return {"count": total, "ddl_list": [_row(one) for one in found]}


def _row(one: SavedDdl) -> dict[str, Any]:
    """DdlAlarmResp. What the log tells no time of was met when it was written down."""
    return {
        "seqno": one.seqno,
        "checkpoint": one.point,
        "status": ALARM if one.alarm else QUIET,
        "ddl_timestamp": int(ms(one.at or one.recorded_at)),
        "ddl_text": one.statement,
        "exe_result": one.executed,
        "record_time": int(ms(one.recorded_at)),
        **({} if one.cleaned_at is None else {"clean_time": int(ms(one.cleaned_at))}),
        "outcome": one.outcome if one.durable or one.outcome == "failed" else "running",
        **({"reason": one.reason} if one.reason else {}),
    }


OPERATION = Operation(version="v5", name="list_job_ddls", handle=handle)
