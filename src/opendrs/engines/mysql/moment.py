"""Sessions that all show one moment whose position is known: for reading a whole database as of then."""

from __future__ import annotations

from contextlib import ExitStack

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.position import LogPosition, locked_position, snapshot_position
from opendrs.engines.mysql.snapshot import lock_selected
from opendrs.model.endpoint import Endpoint
from opendrs.model.selection import Selection


def open_moment(
    stack: ExitStack, endpoint: Endpoint, selection: Selection, width: int
) -> tuple[list[Session], LogPosition]:
    """Sessions with open snapshots, and the position that they show.

    On MariaDB one session, which knows its own position: nothing is locked. On MySQL `width` sessions,
    opened while the tables are locked for a moment. Sessions are closed by the stack.
    """
    first = stack.enter_context(Session(endpoint))
    if first.mariadb:
        first.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        return [first], snapshot_position(first)
    sessions = [first, *(stack.enter_context(Session(endpoint)) for _ in range(width - 1))]
    with Session(endpoint) as locker:
        lock_selected(locker, selection)
        for session in sessions:
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        return sessions, locked_position(locker)
