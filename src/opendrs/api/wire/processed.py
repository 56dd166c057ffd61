"""DataProcessInfo on the wire: what is said of tables, shown so that it can be sent again."""

from __future__ import annotations

from typing import Any

from opendrs.api.wire.columns import Sent, extra_column, query_column
from opendrs.api.wire.ddl_choice import shown_ddl
from opendrs.api.wire.processing import CONTENT
from opendrs.control.rendering import database_name, letters
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.job import Policy
from opendrs.model.rules import NO_RULE, TableRule
from opendrs.model.selection import Selection

DATABASE, TABLE = "database", "table"


def info_rows(selection: Selection, policy: Policy, target: EngineName, sent: Sent) -> list[dict[str, Any]]:
    """Of databases that arrive under another name, then of tables of which something is said."""
    homes = sorted({*selection.schemas, *(name.schema for name in selection.topics if not name.table)})
    tables = sorted({*selection.rules, *(name for name in selection.topics if name.table)})
    ddl = shown_ddl(policy, target)
    return [
        *(_of_database(selection, name, sent) for name in homes),
        *(_of_table(selection, name, sent) | {"ddl_operation": ddl} for name in tables),
    ]


def _of_database(selection: Selection, name: str, sent: Sent) -> dict[str, Any]:
    info = {name: {"name": database_name(selection, name), "all": name in selection.databases}}
    return {
        "is_batch_process": True,
        "db_object": {"object_scope": DATABASE, "object_info": info},
        "is_synchronized": sent(TableName(name, "")),
        "source": "job",
    }


def _of_table(selection: Selection, name: TableName, sent: Sent) -> dict[str, Any]:
    rule = selection.rules.get(name, NO_RULE)
    table = {
        "name": selection.topics.get(name) or rule.table or name.table,
        "type": "table",
        **({"db_alias_name": rule.schema} if rule.schema else {}),
    }
    info = {name.schema: {"tables": {name.table: table}}}
    return {
        "is_batch_process": False,
        "process_rule_level": TABLE,
        "db_object": {"object_scope": TABLE, "object_info": info},
        **_rows(rule),
        **_columns(name, rule),
        **({"dml_operation": letters(rule.dml)} if rule.dml is not None else {}),
        "is_synchronized": sent(name),
        "source": "job",
    }


def _rows(rule: TableRule) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if rule.written:
        found["filter_conditions"] = [{"filtering_type": CONTENT, "value": rule.written}]
    if rule.extras:
        found["add_columns"] = [extra_column(extra) for extra in rule.extras]
    return found


def _columns(name: TableName, rule: TableRule) -> dict[str, Any]:
    """Those of which something is said; their types are not known here."""
    if not rule.columns:
        return {}
    columns = [query_column(rule, column, "", "") for column in rule.columns]
    told = [{field: value for field, value in column.items() if value != ""} for column in columns]
    return {
        "db_object_column_info": {
            "db_name": name.schema,
            "table_name": name.table,
            "column_infos": told,
            "total_count": len(told),
        }
    }
