"""What a worker has to write down before it goes on: rows that do not arrive as they are, and changes of the schema.

The heart carries it to the store, in the order in which it was entered and under the lease; whoever enters something
waits for that. What is entered before the flush that it belongs to is there whenever the flush is, whoever is killed
in between; and what is entered once more, because the flush never came, is the same entry.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from sqlalchemy import Connection

from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyRow
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import ddls, dirty

LOOK_S: Final = 0.2
# A change of the schema must not wait for ever for a store that is away: the job goes on, and only if its worker is
# killed before the store is back does the list lack a line. Of a row that is given up, or written over, there must be
# a trace: that waits for as long as it takes.
PATIENCE_S: Final = 30.0
LEAVING_S: Final = 5.0  # who is to pause waits so long for the last entries


@dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[DirtyRow, ...]


@dataclass(frozen=True, slots=True)
class Stands:
    """The target stands at a position, as its engine dumps it."""

    position: str


Entry = Rows | DdlRecord | Stands


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Implements model.dirty.Dirty.

    nudge       set when somebody waits for the heart
    stop        set when the run is to pause
    patience_s  how long a change of the schema waits
    """

    nudge: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    patience_s: float = PATIENCE_S
    clock: Callable[[], float] = time.monotonic
    _entries: deque[Entry] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _entered: int = 0
    _written: int = 0
    _tired: bool = False  # the patience was at its end, and nothing has been written since
    _rows: int = 0

    @property
    def rows(self) -> int:
        """How many have been recorded."""
        return self._rows

    # the pipeline's side

    def record(self, rows: Sequence[DirtyRow]) -> None:
        if rows:
            self._wait(self._enter(Rows(tuple(rows))), None)
            with self._changed:
                self._rows += len(rows)

    def note(self, record: DdlRecord) -> None:
        """A change of the schema. Returns when it is written, or the patience is at its end: of those that follow while
        the store is away, none waits again."""
        self._wait(self._enter(record), 0.0 if self._tired else self.patience_s)

    def stands(self, position: str) -> None:
        """The target stands there. Returns at once."""
        self._enter(Stands(position))

    def _enter(self, entry: Entry) -> int:
        with self._changed:
            self._entries.append(entry)
            self._entered += 1
            return self._entered

    def _wait(self, number: int, patience_s: float | None) -> None:
        began = self.clock()
        self.nudge.set()
        with self._changed:
            while self._written < number:
                self._changed.wait(LOOK_S)
                waited_s = self.clock() - began
                if patience_s is not None and waited_s >= patience_s:
                    self._tired = self._written < number
                    return
                if self.stop.is_set() and waited_s >= LEAVING_S and self._written < number:
                    raise Stopped

    # the heart's side

    def fetch(self) -> list[Entry]:
        """What has gathered; it is the caller's now."""
        with self._changed:
            entries = list(self._entries)
            self._entries.clear()
        return entries

    def put_back(self, entries: Sequence[Entry]) -> None:
        """They could not be written."""
        with self._changed:
            self._entries.extendleft(reversed(entries))

    def written(self, entries: Sequence[Entry]) -> None:
        """They are in the store."""
        with self._changed:
            self._written += len(entries)
            self._tired = self._tired and not entries
            self._changed.notify_all()


def carry(connection: Connection, job_id: str, entries: Iterable[Entry]) -> None:
    """Writes entries to the store. The caller has renewed the lease just before."""
    for entry in entries:
        match entry:
            case Rows(rows):
                dirty.save(connection, job_id, rows)
            case DdlRecord():
                ddls.note(connection, job_id, entry)
            case Stands(position):
                ddls.durable(connection, job_id, position=position)
            case _:
                assert_never(entry)
