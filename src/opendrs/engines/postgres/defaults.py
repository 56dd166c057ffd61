"""Defaults of columns in PostgreSQL, where they mean the same with certainty."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Final

from opendrs.engines.postgres.expressions import constant
from opendrs.engines.postgres.names import literal
from opendrs.model.catalog import Column

INVALID_DATES: Final = {"null": "NULL", "epoch": "'1970-01-01'", "minus_infinity": "'-infinity'"}


def default_sql(column: Column, type_sql: str) -> str | None:
    """SQL of the column's default; None if it has none, or none that translates."""
    own = column.default
    if own is None or column.auto:
        return None
    if own.kind == "literal":
        return literal_sql(column, own.text)
    return _expression(column, own.text, type_sql)


def literal_sql(column: Column, text: str) -> str | None:
    """A plain value of the catalog as SQL of the column's type; None if the target cannot hold it."""
    return _LITERALS[column.type.kind](column, text) if column.type.kind in _LITERALS else None


def implicit_sql(column: Column, invalid_dates: str) -> str | None:
    """What MySQL puts into a new NOT NULL column without a default; None if the target cannot hold it."""
    kind = column.type.kind
    if kind in ("date", "datetime", "timestamp"):  # the zero date
        return INVALID_DATES.get(invalid_dates)
    if kind == "enum":
        return literal(column.members[0])
    if kind == "bits":
        return literal_sql(column, "0")
    if kind == "json" and column.native.startswith("longtext"):
        return None  # MariaDB puts an empty text there, which is no JSON
    if kind == "binary":
        return literal_sql(column, "00" * (column.type.fixed or 0))
    return _IMPLICIT.get(kind)


_IMPLICIT: Final[dict[str, str]] = {
    **dict.fromkeys(("int", "decimal", "float32", "float64", "year"), "0"),
    **dict.fromkeys(("text", "set"), "''"),
    "time": "'00:00:00'",
    "json": "'null'",
}


# --- literals -------------------------------------------------------------------------------------


def _number(column: Column, text: str) -> str | None:
    return text if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) else None


def _text(column: Column, text: str) -> str | None:
    return None if "\0" in text else literal(text)


def _json(column: Column, text: str) -> str | None:
    """MariaDB takes any text for the default of its JSON, and looks at it when a row gets it."""
    try:
        json.loads(text, parse_constant=int)  # NaN and Infinity, which only Python knows, are no whole numbers
    except ValueError:
        return None
    return literal(text)


def _bits(column: Column, text: str) -> str:
    return f"B'{text.zfill(column.type.length)}'"


def _bytes(column: Column, text: str) -> str:
    return f"'\\x{text}'"


def _moment(column: Column, text: str) -> str | None:
    """A date or date-time; those that no calendar has are none."""
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return None
    return literal(text + "+00" if column.type.kind == "timestamp" else text)


_LITERALS: Final[dict[str, Callable[[Column, str], str | None]]] = {
    **dict.fromkeys(("int", "decimal", "float32", "float64"), _number),
    **dict.fromkeys(("text", "enum", "set", "time", "uuid", "inet4", "inet6"), _text),
    "year": lambda column, text: str(int(text)),
    "json": _json,
    "bits": _bits,
    "binary": _bytes,
    **dict.fromkeys(("date", "datetime", "timestamp"), _moment),
}


# --- expressions ----------------------------------------------------------------------------------

# (what the source writes, without blanks and in lower case; kinds of columns) -> SQL
_KNOWN: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    (r"current_timestamp", ("timestamp",), "CURRENT_TIMESTAMP(0)"),
    (r"current_timestamp\((\d)\)", ("timestamp",), "CURRENT_TIMESTAMP({0})"),
    (r"current_timestamp", ("datetime",), "LOCALTIMESTAMP(0)"),
    (r"current_timestamp\((\d)\)", ("datetime",), "LOCALTIMESTAMP({0})"),
    (r"(?:current_timestamp|curdate\(\)|current_date(?:\(\))?)", ("date",), "CURRENT_DATE"),
    (r"(?:uuid\(\)|uuid_v4\(\))", ("text",), "gen_random_uuid()::text"),
    (r"(?:uuid\(\)|uuid_v4\(\)|uuid_v7\(\))", ("uuid",), "gen_random_uuid()"),
    (r"uuid_to_bin\(uuid\(\)\)", ("binary",), "uuid_send(gen_random_uuid())"),
    (r"json_array\(\)", ("json", "text"), "'[]'"),
    (r"json_object\(\)", ("json", "text"), "'{{}}'"),
)


def _expression(column: Column, text: str, type_sql: str) -> str | None:
    plain = text.replace(" ", "").lower()
    for pattern, kinds, sql in _KNOWN:
        found = re.fullmatch(pattern, plain)
        if found and column.type.kind in kinds:
            return sql.format(*found.groups())
    return constant(text, column, type_sql)


def moves(column: Column) -> bool:
    """Whether the default is another value each time, so that only the source knows what it gave to a row."""
    own = column.default
    return (
        own is not None
        and own.kind == "expression"
        and constant(own.text, column, "text") is None
        and (own.text.replace(" ", "").lower() not in ("json_array()", "json_object()"))
    )
