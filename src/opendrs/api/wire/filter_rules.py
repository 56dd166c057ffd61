"""Filters on the wire, as the newer operations and those of version 3 have them: by numbers, and by ids of objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.api.wire.problems import demand_none
from opendrs.control.asking import shown
from opendrs.control.changing import FILTERED_MAX, Change, Changes
from opendrs.control.object_ids import table_id, table_of
from opendrs.control.objects import FILTER_MAX, demand_no_problems, name_problem
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.rules import JoinedTable, TableRule
from opendrs.model.selection import Selection

COMMON, CONFIG = "common", "config"
TYPES: Final = (COMMON, CONFIG)
SOURCES: Final = ("job", "compare")
OBJECT_TYPE: Final = "table"
Sent = Callable[[TableName], bool]


class FilterObject(Wire):
    """DataFilterObjectInfo."""

    id: str
    parent_id: str | None = None
    object_name: str | None = None
    object_type: str | None = None


class General(Wire):
    """GeneralTransformationReq."""

    filter_object_list: list[FilterObject] | None = None
    source_filter_condition: str | None = None


class Advanced(Wire):
    """DataFilteringAdvancedSetting. Names of columns stand with commas between them."""

    db_name: str
    table_name: str
    col_names: str
    prim_key_or_indexes: str
    indexes: str = ""
    values: str = ""


class Request(Wire):
    """DataFilterRuleReq."""

    general_filtering_list: list[General] | None = None
    advanced_setting_list: list[Advanced] | None = None
    source: str = "job"
    data_filter_type: str = COMMON


def asked(request: Request) -> Changes:
    """Raises PARAMETER_EMPTY, UNSUPPORTED, PARAMETER_INVALID with all that is wrong."""
    if one_of("source", request.source, SOURCES) != "job":
        raise DrsError(Fault.UNSUPPORTED, what="A filter of comparisons only (source compare)")
    if one_of("data_filter_type", request.data_filter_type, TYPES) == CONFIG:
        settings = request.advanced_setting_list or []
        if not settings:
            raise DrsError(Fault.PARAMETER_EMPTY, name="advanced_setting_list")
        problems: list[str] = []
        joined = dict(declared(one, problems) for one in settings)
        demand_no_problems("advanced_setting_list", problems)
        return Changes(joined=joined)
    if not request.general_filtering_list:
        raise DrsError(Fault.PARAMETER_EMPTY, name="general_filtering_list")
    return Changes(each=tuple(_each(request.general_filtering_list)))


def _each(asked: Sequence[General]) -> list[Change]:
    problems: list[str] = []
    found: list[Change] = []
    for number, one in enumerate(asked):
        items = one.filter_object_list or []
        names = dict.fromkeys(name for item in items if (name := _object(item, problems)))
        if not items:
            problems.append(f"{number}: filter_object_list is empty")
        condition = (one.source_filter_condition or "").strip()
        if problem := condition_problem(condition):
            problems.append(f"{number}: {problem}")
        found.append(Change(tables=tuple(names), filter=condition))
    count = len({name for change in found for name in change.tables})
    if count > FILTERED_MAX:
        problems.append(f"filters of {count} tables: {FILTERED_MAX} are allowed at once")
    demand_no_problems("general_filtering_list", problems)
    return found


def condition_problem(condition: str, most: int = FILTER_MAX) -> str:
    """Why it can be no filter, whatever its table is; empty: it may be one."""
    if not condition.strip():
        return "the condition is empty"
    return f"the filter has {len(condition)} characters, and {most} are allowed" if len(condition) > most else ""


def _object(item: FilterObject, problems: list[str]) -> TableName | None:
    """The table that an object is, if all that is said of it is one."""
    name = table_of(item.id)
    if isinstance(name, str):
        problems.append(name)
        return None
    if item.parent_id and item.parent_id != name.schema:
        problems.append(f"{shown(item.id)}: its parent is {name.schema}, not {shown(item.parent_id)}")
    if item.object_name and item.object_name != name.table:
        problems.append(f"{shown(item.id)}: its name is {name.table}, not {shown(item.object_name)}")
    if item.object_type and item.object_type.lower() != OBJECT_TYPE:
        problems.append(f"{shown(item.id)}: rows of a {OBJECT_TYPE} are filtered, not of a {shown(item.object_type)}")
    return name


def declared(asked: Advanced, problems: list[str], most: int = FILTER_MAX) -> tuple[TableName, JoinedTable]:
    """A declared table; `problems` grow by what is wrong with it."""
    name = TableName(asked.db_name, asked.table_name)
    place = f"{shown(asked.db_name)}.{shown(asked.table_name)}"
    if problem := name_problem(asked.db_name) or name_problem(asked.table_name):
        problems.append(problem)
    joined = JoinedTable(
        columns=_names(asked.col_names),
        key=_names(asked.prim_key_or_indexes),
        indexes=_names(asked.indexes),
        condition=asked.values.strip(),
    )
    if not joined.columns:
        problems.append(f"{place}: it has no columns (col_names)")
    if not joined.key:
        problems.append(f"{place}: it has no primary key or unique index")
    if joined.condition and (problem := condition_problem(joined.condition, most)):
        problems.append(f"{place}: {problem}")
    return name, joined


def _names(text: str) -> tuple[str, ...]:
    """Columns, with commas between them; a name may stand in backquotes."""
    found = (name.strip().strip("`") for name in re.split(r"[,;]", text))
    return tuple(dict.fromkeys(name for name in found if name))


def demand_type(name: str, word: str) -> str:
    """common or config. Raises PARAMETER_INVALID."""
    return one_of(name, word, TYPES)


def demand_numbers(numbers: Sequence[int]) -> None:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not numbers:
        raise DrsError(Fault.PARAMETER_EMPTY, name="rule_ids")
    if len(numbers) > FILTERED_MAX:
        demand_none({"rule_ids": f"there are more than {FILTERED_MAX}"})


# --- shown ------------------------------------------------------------------------------------------


def rule_rows(selection: Selection, kind: str, sent: Sent, *, every: bool) -> list[dict[str, Any]]:
    """DataFilterRuleResp of each number. every: those of tables that are not replicated yet as well."""
    if kind == CONFIG:
        rows = [_declared_row(name, one) for name, one in selection.joined.items() if every or sent(name)]
        return sorted(rows, key=lambda row: int(row["batch_id"]))
    batches: dict[int, list[tuple[TableName, TableRule]]] = {}
    for name, rule in sorted(selection.rules.items()):
        if rule.written and (every or sent(name)):
            batches.setdefault(rule.batch, []).append((name, rule))
    return [
        {
            "batch_id": batch,
            "filter_object_list": [_object_row(selection, name, rule, sent) for name, rule in batches[batch]],
            "filter_rules_resp": {
                "source_filter_condition": batches[batch][0][1].written,
                "target_filter_condition": "",
                "condition_separated": "false",
            },
        }
        for batch in sorted(batches)
    ]


def _declared_row(name: TableName, one: JoinedTable) -> dict[str, Any]:
    return {
        "batch_id": one.batch,
        "filter_object_list": [],
        "advanced_setting_resp": {
            "db_name": name.schema,
            "table_name": name.table,
            "col_names": ",".join(one.columns),
            "prim_key_or_indexes": ",".join(one.key),
            "indexes": ",".join(one.indexes),
            "values": one.condition,
        },
    }


def _object_row(selection: Selection, name: TableName, rule: TableRule, sent: Sent) -> dict[str, Any]:
    """DataFilterObjectResp."""
    return {
        "batch_id": rule.batch,
        "id": table_id(name),
        "parent_id": name.schema,
        "object_name": name.table,
        "object_alias_name": selection.topics.get(name) or rule.table or name.table,
        "object_type": OBJECT_TYPE,
        "db_name": name.schema,
        "table_name": name.table,
        "is_data_filter": "true",
        "data_filter_type": COMMON,
        "filter_condition": rule.written,
        "is_synchronized": sent(name),
    }
