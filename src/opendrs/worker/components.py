"""The two halves of following a log, as the published service shows them: what pulls it, and what applies it.

capture   its point is how far the log has been pulled from the source; what it says of time is of what was read of that
apply     its point is what is durable in the target
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from opendrs.model.engine import Stream
from opendrs.model.event import Event, Heartbeat
from opendrs.model.position import Position

QUIET_S: Final = 10.0  # a source that lives says so more often than this


@dataclass(slots=True)
class Age:
    """How old the newest thing is that came through a place.

    commit_s   when the source committed it, seconds since 1970; 0: nothing came yet
    latency_s  its age when it came; None: nothing came yet
    came_at    on the clock of the one who asks
    """

    commit_s: float = 0.0
    latency_s: float | None = None
    came_at: float = 0.0

    def comes(self, event: Event, now_s: float, clock: float) -> None:
        self.commit_s = max(self.commit_s, event.last_commit_s)
        # A heartbeat says that the source has nothing newer, however old its last commit is.
        quiet = isinstance(event, Heartbeat) or not event.last_commit_s
        self.latency_s = 0.0 if quiet else max(now_s - event.last_commit_s, 0.0)  # its clock may be ahead of ours
        self.came_at = clock

    def behind_s(self, clock: float) -> float | None:
        """Nothing for long: then it is behind by at least that much."""
        if self.latency_s is None:
            return None
        return round(self.latency_s + max(clock - self.came_at - QUIET_S, 0.0), 3)


@dataclass(slots=True)
class Component:
    """One of both, since it began at `start`. Positions become text only when somebody asks."""

    began_s: float
    start: Position
    at: Position
    age: Age

    def told(self, clock: float) -> dict[str, Any]:
        return {
            "began_at": _iso(self.began_s),
            "start": self.start.brief(),
            "point": self.at.brief(),
            "resolved_at": _iso(self.age.commit_s) if self.age.commit_s else None,
            "delay_s": self.age.behind_s(clock),
        }


class Components:
    """Not safe for threads by itself: the report's lock is held around it.

    applying  how old what is applied is
    earlier   what the worker before has told, for as long as there is nothing newer
    """

    def __init__(self) -> None:
        self.applying = Age()
        self.earlier: Mapping[str, Any] = {}
        self._capture: Component | None = None
        self._apply: Component | None = None
        self._start: Position | None = None
        self._stream: Stream | None = None

    def pulls(self, position: Position, stream: Stream, now_s: float) -> None:
        """The log is opened, once more perhaps: behind what is durable."""
        self._start, self._stream = position, stream
        self._capture = Component(now_s, position, position, Age())
        if self._apply is not None:
            self._apply = Component(now_s, position, position, self.applying)

    def applies(self, now_s: float) -> None:
        """What was pulled is applied from now on, if it was not before."""
        if self._apply is None and self._start is not None:
            self._apply = Component(now_s, self._start, self._start, self.applying)

    def read(self, event: Event, now_s: float, clock: float) -> None:
        if self._capture is not None:
            self._capture.age.comes(event, now_s, clock)
            if event.position is not None:
                self._capture.at = event.position

    def saved(self, position: Position | None) -> None:
        if self._apply is not None and position is not None:
            self._apply.at = position

    def told(self, clock: float) -> dict[str, Any]:
        """Of each that has begun, what there is to say."""
        found = dict(self.earlier)
        if self._capture is not None:
            pulled = self._stream.pulled() if self._stream is not None else ""
            found["capture"] = {**self._capture.told(clock), **({"point": pulled} if pulled else {})}
        if self._apply is not None:
            found["apply"] = self._apply.told(clock)
        return found


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
