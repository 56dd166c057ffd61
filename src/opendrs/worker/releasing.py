"""The end of a job for good: nothing of ours stays in its target, and all that is the user's does."""

from __future__ import annotations

import logging

from opendrs.model.job import Job
from opendrs.telemetry import context
from opendrs.worker.flows import Report, flow_of

log = logging.getLogger(__name__)


def _warn(what: str, why: str) -> None:
    log.warning("not as it was at the source", extra=context("schema.not_carried_over", object=what, reason=why))


def release(job: Job, epoch: int, report: Report = _warn) -> None:
    """Takes the job away from its workers and out of its target. May be repeated.

    epoch    above that of every worker
    report   told of what could not be made as it was at the source: (what, why)
    Raises FENCED if a newer worker has the job, and TARGET_UNREACHABLE and the like.
    """
    flow_of(job).release(job, epoch, report)
