"""One text per value, from Arrow and from the server's own SELECT, so that the two can be held together."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

DATE_IMPOSSIBLE = -(2**31)
INSTANT_IMPOSSIBLE = -(2**63)
DAY_US = 86_400_000_000


def expression(name: str, kind: str) -> str:
    """What to SELECT so that the text holds the whole value."""
    if kind in ("bits", "year"):
        return f"`{name}` + 0"
    if kind == "float32":
        return f"`{name}` + 0e0"  # as text a FLOAT has six digits
    if kind in ("date", "time", "datetime", "timestamp", "json", "uuid", "inet4"):
        return f"CAST(`{name}` AS CHAR)"
    if kind in ("binary", "geometry", "vector"):
        return f"HEX(`{name}`)"
    if kind == "inet6":
        return f"HEX(INET6_ATON(CAST(`{name}` AS CHAR)))"
    return f"`{name}`"


def selected(value: str | bytes | None, kind: str) -> str | None:
    text = value.decode() if isinstance(value, bytes) else value
    return repr(float(text)) if text is not None and kind in ("float32", "float64") else text


def plain(column: pa.Array) -> list[Any]:
    """Values as Python has them; dates and times as numbers, for not all of them are in a calendar."""
    if pa.types.is_date32(column.type):
        return list(column.cast(pa.int32()).to_pylist())
    if pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type):
        return list(column.cast(pa.int64()).to_pylist())
    return list(column.to_pylist())


def decoded(value: Any, logical: dict[str, Any]) -> str | None:
    kind = logical["kind"]
    match kind:
        case _ if value is None:
            return None
        case "float32" | "float64":
            return repr(float(value))
        case "decimal":
            return format(value, "f")
        case "date":
            return _date(value)
        case "datetime" | "timestamp":
            return _datetime(value, logical["fraction"])
        case "time":
            return _time(value, logical["fraction"])
        case "binary" | "geometry" | "vector" | "inet6":
            return bytes(value).hex().upper()
        case "uuid":
            return str(uuid.UUID(bytes=value))
        case "inet4":
            return str(ipaddress.IPv4Address(value))
        case _:
            return str(value)


def _civil(days: int) -> Sequence[int]:
    days += 719_468
    era, day = divmod(days, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def _date(value: int) -> str:
    packed = value - DATE_IMPOSSIBLE
    year, month, day = (packed >> 9, packed >> 5 & 15, packed & 31) if packed < 1 << 23 else _civil(value)
    return f"{year:04}-{month:02}-{day:02}"


def _datetime(value: int, digits: int) -> str:
    packed = value - INSTANT_IMPOSSIBLE
    if packed < 1 << 60:
        date, time = packed >> 37, packed >> 20
        year, month, day = date >> 9, date >> 5 & 15, date & 31
        clock = ((time >> 12 & 31) * 3600 + (time >> 6 & 63) * 60 + (time & 63)) * 1_000_000 + (packed & 0xFFFFF)
    else:
        days, clock = divmod(value, DAY_US)
        year, month, day = _civil(days)
    return f"{year:04}-{month:02}-{day:02} {_time(clock, digits)}"


def _time(value: int, digits: int) -> str:
    seconds, micros = divmod(abs(value), 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return ("-" if value < 0 else "") + clock + (f".{micros:06}"[: digits + 1] if digits else "")
