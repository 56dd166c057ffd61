"""Listings of objects, and the saving of a selection: asked for here, done by a worker, looked up here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.asking import Asking, action_of, demand, job_head, locked, refused, shown
from opendrs.control.rendering import rendered
from opendrs.control.rules import selection_and_sent
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind, Status
from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import Verb
from opendrs.store import actions, jobs, progress
from opendrs.store.jobs import Head

WAITING_MAX: Final = 10  # listings of a job that are not over


def collect(asking: Asking, job_id: str, kind: str, databases: Sequence[str], *, refresh: bool) -> tuple[str, Status]:
    """Asks for a listing; what is chosen, or replicated, is known already. Returns its id, and how it stands.

    databases   of these only; none: of all
    refresh     even if there is one of all databases
    """
    user = asking.caller.user_name
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.COLLECT, "collecting objects")
        if kind != "source":
            result = _known(connection, head, kind)
            key = actions.ask(
                connection, job_id, Kind.COLLECT, user, revision=head.revision, status="success", params={"type": kind}
            )
            actions.keep_result(connection, key, {"tree": result})
            return key, "success"
        pending = actions.pending(connection, job_id, {Kind.COLLECT})
        same = [action for action in pending if action.params.get("databases") == list(databases)]
        if same:
            return same[0].id, "waiting"
        if len(pending) >= WAITING_MAX:
            raise refused(head, "collecting objects", f"{len(pending)} others are not over yet")
        last = actions.latest_collection(connection, job_id)
        if last is not None and not refresh and not databases:
            return last.id, "success"
        params = {"type": kind, "databases": list(databases)}
        key = actions.ask(
            connection, job_id, Kind.COLLECT, user, revision=head.revision, status="waiting", params=params
        )
        return key, "waiting"


def collection(asking: Asking, job_id: str, query_id: str) -> Action:
    """The listing of that id. Raises JOB_NOT_FOUND, QUERY_UNKNOWN."""
    return action_of(asking, job_id, query_id, Kind.COLLECT)


def saving(asking: Asking, job_id: str, query_id: str) -> Action:
    """The saving of that id; the id of the job means the last one. Raises JOB_NOT_FOUND, SAVE_UNKNOWN."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        if query_id == head.id:
            found = actions.latest(connection, head.id, Kind.OBJECTS)
        else:
            found = actions.find(connection, head.id, query_id)
    if found is None or found.kind is not Kind.OBJECTS:
        raise DrsError(Fault.SAVE_UNKNOWN, query_id=shown(query_id))
    return found


def objects(asking: Asking, job_id: str, kind: str) -> tuple[Head, Mapping[str, Any]]:
    """The objects of a job: of its source as last listed, chosen, or replicated.

    Raises OBJECTS_NOT_COLLECTED.
    """
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        if kind != "source":
            return head, _known(connection, head, kind)
        last = actions.latest_collection(connection, head.id)
    if last is None or last.result is None:
        raise DrsError(Fault.OBJECTS_NOT_COLLECTED)
    return head, last.result


def _known(connection: Connection, head: Head, kind: str) -> dict[str, Any]:
    """What needs no look at the source."""
    if kind == "synchronized":
        return _replicated(connection, head)
    return rendered(*selection_and_sent(connection, head))


def _replicated(connection: Connection, head: Head) -> dict[str, Any]:
    """The tables that have been loaded."""
    tree: dict[str, Any] = {}
    selection = jobs.selection_of(connection, head.id)
    for table in progress.tables(connection, head.id):
        if table.state != "loaded":
            continue
        target = selection.target(table.name)
        # As it was chosen: for Kafka these are names of topics.
        whole = selection.topics.get(TableName(table.name.schema, ""), target.schema)
        single = selection.topics.get(table.name, target.table)
        database = tree.setdefault(
            table.name.schema, {"name": whole, "all": False, "is_synchronized": True, "tables": {}}
        )
        database["tables"][table.name.table] = {"name": single, "type": "table", "is_synchronized": True}
    return {"object_scope": "table", "object_info": tree}
