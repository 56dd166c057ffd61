"""Instants on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from opendrs.api.query import Query
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault

_MS_MAX = 253_402_300_799_000  # the end of the year 9999


def iso(at: datetime) -> str:
    """As in `2022-11-07T16:15:18Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ms(at: datetime) -> str:
    """Milliseconds since 1970, as text: 13 digits."""
    return str(int(at.timestamp() * 1000))


def span(query: Query) -> tuple[datetime | None, datetime | None]:
    """`begin_time` and `end_time` of a query; None: there is none. Raises PARAMETER_INVALID."""
    begin, end = (
        None if (text := query.text(name)) is None else read(name, text) for name in ("begin_time", "end_time")
    )
    if begin is not None and end is not None and begin > end:
        raise DrsError(Fault.PARAMETER_INVALID, name="end_time", reason="it is before begin_time")
    return begin, end


def read(name: str, text: str) -> datetime:
    """Either form. Raises PARAMETER_INVALID."""
    if re.fullmatch(r"[0-9]{10,16}", text) and int(text) <= _MS_MAX:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    try:
        if text.isdecimal():  # 17 digits would be a moment of the middle ages
            raise ValueError
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        reason = f"{shown(text)!r} is neither milliseconds since 1970 nor a time as in 2026-11-29T08:00:00Z"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason) from None
