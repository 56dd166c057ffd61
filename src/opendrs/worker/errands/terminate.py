"""The end of a job that was worked at: what is ours goes, in the target and on this machine; the rows stay.

params   {"force": bool}: end it even if the target cannot be reached, or whatever else is in the way
result   {"left": why something of ours stays in the target; empty: nothing does}
"""

from __future__ import annotations

import shutil

from sqlalchemy import Connection

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, State, Trigger
from opendrs.store import events, jobs, leases
from opendrs.store.events import Event
from opendrs.worker import process
from opendrs.worker.editing import guest_of, pending
from opendrs.worker.errands import Errand, Result
from opendrs.worker.outcome import Exit, Outcome


def run(errand: Errand) -> Result:
    from opendrs.worker.flows import flow_of
    from opendrs.worker.releasing import release  # its drivers

    store, job = errand.place.store, errand.job
    if errand.record.state is State.RELEASED:
        return {"left": ""}  # by one who died before he could say so
    with store.write() as connection:
        epoch = _take_away(connection, job.id)
    if (edit := pending(store, job.id)) is not None:
        flow_of(job).drop_guest(guest_of(job, edit), epoch)
    release(job, epoch)
    shutil.rmtree(errand.place.folder_of(job.id), ignore_errors=True)
    with store.write() as connection:
        _released(connection, job.id, "")
    return {"left": ""}


def failed(connection: Connection, action: Action, failure: Failure) -> Failure | None:
    """The errand has failed, whatever the reason: the job can be ended again; by force it ends all the same.

    Returns how the action has failed; None: it has not.
    """
    if action.kind is not Kind.TERMINATE:
        return failure
    if not action.params.get("force"):
        jobs.move(connection, action.job_id, Trigger.RELEASE_FAILS, intent=Intent.REST, failure=failure)
        return failure
    _take_away(connection, action.job_id)
    _released(connection, action.job_id, failure.message)
    return None


def _take_away(connection: Connection, job_id: str) -> int:
    """The next epoch: whatever worker there may still be, it can write nothing more. And its end: whoever looks for
    a worker must not take us for one."""
    epoch = leases.claim(connection, job_id, process.myself("worker"), {})
    if epoch is None:
        raise DrsError(Fault.INTERNAL, reason="the lease of the job could not be had")
    leases.finish(connection, job_id, epoch, Outcome(exit=Exit.PAUSED).to_json())
    return epoch


def _released(connection: Connection, job_id: str, left: str) -> None:
    if jobs.move(connection, job_id, Trigger.RELEASED, intent=Intent.REST):
        fields = {"left": left} if left else {}
        events.append(connection, job_id, [Event(name="job.released", message="the job has ended", fields=fields)])
