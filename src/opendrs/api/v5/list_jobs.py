"""GET /v5/{project_id}/jobs: the project's jobs in portions, newest first."""

from __future__ import annotations

from typing import Any, Final, cast

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.jobs import row
from opendrs.control.allowed import allowed
from opendrs.model.lifecycle import State
from opendrs.model.links import JOB_TYPES, NETWORKS, link_of
from opendrs.store import jobs
from opendrs.store.jobs import SortKey, Wanted

SORT_KEYS: Final = ("name", "status", "create_time", "net_type", "job_direction", "pay_mode")
# Accepted, as once printed by the published documentation.
MISSPELT: Final = {"PAUSEING": State.PAUSED.value}
OTHER_TYPES: Final = ("replay", "verify", "cdc", "subscription", "offline")


def handle(call: Call) -> dict[str, Any]:
    query = call.query
    query.needed("job_type")
    limit, offset = query.page()
    status = query.text("status")
    state = query.word("status", [*State, *MISSPELT]) if status else None
    engine = query.text("engine_type")
    link = link_of(engine) if engine else None
    wanted = Wanted(
        job_type=query.word("job_type", (*JOB_TYPES, *OTHER_TYPES)),
        name=query.text("name"),
        state=State(MISSPELT.get(state, state)) if state else None,
        engine_type=link.engine_type if link else engine,
        net_type=query.word("net_type", NETWORKS),
        instances=query.texts("instance_ids"),
        place=query.text("instance_ip"),
    )
    key = query.word("sort_key", SORT_KEYS) or "create_time"
    sort = cast(SortKey, "create_time" if key == "pay_mode" else key)  # all are paid alike here
    descending = query.word("sort_dir", ("desc", "asc")) != "asc"
    with call.asking.store.read() as connection:
        found, total = jobs.page(
            connection, call.asking.caller.project_id, wanted,
            sort=sort, descending=descending, limit=limit, offset=offset,
        )  # fmt: skip
        may = allowed(connection, found)
    return {"total_count": total, "jobs": [row(head, may[head.id]) for head in found]}


OPERATION = Operation(version="v5", name="list_jobs", handle=handle)
