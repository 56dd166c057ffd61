"""Rows of keys for comparison against what the source has: columns that tell the rows of a table apart, and whose
values are the same on both sides if they are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from opendrs.model.catalog import TableName
from opendrs.templates.choosing import NO_SCHEMAS, Problems
from opendrs.templates.names import split
from opendrs.templates.sheets import Row

# Types of MySQL whose values may be printed and rounded otherwise elsewhere, or are no values to sort by.
_NOT_COMPARED: Final = frozenset(
    {
        *("float", "double", "real", "json", "vector"),
        *("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob"),
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    }
)


class KeyFacts(NamedTuple):
    """What the source says of a table.

    columns  type of each column, without its length
    unique   the primary key, and the unique indexes over whole columns without NULLs; each its columns, in order
    """

    columns: Mapping[str, str]
    unique: Sequence[tuple[str, ...]]


Keys = dict[TableName, tuple[str, ...]]


def keys(
    rows: Sequence[Row], there: Mapping[TableName, KeyFacts], wanted: Callable[[TableName], bool]
) -> tuple[Keys, Problems]:
    """The columns of each table, and what is wrong. `wanted`: whether the job replicates a table."""
    found, problems, numbers = Keys(), Problems(), dict[TableName, int]()
    for row in rows:
        name = TableName(row["source_database"], row["source_table"])
        columns = tuple(split(row["key_columns"]))
        facts = there.get(name)
        if name in numbers:
            problems[row.number] = f"row {numbers[name]} names the same table"
        elif problem := _problem(row, name, columns, facts, wanted):
            problems[row.number] = problem
        else:
            numbers[name] = row.number
            found[name] = columns
    return found, problems


def _problem(
    row: Row, name: TableName, columns: tuple[str, ...], facts: KeyFacts | None, wanted: Callable[[TableName], bool]
) -> str:
    if row["source_schema"]:
        return NO_SCHEMAS
    if facts is None:
        return f"the source has no table {name}"
    if not wanted(name):
        return f"{name} is not replicated by this job"
    for column in columns:
        if column not in facts.columns:
            similar = next((one for one in facts.columns if one.lower() == column.lower()), "")
            return f"{name} has no column {column}" + (f" (it has {similar})" if similar else "")
        if facts.columns[column].lower() in _NOT_COMPARED:
            return f"{column} is a {facts.columns[column]}: such values cannot be compared as keys"
    if not any(set(columns) == set(unique) for unique in facts.unique):
        known = "; ".join(", ".join(unique) for unique in facts.unique)
        what = f"there are {known}" if known else "it has none"
        return f"{', '.join(columns)} is no primary key and no unique index without NULLs of {name}: {what}"
    return ""
