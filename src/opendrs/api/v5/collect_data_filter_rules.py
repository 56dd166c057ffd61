"""POST /v5/{project_id}/jobs/{job_id}/filter-rules: ask for the filters of a job."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.query import LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX
from opendrs.api.wire.filter_rules import demand_type
from opendrs.api.wire.problems import demand_none
from opendrs.control import filters


class Request(Wire):
    """QueryDataFilterRuleReq. is_all_rules: those that are not replicated yet as well."""

    filter_type: str
    is_all_rules: bool | None = None
    limit: int = LIMIT_DEFAULT
    offset: int = 0


def handle(call: Call, body: Request) -> dict[str, Any]:
    kind = demand_type("filter_type", body.filter_type)
    bounds = {"limit": (body.limit, 1, LIMIT_MAX), "offset": (body.offset, 0, OFFSET_MAX)}
    demand_none(
        {
            name: f"{value} is no number from {low} to {high}"
            for name, (value, low, high) in bounds.items()
            if not low <= value <= high
        }
    )
    every = body.is_all_rules is not False
    params = {"type": kind, "all": every, "limit": body.limit, "offset": body.offset}
    return {"id": filters.collect(call.asking, call.job_id, params)}


OPERATION = Operation(version="v5", name="collect_data_filter_rules", handle=handle, body=Request)
