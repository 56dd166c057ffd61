"""The queue between the thread that reads the log and the one that writes, bounded in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.engine import Stream
from opendrs.model.event import Event, SchemaChange, nbytes_of
from opendrs.model.position import Position

POLL_S = 0.5


class Flow(Protocol):
    """Events of one stream, in order, taken in groups."""

    def take(self, timeout_s: float) -> list[Event]:
        """All that is there; waits up to the time for the first. A SchemaChange is always the last of a group."""

    def put_back(self, events: Sequence[Event]) -> None:
        """What was taken last and cannot be dealt with yet: it will be taken again, before everything else."""

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        """Goes on behind a SchemaChange."""

    def hold(self) -> None:
        """Returns when the log is no longer being read; what was read waits to be taken."""

    def go_on(self, stop_at: Position | None, *, hold: bool = False) -> None:
        """Reads on; an event will end exactly at `stop_at`, if that is still ahead. `hold`: and nothing is read behind
        it."""


class Inline:
    """No thread: the taker reads. For the simulation, where every step must be repeatable."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._back: list[Event] = []
        self._held = False

    def take(self, timeout_s: float) -> list[Event]:
        if self._back or self._held:
            taken, self._back = self._back, []
            return taken
        event = self._stream.next(timeout_s)
        return [] if event is None else [event]

    def put_back(self, events: Sequence[Event]) -> None:
        self._back = [*events, *self._back]

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._stream.resume(tables)

    def hold(self) -> None:
        self._held = True

    def go_on(self, stop_at: Position | None, *, hold: bool = False) -> None:
        del hold  # whoever takes an event at a time stops by himself
        self._held = False
        self._stream.stop_at(stop_at)


class Threaded:
    """A thread reads ahead while the taker writes. What has gathered meanwhile is taken at once, so that
    a lone transaction is written at once and a flood is written in groups."""

    def __init__(self, stream: Stream, *, nbytes_max: int) -> None:
        self._stream = stream
        self._nbytes_max = nbytes_max
        self._events: deque[Event] = deque()
        self._nbytes = 0
        self._error: BaseException | None = None
        self._barrier = False  # behind a SchemaChange
        self._held = False
        self._hold_at: Position | None = None
        self._reading = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="log-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def take(self, timeout_s: float) -> list[Event]:
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._error is not None, timeout_s)
            if self._events:
                taken = list(self._events)
                self._events.clear()
                self._nbytes = 0
                self._changed.notify_all()
                return taken
            if self._error is not None:
                # Only now: everything read before the error is good and has been taken.
                raise self._error
            return []

    def put_back(self, events: Sequence[Event]) -> None:
        with self._changed:
            self._events.extendleft(reversed(events))
            self._nbytes += sum(map(nbytes_of, events))

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._stream.resume(tables)
        with self._changed:
            self._barrier = False
            self._changed.notify_all()

    def hold(self) -> None:
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not self._reading or self._error is not None)

    def go_on(self, stop_at: Position | None, *, hold: bool = False) -> None:
        self._stream.stop_at(stop_at)
        with self._changed:
            self._held = False
            self._hold_at = stop_at if hold else None
            self._changed.notify_all()

    def _read(self) -> None:
        try:
            while self._room():
                self._put(self._stream.next(POLL_S))
        except BaseException as error:  # noqa: BLE001  handed to the taker, who decides
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _room(self) -> bool:
        """Waits until there is room; False when closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not (self._barrier or self._held or self._nbytes >= self._nbytes_max)
            )
            self._reading = not self._closed
            return self._reading

    def _put(self, event: Event | None) -> None:
        with self._changed:
            self._reading = False
            if event is not None:
                self._events.append(event)
                self._nbytes += nbytes_of(event)
                self._barrier = isinstance(event, SchemaChange)
                if self._hold_at is not None and event.position is not None and event.position.covers(self._hold_at):
                    self._held, self._hold_at = True, None
            self._changed.notify_all()
