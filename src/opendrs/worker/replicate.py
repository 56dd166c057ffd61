"""Puts a job together: its source, its target and the pipeline between them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from opendrs.engines.mysql.position import parse_position
from opendrs.engines.mysql.source import Source
from opendrs.engines.mysql.stream import StreamSettings
from opendrs.engines.postgres.sink import Sink, SinkSettings
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.job import Job
from opendrs.model.links import PAIRS
from opendrs.pipeline.run import Run, Settings
from opendrs.telemetry import context
from opendrs.worker.admission import admit
from opendrs.worker.hooks import Hooks
from opendrs.worker.judging import Judge
from opendrs.worker.proofs import prove_loaded, proving
from opendrs.worker.resetting import reset_first


def replicate(job: Job, epoch: int, hooks: Hooks) -> Phase:
    """Works at a job as the worker of an epoch. `worker.hooks.Replicate` says what may come of it."""
    if (job.source.engine, job.target.engine) not in PAIRS:
        raise DrsError(Fault.UNSUPPORTED, what=f"{job.source.engine} to {job.target.engine}")
    installed = reset_first(job, epoch, hooks)
    admit(job, hooks)
    with ExitStack() as stack:
        source = Source(job.source, job.selection, _stream_settings(job, hooks), readers=job.policy.readers)
        sink = stack.enter_context(Sink(job.target, _sink_settings(job, epoch, hooks, source, installed=installed)))
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
        )
        phase = run()
        prover.finish(hooks.stop)
    if phase is Phase.DONE:
        prove_loaded(job, hooks)
    return phase


def _stream_settings(job: Job, hooks: Hooks) -> StreamSettings:
    return StreamSettings(
        server_id=job.replica_id,
        name=job.id,
        folder=hooks.folder,
        spool_bytes=job.policy.spool_bytes,
    )


def _sink_settings(job: Job, epoch: int, hooks: Hooks, source: Source, *, installed: bool) -> SinkSettings:
    return SinkSettings(
        job=job.id,
        epoch=epoch,
        selection=job.selection,
        policy=job.policy,
        parse_position=parse_position,
        views=lambda: source.catalog().views,
        report=_reporter(hooks),
        installed=installed,
    )


def _reporter(hooks: Hooks) -> Callable[[str, str], None]:
    """Everything that is not carried over stands in the job's events, by name."""

    def report(what: str, why: str) -> None:
        hooks.log.warning("not carried over", extra=context("schema.not_carried_over", object=what, reason=why))

    return report
