"""What a person wants to see of a job, read from the state store: a value, not yet words."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opendrs.model.lifecycle import State
from opendrs.store import events, jobs, progress
from opendrs.store.database import Store
from opendrs.store.events import SavedEvent
from opendrs.store.progress import TableCounts

TABLES_SHOWN: Final = 6
PACE_S: Final = 30.0  # the time left is guessed from the last so many seconds
# Said by both the supervisor and the worker; one of them is enough for people.
_DOUBLED: Final = frozenset({"worker.began", "worker.ended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look.

    phase     word of model.checkpoint.Phase; empty: the worker has not said yet
    load      of the whole: tables, loaded, rows, bytes, done (0 to 1)
    metrics   names of telemetry.METRICS
    trouble   servers that do not answer, with `message`, `attempts`, `began_at`
    tables    the most interesting ones
    events    since the last look
    """

    state: State
    phase: str
    load: Mapping[str, Any]
    metrics: Mapping[str, Any]
    trouble: Mapping[str, Any] | None
    tables: tuple[TableCounts, ...]
    events: tuple[SavedEvent, ...]

    @property
    def done(self) -> float:
        return float(self.load.get("done", 0.0))

    @property
    def last_event(self) -> int:
        return self.events[-1].id if self.events else 0


def look(store: Store, job_id: str, *, after: int) -> View:
    """Reads all of it at one moment; `after` is the last event that was seen."""
    with store.read() as connection:
        job = jobs.find(connection, job_id)
        saved = progress.load(connection, job_id)
        tables = progress.tables(connection, job_id, limit=TABLES_SHOWN)
        new = events.after(connection, job_id, after)
    counters: Mapping[str, Any] = saved.counters if saved else {}
    return View(
        state=job.state if job else State.STARTING,
        phase=counters.get("phase", ""),
        load=counters.get("load", {}),
        metrics=counters.get("metrics", {}),
        trouble=counters.get("trouble"),
        tables=tuple(tables),
        events=tuple(saved for saved in new if saved.event.name not in _DOUBLED),
    )


class Pace:
    """How long it will still take, from how much was done lately."""

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
