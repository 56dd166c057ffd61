"""Columns of tables on the wire: as they are at the source, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.control.asking import shown
from opendrs.control.columns import TABLES_MAX, Column
from opendrs.control.object_ids import table_id, tables_of
from opendrs.control.objects import demand_no_problems, name_problem
from opendrs.control.rendering import arrival, database_name
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.rules import NO_RULE, ExtraColumn, TableRule
from opendrs.model.selection import Selection

Sent = Callable[[TableName], bool]
NO_SCHEMAS: Final = "databases of MySQL have no schemas"


class NamedTable(Wire):
    """SelectDbTableObjectInfo."""

    db_name: str
    schema_name: str | None = None
    table_name: str


class ColumnInfo(Wire):
    """ColumnInfo. `status`: it is left out."""

    column_name: str
    column_mapped_name: str | None = None
    status: bool | None = None
    partition: bool | None = None
    desensitization_algorithm: str | None = None


class ColumnMapping(Wire):
    """ColumnMappingInfo."""

    object_id: str
    column_info_lists: list[ColumnInfo]


def named_tables(name: str, asked: Sequence[NamedTable]) -> tuple[TableName, ...]:
    """Each once. Raises PARAMETER_EMPTY, PARAMETER_INVALID with all that is wrong."""
    if not asked:
        raise DrsError(Fault.PARAMETER_EMPTY, name=name)
    found: dict[TableName, None] = {}
    problems = []
    for one in asked:
        if one.schema_name and one.schema_name != one.db_name:
            problems.append(f"{shown(one.schema_name)!r}: {NO_SCHEMAS}")
        elif problem := name_problem(one.db_name) or name_problem(one.table_name):
            problems.append(problem)
        else:
            found[TableName(one.db_name, one.table_name)] = None
    demand_no_problems(name, problems)
    demand_few(name, found)
    return tuple(found)


def demand_few(name: str, tables: Iterable[TableName]) -> None:
    """Raises PARAMETER_INVALID."""
    if (count := len(list(tables))) > TABLES_MAX:
        reason = f"there are {count} tables, and {TABLES_MAX} are allowed"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)


def said_of_columns(asked: Sequence[ColumnMapping]) -> dict[TableName, dict[str, str | None]]:
    """By table, under which name columns arrive; None: left out. Raises PARAMETER_INVALID, UNSUPPORTED."""
    found: dict[TableName, dict[str, str | None]] = {}
    problems: list[str] = []
    for mapping in asked:
        (name,) = tables_of("column_map_infos.object_id", [mapping.object_id])
        columns = found.setdefault(name, {})
        for column in mapping.column_info_lists:
            refuse_masks(column.desensitization_algorithm)
            refuse_partition_keys(column.partition)
            place = f"{name}.{shown(column.column_name)}"
            if column.column_name.lower() in {known.lower() for known in columns}:
                problems.append(f"{place} is there more than once")
                continue
            columns[column.column_name] = named_as(column.column_name, column.column_mapped_name, column.status)
            problems += name_problems(place, column.column_name, column.column_mapped_name)
    demand_no_problems("column_map_infos", problems)
    demand_few("column_map_infos", found)
    return found


def named_as(name: str, mapped: str | None, left_out: bool | None) -> str | None:
    return None if left_out else mapped or name


def name_problems(place: str, *names: str | None) -> Iterator[str]:
    for name in names:
        if name and (problem := name_problem(name, what="column")):
            yield f"{place}: {problem}"


def refuse_masks(algorithm: str | None) -> None:
    """Raises UNSUPPORTED."""
    if algorithm:
        raise DrsError(Fault.UNSUPPORTED, what=f"Masking values on their way (desensitization {shown(algorithm)})")


def refuse_partition_keys(asked: bool | None) -> None:
    """Raises UNSUPPORTED."""
    if asked:
        what = "A partition key for a single table: partition_policy of the job chooses partitions; that"
        raise DrsError(Fault.UNSUPPORTED, what=what)


def query_columns(selection: Selection, name: TableName, columns: Sequence[Column]) -> dict[str, Any]:
    """DbObjectColumnInfo."""
    rule = selection.rule(name)
    return {
        "db_name": name.schema,
        "table_name": name.table,
        "column_infos": [query_column(rule, *column) for column in columns],
        "total_count": len(columns),
    }


def query_column(rule: TableRule, name: str, native: str, key: str) -> dict[str, Any]:
    """QueryColumnInfo. `is_filtered`: it is left out."""
    target = rule.arrives(name)
    return {
        "column_name": name,
        "column_type": native,
        "primary_key_or_unique_index": key,
        "column_mapped_name": name if target is None else target,
        "is_filtered": target is None,
        "is_partition_key": False,
    }


def column_mapping(selection: Selection, name: TableName, columns: Sequence[Column]) -> dict[str, Any]:
    """ColumnMappingInfo."""
    rule = selection.rule(name)
    rows = [query_column(rule, *column) for column in columns]
    return {
        "object_id": table_id(name),
        "column_info_lists": [
            {
                "column_name": row["column_name"],
                "column_type": row["column_type"],
                "key_type": row["primary_key_or_unique_index"],
                "column_mapped_name": row["column_mapped_name"],
                "status": row["is_filtered"],
                "partition": False,
            }
            for row in rows
        ],
    }


def database_node(selection: Selection, name: str, sent: Sent, *, notices: Sequence[str] = ()) -> dict[str, Any]:
    """ObjectWithColumnInfo of a database."""
    ruled = [table for table, rule in selection.rules.items() if table.schema == name and rule.columns]
    return {
        "id": name,
        "type": "database",
        "name": name,
        "alias_name": database_name(selection, name),
        "is_support_expand": True,
        "has_column_info": bool(ruled),
        "is_sent": sent(TableName(name, "")) or any(sent(one) for one in selection.tables if one.schema == name),
        **({"notices": list(notices)} if notices else {}),
    }


def table_node(selection: Selection, name: TableName, sent: Sent) -> dict[str, Any]:
    """ObjectWithColumnInfo of a table."""
    rule = selection.rules.get(name, NO_RULE)
    return {
        "id": table_id(name),
        "parent_id": name.schema,
        "type": "table",
        "name": name.table,
        "alias_name": selection.topics.get(name) or rule.table or name.table,
        "is_support_expand": False,
        "has_column_info": bool(rule.columns),
        "is_sent": sent(name),
    }


def extra_column(extra: ExtraColumn) -> dict[str, Any]:
    """AddColumnInfo."""
    return {
        "column_type": extra.kind,
        "column_name": extra.name,
        "column_value": extra.value,
        "data_type": extra.type,
    }


def extra_rows(selection: Selection, sent: Sent) -> list[dict[str, Any]]:
    """ColumnProcessObjects: tables that arrive as one with the same additional columns stand together."""
    rows: dict[tuple[str, tuple[ExtraColumn, ...], bool], list[str]] = {}
    for name, rule in sorted(selection.rules.items()):
        if rule.extras:
            rows.setdefault((arrival(selection, name), rule.extras, sent(name)), []).append(str(name))
    return [
        {
            "object_source_names": names,
            "object_alias_name": alias,
            "is_sent": is_sent,
            "extra_column_infos": [extra_column(extra) for extra in extras],
        }
        for (alias, extras, is_sent), names in rows.items()
    ]
