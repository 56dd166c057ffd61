"""Compares both sides row by row in Python, through drivers and by rules that the product knows nothing of.

The product's own proof is one witness; this is the other.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from tests.harness.server import Server

# What the source is asked for instead of the column, where its driver would lose something.
EXACT = {"float": "`{0}` + 0e0", "bit": "`{0}` + 0", "geometry": "HEX(`{0}`)", "point": "HEX(`{0}`)"}


def differences(
    source: Server,
    target: Server,
    database: str,
    target_database: str,
    *,
    selected: Callable[[str], bool] = lambda name: True,
) -> list[str]:
    """What is not the same, in words; empty if all is. `selected`: tables of the source that should arrive."""
    found = []
    here = {name for name in _tables(source, database) if selected(name)}
    there = {
        str(name)
        for (name,) in target.execute(
            "SELECT table_name::text FROM information_schema.tables"
            f" WHERE table_schema = '{database}' AND table_type = 'BASE TABLE'",
            database=target_database,
        )
    }
    found += [f"{name} is missing in the target" for name in sorted(here - there)]
    found += [f"{name} is in the target alone" for name in sorted(there - here)]
    for name in sorted(here & there):
        found += _compare(source, target, database, target_database, name)
    return found


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tick(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _tables(source: Server, database: str) -> set[str]:
    rows = source.execute(
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'"
        " AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    )
    return {str(name) for (name,) in rows}


def _compare(source: Server, target: Server, database: str, target_database: str, name: str) -> list[str]:
    columns = source.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        f" WHERE table_schema = '{database}' AND table_name = '{name}' ORDER BY ordinal_position"
    )
    wanted = ", ".join(EXACT.get(kind, "`{0}`").format(column.replace("`", "``")) for column, kind in columns)
    connection = source.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute(f"SELECT {wanted} FROM {tick(name)}")
            here = cursor.fetchall()
    finally:
        connection.close()
    quoted = ", ".join(quote(column) for column, _ in columns)
    try:
        there = target.execute(f"SELECT {quoted} FROM {quote(database)}.{quote(name)}", database=target_database)
    except psycopg.Error as error:
        return [f"{name}: {error}"]
    documents = {
        str(column)
        for (column,) in target.execute(
            "SELECT column_name::text FROM information_schema.columns"
            f" WHERE table_schema = '{database}' AND table_name = '{name}' AND data_type = 'json'",
            database=target_database,
        )
    }
    plain = [_plain("json" if column in documents else kind) for column, kind in columns]
    left = Counter(tuple(make(value) for make, value in zip(plain, row, strict=True)) for row in here)
    right = Counter(tuple(make(value) for make, value in zip(plain, row, strict=True)) for row in there)
    found = [f"{name}: {count} x in the source alone: {row}" for row, count in list((left - right).items())[:3]]
    return found + [f"{name}: {count} x in the target alone: {row}" for row, count in list((right - left).items())[:3]]


def _plain(kind: str) -> Callable[[Any], Any]:
    """What makes the values of both drivers comparable, for one type of the source."""

    def convert(value: Any) -> Any:
        if value is None:
            return None
        match kind:
            case "bit":
                return int(value, 2) if isinstance(value, str) else int(value)
            case "float":
                return struct.pack("f", float(value))
            case "double":
                return struct.pack("d", float(value))
            case "json":
                return json.dumps(json.loads(value) if isinstance(value, str | bytes) else value, sort_keys=True)
            case "geometry" | "point":
                return value if isinstance(value, str) else bytes(value).hex().upper()
            case "time":
                return value if isinstance(value, timedelta) else timedelta(hours=value.hour, minutes=value.minute)
        return _by_value(value)

    return convert


def _by_value(value: Any) -> Any:
    match value:
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        case datetime():
            return value.isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case bool() | int() | Decimal():
            return format(Decimal(value).normalize(), "f")
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
    return value
