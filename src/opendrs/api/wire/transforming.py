"""CheckDataTransformationReq of version 3: a filter of tables, or a table that filters look into."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.api.wire.filter_rules import Advanced, condition_problem, declared
from opendrs.api.wire.processing import CONFIG, CONTENT
from opendrs.control.asking import shown
from opendrs.control.changing import Change, Changes
from opendrs.control.object_ids import tables_of
from opendrs.control.objects import demand_no_problems
from opendrs.errors import DrsError, Fault
from opendrs.model.precheck import named
from opendrs.model.rules import NO_RULE
from opendrs.model.selection import Selection

VALUE_MAX: Final = 256  # characters: the published limit of version 3
TABLES_MAX: Final = 10_000


class Info(Wire):
    """TransformationInfo."""

    transformation_type: str
    value: str | None = None


class Item(Wire):
    """DatabaseObjectVO. `select` false: it is not meant."""

    id: str
    select: str | None = None


class Config(Wire):
    """ConfigTransformationVo."""

    db_table_name: str | None = None
    db_name: str
    table_name: str
    col_names: str
    prim_key_or_index: str
    indexs: str = ""
    values: str = ""


class Transformation(Wire):
    """CheckDataTransformationReq."""

    job_id: str
    object_info: list[Item] | None = None
    transformation_info: Info
    config_transformation: Config | None = None


def changes_of(asked: Transformation) -> Changes:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID with all that is wrong."""
    info = asked.transformation_info
    kind = one_of("transformation_info.transformation_type", info.transformation_type, (CONTENT, CONFIG))
    return _filter(asked) if kind == CONTENT else _declared(asked)


def _filter(asked: Transformation) -> Changes:
    meant = [item.id for item in asked.object_info or [] if (item.select or "true").lower() != "false"]
    if not meant:
        raise DrsError(Fault.PARAMETER_EMPTY, name="object_info")
    if len(meant) > TABLES_MAX:
        reason = f"there are {len(meant)} tables, and {TABLES_MAX} are allowed"
        raise DrsError(Fault.PARAMETER_INVALID, name="object_info", reason=reason)
    tables = tables_of("object_info", meant)
    condition = (asked.transformation_info.value or "").strip()
    if not condition:
        raise DrsError(Fault.PARAMETER_EMPTY, name="transformation_info.value")
    problem = condition_problem(condition, VALUE_MAX)
    demand_no_problems("transformation_info.value", [problem] if problem else [])
    return Changes(each=(Change(tables=tables, filter=condition, filtered_max=TABLES_MAX),))


def _declared(asked: Transformation) -> Changes:
    config = asked.config_transformation
    if config is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="config_transformation")
    problems: list[str] = []
    whole = f"{config.db_name}.{config.table_name}"
    if config.db_table_name and config.db_table_name != whole:
        problems.append(f"db_table_name is {shown(whole)!r}, not {shown(config.db_table_name)!r}")
    if (value := asked.transformation_info.value) and value.lower() != "config":
        problems.append(f"transformation_info.value is config, not {shown(value)!r}")
    advanced = Advanced(
        db_name=config.db_name,
        table_name=config.table_name,
        col_names=config.col_names,
        prim_key_or_indexes=config.prim_key_or_index,
        indexes=config.indexs,
        values=config.values,
    )
    name, joined = declared(advanced, problems, VALUE_MAX)
    demand_no_problems("config_transformation", problems)
    return Changes(joined={name: joined})


def demand_new(changes: Changes, selection: Selection) -> None:
    """Raises RULE_EXISTS if the job has all of it already."""
    each = [(name, change.filter) for change in changes.each for name in change.tables]
    known = [name for name, condition in each if selection.rules.get(name, NO_RULE).written == condition]
    for name, one in changes.joined.items():
        before = selection.joined.get(name)
        if before is not None and replace(before, batch=0) == one:
            known.append(name)
    if len(known) == len(each) + len(changes.joined):
        raise DrsError(Fault.RULE_EXISTS, tables=named(known))
