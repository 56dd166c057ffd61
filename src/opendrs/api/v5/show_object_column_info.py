"""GET /v5/{project_id}/job/{job_id}/object-column-info: the objects of a job, one level of the tree at a time, with
whether something is said of their columns."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.columns import database_node, table_node
from opendrs.control import object_tree, rules
from opendrs.control.object_ids import SEPARATOR, databases_of, tables_of

NAME = "object_id"


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    refresh = call.query.flag("is_refresh") or False
    parent = call.query.text(NAME)
    return {"object_with_column_infos": _nodes(call, parent, refresh=refresh)[offset : offset + limit]}


def _nodes(call: Call, parent: str | None, *, refresh: bool) -> list[dict[str, Any]]:
    """Below an object; without one, databases. A table has nothing below it: it is shown itself."""
    asking, job_id = call.asking, call.job_id
    _, selection, sent = rules.look(asking, job_id)
    if parent is None:
        found = object_tree.databases(asking, job_id, selection, refresh=refresh)
        return [database_node(selection, name, sent) for name in found]
    if SEPARATOR in parent:
        (table,) = tables_of(NAME, [parent])
        rules.demand_chosen(selection, NAME, [table], [])
        return [table_node(selection, table, sent)]
    (home,) = databases_of(NAME, [parent])
    rules.demand_chosen(selection, NAME, [], [home])
    tables = object_tree.tables(asking, job_id, selection, home, refresh=refresh)
    if tables.unlisted:
        notice = f"{tables.unlisted} tables are too many to be listed"
        return [database_node(selection, home, sent, notices=[notice])]
    return [table_node(selection, name, sent) for name in tables.names]


OPERATION = Operation(version="v5", name="show_object_column_info", handle=handle)
