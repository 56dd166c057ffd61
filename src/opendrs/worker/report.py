"""What a worker knows of its own progress: told by the pipeline, fetched by the heart, for people.

The pipeline's threads only add to numbers here; nothing on their side ever waits for the store.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.event import Event, Heartbeat, SchemaChange, Window
from opendrs.model.failure import Failure
from opendrs.model.position import Position
from opendrs.store.progress import TableCounts, TableState

RATE_S: Final = 5.0  # rates are means over so long
QUIET_S: Final = 10.0  # a source that lives says so more often than this
# A server that is away shows within the time a connection may take to be refused on both sides; an attempt that
# lasts longer has got through.
THROUGH_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Servers do not answer.

    since      on the report's clock
    began_at   the same moment, for people
    attempts   that have failed since
    """

    failure: Failure
    since: float
    began_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What is new since the last one.

    first       the first of this process: what an earlier one said of tables is void
    checkpoint  phase and position, if one was saved
    recovered   the trouble that is over
    """

    first: bool
    phase: Phase | None
    checkpoint: tuple[Phase, Position | None] | None
    counters: Mapping[str, Any]
    tables: tuple[TableCounts, ...]
    forgotten: tuple[TableName, ...]
    trouble: Trouble | None
    recovered: Trouble | None


@dataclass(slots=True)
class _Totals:
    """Since the start of this process."""

    rows: int = 0
    changes: int = 0
    nbytes: int = 0
    transactions: int = 0
    ddls: int = 0


def usage(process: psutil.Process) -> Callable[[], dict[str, float]]:
    """Reads what the process costs its machine."""

    def read() -> dict[str, float]:
        resident = process.memory_info().rss
        return {
            "cpu_util": round(process.cpu_percent() / (psutil.cpu_count() or 1), 1),
            "mem_util": round(100 * resident / psutil.virtual_memory().total, 1),
            "mem_bytes": resident,
        }

    return read


@dataclass(slots=True, kw_only=True)
class Report:
    """Implements pipeline.progress.Progress and model.engine.Checkpoints.

    nudge   set when something is new that people should see at once
    """

    usage: Callable[[], dict[str, float]] = dict
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    nudge: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _phase: Phase | None = None
    _tables: dict[TableName, TableCounts] = field(default_factory=dict)
    _changed: set[TableName] = field(default_factory=set)
    _forgotten: set[TableName] = field(default_factory=set)
    _first: bool = True
    _checkpoint: tuple[Phase, Position | None] | None = None
    _totals: _Totals = field(default_factory=_Totals)
    _samples: deque[tuple[float, _Totals]] = field(default_factory=deque)
    _last_commit_s: float = 0.0
    _latency_s: float | None = None
    _applied_at: float = 0.0
    _attempt_at: float | None = None
    _trouble: Trouble | None = None
    _recovered: Trouble | None = None

    # the pipeline's side

    def phase(self, phase: Phase) -> None:
        with self._lock:
            self._phase = phase
        self.nudge.set()

    def table(self, progress: TableProgress) -> None:
        table = progress.table
        state: TableState = "loaded" if progress.loaded else "loading" if progress.rows else "waiting"
        counts = TableCounts(
            name=table.name,
            state=state,
            rows=progress.rows,
            nbytes=progress.nbytes,
            rows_estimate=table.rows_estimate,
            bytes_estimate=table.bytes_estimate,
        )
        with self._lock:
            self._tables[table.name] = counts
            self._changed.add(table.name)
            self._forgotten.discard(table.name)

    def forgotten(self, name: TableName) -> None:
        with self._lock:
            self._tables.pop(name, None)
            self._changed.discard(name)
            self._forgotten.add(name)

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        with self._lock:
            self._totals.rows += rows
            self._totals.nbytes += nbytes
            counts = self._tables.get(name)
            if counts is not None:
                # A chunk that was taken back leaves the table as it was before, never below nothing.
                self._tables[name] = replace(
                    counts,
                    state="loaded" if counts.state == "loaded" else "loading",
                    rows=max(counts.rows + rows, 0),
                    nbytes=max(counts.nbytes + nbytes, 0),
                )
                self._changed.add(name)
            if rows > 0:
                self._lives()

    def applied(self, event: Event) -> None:
        with self._lock:
            match event:
                case Window():
                    self._totals.rows += event.changes
                    self._totals.changes += event.changes
                    self._totals.nbytes += event.nbytes
                    self._totals.transactions += event.transactions
                case SchemaChange():
                    self._totals.ddls += 1
                case Heartbeat():
                    pass
            self._last_commit_s = max(self._last_commit_s, event.last_commit_s)
            self._applied_at = self.clock()
            # A heartbeat says that the source has nothing newer, however old its last commit is.
            age_s = 0.0 if isinstance(event, Heartbeat) or not event.last_commit_s else self.now() - event.last_commit_s
            self._latency_s = max(age_s, 0.0)  # the clock of the source may be ahead of ours
            self._lives()

    def save(self, position: Position | None, phase: Phase) -> None:
        with self._lock:
            self._checkpoint = (phase, position)

    # the side of the worker's own process

    def begins(self) -> None:
        """An attempt begins."""
        with self._lock:
            self._attempt_at = self.clock()

    def resumed_in(self, phase: Phase) -> None:
        """What the store knows of an earlier worker's end: a word for the state until the target has spoken."""
        with self._lock:
            self._phase = self._phase or phase

    def interrupted(self, failure: Failure) -> Trouble:
        """An attempt has failed because nobody answers. Returns the trouble, one attempt older."""
        with self._lock:
            before = self._trouble
            began = before or Trouble(
                failure=failure, since=self.clock(), began_at=datetime.fromtimestamp(self.now(), UTC), attempts=0
            )
            self._trouble = replace(began, failure=failure, attempts=began.attempts + 1)
            self._attempt_at = self._recovered = None
            if before is None:
                self.nudge.set()
            return self._trouble

    def reached(self) -> Phase | None:
        with self._lock:
            return self._phase

    def fetch(self) -> Update:
        """What is new; the caller carries it to the store, or puts it back."""
        spent = self.usage()
        with self._lock:
            now = self.clock()
            if self._attempt_at is not None and now > self._attempt_at + THROUGH_S:
                self._lives()
            update = Update(
                first=self._first,
                phase=self._phase,
                checkpoint=self._checkpoint,
                counters=self._counters(now, spent),
                tables=tuple(self._tables[name] for name in sorted(self._changed)),
                forgotten=tuple(sorted(self._forgotten)),
                trouble=self._trouble,
                recovered=self._recovered,
            )
            self._first = False
            self._checkpoint = self._recovered = None
            self._changed.clear()
            self._forgotten.clear()
            return update

    def put_back(self, update: Update) -> None:
        """It could not be written: the next one must bring it as well."""
        with self._lock:
            self._first |= update.first
            self._checkpoint = self._checkpoint or update.checkpoint
            self._recovered = self._recovered or update.recovered
            self._changed |= {table.name for table in update.tables} & self._tables.keys()
            self._forgotten |= set(update.forgotten) - self._tables.keys()

    # with the lock held

    def _lives(self) -> None:
        if self._trouble is not None:
            self._recovered, self._trouble = self._trouble, None

    def _counters(self, now: float, spent: Mapping[str, float]) -> dict[str, Any]:
        return {
            "version": 1,
            "phase": self._phase.value if self._phase else "",
            "load": self._load(),
            "metrics": {**spent, **self._rates(now), **self._metrics(now)},
            "last_commit_s": self._last_commit_s or None,
            "trouble": None if self._trouble is None else _told(self._trouble),
        }

    def _load(self) -> dict[str, Any]:
        tables = self._tables.values()
        weight = sum(_weight(table) for table in tables)
        done = sum(_weight(table) * _done(table) for table in tables)
        return {
            "tables": len(self._tables),
            "loaded": sum(table.state == "loaded" for table in tables),
            "rows": sum(table.rows for table in tables),
            "bytes": sum(table.nbytes for table in tables),
            "rows_estimate": sum(max(table.rows, table.rows_estimate) for table in tables),
            "bytes_estimate": sum(table.bytes_estimate for table in tables),
            "done": round(done / weight, 6) if weight else 0.0,
        }

    def _rates(self, now: float) -> dict[str, float]:
        self._samples.append((now, replace(self._totals)))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_S:
            self._samples.popleft()
        then, before = self._samples[0]
        span_s = now - then
        gone = {
            "apply_rows_rate": self._totals.rows - before.rows,
            "apply_bytes_rate": self._totals.nbytes - before.nbytes,
            "apply_transactions_rate": self._totals.transactions - before.transactions,
            "apply_ddls_rate": self._totals.ddls - before.ddls,
        }
        return {name: round(max(count, 0) / span_s, 1) if span_s > 0 else 0.0 for name, count in gone.items()}

    def _metrics(self, now: float) -> dict[str, float | None]:
        latency_s = self._latency_s
        if latency_s is not None:
            # Nothing for long: then the target is behind by at least that much.
            latency_s = round(latency_s + max(now - self._applied_at - QUIET_S, 0.0), 3)
        return {
            "apply_latency": latency_s,
            "apply_current_state": 0 if self._trouble else 1,
            "apply_rows_total": self._totals.rows,
            "apply_changes_total": self._totals.changes,
            "apply_bytes_total": self._totals.nbytes,
            "apply_transactions_total": self._totals.transactions,
            "apply_ddls_total": self._totals.ddls,
        }


def _weight(table: TableCounts) -> int:
    """What a table counts for in the whole: its size at the source, and something if that is not known."""
    return max(table.bytes_estimate, 1)


def _done(table: TableCounts) -> float:
    if table.state == "loaded":
        return 1.0
    return table.rows / max(table.rows_estimate, table.rows + 1)


def _told(trouble: Trouble) -> dict[str, Any]:
    return {**trouble.failure.to_json(), "began_at": trouble.began_at.isoformat(), "attempts": trouble.attempts}
