"""What is changed of a job by hand: name, description, objects, policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from opendrs.control.asking import ON_ITS_WAY, Asking, demand, locked, refused
from opendrs.control.creation import demand_description, demand_name
from opendrs.errors import DrsError, Fault
from opendrs.model.action import SAVINGS, Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.job import Policy
from opendrs.model.lifecycle import Intent, Verb
from opendrs.model.links import TASK_WORDS
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition
from opendrs.store import actions, checkpoints, jobs, parameters
from opendrs.store.jobs import Head


def rename(asking: Asking, job_id: str, name: str) -> Head:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID, NAME_EXISTS."""
    demand_name(name)
    return _write(asking, job_id, Kind.NAME, name=name)


def describe(asking: Asking, job_id: str, description: str) -> Head:
    """Raises PARAMETER_INVALID."""
    demand_description(description)
    return _write(asking, job_id, Kind.DESCRIPTION, description=description)


def _write(asking: Asking, job_id: str, kind: Kind, **values: Any) -> Head:
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        jobs.change(connection, job_id, **values)
        actions.ask(connection, job_id, kind, asking.caller.user_name, revision=head.revision, status="success")
        return locked(asking, connection, job_id)


def set_policy(
    asking: Asking, job_id: str, change: Callable[[Head, Policy], Policy], *, missing: Fault = Fault.JOB_NOT_FOUND
) -> Head:
    """Gives a job another policy. One that rests works by it from its next start on.

    change    makes the new one of the old one, or raises
    missing   what is raised if there is no such job
    """
    return _set_policy(asking, job_id, change, missing=missing)[0]


def begin_at(asking: Asking, job_id: str, start: StartPosition) -> tuple[Head, str]:
    """Lets a job without a load begin at a place. Returns the id of a worker's look at it; whether the job can begin
    there is also a precheck."""

    def change(head: Head, policy: Policy) -> Policy:
        del head
        return replace(policy, start=start)

    head, look = _set_policy(asking, job_id, change, look_again=True)
    assert look is not None, "a start that nobody looks at"
    return head, look


def _set_policy(
    asking: Asking,
    job_id: str,
    change: Callable[[Head, Policy], Policy],
    *,
    missing: Fault = Fault.JOB_NOT_FOUND,
    look_again: bool = False,
) -> tuple[Head, str | None]:
    """With the id of the look at its start; None: nobody needs to look."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id, missing=missing)
        demand(head, Verb.POLICY, "changing the policy")
        if head.intent is not Intent.REST:
            # Shown as failed while a network is away, and its worker goes by the policy it has.
            raise refused(head, "changing the policy", ON_ITS_WAY.get(head.intent, "it is being worked at"))
        old = parameters.take_in(connection, job_id)
        policy = change(head, old)
        look = None
        if policy.start != old.start or look_again:
            look = _begin_elsewhere(asking, connection, head, policy.start)
        moved = policy.publishing.checkpoint_topic != old.publishing.checkpoint_topic
        if moved and checkpoints.load(connection, job_id) is not None:
            reason = "the job has begun, and remembers in the one that it has how far it is"
            raise DrsError(Fault.PARAMETER_INVALID, name="checkpoint_topic", reason=reason)
        jobs.change(connection, job_id, prechecked=True, policy=policy.to_json())
        actions.ask(connection, job_id, Kind.POLICY, asking.caller.user_name, revision=head.revision, status="success")
        return locked(asking, connection, job_id), look


def _begin_elsewhere(asking: Asking, connection: Connection, head: Head, start: StartPosition | None) -> str | None:
    """A job begins at a place in the log from now on, or no longer: a worker looks whether it can. The id of that."""
    if head.task != "incremental" and start is not None:
        reason = f"a job that loads ({TASK_WORDS[head.task]}) begins where its load does; only INCR_TRANS can"
        raise DrsError(Fault.PARAMETER_INVALID, name="file_and_position", reason=reason)
    if checkpoints.load(connection, head.id) is not None:
        raise refused(head, "setting the start position", "the job has begun, and goes on from where it is")
    for action in actions.pending(connection, head.id, {Kind.START_POSITION}):
        if action.status == "waiting":
            actions.close(connection, action.id)  # another one is asked for
    if start is None:
        return None
    return actions.ask(
        connection, head.id, Kind.START_POSITION, asking.caller.user_name, revision=head.revision,
        status="waiting", params={"start": start.to_json()},
    )  # fmt: skip


def demand_savable(connection: Connection, head: Head, *, queued: bool = False, but: str = "") -> None:
    """Raises WRONG_STATE unless other objects can be saved now, and then edited.

    queued   behind other savings that are not over yet; not behind an import, which goes by what it has seen
    but      the action that is about to save them, and does not stand in its own way
    """
    demand(head, Verb.OBJECTS, "saving objects")
    begun = checkpoints.load(connection, head.id)
    if begun is not None and begun.phase not in (Phase.CATCHING_UP, Phase.FOLLOWING):
        raise refused(head, "saving objects", "its tables are still being loaded: edit them when it follows")
    others = SAVINGS - {Kind.OBJECTS} if queued else SAVINGS
    if any(action.id != but for action in actions.pending(connection, head.id, others)):
        raise refused(head, "saving objects", "another saving is not over yet")
    if actions.pending(connection, head.id, {Kind.EDIT}):
        raise refused(head, "saving objects", "the last edit of them is not over yet")


def save_objects(
    asking: Asking, job_id: str, selection: Selection, asked: Mapping[str, Any], *, queued: bool = False
) -> tuple[str, Head]:
    """Asks for a selection to be saved: a worker looks first whether the source has what it names. A job that has begun
    keeps the one that it has until `verbs.edit`.

    asked    the objects as they were sent
    queued   behind other savings that are not over yet; else they are in its way
    """
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand_savable(connection, head, queued=queued)
        return ask_saving(connection, head, asking.caller.user_name, selection, asked), head


def ask_saving(
    connection: Connection, head: Head, user: str, selection: Selection, asked: Mapping[str, Any], **facts: Any
) -> str:
    """Its id. `facts`: where the selection comes from, if not from a request."""
    params = {"selection": selection.to_json(), "db_object": dict(asked), **facts}
    return actions.ask(connection, head.id, Kind.OBJECTS, user, revision=head.revision, status="waiting", params=params)
