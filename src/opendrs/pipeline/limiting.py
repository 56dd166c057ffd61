"""How fast the lanes of a load may read together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from opendrs.model.speed import SpeedWindow, bytes_a_second

TICK_S: Final = 0.5  # a limit that changes is noticed within so long
WORTH_S: Final = 0.001  # nobody waits for less; it stays owed


class Limit(Protocol):
    """Shared by all lanes."""

    def spend(self, nbytes: int, halt: threading.Event) -> None:
        """So many bytes were read. Returns when more may be, or at once when `halt` is set."""


class NoLimit:
    """As fast as it can be."""

    def spend(self, nbytes: int, halt: threading.Event) -> None:
        return


def _wait(halt: threading.Event, seconds: float) -> None:
    halt.wait(seconds)


class Debt:
    """Whoever has read runs up a debt, which is paid off at the speed that is allowed at that hour; nobody reads on
    while there is any. Nothing is saved up.

    So in any time t, lanes that read batches of b bytes at most read no more than speed * t + lanes * b, and what a
    millisecond is worth.
    """

    def __init__(
        self,
        windows: Sequence[SpeedWindow] = (),
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[threading.Event, float], None] = _wait,
    ) -> None:
        self._windows = tuple(windows)
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._debt = 0.0
        self._settled_at = clock()

    def set(self, windows: Sequence[SpeedWindow]) -> None:
        """From now on these count."""
        with self._lock:
            self._settle()
            self._windows = tuple(windows)

    def spend(self, nbytes: int, halt: threading.Event) -> None:
        self.owe(nbytes)
        while not halt.is_set() and (left_s := self.left_s()) > 0:
            self._wait(halt, min(left_s, TICK_S))

    def owe(self, nbytes: int) -> None:
        with self._lock:
            self._settle()
            self._debt += nbytes

    def left_s(self) -> float:
        """How long it still takes to pay off, at the speed of now."""
        with self._lock:
            speed = self._settle()
            left_s = 0.0 if speed is None else self._debt / speed
        return left_s if left_s >= WORTH_S else 0.0

    def _settle(self) -> int | None:
        """Pays for the time that has passed; returns what is allowed now. Across a change of the speed the slower of
        both counts: that is for half a second at most, and never too fast."""
        before, now = self._settled_at, self._clock()
        self._settled_at = now
        speed, then = bytes_a_second(self._windows, now), bytes_a_second(self._windows, before)
        if speed is None:
            self._debt = 0.0
        else:
            paid = min(speed, speed if then is None else then) * max(now - before, 0.0)  # a clock may be set back
            self._debt = max(self._debt - paid, 0.0)
        return speed
