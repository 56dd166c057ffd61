"""What a person wants to see of a job, read from the state store: a value, not yet words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opendrs.model.lifecycle import State
from opendrs.store import ddls, dirty, events, jobs, progress
from opendrs.store.database import Store
from opendrs.store.events import SavedEvent
from opendrs.store.progress import TableCounts

TABLES_SHOWN: Final = 6
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
    dirty     rows that did not come into the target as the source has them
    alarms    statements that were left out or have failed, and nobody has seen it yet
    """

    state: State
    phase: str
    load: Mapping[str, Any]
    metrics: Mapping[str, Any]
    trouble: Mapping[str, Any] | None
    tables: tuple[TableCounts, ...]
    events: tuple[SavedEvent, ...]
    dirty: int = 0
    alarms: int = 0

    @property
    def done(self) -> float:
        return float(self.load.get("done", 0.0))

    @property
    def last_event(self) -> int:
        return self.events[-1].id if self.events else 0


def attention(dirty: int, alarms: int) -> str:
    """`3 rows did not arrive as they were; 1 statement was left out or has failed`; empty: all is well."""
    rows = (
        f"{dirty:,} {'row did not arrive as it was' if dirty == 1 else 'rows did not arrive as they were'}"
        if dirty
        else ""
    )
    verb = "statement was left out or has failed" if alarms == 1 else "statements were left out or have failed"
    return "; ".join(part for part in (rows, f"{alarms:,} {verb}" if alarms else "") if part)


def look(store: Store, job_id: str, *, after: int) -> View:
    """Reads all of it at one moment; `after` is the last event that was seen."""
    with store.read() as connection:
        job = jobs.find(connection, job_id)
        saved = progress.load(connection, job_id)
        tables = progress.tables(connection, job_id, limit=TABLES_SHOWN)
        new = events.after(connection, job_id, after)
        rows = sum(dirty.counts(connection, job_id).values())
        alarms = ddls.alarms(connection, job_id)
    counters: Mapping[str, Any] = saved.counters if saved else {}
    return View(
        state=job.state if job else State.STARTING,
        phase=counters.get("phase", ""),
        load=counters.get("load", {}),
        metrics=counters.get("metrics", {}),
        trouble=counters.get("trouble"),
        tables=tuple(tables),
        events=tuple(saved for saved in new if saved.event.name not in _DOUBLED),
        dirty=rows,
        alarms=alarms,
    )
