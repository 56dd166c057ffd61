"""The verbs of a job's life: start, stop, restart, reset, terminate, delete, and the errands network and precheck.

Each looks at the table of the life cycle, writes down what is wanted, and returns the id of the action; what has
to be done is done by whoever looks after the store.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.asking import ON_ITS_WAY, Asking, demand, job_head, locked, refused
from opendrs.control.prechecked import demand_prechecked
from opendrs.errors import DrsError, Fault
from opendrs.model.action import STARTS, Kind
from opendrs.model.lifecycle import MOVES, Intent, State, Trigger, Verb
from opendrs.store import actions, commands, jobs, parameters
from opendrs.store.jobs import Head

AHEAD_MAX: Final = timedelta(days=365)


def start(asking: Asking, job_id: str, *, at: datetime | None = None) -> tuple[str, Head]:
    """Starts a job that is checked, now or at a time. Raises WRONG_STATE, PRECHECK_NEEDED."""
    if at is not None:
        demand_near("start_time", at)
    with asking.store.write() as connection:
        head = _settled(asking, connection, job_id)
        demand(head, Verb.START, "start")
        demand_prechecked(connection, head)
        if at is None and head.state is State.CONFIGURATION:
            at = head.starts_at  # given at its creation; of one that waits already, no time means now
        if at is not None and at > datetime.now(UTC):
            _move(connection, head, Trigger.SCHEDULE, Intent.REST, "start", starts_at=at)
            _overtake(connection, head, {Kind.START})
        else:
            _move(connection, head, Trigger.START, Intent.RUN, "start", starts_at=None)
        key = actions.ask(connection, job_id, Kind.START, asking.caller.user_name, revision=head.revision)
        return key, job_head(asking, connection, job_id)


def demand_near(name: str, at: datetime) -> None:
    """Raises PARAMETER_INVALID for a time to start at that nobody means."""
    if at > datetime.now(UTC) + AHEAD_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason="it is more than a year ahead")


def stop(asking: Asking, job_id: str) -> tuple[str, Head]:
    """Pauses a job: what its worker holds is finished, and nothing is lost."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.STOP, "stop")
        if head.intent in (Intent.PAUSE, Intent.RELEASE):
            raise refused(head, "stop", ON_ITS_WAY[head.intent])
        _intend(connection, head, Intent.PAUSE, "stop")
        _overtake(connection, head, STARTS)
        return _asked(asking, connection, head, Kind.STOP)


def restart(asking: Asking, job_id: str) -> tuple[str, Head]:
    """Lets a job that rests go on from where it was; one that runs is paused before."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.RESTART, "restart")
        if head.intent in (Intent.RESTART, Intent.RELEASE):
            raise refused(head, "restart", ON_ITS_WAY[head.intent])
        if head.intent is Intent.REST and head.state in MOVES[Trigger.RESUME].sources:
            _move(connection, head, Trigger.RESUME, Intent.RUN, "restart")
        else:
            _intend(connection, head, Intent.RESTART, "restart")
            _overtake(connection, head, {Kind.STOP})
        return _asked(asking, connection, head, Kind.RESTART)


def edit(asking: Asking, job_id: str) -> tuple[str, Head]:
    """Lets a job have the objects that were saved since it began: tables come and go while the others are followed. One
    that rests goes on with it."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.EDIT, "editing the objects")
        saved = actions.saved_edit(connection, job_id)
        if saved is None or saved.result is None:
            raise refused(head, "editing the objects", "no other objects were saved since it has those that it has")
        if actions.pending(connection, job_id, {Kind.EDIT}):
            raise refused(head, "editing the objects", "the last edit is not over yet")
        demand_prechecked(connection, head)
        if head.intent is Intent.REST:
            _move(connection, head, Trigger.RESUME, Intent.RUN, "editing the objects")
            actions.ask(connection, job_id, Kind.RESTART, asking.caller.user_name, revision=head.revision)
        elif head.intent is not Intent.RUN:
            raise refused(head, "editing the objects", ON_ITS_WAY.get(head.intent, "it is being worked at"))
        params = {"selection": saved.result["selection"], "narrows": saved.result["narrows"]}
        key = actions.ask(connection, job_id, Kind.EDIT, asking.caller.user_name, revision=head.revision, params=params)
        commands.ask(connection, job_id, "edit")
        return key, job_head(asking, connection, job_id)


def reset(asking: Asking, job_id: str) -> tuple[str, Head]:
    """Lets a job begin anew, from the full phase: what it has made in the target goes first."""
    with asking.store.write() as connection:
        head = _settled(asking, connection, job_id)
        demand(head, Verb.RESET, "reset")
        if head.intent is not Intent.REST:
            raise refused(head, "reset", ON_ITS_WAY.get(head.intent, "it is being worked at"))
        demand_prechecked(connection, head)
        _move(connection, head, Trigger.RESET, Intent.RUN, "reset")
        return _asked(asking, connection, head, Kind.RESET)


def terminate(asking: Asking, job_id: str, *, force: bool) -> tuple[str, Head]:
    """Ends a job for good. `force`: also if its worker does not pause, or the target cannot be reached."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.TERMINATE, "terminate")
        _move(connection, head, Trigger.RELEASE, Intent.RELEASE, "terminate")
        params = {"force": force}
        key = actions.ask(
            connection, job_id, Kind.TERMINATE, asking.caller.user_name, revision=head.revision, params=params
        )
        return key, job_head(asking, connection, job_id)


def delete(asking: Asking, job_id: str) -> None:
    """Forgets a job that has ended, or was never built."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.DELETE, "delete")
        jobs.remove(connection, job_id)


def test_network(asking: Asking, job_id: str, params: Mapping[str, Any], secrets: str | None) -> tuple[str, Head]:
    """Asks for a connection test; `params` as worker.errands.network reads them, `secrets` sealed."""
    return _errand(asking, job_id, Verb.NETWORK, Kind.NETWORK, params, secrets)


def precheck(asking: Asking, job_id: str, params: Mapping[str, Any]) -> tuple[str, Head]:
    """Asks for the prechecks."""
    return _errand(asking, job_id, Verb.PRECHECK, Kind.PRECHECK, params)


def _errand(
    asking: Asking, job_id: str, verb: Verb, kind: Kind, params: Mapping[str, Any], secrets: str | None = None
) -> tuple[str, Head]:
    with asking.store.write() as connection:
        head = _settled(asking, connection, job_id)
        demand(head, verb, verb.value)
        if actions.pending(connection, job_id, {kind}):
            raise refused(head, verb.value, "another one is not over yet")
        key = actions.ask(
            connection, job_id, kind, asking.caller.user_name,
            revision=head.revision, status="waiting", params=params, sealed=secrets,
        )  # fmt: skip
        return key, head


def _settled(asking: Asking, connection: Connection, job_id: str) -> Head:
    """The job, for whoever looks at it as it will be: what its parameters were set to while it was worked at is part of
    its policy as soon as nobody does."""
    head = locked(asking, connection, job_id)
    if head.intent is not Intent.REST:
        return head
    parameters.take_in(connection, job_id)
    return locked(asking, connection, job_id)


def _move(connection: Connection, head: Head, trigger: Trigger, intent: Intent, what: str, **values: Any) -> None:
    if not jobs.move(connection, head.id, trigger, intent=intent, **values):
        raise refused(head, what, "it has just changed")
    if MOVES[trigger].target is State.STARTING:
        parameters.apply(connection, head.id)


def _intend(connection: Connection, head: Head, intent: Intent, what: str) -> None:
    if not jobs.intend(connection, head.id, intent, states=frozenset({head.state})):
        raise refused(head, what, "it has just changed")


def _overtake(connection: Connection, head: Head, kinds: Collection[Kind]) -> None:
    """What was asked for before will not come about any more: it is over."""
    for action in actions.pending(connection, head.id, kinds):
        actions.close(connection, action.id)


def _asked(asking: Asking, connection: Connection, head: Head, kind: Kind) -> tuple[str, Head]:
    key = actions.ask(connection, head.id, kind, asking.caller.user_name, revision=head.revision)
    return key, job_head(asking, connection, head.id)
