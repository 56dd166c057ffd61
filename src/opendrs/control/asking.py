"""Who asks, of which job: what every verb needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.caller import Caller
from opendrs.model.job import Policy
from opendrs.model.lifecycle import ALLOWED, Intent, State, Verb
from opendrs.model.links import Link, link_of
from opendrs.store import actions, jobs
from opendrs.store.database import Store
from opendrs.store.jobs import Head
from opendrs.store.sealing import Seal

PATIENCE_S: Final = 40.0  # less than the service takes for an answer (api.app), and clients wait for it
# What is said of a job that is on its way somewhere.
ON_ITS_WAY: Final = {
    Intent.PAUSE: "it is being paused",
    Intent.RESTART: "it is being restarted",
    Intent.RELEASE: "it is being ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request of one caller.

    patience_s   how long it waits for a worker, where the published answer says what came of it
    """

    store: Store
    seal: Seal
    caller: Caller
    patience_s: float = PATIENCE_S


def job_head(asking: Asking, connection: Connection, job_id: str, *, missing: Fault = Fault.JOB_NOT_FOUND) -> Head:
    """The caller's job; raises `missing` for everybody else's, as for those that do not exist."""
    found = jobs.head(connection, asking.caller.project_id, job_id)
    if found is None:
        raise DrsError(missing, job_id=shown(job_id))
    return found


def action_of(
    asking: Asking, job_id: str, query_id: str, kind: Kind, *, unknown: Fault = Fault.QUERY_UNKNOWN
) -> Action:
    """What was asked of the caller's job under that id. Raises JOB_NOT_FOUND; `unknown` if it is no action of its
    kind."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        found = actions.find(connection, head.id, query_id)
    if found is None or found.kind is not kind:
        raise DrsError(unknown, query_id=shown(query_id))
    return found


def head_and_policy(asking: Asking, connection: Connection, job_id: str) -> tuple[Head, Policy]:
    """The same with its policy."""
    found = jobs.head_and_policy(connection, asking.caller.project_id, job_id)
    if found is None:
        raise DrsError(Fault.JOB_NOT_FOUND, job_id=shown(job_id))
    return found


def locked(asking: Asking, connection: Connection, job_id: str, *, missing: Fault = Fault.JOB_NOT_FOUND) -> Head:
    """The same for whoever is about to change it: nobody else does until the transaction ends."""
    jobs.lock(connection, job_id)
    return job_head(asking, connection, job_id, missing=missing)


def link(head: Head) -> Link:
    """The flow of a job of the service."""
    found = link_of(head.engine_type)
    assert found is not None, "a job has a flow"
    return found


def shown(text: str, most: int = 64) -> str:
    """What a caller sent, fit to be repeated in an answer."""
    return text if len(text) <= most else f"{text[:most]}..."


def demand(head: Head, verb: Verb, what: str) -> None:
    """Raises WRONG_STATE unless the verb is allowed now."""
    allowed = ALLOWED[verb]
    if head.state not in allowed:
        words = ", ".join(state.value for state in State if state in allowed)
        raise refused(head, what, f"it must be in one of {words}")


def refused(head: Head, what: str, reason: str) -> DrsError:
    return DrsError(Fault.WRONG_STATE, what=what, state=head.state.value, reason=reason)
