"""How fast a load may be, by the hour of the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

MEGABYTE: Final = 1 << 20
SPEED_MAX: Final = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedWindow:
    """A part of every day.

    begin, end   hours, both inclusive: 22 and 5 are the time from 22:00 to 05:59, over midnight
    megabytes    of rows in memory that may be read a second, in units of 1,048,576 bytes
    utc          hours of UTC; else of the clock of the machine that the job's worker runs on
    """

    begin: int
    end: int
    megabytes: int
    utc: bool = True

    def covers(self, at_s: float) -> bool:
        """Whether the moment, seconds since 1970, lies within it."""
        hour = datetime.fromtimestamp(at_s, UTC if self.utc else None).hour
        if self.begin <= self.end:
            return self.begin <= hour <= self.end
        return hour >= self.begin or hour <= self.end

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


def bytes_a_second(windows: Iterable[SpeedWindow], at_s: float) -> int | None:
    """What is allowed at a moment; None: there is no limit. Of several windows the slowest counts."""
    allowed = [window.megabytes * MEGABYTE for window in windows if window.covers(at_s)]
    return min(allowed, default=None)
