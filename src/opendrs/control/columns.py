"""Columns of tables, and tables that have something said of their columns: what needs a look at the source is asked
for here, done by a worker, and looked up here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from opendrs.control.asking import Asking, action_of, demand, locked, refused
from opendrs.control.waiting import Deadline, result_of
from opendrs.model.action import Action, Kind, Status
from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import Verb
from opendrs.store import actions

TABLES_MAX: Final = 500  # of one look
WAITING_MAX: Final = 10  # looks of a job that are not over
KEPT: Final = 20  # looks that are searched for tables that are known


class Column(NamedTuple):
    """As worker.errands.columns found it."""

    name: str
    type: str
    key: str


Known = Mapping[TableName, Sequence[Column]]


def collect(asking: Asking, job_id: str, tables: Sequence[TableName], *, refresh: bool) -> tuple[str, Status]:
    """Asks for the columns of tables. Returns its id, and how it stands.

    refresh   even if they are known
    Raises WRONG_STATE.
    """
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.COLLECT, "reading columns")
        params = {"tables": [[name.schema, name.table] for name in tables]}
        pending = actions.pending(connection, job_id, {Kind.COLUMNS})
        if same := [action for action in pending if action.params == params]:
            return same[0].id, "waiting"
        if not refresh:
            for action in actions.done(connection, job_id, Kind.COLUMNS, most=KEPT):
                if action.params == params:
                    return action.id, "success"
        if len(pending) >= WAITING_MAX:
            raise refused(head, "reading columns", f"{len(pending)} others are not over yet")
        user = asking.caller.user_name
        key = actions.ask(
            connection, job_id, Kind.COLUMNS, user, revision=head.revision, status="waiting", params=params
        )
        return key, "waiting"


def collected(asking: Asking, job_id: str, query_id: str) -> Action:
    """The look of that id. Raises JOB_NOT_FOUND, QUERY_UNKNOWN."""
    return action_of(asking, job_id, query_id, Kind.COLUMNS)


def read(asking: Asking, job_id: str, tables: Collection[TableName], *, refresh: bool) -> Known:
    """The columns of tables; waits for a worker if they are not known. Raises COLUMNS_UNREAD, TOO_SLOW."""
    deadline = Deadline(asking)
    wanted = sorted(tables)
    if not refresh:
        with asking.store.read() as connection:
            known = _known(connection, job_id)
        if all(name in known for name in wanted):
            return {name: known[name] for name in wanted}
    if not wanted:
        return {}
    key, _ = collect(asking, job_id, wanted, refresh=True)
    return columns_of(result_of(asking, job_id, key, deadline))


def _known(connection: Connection, job_id: str) -> dict[TableName, Sequence[Column]]:
    """Whatever was read lately: what was read last counts."""
    found: dict[TableName, Sequence[Column]] = {}
    for action in reversed(actions.done(connection, job_id, Kind.COLUMNS, most=KEPT)):
        found |= columns_of(action.result or {"tables": []})
    return found


def columns_of(result: Mapping[str, Any]) -> dict[TableName, Sequence[Column]]:
    return {TableName(*one["name"]): [Column(*column) for column in one["columns"]] for one in result["tables"]}
