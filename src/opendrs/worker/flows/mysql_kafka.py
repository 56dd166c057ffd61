"""MySQL and its relatives into Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.control import Kept, forgotten, job_record, make, read, tombstones
from opendrs.engines.kafka.opened import Opened, timeout_ms
from opendrs.engines.kafka.sink import Sink, SinkSettings
from opendrs.engines.kafka.statements import Place
from opendrs.engines.kafka.topics import checkpoint_topic
from opendrs.engines.mysql.position import LogPosition, parse_position
from opendrs.engines.mysql.source import Source
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.event import SchemaChange
from opendrs.model.job import Job
from opendrs.pipeline import faultpoints
from opendrs.pipeline.meeting import Meeting
from opendrs.pipeline.run import Run, Settings
from opendrs.worker.flows import Report
from opendrs.worker.flows.mysql_source import reporter, source_of
from opendrs.worker.hooks import Hooks
from opendrs.worker.joining import Joining

MICRO = 1_000_000


def begun(job: Job) -> bool:
    with Client(job.target) as client:
        return _kept(job, client).checkpoint is not None


def half_reset(job: Job) -> bool:
    with Client(job.target) as client:
        return _kept(job, client).resetting


def reset(job: Job, epoch: int, hooks: Hooks, forget: Callable[[], None]) -> None:
    """What is published stays, for it belongs to its readers; the load publishes it once more."""
    with Client(job.target) as client:
        make(client, _topic(job), job.policy.publishing.replication_factor)
        with _fenced(job, epoch, client) as (kept, opened):
            blank = partial(job_record, epoch=epoch, lanes=kept.lanes, position=None, phase=None, next_id=1, tables=0)
            opened.commit([blank(resetting=True)])
            hooks.faults.here(faultpoints.RESET_MARKED)
            forget()
            hooks.faults.here(faultpoints.RESET_FORGOTTEN)
            opened.commit([*forgotten(kept.keys), blank()])


def _topic(job: Job) -> str:
    return checkpoint_topic(job.id, job.policy.publishing)


def _kept(job: Job, client: Client) -> Kept:
    """What the job remembers there; nothing, if it has not been there yet."""
    return read(job.id, client.read(_topic(job)), parse_position) if _topic(job) in client.topics() else Kept()


@contextmanager
def _fenced(job: Job, epoch: int, client: Client) -> Iterator[tuple[Kept, Opened]]:
    """From now on no older worker can commit anything; and we nothing, once a newer one comes. Raises FENCED if one has
    been there."""
    kept = _kept(job, client)
    _demand_newest(kept, epoch)  # an overtaken worker must not fence its successor
    opened = partial(Opened, job.target, job.id, policy=job.policy, selection=job.selection)
    timeout = timeout_ms(client)
    with closing(opened(lane=None, timeout_ms=timeout)) as main:
        for lane in range(max(kept.lanes, job.policy.readers)):
            opened(lane=lane, timeout_ms=timeout).close()
        kept = _kept(job, client)
        _demand_newest(kept, epoch)
        yield kept, main


def _demand_newest(kept: Kept, epoch: int) -> None:
    if kept.epoch > epoch:
        raise DrsError(Fault.FENCED, epoch=epoch, newer=kept.epoch)


def work(job: Job, epoch: int, hooks: Hooks, *, installed: bool) -> Phase:
    del installed  # opening fences again, and finds itself
    with Joining(job, epoch, hooks, guest=guest, drop_guest=drop_guest) as joining:
        return _follow(job, epoch, hooks, joining)


def guest(job: Job, epoch: int, hooks: Hooks, meeting: Meeting) -> Phase:
    return _follow(job, epoch, hooks, meeting)


def _follow(job: Job, epoch: int, hooks: Hooks, meeting: Meeting) -> Phase:
    source = source_of(job, hooks)
    with Sink(job.target, _settings(job, epoch, source, reporter(hooks))) as sink:
        run = Run(
            source=source,
            sink=sink,
            checkpoints=hooks.checkpoints,
            settings=Settings(
                task=job.task,
                readers=job.policy.readers,
                consistent=True,
                until_high=hooks.options.until == "caught-up",
            ),
            stop=hooks.stop,
            faults=hooks.faults,
            progress=hooks.progress,
            limit=hooks.limit,
            meeting=meeting,
        )
        return run()


def last_edit(job: Job) -> str:
    with Client(job.target) as client:
        return _kept(job, client).edit


def drop_guest(job: Job, epoch: int) -> None:
    """What it has published stays, for it belongs to its readers."""
    release(job, epoch, lambda what, why: None)


def release(job: Job, epoch: int, report: Report) -> None:
    """What the job remembers goes, and the topic that was made for it. What is published stays."""
    with Client(job.target) as client:
        topic = _topic(job)
        if topic not in client.topics():
            return
        with _fenced(job, epoch, client) as (kept, opened):
            opened.commit(tombstones(kept.keys))
        if job.policy.publishing.checkpoint_topic:
            return  # of the user, and perhaps of other jobs
        try:
            client.delete([topic])
        except DrsError as error:
            if error.fault is not Fault.PRIVILEGE_MISSING:
                raise
            report(f"the topic {topic}", f"It holds what the job remembered, and could not be deleted: {error.message}")


def _settings(job: Job, epoch: int, source: Source, report: Report) -> SinkSettings:
    return SinkSettings(
        job=job.id,
        epoch=epoch,
        selection=job.selection,
        policy=job.policy,
        parse_position=parse_position,
        place=_place,
        create_statement=source.create_statement,
        report=report,
    )


def _place(change: SchemaChange) -> Place:
    file = change.position.facts.get("file") if isinstance(change.position, LogPosition) else None
    moment = int(change.last_commit_s * MICRO)
    return (moment, None, file["file"], file["pos"]) if file else (moment, None, None, 0)
