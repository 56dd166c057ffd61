"""What is changed of a job by hand: name, description, objects, policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opendrs.control.asking import ON_ITS_WAY, Asking, demand, locked, refused
from opendrs.control.creation import demand_description, demand_name
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.job import Policy
from opendrs.model.lifecycle import Intent, Verb
from opendrs.model.selection import Selection
from opendrs.store import actions, checkpoints, jobs
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
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id, missing=missing)
        demand(head, Verb.POLICY, "changing the policy")
        if head.intent is not Intent.REST:
            # Shown as failed while a network is away, and its worker goes by the policy it has.
            raise refused(head, "changing the policy", ON_ITS_WAY.get(head.intent, "it is being worked at"))
        old = jobs.policy_of(connection, job_id)
        policy = change(head, old)
        moved = policy.publishing.checkpoint_topic != old.publishing.checkpoint_topic
        if moved and checkpoints.load(connection, job_id) is not None:
            reason = "the job has begun, and remembers in the one that it has how far it is"
            raise DrsError(Fault.PARAMETER_INVALID, name="checkpoint_topic", reason=reason)
        jobs.change(connection, job_id, prechecked=True, policy=policy.to_json())
        actions.ask(connection, job_id, Kind.POLICY, asking.caller.user_name, revision=head.revision, status="success")
        return locked(asking, connection, job_id)


def save_objects(asking: Asking, job_id: str, selection: Selection, asked: Mapping[str, Any]) -> tuple[str, Head]:
    """Asks for a selection to be saved: a worker looks first whether the source has what it names. A job that has begun
    keeps the one that it has until `verbs.edit`.

    asked   the objects as they were sent, to be shown
    """
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.OBJECTS, "saving objects")
        begun = checkpoints.load(connection, job_id)
        if begun is not None and begun.phase not in (Phase.CATCHING_UP, Phase.FOLLOWING):
            raise refused(head, "saving objects", "its tables are still being loaded: edit them when it follows")
        if actions.pending(connection, job_id, {Kind.OBJECTS}):
            raise refused(head, "saving objects", "another saving is not over yet")
        if actions.pending(connection, job_id, {Kind.EDIT}):
            raise refused(head, "saving objects", "the last edit of them is not over yet")
        key = actions.ask(
            connection, job_id, Kind.OBJECTS, asking.caller.user_name, revision=head.revision, status="waiting",
            params={"selection": selection.to_json(), "db_object": dict(asked)},
        )  # fmt: skip
        return key, head
