"""What the lanes of a load share: numbers for themselves, and for their messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ids:
    """Ids of messages, in order. `next` is free."""

    def __init__(self, first: int = 1) -> None:
        self.next = first
        self._durable = first
        self._lock = threading.Lock()

    def take(self, count: int) -> int:
        """The first of so many."""
        with self._lock:
            first = self.next
            self.next += count
            return first

    def pass_by(self, other: int) -> None:
        """Goes on behind the ids of another."""
        with self._lock:
            self.next = max(self.next, other)

    def durable(self) -> None:
        """Everything before `next` was committed, or never will be with these ids."""
        with self._lock:
            self._durable = self.next

    def undo(self) -> None:
        """What was not committed gets the same ids when it comes again."""
        with self._lock:
            self.next = self._durable


class Lanes:
    """Each has a transactional id of its own, by its number. `count` is the most that there have been."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[int]:
        with self._lock:
            lane = next(number for number in range(self.count) if number not in self._busy)
            self._busy.add(lane)
        try:
            yield lane
        finally:
            with self._lock:
                self._busy.discard(lane)
