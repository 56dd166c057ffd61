"""A job that is to begin anew: what it has made and what is known of it goes first.

The target has the mark that a reset is under way, and it goes last: a worker that dies in the middle leaves the
rest of it to the next one, whatever that was told.
"""

from __future__ import annotations

import shutil

from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job
from opendrs.store import checkpoints, ddls, dirty, events, leases, progress, proofs
from opendrs.store.events import Event
from opendrs.worker.flows import Flow
from opendrs.worker.hooks import Hooks

SPOOL = "spool"


def reset_first(flow: Flow, job: Job, epoch: int, hooks: Hooks) -> bool:
    """Resets the job if that is asked for, or was begun and has not ended. Returns whether the epoch is installed."""
    asked = hooks.reset.is_set()
    if not asked and not _half_reset(flow, job):
        return False
    hooks.log.info("the job begins anew; what it has made in the target goes first")
    flow.reset(job, epoch, hooks, lambda: _forget(job, epoch, hooks))
    hooks.reset.clear()
    return True


def _half_reset(flow: Flow, job: Job) -> bool:
    """If nobody can say, whoever opens the target next will."""
    try:
        return flow.half_reset(job)
    except DrsError:
        return False


def _forget(job: Job, epoch: int, hooks: Hooks) -> None:
    """What the state store and the job's folder know of the job's former life. Its events stay, for people. Raises
    FENCED, and forgets nothing, if a newer worker has the job: what is there is of its life."""
    with hooks.store.write() as connection:
        lease = leases.current(connection, job.id)
        if lease is not None and lease.epoch > epoch:
            raise DrsError(Fault.FENCED, epoch=epoch)
        shutil.rmtree(hooks.folder / SPOOL, ignore_errors=True)
        checkpoints.clear(connection, job.id)
        proofs.clear(connection, job.id)
        progress.forget_tables(connection, job.id)
        progress.forget_views(connection, job.id)
        dirty.clear(connection, job.id)
        ddls.settle(connection, job.id)
        told = Event(name=events.RESET, message="the job begins anew", level="warning", fields={"epoch": epoch})
        events.append(connection, job.id, [told])
