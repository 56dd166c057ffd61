"""How long everything waits, in one place; tests give other values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

RESTS: Final = 10  # times as long as the store has taken, it is left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds.

    ttl_s         a lease that was not renewed for so long is given to a new worker
    start_s       how long a process may take from its start to its first word
    beat_s        how often a worker renews its lease and reports; every ttl_s / 3 at least
    poll_s        how often the supervisor looks whether a process lives
    grace_s       how long a worker may take to pause, before it is killed
    first_wait_s  wait before the first new attempt; doubled with each ...
    wait_max_s    ... up to this
    shown_after_s a network that was away for so long shows in the state of a following job
    steady_s      an attempt that lasted so long was a good one
    resumes_max   automatic resumes of a job whose worker failed
    """

    ttl_s: float = 10.0
    start_s: float = 30.0
    beat_s: float = 1.0
    poll_s: float = 0.1
    grace_s: float = 30.0
    first_wait_s: float = 0.05
    wait_max_s: float = 15.0
    shown_after_s: float = 30.0
    steady_s: float = 60.0
    resumes_max: int = 3

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


def rest_s(timing: Timing, took_s: float) -> float:
    """How long to rest behind a beat that took `took_s`. The more a store has to do, the longer each of its workers
    leaves it alone: else many on a slow machine would wait for their turn until their leases are over."""
    return max(min(timing.beat_s, timing.ttl_s / 3), min(RESTS * took_s, timing.ttl_s / 5))


class Backoff:
    """Waits that double, from the first to the longest."""

    def __init__(self, timing: Timing) -> None:
        self._first_s = timing.first_wait_s
        self._max_s = timing.wait_max_s
        self._next_s = self._first_s

    def next(self) -> float:
        """How long to wait now."""
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, self._max_s)
        return wait_s

    def reset(self) -> None:
        self._next_s = self._first_s
