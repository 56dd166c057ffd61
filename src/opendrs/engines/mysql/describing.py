"""What columns tables have, for people who choose: every column that a query can name, of whatever type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final, Literal, NamedTuple

from opendrs.engines.mysql.information import Facts, Query, listed, rows
from opendrs.model.catalog import TableName

Key = Literal["PRI", "UNI", ""]
PRIMARY: Final = "PRIMARY"


class Described(NamedTuple):
    """A column: its type as the server prints it, and whether it belongs to the primary key or a unique index."""

    name: str
    type: str
    key: Key


def read_columns(query: Query, names: Collection[TableName]) -> dict[TableName, list[Described]]:
    """Columns of tables and views in their order; one that does not exist is absent."""
    if not names:
        return {}
    keys = _keys(query, names)
    found: dict[TableName, list[Described]] = {}
    for row in _of(query, "COLUMNS", names, "ORDINAL_POSITION"):
        name = TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"])
        if name in names:
            column = row["COLUMN_NAME"]
            found.setdefault(name, []).append(Described(column, row["COLUMN_TYPE"], keys[name].get(column, "")))
    return found


def _keys(query: Query, names: Collection[TableName]) -> dict[TableName, dict[str, Key]]:
    """By table and column: the primary key wins."""
    found: dict[TableName, dict[str, Key]] = defaultdict(dict)
    for row in _of(query, "STATISTICS", names, "INDEX_NAME, SEQ_IN_INDEX"):
        name, column = TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"]), row["COLUMN_NAME"]
        if row["INDEX_NAME"] == PRIMARY:
            found[name][column] = "PRI"
        elif row["NON_UNIQUE"] == "0" and column:
            found[name].setdefault(column, "UNI")
    return found


def _of(query: Query, view: str, names: Collection[TableName], order: str) -> list[Facts]:
    schemas, tables = listed(sorted({name.schema for name in names})), listed(sorted({name.table for name in names}))
    where = f"TABLE_SCHEMA IN ({schemas}) AND TABLE_NAME IN ({tables})"
    by = f"TABLE_SCHEMA, TABLE_NAME, {order}"
    return rows(query, f"SELECT * FROM information_schema.{view} WHERE {where} ORDER BY {by}")
