"""The end of a job that was worked at: what is ours goes, in the target and on this machine; the rows stay.

params   {"force": bool}: end it even if the target cannot be reached
result   {"left": why something of ours stays in the target; empty: nothing does}
"""

from __future__ import annotations

import shutil

from sqlalchemy import Connection

from opendrs.errors import DrsError, Fault
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, Trigger
from opendrs.store import events, jobs, leases
from opendrs.store.events import Event
from opendrs.worker import process
from opendrs.worker.errands import Errand, Result


def run(errand: Errand) -> Result:
    from opendrs.worker.releasing import release  # its drivers

    store, job = errand.place.store, errand.job
    with store.write() as connection:
        # The next epoch: whatever worker there may still be, it can write nothing more.
        epoch = leases.claim(connection, job.id, process.myself("worker"), {})
    if epoch is None:
        raise DrsError(Fault.INTERNAL, reason="the lease of the job could not be had")
    left = ""
    try:
        release(job, epoch)
    except DrsError as error:
        if not errand.action.params.get("force"):
            raise
        left = error.message
    shutil.rmtree(errand.place.folder_of(job.id), ignore_errors=True)
    with store.write() as connection:
        jobs.move(connection, job.id, Trigger.RELEASED, intent=Intent.REST)
        told = Event(name="job.released", message="the job has ended", fields={"left": left} if left else {})
        events.append(connection, job.id, [told])
    return {"left": left}


def failed(connection: Connection, job_id: str, failure: Failure) -> None:
    """The errand has failed, whatever the reason: the job can be ended again."""
    jobs.move(connection, job_id, Trigger.RELEASE_FAILS, intent=Intent.REST, failure=failure)
