"""Compares any two databases row by row, by rules written down here a second time.

The names follow the published rule of docs/reference/types.md. Every value becomes a text or a number on its own
server, and both are brought to one form in Python.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import struct
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from opendrs.model.job import Policy
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.torture.schemas.names import quoted

SYSTEM: Final = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
Form = Callable[[Any], Any]


def cut(name: str) -> str:
    kept = name.encode()[:54].decode(errors="ignore")
    return f"{kept}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def column_there(name: str) -> str:
    return cut(name) if len(name.encode()) > 63 or name in SYSTEM else name


def table_there(name: str) -> str:
    return cut(name) if len(name.encode()) > 63 else name


def schema_there(name: str) -> str:
    if name.startswith("pg_") or name in ("information_schema", "_opendrs"):
        return f"{f'db_{name}'.encode()[:54].decode(errors='ignore')}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return table_there(name)


def of_target(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- values ---------------------------------------------------------------------------------------


def _as_is(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    whole, _, part = format(Decimal(value), "f").partition(".")
    sign = "-" * whole.startswith("-")
    text = f"{whole.lstrip('-').lstrip('0') or '0'}.{part.rstrip('0')}".rstrip(".")
    return text if text == "0" else sign + text


def _single(value: Any) -> Any:
    return struct.pack(">f", float(value)).hex()


def _double(value: Any) -> Any:
    return struct.pack(">d", float(value)).hex()


def _lower(value: Any) -> Any:
    return str(value).lower()


def _clock(value: Any) -> Any:
    found = re.fullmatch(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?", str(value))
    assert found, value
    micros = (int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])) * 10**6 + int((found[5] or "").ljust(6, "0"))
    return -micros if found[1] else micros


def _moment(value: Any) -> Any:
    day, _, clock = str(value).partition(" ")
    return f"{day} {clock.ljust(15, '0') if '.' in clock else clock + '.000000'}" if clock else day


def _address(value: Any) -> Any:
    address = ipaddress.ip_address(str(value))
    return address.packed.hex()


def _floats(value: Any) -> Any:
    return [struct.pack(">f", number).hex() for number in value]


def _vector(value: Any) -> Any:
    data = bytes.fromhex(value)
    return [struct.pack(">f", number).hex() for number in struct.unpack(f"<{len(data) // 4}f", data)]


DATE: Final = "CASE WHEN isfinite({0}) THEN to_char(extract(year from {0}) + (extract(year from {0}) < 0)::int, 'FM0000') || to_char({0}, '{1}') ELSE {0}::text END"  # fmt: skip
UTC: Final = "({0} AT TIME ZONE 'UTC')"
INTEGERS: Final = ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year")
TEXTS: Final = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
BYTES: Final = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
SHAPES: Final = ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection")  # fmt: skip

# data type -> (SQL there and what brings it to the common form) of the source, and of the target
RULES: Final[dict[str, tuple[str, Form, str, Form]]] = {
    **dict.fromkeys(INTEGERS, ("{0}", _number, "{0}::text", _number)),
    **dict.fromkeys(TEXTS, ("HEX(CONVERT({0} USING utf8mb4))", _lower, "encode(convert_to({0}::text, 'UTF8'), 'hex')", _lower)),
    **dict.fromkeys((*BYTES, *SHAPES), ("HEX({0})", _lower, "encode({0}, 'hex')", _lower)),
    "json": ("HEX(CAST({0} AS CHAR))", _lower, "encode(convert_to({0}::text, 'UTF8'), 'hex')", _lower),
    "float": ("{0} * 1e0", _single, "{0}", _single),
    "double": ("{0}", _double, "{0}", _double),
    "bit": ("BIN({0})", lambda v: int(v, 2), "{0}::text", lambda v: int(v, 2)),
    "date": ("CAST({0} AS CHAR)", _moment, DATE.format("{0}", "-MM-DD"), _moment),
    "datetime": ("CAST({0} AS CHAR)", _moment, DATE.format("{0}", "-MM-DD HH24:MI:SS.US"), _moment),
    "timestamp": ("CAST({0} AS CHAR)", _moment, DATE.format(UTC, "-MM-DD HH24:MI:SS.US"), _moment),
    "time": ("CAST({0} AS CHAR)", _clock, "(extract(epoch from {0}) * 1000000)::bigint", _as_is),
    "vector": ("HEX({0})", _vector, "{0}", _floats),
    "uuid": ("CAST({0} AS CHAR)", _lower, "{0}::text", _lower),
    "inet4": ("CAST({0} AS CHAR)", _address, "host({0})", _address),
    "inet6": ("CAST({0} AS CHAR)", _address, "host({0})", _address),
}  # fmt: skip
INSTEAD: Final = {"null": None, "epoch": "1970-01-01", "minus_infinity": "-infinity"}


def _tolerant(form: Form, kind: str, policy: Policy) -> Form:
    """The form of a source's value, after what the policies make of it."""

    def lost_date(value: str) -> bool:
        year, month, day = (int(part) for part in value[:10].split("-"))
        if month == 0 or day == 0:
            return True
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return day > (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]

    def convert(value: Any) -> Any:
        if value is None:
            return None
        if kind in ("date", "datetime", "timestamp") and policy.invalid_dates != "stop" and lost_date(value):
            instead = INSTEAD[policy.invalid_dates]
            return f"{instead} 00:00:00.000000" if instead == "1970-01-01" and kind != "date" else instead
        if kind in TEXTS and policy.nul_in_text != "stop":
            plain = bytes.fromhex(value).replace(b"\0", {"remove": b""}.get(policy.nul_in_text, "\u2400".encode()))
            return form(plain.hex())
        return form(value)

    return convert


def _maybe(form: Form) -> Form:
    return lambda value: None if value is None else form(value)


# --- tables ---------------------------------------------------------------------------------------


def differences(source: FamilyServer, target: Postgres, database: str, there: str, policy: Policy) -> list[str]:
    """What is not the same, in words; empty if all is."""
    schema = schema_there(database)
    found = []
    with source.connect(database) as connection, connection.cursor() as cursor, target.connect(there) as other:
        cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'",
            (database,),
        )
        here = {str(name): table_there(str(name)) for (name,) in cursor.fetchall()}
        sql = "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = %s"
        known = {str(name) for (name,) in other.execute(sql, (schema,)).fetchall()}
        if known != set(here.values()):
            found.append(
                f"tables: {sorted(set(here.values()) - known)} missing, {sorted(known - set(here.values()))} more"
            )
        for name, name_there in sorted(here.items()):
            if name_there in known:
                found += _compare(cursor, other, (database, name), (schema, name_there), policy)
    return found


def _compare(cursor: Any, other: Any, here: tuple[str, str], there: tuple[str, str], policy: Policy) -> list[str]:
    cursor.execute(
        "SELECT column_name, data_type, extra FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position", here,
    )  # fmt: skip
    columns = [(str(name), str(kind), str(extra)) for name, kind, extra in cursor.fetchall()]
    rows = other.execute(
        "SELECT attname::text FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid ="
        " (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE (nspname, relname) = (%s, %s))",
        there,
    ).fetchall()
    known = {str(name) for (name,) in rows}
    missing = [
        name for name, _, extra in columns if column_there(name) not in known and "GENERATED" not in extra.upper()
    ]
    found = [f"{here}: no column {name!r}" for name in missing]
    both = [(name, kind) for name, kind, _ in columns if column_there(name) in known]
    if not both:
        return found
    rules = [RULES[kind] for _, kind in both]
    left = [_tolerant(rule[1], kind, policy) for rule, (_, kind) in zip(rules, both, strict=True)]
    right = [_maybe(rule[3]) for rule in rules]
    ours = ", ".join(rule[0].format(quoted(name)) for rule, (name, _) in zip(rules, both, strict=True))
    theirs = ", ".join(
        rule[2].format(of_target(column_there(name))) for rule, (name, _) in zip(rules, both, strict=True)
    )
    cursor.execute(f"SELECT {ours} FROM {quoted(here[1])}")
    seen = Counter(_row(row, left) for row in cursor.fetchall())
    fetched = other.execute(f"SELECT {theirs} FROM {of_target(there[0])}.{of_target(there[1])}".encode()).fetchall()
    arrived = Counter(_row(row, right) for row in fetched)
    names = [name for name, _ in both]
    for one, several, where in ((seen, arrived, "source"), (arrived, seen, "target")):
        found += [
            f"{here} {count} x in the {where} alone: {_shown(names, row)}"
            for row, count in list((one - several).items())[:2]
        ]
    return found


def _row(row: tuple[Any, ...], forms: list[Form]) -> tuple[str | None, ...]:
    return tuple(None if (made := form(value)) is None else str(made) for form, value in zip(forms, row, strict=True))


def _shown(names: list[str], row: tuple[Any, ...]) -> str:
    return ", ".join(f"{name!r}={str(value)[:6000]}" for name, value in zip(names, row, strict=True))
