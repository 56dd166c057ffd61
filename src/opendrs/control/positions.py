"""Places in the log of a job's source: asked for here, found by a worker, looked up here."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from opendrs.control.asking import Asking, demand, job_head, locked, refused, shown
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind, Status
from opendrs.model.lifecycle import Verb
from opendrs.model.start import StartPosition, time_text
from opendrs.store import actions

WAITING_MAX: Final = 10  # of a job, that are not over


def collect(asking: Asking, job_id: str, at: datetime) -> tuple[str, Status]:
    """Asks for the place of a time. Returns its id, and how it stands."""
    start = StartPosition(time=time_text(at)).to_json()
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        demand(head, Verb.COLLECT, "collecting a position")
        pending = actions.pending(connection, job_id, {Kind.POSITION})
        same = [action for action in pending if action.params["start"] == start]
        if same:
            return same[0].id, same[0].status
        if len(pending) >= WAITING_MAX:
            raise refused(head, "collecting a position", f"{len(pending)} others are not over yet")
        key = actions.ask(
            connection, job_id, Kind.POSITION, asking.caller.user_name, revision=head.revision, status="waiting",
            params={"start": start},
        )  # fmt: skip
        return key, "waiting"


def position(asking: Asking, job_id: str, query_id: str) -> Action:
    """What was asked for under that id: a position collected, or a start looked at. Raises JOB_NOT_FOUND,
    POSITION_NOT_COLLECTED."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        found = actions.find(connection, head.id, query_id)
    if found is None or found.kind not in (Kind.POSITION, Kind.START_POSITION):
        raise DrsError(Fault.POSITION_NOT_COLLECTED, query_id=shown(query_id))
    return found
