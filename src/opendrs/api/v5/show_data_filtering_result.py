"""GET /v5/{project_id}/job/{job_id}/data-filtering/result: which conditions can be filters, and why others cannot.

It answers for check_data_filter and check_data_filter_rules. There are no results as long as the check is not over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from opendrs.api.errors import told
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.status import status_word
from opendrs.control import filters
from opendrs.model.action import Action
from opendrs.model.catalog import TableName


def handle(call: Call) -> dict[str, Any]:
    action = filters.checked(call.asking, call.job_id, call.query.needed("query_id"))
    answer: dict[str, Any] = {"status": status_word(action.status), "success_count": 0, "failed_count": 0}
    if action.failure is not None:
        answer |= {"error_code": action.failure.code, "error_msg": told(action.failure)}
    rows = [_row(name, message) for name, message in _results(action)]
    good = sum(row["is_success"] for row in rows)
    return {
        **answer,
        "success_count": good,
        "failed_count": len(rows) - good,
        **({"db_object_filtering_result": rows} if action.status in ("success", "failed") else {}),
    }


def _results(action: Action) -> Iterable[tuple[Sequence[str], str]]:
    """By table, why not; empty: it can."""
    if action.result is not None:
        return ((one["name"], one["message"]) for one in action.result["objects"])
    if action.failure is None:
        return ()
    named: dict[TableName, None] = {}
    for one in action.params["filters"]:
        named |= dict.fromkeys(TableName(*name) for name in one["tables"])
    named |= dict.fromkeys(TableName(home, table) for home, table, _ in action.params["joined"])
    return (((name.schema, name.table), told(action.failure)) for name in named)


def _row(name: Sequence[str], message: str) -> dict[str, Any]:
    """DbObjectFilteringResult."""
    home, table = name
    found = {"db_name": home, "table_name": table, "is_success": not message, "source": "job"}
    return {**found, "message": message} if message else found


OPERATION = Operation(version="v5", name="show_data_filtering_result", handle=handle, quick=True)
