"""How long a load will still take, guessed from how fast it went lately."""

from __future__ import annotations

from collections import deque
from typing import Final

PACE_S: Final = 30.0  # guessed from the last so many seconds


class Pace:
    """Asked again and again, with the share that is done."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def left_s(self, now: float, done: float) -> float | None:
        """Seconds until `done` is 1; None while nobody can say."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # a table began anew
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - PACE_S:
            self._seen.popleft()
        then, before = self._seen[0]
        if done >= 1.0 or now <= then or done <= before:
            return None
        return (1.0 - done) * (now - then) / (done - before)
