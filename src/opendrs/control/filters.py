"""Filters of tables: checks of them, done by a worker, and lists of them; asked for here, looked up here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opendrs.control.asking import Asking, action_of, demand, job_head, locked, refused
from opendrs.control.changing import FILTERED_MAX, Changes
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.lifecycle import Verb
from opendrs.store import actions

WAITING_MAX: Final = 10  # checks of a job that are not over


def check(asking: Asking, job_id: str, changes: Changes) -> str:
    """Asks for the filters to be held against the source, and for nothing to be changed; its id.

    Raises WRONG_STATE.
    """
    params = {
        "filters": [
            {
                "tables": [[name.schema, name.table] for name in change.tables],
                "databases": list(change.databases),
                "condition": change.filter,
            }
            for change in changes.each
            if change.filter
        ],
        "joined": [[name.schema, name.table, one.to_json()] for name, one in changes.joined.items()],
        "filtered_max": FILTERED_MAX,
    }
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.COLLECT, "checking filters")
        pending = actions.pending(connection, job_id, {Kind.FILTERS})
        if len(pending) >= WAITING_MAX:
            raise refused(head, "checking filters", f"{len(pending)} others are not over yet")
        user = asking.caller.user_name
        return actions.ask(
            connection, job_id, Kind.FILTERS, user, revision=head.revision, status="waiting", params=params
        )


def checked(asking: Asking, job_id: str, query_id: str) -> Action:
    """The check of that id. Raises JOB_NOT_FOUND, QUERY_UNKNOWN."""
    return action_of(asking, job_id, query_id, Kind.FILTERS)


def collect(asking: Asking, job_id: str, params: Mapping[str, Any]) -> str:
    """A list of filters is asked for: they are known already. Its id. Raises WRONG_STATE."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.COLLECT, "reading filters")
        user = asking.caller.user_name
        return actions.ask(
            connection, job_id, Kind.RULES, user, revision=head.revision, status="success", params=params
        )


def collected(asking: Asking, job_id: str, query_id: str | None) -> Action:
    """The list of that id; without one, the last. Raises JOB_NOT_FOUND, QUERY_UNKNOWN, PARAMETER_EMPTY."""
    if query_id is not None:
        return action_of(asking, job_id, query_id, Kind.RULES)
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        found = actions.latest(connection, head.id, Kind.RULES)
    if found is None:
        raise DrsError(Fault.PARAMETER_EMPTY, name="query_id")
    return found
