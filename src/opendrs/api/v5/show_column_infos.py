"""POST /v5/{project_id}/job/{job_id}/column-info: what is said of the columns of objects.

Without ids: of every table of which something is said. Columns that nobody has read yet are read now.
"""

from __future__ import annotations

from typing import Any

from opendrs.api.body import Wire
from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import column_mapping, database_node, demand_few, table_node
from opendrs.control import columns, rules
from opendrs.control.object_ids import SEPARATOR, databases_of, tables_of
from opendrs.model.catalog import TableName
from opendrs.model.selection import Selection

NAME = "object_ids"


class Request(Wire):
    """ShowColumnInfoReq."""

    object_ids: list[str] | None = None
    refresh: bool | None = None


def handle(call: Call, body: Request) -> dict[str, Any]:
    _, selection, sent = rules.look(call.asking, call.job_id)
    ids = body.object_ids or []
    homes = databases_of(NAME, [one for one in ids if SEPARATOR not in one])
    tables = list(tables_of(NAME, [one for one in ids if SEPARATOR in one]))
    rules.demand_chosen(selection, NAME, tables, homes)
    tables += [name for name in _ruled(selection) if name not in tables and (not ids or name.schema in homes)]
    demand_few(NAME, tables)
    found = columns.read(call.asking, call.job_id, tables, refresh=bool(body.refresh))
    parents = dict.fromkeys([*homes, *(name.schema for name in tables)])
    return {
        "column_map_infos": [column_mapping(selection, name, found[name]) for name in tables],
        "object_with_column_infos": [
            *(database_node(selection, name, sent) for name in parents),
            *(table_node(selection, name, sent) for name in tables),
        ],
    }


def _ruled(selection: Selection) -> list[TableName]:
    return sorted(name for name, rule in selection.rules.items() if rule.columns)


OPERATION = Operation(version="v5", name="show_column_infos", handle=handle, body=Request)
