"""What a worker knows of its own progress: told by the pipeline, fetched by the heart, for people.

The pipeline's threads only add to numbers here; nothing on their side ever waits for the store.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Chunk, Phase, TableProgress
from opendrs.model.engine import Stream
from opendrs.model.event import Event, Heartbeat, SchemaChange, Window
from opendrs.model.failure import Failure
from opendrs.model.position import Position
from opendrs.store import ddls
from opendrs.store.progress import TableCounts, TableState, ViewCounts
from opendrs.worker.components import Components
from opendrs.worker.ledger import Ledger
from opendrs.worker.pace import Pace
from opendrs.worker.statements import Statements

RATE_S: Final = 5.0  # rates are means over so long
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

    first       the first that tells of tables: what an earlier process said of them is void
    checkpoint  phase and position, if one was saved
    planned     the source's views, if it was asked for them
    beside      views that come beside those
    views       what became of views
    recovered   the trouble that is over
    """

    first: bool
    phase: Phase | None
    checkpoint: tuple[Phase, Position | None] | None
    counters: Mapping[str, Any]
    tables: tuple[TableCounts, ...]
    forgotten: tuple[TableName, ...]
    planned: frozenset[TableName] | None
    beside: tuple[TableName, ...]
    views: tuple[ViewCounts, ...]
    trouble: Trouble | None
    recovered: Trouble | None


@dataclass(frozen=True, slots=True)
class Ranges:
    """Of one table, how many chunks are durable, and how many rows the source has in one, if only some of them are
    wanted, about; else 0."""

    done: int = 0
    rows: int = 0


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
    """Implements pipeline.progress.Progress, model.engine.Checkpoints and model.engine.Objects.

    nudge     set when something is new that people should see at once
    ledger    takes what must be written down before the work goes on
    left_out  what of a change of the schema the job's policy leaves out, in words
    mask      makes a text fit to be kept
    """

    usage: Callable[[], dict[str, float]] = dict
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    nudge: threading.Event = field(default_factory=threading.Event)
    ledger: Ledger = field(default_factory=Ledger)
    left_out: Callable[[SchemaChange], Sequence[str]] = lambda change: ()
    mask: Callable[[str], str] = str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _phase: Phase | None = None
    _tables: dict[TableName, TableCounts] = field(default_factory=dict)
    _changed: set[TableName] = field(default_factory=set)
    _forgotten: set[TableName] = field(default_factory=set)
    _ranges: dict[TableName, Ranges] = field(default_factory=dict)
    _planned: frozenset[TableName] | None = None
    _beside: set[TableName] = field(default_factory=set)
    _views: dict[TableName, ViewCounts] = field(default_factory=dict)
    _first: bool = True
    _checkpoint: tuple[Phase, Position | None] | None = None
    _totals: _Totals = field(default_factory=_Totals)
    _samples: deque[tuple[float, _Totals]] = field(default_factory=deque)
    _components: Components = field(default_factory=Components)
    _pace: Pace = field(default_factory=Pace)
    _statements: Statements = field(init=False)
    _attempt_at: float | None = None
    _trouble: Trouble | None = None
    _recovered: Trouble | None = None

    def __post_init__(self) -> None:
        self._statements = Statements(ledger=self.ledger, left_out=self.left_out, mask=self.mask)

    # the pipeline's side

    def phase(self, phase: Phase) -> None:
        with self._lock:
            self._phase = phase
            if phase in (Phase.CATCHING_UP, Phase.FOLLOWING):
                self._components.applies(self.now())
        self.nudge.set()

    def table(self, progress: TableProgress) -> None:
        table = progress.table
        state: TableState = "loaded" if progress.loaded else "loading" if progress.rows else "waiting"
        with self._lock:
            known, ranges = self._tables.get(table.name), self._ranges.get(table.name, Ranges())
            counts = TableCounts(
                name=table.name,
                state=state,
                rows=progress.rows,
                nbytes=progress.nbytes,
                rows_estimate=table.rows_estimate,
                bytes_estimate=table.bytes_estimate,
                indexes=known.indexes if known else len(table.indexes) + (table.primary is not None),
                indexes_made=known.indexes_made if known and progress.loaded else 0,
            )
            self._ranges[table.name] = replace(ranges, done=len(progress.chunks))
            self._tables[table.name] = self._with_scanned(counts)
            self._changed.add(table.name)
            self._forgotten.discard(table.name)

    def forgotten(self, name: TableName) -> None:
        with self._lock:
            self._tables.pop(name, None)
            self._ranges.pop(name, None)
            self._changed.discard(name)
            self._forgotten.add(name)

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        with self._lock:
            self._totals.rows += rows
            self._totals.nbytes += nbytes
            counts = self._tables.get(name)
            if counts is not None:
                # A chunk that was taken back leaves the table as it was before, never below nothing.
                self._tables[name] = self._with_scanned(
                    replace(
                        counts,
                        state="loaded" if counts.state == "loaded" else "loading",
                        rows=max(counts.rows + rows, 0),
                        nbytes=max(counts.nbytes + nbytes, 0),
                    )
                )
                self._changed.add(name)
            if rows > 0:
                self._lives()

    def chunk(self, chunk: Chunk) -> None:
        with self._lock:
            before, counts = self._ranges.get(chunk.table, Ranges()), self._tables.get(chunk.table)
            self._ranges[chunk.table] = Ranges(before.done + 1, chunk.rows or before.rows)
            if counts is not None:
                self._tables[chunk.table] = self._with_scanned(counts)
                self._changed.add(chunk.table)

    def pulls(self, position: Position, stream: Stream) -> None:
        with self._lock:
            self._components.pulls(position, stream, self.now())
        self._statements.pulls(position)

    def read(self, event: Event) -> None:
        with self._lock:
            self._components.read(event, self.now(), self.clock())

    def altering(self, change: SchemaChange) -> None:
        self._statements.altering(change)

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        self._statements.refused(change, error)

    def beside(self, guest: str) -> Statements:
        whose = ddls.beside(guest)
        return Statements(ledger=self.ledger, left_out=self.left_out, mask=self.mask, whose=whose)

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
            self._components.applies(self.now())
            self._components.applying.comes(event, self.now(), self.clock())
            self._lives()

    def save(self, position: Position | None, phase: Phase) -> None:
        with self._lock:
            self._checkpoint = (phase, position)
            self._components.saved(position)
        if position is not None and self._statements.saved(position):
            self.nudge.set()

    # the sink's side

    def planned(self, views: Collection[TableName], *, beside: bool = False) -> None:
        with self._lock:
            if beside:
                self._beside |= set(views)
                return
            self._planned = frozenset(views)
            self._views = {name: counts for name, counts in self._views.items() if name in self._planned}

    def views(self, made: Collection[TableName], refused: Mapping[TableName, str]) -> None:
        with self._lock:
            self._views.update({name: ViewCounts(name=name, made=True) for name in made})
            self._views.update({name: ViewCounts(name=name, made=False, reason=why) for name, why in refused.items()})

    def indexes(self, table: TableName, made: int, total: int) -> None:
        with self._lock:
            counts = self._tables.get(table)
            if counts is not None:
                self._tables[table] = replace(counts, indexes=total, indexes_made=made)
                self._changed.add(table)

    # the side of the worker's own process

    def begins(self) -> None:
        """An attempt begins."""
        with self._lock:
            self._attempt_at = self.clock()

    def resumed_in(self, phase: Phase, components: Mapping[str, Any] | None = None) -> None:
        """What the store knows of an earlier worker's end: a word for the state until the target has spoken, and where
        capture and apply stood."""
        with self._lock:
            self._phase = self._phase or phase
            self._components.earlier = components or {}

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
            tells = bool(self._changed or self._forgotten)
            update = Update(
                first=self._first and tells,
                phase=self._phase,
                checkpoint=self._checkpoint,
                counters=self._counters(now, spent),
                tables=tuple(self._tables[name] for name in sorted(self._changed)),
                forgotten=tuple(sorted(self._forgotten)),
                planned=self._planned,
                beside=tuple(sorted(self._beside)),
                views=tuple(self._views[name] for name in sorted(self._views)),
                trouble=self._trouble,
                recovered=self._recovered,
            )
            self._first = self._first and not tells
            self._checkpoint = self._recovered = self._planned = None
            self._changed.clear()
            self._forgotten.clear()
            self._views.clear()
            self._beside.clear()
            return update

    def put_back(self, update: Update) -> None:
        """It could not be written: the next one must bring it as well."""
        with self._lock:
            self._first |= update.first
            self._checkpoint = self._checkpoint or update.checkpoint
            self._recovered = self._recovered or update.recovered
            if self._planned is None:
                self._planned = update.planned
            self._beside |= set(update.beside)
            gone = frozenset() if self._planned is None else {one.name for one in update.views} - self._planned
            self._views = {one.name: one for one in update.views if one.name not in gone} | self._views
            self._changed |= {table.name for table in update.tables} & self._tables.keys()
            self._forgotten |= set(update.forgotten) - self._tables.keys()

    # with the lock held

    def _lives(self) -> None:
        if self._trouble is not None:
            self._recovered, self._trouble = self._trouble, None

    def _with_scanned(self, counts: TableCounts) -> TableCounts:
        """Where a filter leaves rows out, those that come say little of how many are still to be looked at: of a table
        whose last million rows are wanted, none come for long; of one whose first rows are, nothing happens for long.
        What does say it is how many of the table's key ranges have been read, of about the same number of rows each,
        wanted or not. Of what is being read just now at least the rows that came have been looked at. So the share
        grows with the reading, chunk by chunk, whatever is wanted of it; a table without a key is one chunk, and shows
        only what comes until it is whole. As with every other table, it is no end to have read as much as was
        estimated (TableCounts.done)."""
        ranges = self._ranges.get(counts.name, Ranges())
        return replace(counts, scanned=max(counts.rows, ranges.done * ranges.rows))

    def _counters(self, now: float, spent: Mapping[str, float]) -> dict[str, Any]:
        return {
            "version": 1,
            "phase": self._phase.value if self._phase else "",
            "load": self._load(now),
            "metrics": {**spent, **self._rates(now), **self._metrics(now)},
            "last_commit_s": self._components.applying.commit_s or None,
            "components": self._components.told(now),
            "trouble": None if self._trouble is None else _told(self._trouble),
        }

    def _load(self, now: float) -> dict[str, Any]:
        tables = self._tables.values()
        weight = sum(_weight(table) for table in tables)
        done = sum(_weight(table) * table.done for table in tables) / weight if weight else 0.0
        left_s = self._pace.left_s(now, done)
        return {
            "tables": len(self._tables),
            "loaded": sum(table.state == "loaded" for table in tables),
            "rows": sum(table.rows for table in tables),
            "bytes": sum(table.nbytes for table in tables),
            "rows_estimate": sum(max(table.rows, table.rows_estimate) for table in tables),
            "bytes_estimate": sum(table.bytes_estimate for table in tables),
            "indexes": sum(table.indexes for table in tables),
            "indexes_made": sum(table.indexes_made for table in tables),
            "done": round(done, 6),
            "left_s": None if left_s is None else round(left_s),
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
        return {
            "apply_latency": self._components.applying.behind_s(now),
            "apply_current_state": 0 if self._trouble else 1,
            "apply_rows_total": self._totals.rows,
            "apply_changes_total": self._totals.changes,
            "apply_bytes_total": self._totals.nbytes,
            "apply_transactions_total": self._totals.transactions,
            "apply_ddls_total": self._totals.ddls,
            "apply_dirty_rows_total": self.ledger.rows,
        }


def _weight(table: TableCounts) -> int:
    """What a table counts for in the whole: its size at the source, and something if that is not known."""
    return max(table.bytes_estimate, 1)


def _told(trouble: Trouble) -> dict[str, Any]:
    return {**trouble.failure.to_json(), "began_at": trouble.began_at.isoformat(), "attempts": trouble.attempts}
