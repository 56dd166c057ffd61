"""The end of a job for good: nothing of ours stays in its target, and all that is the user's does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from opendrs.engines.mysql.position import parse_position
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control, application, drop_unused, known
from opendrs.engines.postgres.sink import Sink, SinkSettings
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job
from opendrs.telemetry import context

log = logging.getLogger(__name__)


def _warn(what: str, why: str) -> None:
    log.warning("not as it was at the source", extra=context("schema.not_carried_over", object=what, reason=why))


def release(job: Job, epoch: int, report: Callable[[str, str], None] = _warn) -> None:
    """Takes the job away from its workers and out of its target. May be repeated.

    What our apply put beside the user's tables goes, foreign keys that were away come back, and numbering goes on
    behind the rows. Tables and views stay as they are; of a job that was ended before its load was, without the
    indexes and foreign keys that would have come.
    epoch    above that of every worker
    report   told of what could not be made as it was at the source: (what, why)
    Raises FENCED if a newer worker has the job, and TARGET_UNREACHABLE and the like.
    """
    with Session(job.target, application(job.id, epoch)) as session:
        if known(session, job.id):
            control = Control(job.id, epoch, parse_position)
            control.make(session)
            control.install(session)
            _leave(job, epoch, report)
            control.remove(session)
        drop_unused(session)


def _leave(job: Job, epoch: int, report: Callable[[str, str], None]) -> None:
    settings = SinkSettings(
        job=job.id,
        epoch=epoch,
        selection=job.selection,
        policy=job.policy,
        parse_position=parse_position,
        views=lambda: (),
        report=report,
        installed=True,
    )
    with Sink(job.target, settings) as sink:
        try:
            sink.open()
        except DrsError as error:
            if error.fault is not Fault.RESET_UNFINISHED:
                raise
            report("the job", "Its reset was cut short: tables of it that are still there stay.")
            return
        sink.leave()
