"""Whether the prechecks have passed for what a job is now."""

from __future__ import annotations

from sqlalchemy import Connection

from opendrs.errors import DrsError, Fault
from opendrs.model.action import SAVINGS, Kind
from opendrs.store import actions
from opendrs.store.jobs import Head


def lacking(connection: Connection, head: Head) -> str:
    """Why they do not count; empty: they have passed."""
    last = actions.latest(connection, head.id, Kind.PRECHECK)
    if last is None:
        return "they have not been run"
    if last.status in actions.OPEN:
        return "they are not over yet"
    if last.result is None or not last.result["passed"]:
        return "they have not passed"
    if last.revision != head.revision:
        return "endpoints, objects or policy were changed since"
    return "objects are being saved" if actions.pending(connection, head.id, SAVINGS) else ""


def demand_prechecked(connection: Connection, head: Head) -> None:
    """Raises PRECHECK_NEEDED."""
    if reason := lacking(connection, head):
        raise DrsError(Fault.PRECHECK_NEEDED, reason=reason)
