"""Carries out what is wanted of the jobs of the service: builds them, has them worked at, lets them rest, ends them.

Everything wanted stands in the store, so that whoever comes after a crash finds it. `step` looks once and never
waits, so that a test can be its clock.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import TRIGGER_TO, Intent, State, Trigger
from opendrs.store import actions, checkpoints, events, jobs, leases, parameters
from opendrs.store.database import StoreError
from opendrs.store.events import Event
from opendrs.store.jobs import Head
from opendrs.telemetry import context
from opendrs.worker.assembly import Place, order_of, resting_order
from opendrs.worker.heart import failed_state
from opendrs.worker.order import Order
from opendrs.worker.outcome import Outcome

AGAIN_S: Final = 5.0  # a worker that was stopped by hand is followed by another one, but not at once

log = logging.getLogger("opendrs.attendant")


class Supervising(Protocol):
    """What is used of a worker.supervisor.Supervisor."""

    def ensure(self, order: Order, *, pausing: bool = False) -> None: ...
    def watched(self, job_id: str) -> bool: ...
    def take_outcome(self, job_id: str) -> Outcome | None: ...
    def pause(self, job_id: str) -> None: ...
    def kill(self, job_id: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Attendant:
    """Looks after all jobs of a store."""

    place: Place
    supervisor: Supervising
    clock: Callable[[], float] = time.monotonic
    _pausing: dict[str, bool] = field(default_factory=dict)  # those that come to rest; whether they were killed
    _not_before: dict[str, float] = field(default_factory=dict)

    def step(self) -> None:
        """Looks at every job that somebody has to do something about. Raises StoreError."""
        with self.place.store.read() as connection:
            found = jobs.to_attend(connection, datetime.now(UTC))
        for head in found:
            try:
                self._attend(head)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  one job that cannot be read must not be in the way of the others
                self._fail(head, error)

    def _attend(self, head: Head) -> None:
        if head.state is State.CREATING:
            self._build(head)
        elif head.state is State.SCHEDULED and head.intent is Intent.REST:
            self._due(head)
        elif head.intent is Intent.RUN:
            self._run(head)
        elif head.intent in (Intent.PAUSE, Intent.RESTART):
            self._rest(head)
        elif head.intent is Intent.RELEASE:
            self._release(head)

    # creation and schedule

    def _build(self, head: Head) -> None:
        """A job needs a place for its log and its spool."""
        failure = None
        try:
            self.place.make_folder(head.id)
        except OSError as error:
            failure = Failure.of(DrsError(Fault.INTERNAL, reason=f"the job's folder cannot be made: {error}"))
        trigger = Trigger.BUILT if failure is None else Trigger.BUILD_FAILED
        with self.place.store.write() as connection:
            if not jobs.move(connection, head.id, trigger, intent=Intent.REST, failure=failure):
                return
            _close(connection, head.id, Kind.CREATE, failure)
            if failure is None:
                _tell(connection, head.id, "job.built", "the job was built")
            else:
                _tell(connection, head.id, "job.not_built", "the job could not be built", failure)

    def _due(self, head: Head) -> None:
        with self.place.store.write() as connection:
            jobs.lock(connection, head.id)
            if not jobs.is_due(connection, head.id, datetime.now(UTC)):
                return  # it was put off meanwhile
            if jobs.move(connection, head.id, Trigger.START, intent=Intent.RUN, starts_at=None):
                parameters.apply(connection, head.id)
                _tell(connection, head.id, "job.due", "the time to start has come")

    # at work

    def _run(self, head: Head) -> None:
        self._pausing.pop(head.id, None)
        if self.supervisor.watched(head.id):
            return
        outcome = self.supervisor.take_outcome(head.id)
        if outcome is not None and outcome.failure is not None and not outcome.told:
            self._give_up(head, outcome.failure)
            return
        if self.clock() < self._not_before.get(head.id, 0.0):
            return
        self._not_before[head.id] = self.clock() + AGAIN_S
        order = order_of(self.place, head.id)
        if order is not None:
            self.supervisor.ensure(order)

    def _give_up(self, head: Head, failure: Failure) -> None:
        """The job is over, although it is wanted to run. What a worker said of it stands in the store already; a
        watch that gave up on its own account has nobody else to say it."""
        with self.place.store.write() as connection:
            jobs.lock(connection, head.id)
            if jobs.intent_of(connection, head.id) is not Intent.RUN:
                return
            saved = checkpoints.load(connection, head.id)
            trigger = TRIGGER_TO[failed_state(saved.phase if saved else None)]
            jobs.move(connection, head.id, trigger, intent=Intent.REST, failure=failure)

    # at rest

    def _rest(self, head: Head) -> None:
        """Pauses the worker, if there is one; behind that a job that is to be restarted runs again."""
        if not self._quiet(head):
            return
        with self.place.store.write() as connection:
            jobs.lock(connection, head.id)
            if jobs.intent_of(connection, head.id) is not head.intent:
                return  # something else is wanted by now
            if head.intent is Intent.RESTART:
                if jobs.move(connection, head.id, Trigger.RESUME, intent=Intent.RUN):
                    parameters.apply(connection, head.id)
                self._not_before.pop(head.id, None)
            else:
                jobs.move(connection, head.id, Trigger.RESTS, intent=Intent.REST)

    def _quiet(self, head: Head, *, kill: bool = False) -> bool:
        """Whether nobody works at the job any more; sees to it that it comes to that."""
        asked = self._pausing.get(head.id)
        if self.supervisor.watched(head.id):
            if asked is None or (kill and not asked):
                self._pausing[head.id] = kill
                (self.supervisor.kill if kill else self.supervisor.pause)(head.id)
            return False
        self.supervisor.take_outcome(head.id)
        if asked is not None:
            del self._pausing[head.id]
            return True
        # There may be a worker all the same, from before we came.
        self._pausing[head.id] = False
        self.supervisor.ensure(resting_order(self.place, head), pausing=True)
        return False

    # the end

    def _release(self, head: Head) -> None:
        with self.place.store.read() as connection:
            asked = actions.pending(connection, head.id, {Kind.TERMINATE})
            begun = leases.current(connection, head.id) is not None or self.supervisor.watched(head.id)
        if not asked or asked[0].status == "waiting" or asked[0].attempts:
            return  # it is a runner's by now
        if begun and not self._quiet(head, kill=bool(asked[0].params.get("force"))):
            return
        with self.place.store.write() as connection:
            if begun:
                actions.release_to_runners(connection, asked[0].id)
                return
            # It was never worked at: nothing of it is anywhere.
            jobs.move(connection, head.id, Trigger.RELEASED, intent=Intent.REST)
            _close(connection, head.id, Kind.TERMINATE, None)
            _tell(connection, head.id, "job.released", "the job has ended")
        shutil.rmtree(self.place.folder_of(head.id), ignore_errors=True)

    def _fail(self, head: Head, error: Exception) -> None:
        """A job that cannot even be begun: its password cannot be unsealed, its folder is gone."""
        what = f"{type(error).__name__}: {error}"
        failure = Failure.of(error if isinstance(error, DrsError) else DrsError(Fault.INTERNAL, reason=what))
        log.error("a job cannot be attended to", extra=context("", job=head.id, reason=failure.message))
        if head.intent is not Intent.RELEASE:
            self._give_up(head, failure)
            return
        with self.place.store.write() as connection:
            jobs.move(connection, head.id, Trigger.RELEASE_FAILS, intent=Intent.REST, failure=failure)
            _close(connection, head.id, Kind.TERMINATE, failure)


def _close(connection: Connection, job_id: str, kind: Kind, failure: Failure | None) -> None:
    for action in actions.pending(connection, job_id, {kind}):
        actions.close(connection, action.id, "failed" if failure else "success", failure)


def _tell(connection: Connection, job_id: str, name: str, message: str, failure: Failure | None = None) -> None:
    fields = {} if failure is None else {"code": failure.code, "reason": failure.message}
    level = "info" if failure is None else "error"
    events.append(connection, job_id, [Event(name=name, message=message, level=level, fields=fields)])
