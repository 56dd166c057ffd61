"""GET /v5/{project_id}/job/{job_id}/columns: the columns of tables, as they were found, with what is said of them."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import query_columns
from opendrs.api.wire.status import status_word
from opendrs.control import columns, rules
from opendrs.control.waiting import failed


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    action = columns.collected(call.asking, call.job_id, call.query.needed("query_id"))
    if action.failure is not None:
        raise failed(action)
    found = {} if action.result is None else columns.columns_of(action.result)
    _, selection, _ = rules.look(call.asking, call.job_id)
    page = list(found.items())[offset : offset + limit]
    return {
        "status": status_word(action.status),
        "total_count": len(found),
        "results": [query_columns(selection, name, some) for name, some in page],
    }


OPERATION = Operation(version="v5", name="show_column_info_result", handle=handle)
