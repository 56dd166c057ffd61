"""A job that has not begun is held against the prechecks first; what they find stands in its events."""

from __future__ import annotations

from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job
from opendrs.store import checkpoints, events
from opendrs.telemetry import context
from opendrs.worker.flows import Flow
from opendrs.worker.hooks import Hooks


def demand_checkpoint(flow: Flow, job: Job, hooks: Hooks) -> None:
    """A job that has come somewhere must be known there: else it would begin anew, and nobody would know what it has
    missed. Raises CHECKPOINT_MISSING."""
    with hooks.store.read() as connection:
        saved = checkpoints.load(connection, job.id)
    if saved is not None and not flow.begun(job):
        raise DrsError(Fault.CHECKPOINT_MISSING, position=saved.position or "the load")


def admit(flow: Flow, job: Job, hooks: Hooks) -> None:
    """Returns if the job has begun, or may. Raises PRECHECK_FAILED."""
    if not hooks.options.check or _begun(flow, job, hooks):
        return
    # Everything that the checks need is needed once in the life of a job.
    from opendrs.worker import checking

    found = checking.check_job(job, checking.acceptable(hooks.options.accepted))
    for finding in checking.by_weight(found):
        facts = {"item": finding.item, "result": finding.result, "reason": finding.message, "remedy": finding.remedy}
        match finding.result:
            case "FAILED":
                hooks.log.error("an obstacle", extra=context(events.PRECHECK_FINDING, **facts))
            case "ALARM":
                hooks.log.warning("to be known", extra=context(events.PRECHECK_FINDING, **facts))
    checking.demand(found)
    hooks.log.info("the prechecks have passed", extra=context(events.PRECHECK_PASSED, checks=len(found)))


def _begun(flow: Flow, job: Job, hooks: Hooks) -> bool:
    """Whether the state store or the target knows the job; if neither can say, the prechecks tell why."""
    with hooks.store.read() as connection:
        passed = events.happened(connection, job.id, events.PRECHECK_PASSED)
        if passed or checkpoints.load(connection, job.id) is not None:
            return True
    try:
        return flow.begun(job)
    except DrsError:
        return False
