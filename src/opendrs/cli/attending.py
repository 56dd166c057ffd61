"""What `opendrs run` does while its job runs: the supervisor of the worker, signals, and what is shown."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Final

from opendrs.cli.exits import Code, tell
from opendrs.cli.view import look
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job
from opendrs.store import checkpoints, events, jobs, leases
from opendrs.store.database import Store, StoreError, open_store, reason
from opendrs.store.jobs import JobRecord
from opendrs.telemetry import Mask, log_to
from opendrs.worker import process
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.starting import LOG, Early
from opendrs.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from opendrs.cli.display import Display

TICK_S: Final = 0.1
LEAVING_S: Final = 3.0  # how long a second Ctrl-C waits for the death of the worker to be noted
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def execute(order: Order, name: str, early: Early, *, mask: Mask, plain: bool) -> Code:
    """Sees the job through to an end, and shows it. Raises DrsError before it has begun."""
    job, store = order.job, open_store(order.state)
    try:
        with store.read() as connection:
            record = jobs.find(connection, job.id)
        if record is None:  # else nothing needs to be written, and nobody to be waited for who does
            with store.write() as connection:
                record = jobs.create(connection, job, name)
        if record.task != job.task:
            raise DrsError(Fault.JOB_DIFFERS, reason=f"task is {record.task!r}, not {job.task!r}")
        _demand_same_begin(store, record, job)
        log_to(order.folder / LOG, Mask((*order.secrets, job.source.password.reveal())), job=job.id)
        if _worked_at(store, job.id):
            early.close()
        supervisor = Supervisor(store, launch=partial(process.start, early=early))
        with store.read() as connection:
            last = events.newest(connection, job.id)  # what happened before this run is not shown again
        pressed: list[int] = []
        try:
            with _noted(pressed):
                supervisor.ensure(order)
                from opendrs.cli import display  # while the job begins

                with display.choose(f"{job.source} -> {job.target}", plain=plain) as screen:
                    outcome = _attend(supervisor, job.id, store, screen, pressed, last)
        finally:
            supervisor.close(wait_s=LEAVING_S if len(pressed) > 1 else None)
        return _farewell(outcome, len(pressed), order, screen)
    except StoreError as error:
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason(error)) from error
    finally:
        store.close()


def _demand_same_begin(store: Store, record: JobRecord, job: Job) -> None:
    """A job that has begun goes on from where it is; whoever wants it to have begun elsewhere wants another job.
    Raises JOB_DIFFERS."""
    wanted, there = job.policy.start, record.policy.start
    if wanted is None or wanted == there:
        return
    with store.read() as connection:
        begun = checkpoints.load(connection, job.id) is not None
    if begun:
        began = f"at {there}" if there else "where the log ended"
        raise DrsError(Fault.JOB_DIFFERS, reason=f"it has begun {began}, not at {wanted}, and goes on from where it is")


def _worked_at(store: Store, job_id: str) -> bool:
    """Whether there is a worker already, as far as can be seen from here."""
    with store.read() as connection:
        lease = leases.current(connection, job_id)
    return lease is not None and lease.outcome is None and process.alive(lease.holder) is not False


def _attend(
    supervisor: Supervisor, job_id: str, store: Store, screen: Display, pressed: list[int], last: int
) -> Outcome | None:
    """Watches and shows until there is an end, or somebody wants to leave.

    pressed   the signals so far
    last      the last event that needs no showing
    """
    shown_at, left_at, heeded = 0.0, 0.0, 0
    outcome: Outcome | None = None
    while outcome is None and not (heeded > 1 and time.monotonic() > left_at + LEAVING_S):
        outcome = supervisor.wait(job_id, TICK_S)
        if len(pressed) > heeded:
            heeded, left_at = heeded + 1, time.monotonic()
            _heed(heeded, supervisor, job_id, screen)
        if outcome is not None or time.monotonic() >= shown_at + screen.period_s:
            shown_at = time.monotonic()
            last = _show(store, job_id, screen, last)
    return outcome


def _heed(times: int, supervisor: Supervisor, job_id: str, screen: Display) -> None:
    if times == 1:
        screen.say("Pausing: the worker finishes what it holds. Press Ctrl-C again to leave at once.")
        supervisor.pause(job_id)
    else:
        supervisor.kill(job_id)


def _show(store: Store, job_id: str, screen: Display, last: int) -> int:
    try:
        view = look(store, job_id, after=last)
    except StoreError:
        return last  # the supervisor is told as well, and waits
    screen.show(view)
    return max(view.last_event, last)


def _farewell(outcome: Outcome | None, pressed: int, order: Order, screen: Display) -> Code:
    """The last words, and the exit code."""
    if outcome is None or outcome.exit is Exit.PAUSED:
        by = "" if pressed else " (by somebody else)"
        screen.say(f"Paused{by}. The same command resumes.")
        return Code.PAUSED
    if outcome.exit is Exit.DONE:
        screen.say("Done." if outcome.phase == "done" else "Caught up. The same command follows on from here.")
        return Code.DONE
    if outcome.failure is not None:
        tell(outcome.failure)
    screen.say(f"The job's log is {order.folder / LOG}")
    return Code.FAILED


@contextmanager
def _noted(pressed: list[int]) -> Iterator[None]:
    """Collects signals instead of obeying them. The handler does nothing else: it may interrupt any line."""

    def note(signum: int, frame: FrameType | None) -> None:
        del frame
        pressed.append(signum)

    before = {signum: signal.signal(signum, note) for signum in SIGNALS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
