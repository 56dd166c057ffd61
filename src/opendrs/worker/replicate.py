"""Works at a job: resets it if that is asked for, holds it against the prechecks, and hands it to its pair of
engines."""

from __future__ import annotations

from opendrs.model.checkpoint import Phase
from opendrs.model.job import Job
from opendrs.worker.admission import admit, demand_checkpoint
from opendrs.worker.editing import brought_up
from opendrs.worker.flows import flow_of
from opendrs.worker.hooks import Hooks
from opendrs.worker.resetting import reset_first


def replicate(job: Job, epoch: int, hooks: Hooks) -> Phase:
    """Works at a job as the worker of an epoch. `worker.hooks.Replicate` says what may come of it."""
    flow = flow_of(job)
    job = brought_up(flow, job, epoch, hooks)
    installed = reset_first(flow, job, epoch, hooks)
    if not installed:
        demand_checkpoint(flow, job, hooks)
    admit(flow, job, hooks)
    return flow.work(job, epoch, hooks, installed=installed)
