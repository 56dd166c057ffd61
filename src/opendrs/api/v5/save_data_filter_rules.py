"""PUT /v5/{project_id}/jobs/{job_id}/filter-rules: save filters. Each element is one rule, whatever number of tables
it is of; a table has one filter. What the source does not take is refused."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.filter_rules import Request, asked
from opendrs.control import rules


def handle(call: Call, body: Request) -> dict[str, Any]:
    rules.change_now(call.asking, call.job_id, asked(body))
    return {}


OPERATION = Operation(version="v5", name="save_data_filter_rules", handle=handle, body=Request)
