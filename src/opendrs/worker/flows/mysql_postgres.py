"""MySQL and its relatives into PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from opendrs.engines.mysql.position import parse_position
from opendrs.engines.postgres.conflicts import Remember
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control, application, drop_unused, known
from opendrs.engines.postgres.control import begun as knows
from opendrs.engines.postgres.control import last_edit as edited
from opendrs.engines.postgres.resetting import Reset, unfinished
from opendrs.engines.postgres.sink import Sink, SinkSettings
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import View
from opendrs.model.checkpoint import Phase
from opendrs.model.dirty import DirtyRow
from opendrs.model.engine import Objects
from opendrs.model.job import Job
from opendrs.pipeline import faultpoints
from opendrs.pipeline.meeting import Meeting
from opendrs.pipeline.run import Run, Settings
from opendrs.worker.flows import Report
from opendrs.worker.flows.mysql_source import reporter, source_of
from opendrs.worker.hooks import Hooks
from opendrs.worker.joining import Joining
from opendrs.worker.judging import Judge
from opendrs.worker.proofs import prove_loaded, proving


def begun(job: Job) -> bool:
    with Session(job.target, application(job.id, 0)) as session:
        return knows(session, job.id)


def half_reset(job: Job) -> bool:
    with Session(job.target, application(job.id, 0)) as session:
        return unfinished(session, job.id)


def reset(job: Job, epoch: int, hooks: Hooks, forget: Callable[[], None]) -> None:
    with Session(job.target, application(job.id, epoch)) as session:
        control = Control(job.id, epoch, parse_position)
        control.make(session)
        control.install(session)
        task = Reset(session, control)
        task.mark()
        hooks.faults.here(faultpoints.RESET_MARKED)
        task.drop(lambda: hooks.faults.here(faultpoints.RESET_DROPPED))
        forget()
        hooks.faults.here(faultpoints.RESET_FORGOTTEN)
        task.finish()


def work(job: Job, epoch: int, hooks: Hooks, *, installed: bool) -> Phase:
    with ExitStack() as stack:
        source = source_of(job, hooks)
        settings = _settings(
            job, epoch, reporter(hooks), lambda: list(source.catalog().views),
            objects=hooks.objects, remember=_remembering(hooks), installed=installed,
        )  # fmt: skip
        meeting = stack.enter_context(Joining(job, epoch, hooks, guest=guest, drop_guest=drop_guest))
        sink = stack.enter_context(Sink(job.target, settings))
        prover = stack.enter_context(proving(job, sink, hooks))
        run = Run(
            source=source,
            sink=sink,
            checkpoints=hooks.checkpoints,
            settings=Settings(
                task=job.task,
                readers=job.policy.readers,
                consistent=job.policy.consistent or job.task == "full",
                ddl=job.policy.ddl,
                until_high=hooks.options.until == "caught-up",
            ),
            stop=hooks.stop,
            faults=hooks.faults,
            progress=hooks.progress,
            barrier=prover,
            judge=Judge(job.source, sink, job.policy),
            limit=hooks.limit,
            meeting=meeting,
        )
        phase = run()
        prover.finish(hooks.stop)
    if phase is Phase.DONE:
        prove_loaded(job, hooks)
    return phase


def last_edit(job: Job) -> str:
    with Session(job.target, application(job.id, 0)) as session:
        return edited(session, job.id)


def guest(job: Job, epoch: int, hooks: Hooks, meeting: Meeting) -> Phase:
    source = source_of(job, hooks)
    with Session(job.target, application(job.id, epoch)) as session:
        # Begun once more by the same worker, it finds itself.
        installed = known(session, job.id) and Control(job.id, epoch, parse_position).held(session)
    settings = _settings(
        job, epoch, reporter(hooks), lambda: list(source.catalog().views),
        objects=hooks.objects, remember=_remembering(hooks), installed=installed,
    )  # fmt: skip
    with Sink(job.target, settings) as sink:
        run = Run(
            source=source,
            sink=sink,
            checkpoints=hooks.checkpoints,
            settings=Settings(task=job.task, readers=job.policy.readers, consistent=job.policy.consistent),
            stop=hooks.stop,
            faults=hooks.faults,
            progress=hooks.progress,
            judge=Judge(job.source, sink, job.policy),
            limit=hooks.limit,
            meeting=meeting,
        )
        return run()


def drop_guest(job: Job, epoch: int) -> None:
    with Session(job.target, application(job.id, epoch)) as session:
        if not known(session, job.id):
            return
        control = Control(job.id, epoch, parse_position)
        if not control.held(session):
            control.install(session)
        task = Reset(session, control)
        task.mark()
        task.drop(lambda: None)
        control.remove(session)


def release(job: Job, epoch: int, report: Report) -> None:
    """What our apply put beside the user's tables goes, foreign keys that were away come back, and numbering goes on
    behind the rows. Tables and views stay as they are; of a job that was ended before its load was, without the
    indexes and foreign keys that would have come."""
    with Session(job.target, application(job.id, epoch)) as session:
        if known(session, job.id):
            control = Control(job.id, epoch, parse_position)
            control.make(session)
            control.install(session)
            _leave(job, epoch, report)
            control.remove(session)
        drop_unused(session)


def _leave(job: Job, epoch: int, report: Report) -> None:
    with Sink(job.target, _settings(job, epoch, report, list, objects=None, remember=None, installed=True)) as sink:
        try:
            sink.open()
        except DrsError as error:
            if error.fault is not Fault.RESET_UNFINISHED:
                raise
            report("the job", "Its reset was cut short: tables of it that are still there stay.")
            return
        sink.leave()


def _remembering(hooks: Hooks) -> Remember:
    def remember(rows: Sequence[DirtyRow]) -> None:
        hooks.faults.here(faultpoints.CONFLICTS_DURABLE)
        hooks.dirty.record(rows)
        hooks.faults.here(faultpoints.CONFLICTS_TOLD)

    return remember


def _settings(
    job: Job,
    epoch: int,
    report: Report,
    views: Callable[[], list[View]],
    *,
    objects: Objects | None,
    remember: Remember | None,
    installed: bool,
) -> SinkSettings:
    return SinkSettings(
        job=job.id,
        epoch=epoch,
        selection=job.selection,
        policy=job.policy,
        parse_position=parse_position,
        views=views,
        report=report,
        objects=objects,
        remember=remember,
        installed=installed,
    )
