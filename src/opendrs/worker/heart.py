"""The thread of a worker that renews its lease and carries its report to the store.

One transaction a beat, and the renewal is its first statement: a worker that was overtaken writes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

from opendrs.model.checkpoint import Phase
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, State
from opendrs.model.position import Position
from opendrs.model.speed import SpeedWindow
from opendrs.store import checkpoints, commands, events, jobs, leases, progress, speeds
from opendrs.store.database import Store, StoreError, reason
from opendrs.store.leases import Holder
from opendrs.telemetry import context
from opendrs.worker import ledger, process
from opendrs.worker.journal import Journal
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.report import Report, Trouble, Update
from opendrs.worker.timing import Timing, rest_s

LAST_WORD_TRIES: Final = 5

STATES: Final = {
    Phase.LOADING: State.FULL,
    Phase.CATCHING_UP: State.INCREMENTAL,
    Phase.FOLLOWING: State.INCREMENTAL,
    Phase.DONE: State.FULL_DONE,
}

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """A newer worker has the job."""


def state_now(phase: Phase | None, trouble: Trouble | None, waited_s: float, timing: Timing) -> State | None:
    """The published word for a worker that is at it; None: it cannot say yet.

    A network that is away does not end a job, but a job that follows and has been cut off for long is
    shown as failed until it is back.
    """
    if phase is None:
        return None
    state = STATES[phase]
    if trouble is not None and state is State.INCREMENTAL and waited_s > timing.shown_after_s:
        return State.INCREMENTAL_FAILED
    return state


def failed_state(phase: Phase | None) -> State:
    """The published word for a job that was given up in a phase; None: it had reached none."""
    if phase is None:
        return State.START_FAILED
    return State.INCREMENTAL_FAILED if STATES[phase] is State.INCREMENTAL else State.FULL_FAILED


def end_state(outcome: Outcome, phase: Phase | None) -> State | None:
    """The state that a worker leaves behind; None: that is for its supervisor to decide."""
    match outcome.exit:
        case Exit.DONE:
            # Caught up, and asked for no more: the same command goes on from there.
            return State.FULL_DONE if phase is Phase.DONE else State.PAUSED
        case Exit.PAUSED:
            return State.PAUSED
        case Exit.FAILED:
            return failed_state(phase)
        case _:
            return None


class Heart:
    """Beats until it is closed with the worker's last word.

    me     this process, as it has said in the lease
    lost   called, once, if the lease is
    obey   called with each command that somebody has left in the store
    speed  told how fast a load may be, at each beat
    """

    def __init__(
        self,
        store: Store,
        job_id: str,
        epoch: int,
        *,
        me: Holder,
        report: Report,
        journal: Journal,
        timing: Timing,
        lost: Callable[[], None],
        obey: Callable[[commands.Name], None],
        speed: Callable[[Sequence[SpeedWindow]], None],
    ) -> None:
        self._store = store
        self._job_id = job_id
        self._epoch = epoch
        self._me = me
        self._report = report
        self._journal = journal
        self._timing = timing
        self._lost = lost
        self._obey = obey
        self._speed = speed
        self._state: tuple[State, Failure | None] | None = None
        self._writing = threading.Lock()  # over every transaction that depends on the epoch
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._report.nudge.set()
        self._thread.join()

    def beat(self) -> None:
        """Renews, and writes what is new. Raises LeaseLost, and StoreError if the store is away or too busy."""
        update = self._report.fetch()
        waited_s = 0.0 if update.trouble is None else self._report.clock() - update.trouble.since
        word = state_now(update.phase, update.trouble, waited_s, self._timing)
        with self._carried(update) as connection:
            asked = commands.take(connection, self._job_id)
            windows = speeds.load(connection, self._job_id)
            if word is not None:
                failed = word is State.INCREMENTAL_FAILED and update.trouble is not None
                self._enter(connection, word, update.trouble.failure if failed and update.trouble else None)
        self._speed(windows)
        for name in asked:
            self._obey(name)

    def advance(self) -> int:
        """Takes the next epoch, for a new attempt. Raises LeaseLost, and StoreError."""
        with self._writing:
            with self._store.write() as connection:
                self._hold(connection)
                epoch = leases.advance(connection, self._job_id, self._epoch)
            if epoch is None:
                raise LeaseLost
            self._epoch = epoch  # only now that it is committed
        return epoch

    def _hold(self, connection: Connection) -> None:
        """Makes sure of the lease for the rest of the transaction, or raises LeaseLost.

        If the answer to a commit was lost, we may have an epoch that we do not know of: who holds it counts.
        """
        if leases.renew(connection, self._job_id, self._epoch):
            return
        lease = leases.current(connection, self._job_id)
        if lease is None or not process.same(lease.holder, self._me):
            raise LeaseLost
        self._epoch = lease.epoch
        leases.renew(connection, self._job_id, self._epoch)

    def close(self, outcome: Outcome) -> bool:
        """Ends the beating, and leaves the last word; False: the store is away. Raises LeaseLost."""
        self.__exit__(None, None, None)
        for _ in range(LAST_WORD_TRIES):
            try:
                self._last_word(outcome)
                return True
            except StoreError as error:
                log.warning("the state store does not take the last word", extra=context("", reason=reason(error)))
                threading.Event().wait(self._timing.beat_s)
        return False

    def _run(self) -> None:
        pause_s, nudge = rest_s(self._timing, 0.0), self._report.nudge
        while not self._stop.is_set():
            nudge.wait(pause_s)
            nudge.clear()
            if self._stop.is_set():
                return
            began = time.monotonic()
            try:
                self.beat()
            except LeaseLost:
                self._lost()
                return
            except StoreError as error:
                # The target, not the store, is the authority over the epoch: the work goes on.
                log.warning("the state store cannot be written", extra=context("", reason=reason(error)))
            pause_s = rest_s(self._timing, time.monotonic() - began)

    def _last_word(self, outcome: Outcome) -> None:
        update = self._report.fetch()
        with self._carried(update) as connection:
            leases.finish(connection, self._job_id, self._epoch, outcome.to_json())
            self._come_to_rest(connection, outcome, update.phase)

    @contextmanager
    def _carried(self, update: Update) -> Iterator[Connection]:
        """A transaction under the lease, with all that is new: if it cannot be written, it is new the next time."""
        if update.recovered is not None:
            _tell_of_recovery(update.recovered)
        told, entries = self._journal.fetch(), self._report.ledger.fetch()
        try:
            with self._writing, self._store.write() as connection:
                self._hold(connection)
                self._carry(connection, update)
                events.append(connection, self._job_id, told)
                ledger.carry(connection, self._job_id, entries)
                yield connection
        except StoreError:
            self._report.put_back(update)
            self._journal.put_back(told)
            self._report.ledger.put_back(entries)
            self._state = None  # whether it was written is not known
            raise
        self._report.ledger.written(entries)

    def _come_to_rest(self, connection: Connection, outcome: Outcome, phase: Phase | None) -> None:
        state = end_state(outcome, phase)
        if state is None:
            return
        if outcome.exit is Exit.PAUSED and jobs.intent_of(connection, self._job_id) is Intent.RUN:
            return  # the machine or the service stops, not the job: whoever comes next goes on with it
        jobs.enter(connection, self._job_id, state, epoch=self._epoch, failure=outcome.failure, rests=True)

    def _carry(self, connection: Connection, update: Update) -> None:
        if update.first:
            progress.forget_tables(connection, self._job_id)
        progress.forget_tables(connection, self._job_id, update.forgotten)
        progress.save_tables(connection, self._job_id, update.tables)
        if update.planned is not None:
            progress.plan_views(connection, self._job_id, update.planned)
        if update.beside:
            progress.plan_views(connection, self._job_id, update.beside, beside=True)
        progress.save_views(connection, self._job_id, update.views)
        progress.save(connection, self._job_id, update.counters)
        if update.checkpoint is not None:
            phase, position = update.checkpoint
            text = _dump(position)
            checkpoints.save(connection, self._job_id, epoch=self._epoch, phase=phase, position=text)

    def _enter(self, connection: Connection, state: State, failure: Failure | None) -> None:
        if self._state != (state, failure):
            jobs.enter(connection, self._job_id, state, epoch=self._epoch, failure=failure)
            self._state = (state, failure)


def _tell_of_recovery(trouble: Trouble) -> None:
    away_s = round((datetime.now(UTC) - trouble.began_at).total_seconds(), 1)
    fields = {"away_s": away_s, "attempts": trouble.attempts, "code": trouble.failure.code}
    log.info("the network is back", extra=context("network.back", **fields))


def _dump(position: Position | None) -> str | None:
    return None if position is None else position.dump()
