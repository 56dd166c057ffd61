"""One job, watched: find its worker or start one, see how it ends, decide what comes next.

`step` looks once and never waits, so that a test can be its clock; the supervisor calls it from a thread.
Any number of watches, in any number of processes, may watch the same job: they agree by its lease.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, State
from opendrs.store import checkpoints, commands, events, jobs, leases, progress
from opendrs.store.database import Store, StoreError, busy, reason
from opendrs.store.events import Event
from opendrs.store.leases import Holder, Lease
from opendrs.telemetry import context
from opendrs.worker import process
from opendrs.worker.claiming import claim
from opendrs.worker.heart import failed_state
from opendrs.worker.order import Order, differences
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.process import Stranger, Worker
from opendrs.worker.resuming import GiveUp, Resumes
from opendrs.worker.starting import OUTPUT

STORE_RETRY_S: Final = 1.0

log = logging.getLogger("opendrs.supervisor")


class Launch(Protocol):
    """Starts the process of a worker for an epoch; `life` counts those that this watch has started."""

    def __call__(self, order: Order, epoch: int, life: int) -> Worker: ...


@dataclass(slots=True)
class _Watched:
    """The worker that is watched now.

    since     when we began to
    renewed   the last renewal of its lease that was seen, and when that was new to us: our clock alone counts
    looked_at when its lease was last seen
    look_at   when to look at its lease again
    asked_at  when it was asked to pause
    """

    worker: Worker
    own: bool
    since: float
    renewed: datetime | None = None
    renewed_seen_at: float = 0.0
    looked_at: float = 0.0
    look_at: float = 0.0
    asked_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Watch:
    """`outcome` is set once, at the end: DONE, PAUSED or FAILED."""

    store: Store
    order: Order
    launch: Launch = process.start
    alive: Callable[[Holder], bool | None] = process.alive
    stopped: Callable[[Holder], bool] = process.stopped
    send: Callable[[Holder, signal.Signals], bool] = process.send
    clock: Callable[[], float] = time.monotonic
    outcome: Outcome | None = None
    # Workers of ours that were overtaken and have not noticed yet: stopped, or swapped out.
    overtaken: list[Worker] = field(default_factory=list)
    _watched: _Watched | None = None
    _pausing: bool = False
    _killing: bool = False
    _start_at: float = 0.0
    _spent: int = 0  # workers up to this epoch are history to us
    _above: int = 0
    _lives: int = 0
    _first: int = 0  # epoch of the first worker that we started
    _away_since: float | None = None
    _resumes: Resumes = field(init=False)

    def __post_init__(self) -> None:
        self._resumes = Resumes(self.order.timing)

    def pause(self) -> None:
        """Asks for a clean end: the worker flushes, and the job can be resumed."""
        self._pausing = True

    def kill(self) -> None:
        """Asks for an end at once. The job can be resumed all the same."""
        self._pausing = self._killing = True

    def step(self) -> float:
        """Looks once; returns in how many seconds to look again."""
        for worker in [worker for worker in self.overtaken if not worker.running()]:
            self.overtaken.remove(worker)
        try:
            wait_s = self._find() if self._watched is None else self._attend(self._watched)
            self._away_since = None
            return wait_s
        except StoreError as error:
            log.warning("the state store does not answer", extra=context("", reason=reason(error)))
            if busy(error) and self._freed():
                return 0.0
            return self._without_store()

    def _freed(self) -> bool:
        """Kills the worker that was given up if it was stopped in the middle of writing to the store: nobody else
        can write there until it is gone. Reading is possible, and that is how it is found."""
        try:
            lease = self._lease()
        except StoreError:
            return False
        if lease is None or lease.outcome is not None or lease.epoch > self._spent or not self.stopped(lease.holder):
            return False
        killed = self.send(lease.holder, signal.SIGKILL)
        if killed:
            self._tell("worker.killed", "a stopped worker kept the state store locked", pid=lease.holder.pid)
        return killed

    def _without_store(self) -> float:
        """What cannot be written down is tried again, but nobody who wants to leave is kept for ever."""
        now = self.clock()
        self._away_since = now if self._away_since is None else self._away_since
        idle = self._watched is None or not self._watched.worker.running()
        if self._pausing and idle and now > self._away_since + self.order.timing.grace_s:
            self.outcome = Outcome(exit=Exit.PAUSED)
        return STORE_RETRY_S

    # nobody is watched

    def _find(self) -> float:
        lease = self._lease()
        if lease is not None and lease.epoch > self._spent:
            if lease.outcome is None and self.alive(lease.holder) is not False:
                return self._adopt(lease)
            if lease.outcome is not None and self._spent:
                # While we waited, another supervisor's worker came and went: its word counts as ours would.
                return self._judge(lease.epoch, lease, None, lived_s=0.0)
        if self._pausing:
            return self._pause_idle(lease)
        wait_s = self._start_at - self.clock()
        return wait_s if wait_s > 0 else self._start(lease)

    def _adopt(self, lease: Lease) -> float:
        """A worker is at it, whoever has started it. It must do what is asked for here."""
        different = differences(dict(lease.settings), self.order.settings())
        if different and not self._pausing:
            # Only we have failed; the job goes on, and its events are not for this.
            how = f"its worker runs with other settings: {'; '.join(different)}"
            self.outcome = _failed(Fault.JOB_DIFFERS, reason=how)
            return 0.0
        self._watch(Stranger(lease.holder, lease.epoch, self.alive), own=False)
        self._tell("worker.adopted", "a worker is at it already", epoch=lease.epoch, pid=lease.holder.pid)
        return 0.0

    def _start(self, lease: Lease | None) -> float:
        taken = claim(self.store, self.order, expected=0 if lease is None else lease.epoch, above=self._above)
        if not taken.known:
            return self._gone()
        if not taken.wanted:
            return self._end(Outcome(exit=Exit.PAUSED))
        if taken.epoch is None:
            return 0.0  # somebody else was faster: watch theirs
        if taken.revised:
            self._tell("job.revised", "the job goes on with other settings", changes=list(taken.revised))
        try:
            worker = self.launch(self._told(taken.epoch), taken.epoch, self._lives)
        except OSError as error:
            self._spent = taken.epoch
            crash = Failure.of(DrsError(Fault.WORKER_CRASHED, reason=f"it could not be started: {error}"))
            return self._again(Exit.LATER, crash, taken.epoch, lived_s=0.0)
        self._lives += 1
        self._watch(worker, own=True)
        self._tell("worker.started", "a worker was started", epoch=taken.epoch, pid=worker.holder.pid)
        return self.order.timing.poll_s

    def _told(self, epoch: int) -> Order:
        """The order for the worker of an epoch: one of our workers resets the job, and only one."""
        order, self._first = self.order, self._first or epoch
        if not order.options.reset:
            return order
        with self.store.read() as connection:
            done = events.reset_since(connection, order.job.id, self._first)
        return replace(order, options=replace(order.options, reset=False)) if done else order

    def _watch(self, worker: Worker, *, own: bool) -> None:
        now = self.clock()
        self._watched = _Watched(worker, own, since=now, renewed_seen_at=now, looked_at=now)

    # a worker is watched

    def _attend(self, watched: _Watched) -> float:
        worker, now, timing = watched.worker, self.clock(), self.order.timing
        if not worker.running():
            return self._ended(watched)
        if self._pausing:
            self._press(watched)
        if self.outcome is not None:
            return 0.0
        if now >= watched.look_at:
            watched.look_at = now + timing.ttl_s / 3
            return self._look(watched)
        return timing.poll_s

    def _press(self, watched: _Watched) -> None:
        """Asks the worker to end, ever more firmly."""
        worker, now = watched.worker, self.clock()
        if worker.holder.owner == "supervisor":
            # Another supervisor is about to start it, and is not to be hit: wait until the worker says who it is.
            watched.look_at = 0.0
        elif watched.asked_at is None:
            watched.asked_at = now
            if not worker.send(signal.SIGKILL if self._killing else signal.SIGTERM):
                # It is on another machine, where the store reaches it and a signal does not.
                with self.store.write() as connection:
                    commands.ask(connection, self.order.job.id, "pause")
        elif not self._killing and now <= watched.asked_at + self.order.timing.grace_s:
            pass  # it has time
        elif not worker.send(signal.SIGKILL) and self.alive(worker.holder) is None:
            self._leave(worker)

    def _look(self, watched: _Watched) -> float:
        """Reads the lease: whose it is now, and whether it was renewed."""
        lease, worker = self._lease(), watched.worker
        if lease is None:
            return self._gone()
        if not self._is(lease, watched):
            return self._lose(watched)
        if lease.outcome is not None and self.alive(lease.holder) is None:
            return self._end_of(watched, lease)  # on another host, its word is all we get
        now, timing = self.clock(), self.order.timing
        # If we could not look for long (the store was away, the machine slept), the worker could not renew either.
        if lease.renewed_at != watched.renewed or now > watched.looked_at + 2 * timing.ttl_s / 3:
            watched.renewed, watched.renewed_seen_at = lease.renewed_at, now
        watched.looked_at = now
        patience_s = max(timing.ttl_s, timing.start_s) if lease.holder.owner == "supervisor" else timing.ttl_s
        silent = now > watched.renewed_seen_at + patience_s
        if self._pausing and not watched.own and lease.holder.owner == "supervisor" and (silent or self._killing):
            return self._pause_idle(lease)  # nobody came
        if silent and not self._pausing:
            self._tell("worker.silent", "the worker does not renew its lease; a new one takes over", epoch=worker.epoch)
            return self._lose(watched)
        return timing.poll_s

    def _is(self, lease: Lease, watched: _Watched) -> bool:
        """Whether the lease is the watched worker's. It may have said who it is, or taken a new epoch, since."""
        worker = watched.worker
        if process.same(lease.holder, worker.holder):
            worker.epoch = lease.epoch
            return True
        if lease.epoch != worker.epoch:
            return False
        if not watched.own:
            watched.worker = Stranger(lease.holder, lease.epoch, self.alive)
        return True

    def _lose(self, watched: _Watched) -> float:
        """The worker is ours no more; it will find out by itself."""
        if watched.own:
            self.overtaken.append(watched.worker)
        self._spent = watched.worker.epoch
        self._watched = None
        return 0.0

    def _ended(self, watched: _Watched) -> float:
        lease = self._lease()
        before = watched.worker
        if lease is not None and not self._is(lease, watched):
            return self._lose(watched)
        if watched.worker is not before:
            return 0.0  # what ended was a supervisor, and the worker it had started is there
        return self._end_of(watched, lease)

    def _end_of(self, watched: _Watched, lease: Lease | None) -> float:
        worker, lived_s = watched.worker, self.clock() - watched.since
        return self._judge(worker.epoch, lease, worker.status(), lived_s=lived_s)

    def _judge(self, epoch: int, lease: Lease | None, status: int | None, *, lived_s: float) -> float:
        """The worker of an epoch has ended. If the store cannot be asked now, it is judged again."""
        wait_s = self._decide(epoch, lease, status, lived_s=lived_s)
        self._spent, self._watched = epoch, None
        return wait_s

    def _decide(self, epoch: int, lease: Lease | None, status: int | None, *, lived_s: float) -> float:
        """Is the job over, given up, or to go on?"""
        outcome = _outcome(lease, status)
        if outcome is not None and outcome.exit in (Exit.DONE, Exit.PAUSED, Exit.FAILED):
            return self._end(outcome)
        if self._pausing:
            return self._pause_idle(lease)
        if outcome is not None and outcome.exit is Exit.FENCED and outcome.failure is not None:
            return self._fenced_by_target(outcome.failure, outcome.newer, epoch)
        failure = (outcome.failure if outcome else None) or self._crash(status)
        return self._again(outcome.exit if outcome else status, failure, epoch, lived_s=lived_s)

    def _again(self, end: Exit | int | None, failure: Failure, epoch: int, *, lived_s: float) -> float:
        now = self.clock()
        decision = self._resumes.after(end, mark=self._mark(), lived_s=lived_s, now=now)
        if isinstance(decision, GiveUp):
            return self._give_up(failure, epoch)
        self._start_at = now + decision.wait_s
        fields: dict[str, Any] = {"reason": failure.message, "code": failure.code, "wait_s": decision.wait_s}
        if decision.resume:
            fields["resume"] = f"{decision.resume} of {self.order.timing.resumes_max}"
        self._tell("worker.lost", "the worker is gone; another one follows", level=logging.WARNING, **fields)
        return 0.0

    def _crash(self, status: int | None) -> Failure:
        if status is None:
            how = "it was killed"
        elif status < 0:
            how = f"it was ended by signal {-status}"
        else:
            how = f"it ended with status {status}; {self.order.folder / OUTPUT} has its last words"
        return Failure.of(DrsError(Fault.WORKER_CRASHED, reason=how))

    def _fenced_by_target(self, failure: Failure, newer: int, epoch: int) -> float:
        """The lease is ours, and yet the target has seen a newer epoch: from another state store.

        If this store knows of no progress of the job, the other one was lost, and the job goes on from the
        target's checkpoint. Else somebody else has the job now, and the newest wins.
        """
        with self.store.read() as connection:
            known = checkpoints.load(connection, self.order.job.id)
        if newer and known is None:
            self._above = newer
            self._tell("lease.raised", "the target knows the job from another state store", epoch=newer)
            return 0.0
        return self._give_up(failure, epoch)

    # the end

    def _pause_idle(self, lease: Lease | None) -> float:
        """Paused while nobody worked. If only the service stops, the job is to go on with the next one."""
        if lease is not None:
            with self.store.write() as connection:
                if jobs.intent_of(connection, self.order.job.id) is not Intent.RUN:
                    jobs.enter(connection, self.order.job.id, State.PAUSED, epoch=lease.epoch, rests=True)
        return self._end(Outcome(exit=Exit.PAUSED))

    def _give_up(self, failure: Failure, epoch: int) -> float:
        phase = self._phase()
        with self.store.write() as connection:
            told = jobs.enter(
                connection, self.order.job.id, failed_state(phase), epoch=epoch, failure=failure, rests=True
            )
        return self._end(Outcome(exit=Exit.FAILED, phase=phase or "", failure=failure, told=told))

    def _gone(self) -> float:
        """Somebody has removed the job: its worker finds its lease lost."""
        if self._watched is not None:
            self._lose(self._watched)
        return self._end(_failed(Fault.INTERNAL, reason="the job is no longer in the state store"))

    def _leave(self, worker: Worker) -> None:
        what = f"Killing a worker of another machine ({worker.holder.host}), which was asked to pause,"
        self._end(_failed(Fault.UNSUPPORTED, what=what))

    def _end(self, outcome: Outcome) -> float:
        self._watched = None
        self.outcome = outcome
        name = outcome.exit.name.lower()
        fields: dict[str, Any] = {"phase": outcome.phase}
        if outcome.failure is not None:
            fields |= {"code": outcome.failure.code, "reason": outcome.failure.message}
        level = logging.ERROR if outcome.exit is Exit.FAILED else logging.INFO
        self._tell(f"job.{name}", f"the job is {name}", level=level, **fields)
        return 0.0

    # what the store says

    def _lease(self) -> Lease | None:
        with self.store.read() as connection:
            return leases.current(connection, self.order.job.id)

    def _phase(self) -> Phase | None:
        with self.store.read() as connection:
            saved = progress.load(connection, self.order.job.id)
        word = saved.counters.get("phase") if saved else ""
        return Phase(word) if word else None

    def _mark(self) -> tuple[Any, ...]:
        """How far the job is: a load gets on by rows, a stream by its position."""
        with self.store.read() as connection:
            saved = checkpoints.load(connection, self.order.job.id)
            tables = progress.load(connection, self.order.job.id)
        loaded = tables.counters["load"]["rows"] if tables else 0
        return (saved.phase, saved.position, loaded) if saved else (None, None, loaded)

    def _tell(self, name: str, message: str, *, level: int = logging.INFO, **fields: Any) -> None:
        """To the log and to the job's events. People being told is not worth failing for."""
        log.log(level, message, extra=context(name, job=self.order.job.id, **fields))
        event = Event(name=name, message=message, level=logging.getLevelName(level).lower(), fields=fields)
        try:
            with self.store.write() as connection:
                events.append(connection, self.order.job.id, [event])
        except SQLAlchemyError as error:
            log.warning("the state store takes no event", extra=context("", reason=reason(error)))


def _outcome(lease: Lease | None, status: int | None) -> Outcome | None:
    """The worker's last word, else what its exit status says; None: it died without a word."""
    if lease is not None and lease.outcome is not None:
        return Outcome.from_json(lease.outcome)
    try:
        return None if status is None or status < 0 else Outcome(exit=Exit(status))
    except ValueError:
        return None


def _failed(fault: Fault, **details: object) -> Outcome:
    return Outcome(exit=Exit.FAILED, failure=Failure.of(DrsError(fault, **details)), told=False)
