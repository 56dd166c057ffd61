"""The load: chunks of every table, in parallel, each durable together with the record that it is there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Chunk, LoadedChunk, TableProgress
from opendrs.model.engine import Loader, SchemaChanged, Sink, Snapshot
from opendrs.pipeline import faultpoints
from opendrs.pipeline.faultpoints import Faults
from opendrs.pipeline.limiting import Limit
from opendrs.pipeline.progress import Progress
from opendrs.pipeline.publishing import gaps, in_order, missing
from opendrs.pipeline.state import State

Outdated = Callable[[Table], bool]
"""Whether the source has the table no longer, or otherwise than it is defined here."""
# What the reading or the writing of a table that changed meanwhile may fail with.
OF_A_CHANGE = frozenset({Fault.SOURCE_REFUSED, Fault.TARGET_REFUSED, Fault.VALUE_UNREPRESENTABLE, Fault.CONFLICT})


class Stopped(Exception):
    """The run was asked to pause."""


@contextmanager
def unchanged(table: Table, outdated: Outdated) -> Iterator[None]:
    """An error of whatever is done here is SchemaChanged, if the table is not as it was when it was planned."""
    try:
        yield
    except DrsError as error:
        if error.fault in OF_A_CHANGE and outdated(table):
            raise SchemaChanged(table.name, error.message) from error
        raise


@dataclass(frozen=True, slots=True)
class Copy:
    table: Table
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Finish:
    """Every chunk of the table is durable."""

    table: Table


def remaining(snapshot: Snapshot, progress: TableProgress) -> Iterator[Chunk]:
    """Chunks of a table that are not durable yet, in key order, up to the largest key when the load began."""
    table = progress.table
    done = in_order(progress.chunks)
    if not table.key:
        if not done:
            yield Chunk(table=table.name, ordinal=0)
        return
    if progress.upper is None:
        return  # the table was empty: whatever it holds now comes with the log
    if done and done[0].lower is not None:
        yield Chunk(table=table.name, ordinal=0, upper=done[0].lower)
    yield from gaps(table.name, done)
    after = done[-1].upper if done else None
    if after != progress.upper:
        first = done[-1].ordinal + 1 if done else 0
        yield from snapshot.chunks(table, after=after, upper=progress.upper, ordinal=first)


class Plan:
    """What is left to do, handed out to the lanes one task at a time."""

    def __init__(
        self, snapshot: Snapshot, tables: list[TableProgress], outdated: Outdated, *, append_only: bool
    ) -> None:
        self._snapshot = snapshot
        self._outdated = outdated
        self._append_only = append_only
        self._unread = {progress.table.name for progress in tables}
        snapshot.keep(self._unread)
        self._tables = deque(
            sorted(tables, key=lambda p: (not snapshot.holds(p.table), -p.table.bytes_estimate, p.table.name))
        )
        self._current: tuple[Table, Iterator[Chunk]] | None = None
        self._open: dict[TableName, int] = {}  # chunks handed out and not durable yet; plus one while being split
        self._finish: deque[Finish] = deque()
        self._lock = threading.Lock()
        self.stale: set[TableName] = set()

    def take(self) -> Copy | Finish | None:
        """The next task; None if there is none left (a lane's own last chunk may still bring one)."""
        with self._lock:
            while not self._finish:
                if self._append_only and self.stale:
                    return None
                if self._current is None:
                    if not self._tables:
                        return None
                    progress = self._tables.popleft()
                    self._current = (progress.table, self._chunks(progress))
                    self._open[progress.table.name] = 1
                table, chunks = self._current
                chunk = self._next(table, chunks)
                if chunk is not None:
                    self._open[table.name] += 1
                    return Copy(table, chunk)
                self._current = None
                self._closed(table)
            return self._finish.popleft()

    def _chunks(self, progress: TableProgress) -> Iterator[Chunk]:
        return (missing if self._append_only else remaining)(self._snapshot, progress)

    def _next(self, table: Table, chunks: Iterator[Chunk]) -> Chunk | None:
        """The next chunk; None if there is none left, or the table changed."""
        if table.name in self.stale:
            return None
        try:
            with unchanged(table, self._outdated):
                return next(chunks, None)
        except SchemaChanged:
            self.stale.add(table.name)
            return None

    def done(self, table: Table) -> None:
        """A chunk of the table is durable."""
        with self._lock:
            self._closed(table)

    def abandon(self, table: Table) -> None:
        """The table changed: nothing more of it is to be copied, and its chunk is none."""
        with self._lock:
            self.stale.add(table.name)
            self._closed(table)

    def unfinished(self, table: Table) -> None:
        """The table changed when it was about to be whole."""
        with self._lock:
            self.stale.add(table.name)

    def _closed(self, table: Table) -> None:
        self._open[table.name] -= 1
        if self._open[table.name]:
            return
        self._unread.discard(table.name)
        self._snapshot.keep(self._unread)
        if table.name not in self.stale:
            self._finish.append(Finish(table))


class Load:
    """Copies every table of the state that is not loaded yet; a restart repeats only what was not durable.

    append_only   the rows are for a target that keeps what it gets (`publishing.py`): the first table that changed
                  ends the load, for its moment is lost
    """

    def __init__(
        self,
        *,
        state: State,
        sink: Sink,
        readers: int,
        stop: threading.Event,
        faults: Faults,
        progress: Progress,
        outdated: Outdated,
        append_only: bool,
        limit: Limit,
    ) -> None:
        self._outdated = outdated
        self._append_only = append_only
        self._limit = limit
        self._state = state
        self._sink = sink
        self._readers = readers
        self._stop = stop
        self._faults = faults
        self._progress = progress

    def run(self, snapshot: Snapshot) -> set[TableName]:
        """Returns when every table is loaded, but for those returned: they changed and must begin anew."""
        plan = Plan(snapshot, self._state.unloaded(), self._outdated, append_only=self._append_only)
        if self._readers == 1:
            self._lane(snapshot, plan, self._stop)
            return plan.stale
        halt = threading.Event()
        with ThreadPoolExecutor(self._readers, thread_name_prefix="load") as pool:
            lanes = [pool.submit(self._lane, snapshot, plan, halt) for _ in range(self._readers)]
            while wait(lanes, timeout=0.2, return_when=FIRST_EXCEPTION).not_done:
                if self._stop.is_set() or any(lane.done() and lane.exception() for lane in lanes):
                    halt.set()
        # The first error is the cause; the other lanes only stopped because of it.
        errors = [error for lane in lanes if (error := lane.exception()) is not None]
        causes = [error for error in errors if not isinstance(error, Stopped)]
        for error in causes or errors:
            raise error
        return plan.stale

    def _lane(self, snapshot: Snapshot, plan: Plan, halt: threading.Event) -> None:
        with self._sink.loader() as loader:
            while (task := plan.take()) is not None:
                if halt.is_set():
                    raise Stopped
                match task:
                    case Copy(table, chunk):
                        try:
                            with unchanged(table, self._outdated):
                                self._copy(snapshot, loader, table, chunk, halt)
                        except SchemaChanged:
                            plan.abandon(table)
                        else:
                            plan.done(table)
                    case Finish(table):
                        try:
                            with unchanged(table, self._outdated):
                                self._finish(table)
                        except SchemaChanged:
                            plan.unfinished(table)

    def _copy(self, snapshot: Snapshot, loader: Loader, table: Table, chunk: Chunk, halt: threading.Event) -> None:
        rows = nbytes = 0
        loader.begin(table, chunk)
        try:
            with snapshot.read(table, chunk) as batches:
                for batch in batches:
                    if halt.is_set():
                        raise Stopped
                    loader.write(batch)
                    rows += batch.num_rows
                    nbytes += batch.nbytes
                    self._progress.copied(table.name, batch.num_rows, batch.nbytes)
                    self._limit.spend(batch.nbytes, halt)
                loaded = LoadedChunk(chunk=chunk, rows=rows, nbytes=nbytes, exact=batches.exact)
            self._faults.here(faultpoints.CHUNK_WRITTEN)
            loader.commit(loaded)
        except BaseException:
            self._progress.copied(table.name, -rows, -nbytes)
            if loader.rollback():
                self._state.began(chunk)
            raise
        self._faults.here(faultpoints.CHUNK_COMMITTED)
        self._state.record(loaded)
        self._progress.chunk(chunk)

    def _finish(self, table: Table) -> None:
        progress = self._state.tables[table.name]
        if not table.key and progress.chunks and not self._append_only:
            # One scan at one moment: what the log says up to that moment is in the rows.
            progress = replace(progress, low=progress.chunks[0].exact)
        progress = replace(progress, loaded=True)
        self._sink.finish_table(progress)
        with self._state.lock:
            self._state.tables[table.name] = replace(progress, chunks=(), begun=())
        self._progress.table(progress)
        self._faults.here(faultpoints.TABLE_FINISHED)
