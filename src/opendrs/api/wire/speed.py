"""SpeedLimitInfo: how fast a load may be, on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.wire.problems import MISSING, demand_none
from opendrs.control.asking import shown
from opendrs.model.speed import SPEED_MAX, SpeedWindow

WINDOWS_MAX: Final = 24
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class Window(Wire):
    """One part of the day."""

    begin: str
    end: str
    speed: str
    is_utc: bool = True


def windows(asked: Sequence[Window], where: str) -> list[SpeedWindow]:
    """What is asked for. The minutes of a beginning are ignored, those of an end are 59. Raises PARAMETER_EMPTY,
    PARAMETER_INVALID with everything that is wrong.

    where   stands before the names of fields
    """
    problems: dict[str, str] = {}
    if len(asked) > WINDOWS_MAX:
        problems[where.removesuffix(".")] = f"there are more than {WINDOWS_MAX}"
    for number, window in enumerate(asked[:WINDOWS_MAX]):
        for name, problem in _problems(window).items():
            problems[f"{where}{number}.{name}"] = problem
    demand_none(problems)
    return [
        SpeedWindow(begin=int(one.begin[:2]), end=int(one.end[:2]), megabytes=int(one.speed), utc=one.is_utc)
        for one in asked
    ]


def _problems(window: Window) -> dict[str, str]:
    found = {name: MISSING for name in ("begin", "end", "speed") if not getattr(window, name)}
    if window.begin and not _HOUR.fullmatch(window.begin):
        found["begin"] = f"{shown(window.begin)!r} is no time of the day as in 01:00"
    end = _HOUR.fullmatch(window.end)
    if window.end and not (end and end[2] == "59"):
        found["end"] = f"{shown(window.end)!r} is no time of the day with the minutes 59, as in 15:59"
    speed = window.speed
    plain = speed.isascii() and speed.isdecimal() and len(speed) <= 9
    if speed and not (plain and 1 <= int(speed) <= SPEED_MAX):
        found["speed"] = f"{shown(speed)!r} is no whole number from 1 to {SPEED_MAX}"
    return found


def shown_windows(found: Iterable[SpeedWindow]) -> list[dict[str, Any]]:
    """SpeedLimitInfo of each."""
    return [
        {
            "begin": f"{window.begin:02}:00",
            "end": f"{window.end:02}:59",
            "speed": str(window.megabytes),
            "is_utc": window.utc,
        }
        for window in found
    ]
