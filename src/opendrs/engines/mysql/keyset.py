"""Ranges of keys in SQL. Whether a row lies in a range is decided by the server and its collations alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from opendrs.engines.mysql.connect import quote_name
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.checkpoint import Key

# Kinds that the server orders otherwise than it compares them (ENUM sorts by number and compares as
# text), or whose equality is doubtful. Ranges are made of the key's columns before the first of these.
UNORDERED = frozenset({"enum", "set", "float32", "float64", "json", "geometry", "vector", "uuid", "inet4", "inet6"})


def qualified(table: Table) -> str:
    return quoted(table.name)


def quoted(name: TableName) -> str:
    return f"{quote_name(name.schema)}.{quote_name(name.table)}"


def range_columns(table: Table) -> tuple[Column, ...]:
    """The leading columns of the key by which ranges can be made; may be none."""
    columns: list[Column] = []
    for name in table.key:
        column = table.column(name)
        if column.type.kind in UNORDERED:
            break
        columns.append(column)
    return tuple(columns)


def key_index(table: Table) -> str:
    """Name of the index of the key."""
    if table.primary is not None and table.primary.columns == table.key:
        return "PRIMARY"
    return next(index.name for index in table.indexes if index.unique and index.columns == table.key)


def to_key(params_json: str) -> Key:
    """A key as a reader gives it: a JSON list of parameters."""
    return tuple(json.dumps(param, separators=(",", ":")) for param in json.loads(params_json))


def to_params(key: Key) -> list[Any]:
    return [json.loads(value) for value in key if value is not None]


def condition(columns: Sequence[Column], lower: Key | None, upper: Key | None) -> tuple[str, list[Any]]:
    """SQL and parameters for "above `lower` and not above `upper`". A bound may be shorter than the key: then
    it stands for all keys that begin so. Row constructors are spelt out, since optimizers do not see ranges
    in them."""
    parts: list[str] = []
    params: list[Any] = []
    for bound, strict, loose in ((lower, ">", ">="), (upper, "<", "<=")):
        if not bound:
            continue
        names = [quote_name(column.name) for column in columns[: len(bound)]]
        values = to_params(bound)
        last = ">" if strict == ">" else "<="
        if len(names) == 1:
            parts.append(f"{names[0]} {last} ?")
            params += values
            continue
        # The first column's own bound tells the optimizer where the range begins.
        parts.append(f"{names[0]} {loose} ?")
        params.append(values[0])
        steps = []
        for depth in range(len(names)):
            equal = [f"{name} = ?" for name in names[:depth]]
            comparison = last if depth == len(names) - 1 else strict
            steps.append("(" + " AND ".join([*equal, f"{names[depth]} {comparison} ?"]) + ")")
            params += values[: depth + 1]
        parts.append("(" + " OR ".join(steps) + ")")
    return " AND ".join(parts), params


def order(columns: Sequence[Column], *, descending: bool = False) -> str:
    direction = " DESC" if descending else ""
    return ", ".join(quote_name(column.name) + direction for column in columns)
