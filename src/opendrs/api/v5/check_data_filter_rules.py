"""POST /v5/{project_id}/jobs/{job_id}/check-filter-rules: ask whether conditions can be filters, in the newer form."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.filter_rules import Request, asked
from opendrs.control import filters


def handle(call: Call, body: Request) -> dict[str, Any]:
    return {"id": filters.check(call.asking, call.job_id, asked(body))}


OPERATION = Operation(version="v5", name="check_data_filter_rules", handle=handle, body=Request)
