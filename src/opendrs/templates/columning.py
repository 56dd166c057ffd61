"""Rows of columns against what is chosen and what the source has: which columns arrive, under which names, and which
come in addition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from opendrs.model.catalog import TableName
from opendrs.model.rules import TYPES_OF
from opendrs.templates.choosing import NO_SCHEMAS, Problems
from opendrs.templates.layout import NO
from opendrs.templates.sheets import Row

_VALUED: Final = ("default_value", "server_database_table")  # those that take a value; the first needs one


class SourceColumn(NamedTuple):
    """A column at the source. `type`: as the source prints it."""

    type: str
    primary: bool = False


Columns = Mapping[TableName, Mapping[str, SourceColumn]]
"""Columns by name, in the order of the table."""


@dataclass(slots=True)
class _Ruled:
    """What rows say of one table. `targets`: names at the target in lower case, by whom they are taken."""

    rows: dict[str, Row] = field(default_factory=dict)
    extras: dict[str, Row] = field(default_factory=dict)


def tables(rows: Sequence[Row]) -> list[TableName]:
    """The tables that rows are about, each once."""
    return list(dict.fromkeys(name_of(row) for row in rows))


def rule(rows: Sequence[Row], chosen: Mapping[str, Any], there: Columns, home: str) -> tuple[dict[str, Any], Problems]:
    """The tree of what is chosen, with the columns as the rows have them: what is not named here has none any more.

    chosen  DbObject as it was saved last
    home    the database of the target that all arrives in
    """
    problems = Problems()
    ruled: dict[TableName, _Ruled] = {}
    for row in rows:
        problem = _take(ruled, row, chosen.get("object_info") or {}, there, home)
        if problem:
            problems[row.number] = problem
    for name, found in ruled.items():
        problems |= _together(found, there[name])
    return _tree(chosen, ruled, there), problems


def name_of(row: Row) -> TableName:
    """The table that a row is about."""
    return TableName(row["source_database"], row["source_table"])


def _take(ruled: dict[TableName, _Ruled], row: Row, info: Mapping[str, Any], there: Columns, home: str) -> str:
    name = name_of(row)
    if row["source_schema"]:
        return NO_SCHEMAS
    database = info.get(name.schema) or {}
    table = (database.get("tables") or {}).get(name.table)
    if table is None and not database.get("all"):
        return f"{name} is not chosen: choose it first, with a file of the level table"
    if name not in there:
        return f"the source has no table {name}"
    if problem := _renamed(row, name, database, table or {}, home):
        return problem
    mine = ruled.setdefault(name, _Ruled())
    if row["extra_kind"]:
        return _extra(mine, row)
    return _plain(mine, row, name, there[name])


def _renamed(row: Row, name: TableName, database: Mapping[str, Any], table: Mapping[str, Any], home: str) -> str:
    """Names of tables are not changed by a file of columns."""
    schema = table.get("schema_alias_name") or table.get("db_alias_name") or database.get("name") or name.schema
    alias = table.get("name") or name.table
    arrives = {"target_database": home, "target_schema": schema, "target_table": alias, "topic": alias}
    for heading, known in arrives.items():
        if row[heading] and row[heading] != known:
            return f"{name} was chosen as {known}, and not {row[heading]}: leave this cell empty"
    return ""


def _plain(mine: _Ruled, row: Row, name: TableName, columns: Mapping[str, SourceColumn]) -> str:
    column = row["source_column"]
    if not column:
        return "Source column is empty"
    for heading in ("extra_type", "extra_value"):
        if row[heading]:
            return "only additional columns have a type and a value"
    if column not in columns:
        similar = next((one for one in columns if one.lower() == column.lower()), "")
        return f"{name} has no column {column}" + (f" (it has {similar})" if similar else "")
    if column in mine.rows:
        return f"row {mine.rows[column].number} names the same"
    if _left_out(row) and row["target_column"]:
        return "a column that is left out has no name at the target"
    mine.rows[column] = row
    return ""


def _extra(mine: _Ruled, row: Row) -> str:
    name, kind, kind_of_value = row["target_column"], row["extra_kind"].lower(), row["extra_type"].lower()
    if not name:
        return "Target column is empty: it names the additional column"
    if row["source_column"] or _left_out(row):
        return "an additional column has no column at the source, and is replicated"
    types = TYPES_OF[kind]  # type: ignore[index]  # a word of them, as was looked at with the cell
    if kind_of_value not in types:
        return f"Type: a column of {kind} is one of {', '.join(sorted(types))}"
    if row["extra_value"] and kind not in _VALUED:
        return f"Value: a column of {kind} makes its own"
    if not row["extra_value"] and kind == _VALUED[0]:
        return "Value is empty: it is what stands in every row"
    if name.lower() in mine.extras:
        return f"row {mine.extras[name.lower()].number} names the same"
    mine.extras[name.lower()] = row
    return ""


def _left_out(row: Row) -> bool:
    return row["replicated"].lower() == NO


def _together(found: _Ruled, columns: Mapping[str, SourceColumn]) -> Problems:
    """Two columns that arrive under one name, and a table of which nothing arrives."""
    problems, taken = Problems(), dict[str, str]()
    arriving = [(name, found.rows.get(name)) for name in columns]
    if arriving and all(row is not None and _left_out(row) for _, row in arriving):
        return Problems({row.number: "all columns of the table are left out" for _, row in arriving if row})
    names = [(name, row, _arrives(name, row)) for name, row in arriving if row is None or not _left_out(row)]
    names += [(row["target_column"], row, row["target_column"]) for row in found.extras.values()]
    # Those that keep their names come first: they have no row that could be marked.
    for name, row, arrives in sorted(names, key=lambda one: one[1] is not None):
        if other := taken.get(arrives.lower()):
            assert row is not None, "columns of one table have names of their own"
            problems[row.number] = f"{other} arrives as {arrives} already"
        taken[arrives.lower()] = name
    return problems


def _arrives(name: str, row: Row | None) -> str:
    return (row["target_column"] if row else "") or name


def _tree(chosen: Mapping[str, Any], ruled: Mapping[TableName, _Ruled], there: Columns) -> dict[str, Any]:
    tree: dict[str, Any] = deepcopy(dict(chosen))
    info = tree.get("object_info") or {}
    for database in info.values():
        for table in (database.get("tables") or {}).values():
            table.pop("columns", None)
            table.pop("all", None)
    for name, found in ruled.items():
        tables = info[name.schema].setdefault("tables", {})
        facts = tables.setdefault(name.table, {"name": name.table, "type": "table"})
        facts |= {"all": not found.rows, "columns": dict(_wire(found, there[name]))}
    return tree


def _wire(found: _Ruled, columns: Mapping[str, SourceColumn]) -> Iterator[tuple[str, dict[str, Any]]]:
    """ColumnObject of each. All columns are listed as soon as one of them is not as it was, so that nobody has to guess
    what becomes of the others."""
    for name, column in columns.items() if found.rows else ():
        row = found.rows.get(name)
        left_out = row is not None and _left_out(row)
        key = {"primary_key_for_column_filtering": "PRI"} if column.primary else {}
        yield name, {"name": _arrives(name, row), "type": column.type, "filtered": not left_out, **key}
    for row in found.extras.values():
        name, value = row["target_column"], row["extra_value"]
        yield (
            name,
            {
                "name": name,
                "type": row["extra_type"].lower(),
                "additional": True,
                "operation_type": f"ADDITIONALCOLUMN,{row['extra_kind'].lower()}",
                **({"value": value} if value else {}),
            },
        )
