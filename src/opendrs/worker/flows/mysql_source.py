"""The source that several pairs have: MySQL and its relatives."""

from __future__ import annotations

from opendrs.engines.mysql.source import Source
from opendrs.engines.mysql.splitting import Portions
from opendrs.engines.mysql.stream import StreamSettings
from opendrs.model.job import Job
from opendrs.telemetry import context
from opendrs.worker.flows import Report
from opendrs.worker.hooks import Hooks


def source_of(job: Job, hooks: Hooks) -> Source:
    settings = StreamSettings(
        server_id=job.replica_id,
        name=job.id,
        folder=hooks.folder,
        spool_bytes=job.policy.spool_bytes,
        dml=job.policy.dml,
    )
    policy = job.policy
    portions = Portions(batch_rows=policy.batch_rows, batch_bytes=policy.batch_bytes, chunk_rows=policy.chunk_rows)
    return Source(
        job.source,
        job.selection,
        settings,
        readers=policy.readers,
        start=policy.start,
        portions=portions,
        seen=lambda catalog: hooks.objects.planned([view.name for view in catalog.views]),
    )


def reporter(hooks: Hooks) -> Report:
    """Everything that is not carried over stands in the job's events, by name."""

    def report(what: str, why: str) -> None:
        hooks.log.warning("not carried over", extra=context("schema.not_carried_over", object=what, reason=why))

    return report
