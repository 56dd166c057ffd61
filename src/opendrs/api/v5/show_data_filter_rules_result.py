"""GET /v5/{project_id}/jobs/{job_id}/filter-rules/result: the filters of a job, by the numbers that they have."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.filter_rules import rule_rows
from opendrs.api.wire.status import status_word
from opendrs.control import filters, rules


def handle(call: Call) -> dict[str, Any]:
    action = filters.collected(call.asking, call.job_id, call.query.text("query_id"))
    asked = action.params
    _, selection, sent = rules.look(call.asking, call.job_id)
    rows = rule_rows(selection, asked["type"], sent, every=asked["all"])
    page = rows[asked["offset"] : asked["offset"] + asked["limit"]]
    return {"status": status_word(action.status), "total_count": len(rows), "rules": page}


OPERATION = Operation(version="v5", name="show_data_filter_rules_result", handle=handle)
