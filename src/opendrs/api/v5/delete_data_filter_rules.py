"""DELETE /v5/{project_id}/jobs/{job_id}/filter-rules: take filters back, by their numbers (`batch_id`)."""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.filter_rules import CONFIG, demand_numbers, demand_type
from opendrs.control import rules
from opendrs.control.changing import Changes


class Request(Wire):
    """DeleteDataFilterRuleReq."""

    rule_ids: list[int]
    type: str


def handle(call: Call, body: Request) -> dict[str, Any]:
    kind = demand_type("type", body.type)
    demand_numbers(body.rule_ids)
    numbers = tuple(dict.fromkeys(body.rule_ids))
    _, selection, _ = rules.look(call.asking, call.job_id)
    rules.demand_numbers(selection, numbers, declared=kind == CONFIG)
    taken = Changes(joined_taken_back=numbers) if kind == CONFIG else Changes(filters_taken_back=numbers)
    rules.change_now(call.asking, call.job_id, taken)
    return {}


OPERATION = Operation(version="v5", name="delete_data_filter_rules", handle=handle, body=Request)
