"""A job into Kafka played in this process, on real servers, with people who do something at named moments of it.

The counterpart of `tests/integration/links/story.py`, for a target that keeps what it gets: whether the job is right
is seen in the messages (`told.py`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from opendrs.engines.kafka.producing import Producer
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Job, Policy, Task, job_id
from opendrs.model.publishing import ONE_TOPIC, Publishing
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition
from opendrs.pipeline.limiting import NoLimit
from opendrs.pipeline.progress import Silent
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store import jobs
from opendrs.store.database import open_store
from opendrs.worker import checking
from opendrs.worker.flows.mysql_kafka import release
from opendrs.worker.hooks import Hooks
from opendrs.worker.order import Options, Until
from opendrs.worker.replicate import replicate
from tests.harness.kafka import Kafka
from tests.harness.kafka_client import Message
from tests.harness.mysql_family import FamilyServer
from tests.integration.links.story import Acts, Deed, Forgetful, Listener, Remembered, Unseen, split

Act = str | Deed
# As the policy has them; a test may want other ones.
CHUNK_ROWS, BATCH_ROWS = 200_000, 16_384


class Died(BaseException):
    """A worker that comes no further."""


def die() -> None:
    raise Died


@dataclass(slots=True, kw_only=True)
class Tale:
    """One job from a database into a broker. Without `publishing` all goes to one topic of that name and one
    partition, the statements too: then the messages are in the order of the source.

    target     URL of the broker, instead of that of its PLAINTEXT
    selection  instead of all tables of the database
    label      tells it apart from other jobs of the same tables
    identity   the job's id, else one made from what it is
    reports    what was not published, as the job said it
    epoch      of the worker that played last
    """

    source: FamilyServer
    broker: Kafka
    name: str
    folder: Path
    publishing: Publishing = field(default_factory=Publishing)
    target: str = ""
    readers: int = 1
    selection: Selection | None = None
    task: Task = "full+incremental"
    start: StartPosition | None = None
    label: str = ""
    identity: str = ""
    reports: list[tuple[str, str]] = field(default_factory=list)
    epoch: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def job(self) -> Job:
        source, target = Endpoint.parse(self.source.url()), Endpoint.parse(self.target or self.broker.url())
        selection = self.selection or Selection(patterns=(f"{self.name}.*",))
        policy = Policy(
            publishing=self.publishing, readers=self.readers, start=self.start,
            chunk_rows=CHUNK_ROWS, batch_rows=BATCH_ROWS,
        )  # fmt: skip
        identity = self.identity or job_id(source, target, selection, f"{self.name}{self.label}")
        return Job(id=identity, source=source, target=target, task=self.task, selection=selection, policy=policy)

    @property
    def checkpoint_topic(self) -> str:
        return self.publishing.checkpoint_topic or f"_opendrs.{self.job.id}"

    def elsewhere(self) -> Tale:
        """The same job as newer workers have it, on another machine."""
        folder = self.folder / "elsewhere"
        folder.mkdir()
        return replace(self, folder=folder, epoch=self.epoch + 10, reports=[], stop=threading.Event())

    def another(self, **publishing: Any) -> Tale:
        """Another job of the same tables."""
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        how = replace(self.publishing, **publishing)
        return replace(self, folder=folder, publishing=how, label=folder.name, epoch=0, reports=[])

    def publishes(self, **changes: Any) -> None:
        self.publishing = replace(self.publishing, **changes)

    def at_source(self, statements: str | Sequence[str]) -> None:
        """Runs statements (divided by ";" and a line's end) on one session of the source."""
        if isinstance(statements, str):
            statements = split(statements)
        with self.source.connect(self.name) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    # the job

    def play(
        self,
        acts: Mapping[str, Act] | None = None,
        *,
        check: bool = False,
        accepted: Iterable[str] = (),
        reset: bool = False,
        until: Until = "caught-up",
        epoch: int | None = None,
    ) -> Phase:
        """Runs the job until it has caught up, as a new worker, or as that of an epoch. What a moment of `acts` names is
        done at the source."""

        def deed(what: Act) -> Callable[[], None]:
            return what if callable(what) else lambda: self.at_source(what)

        faults = Acts({moment: deed(what) for moment, what in (acts or {}).items()})
        store = open_store(f"sqlite:///{self.folder / 'state.db'}")
        log = logging.Logger("tale")
        log.addHandler(Listener(self.reports))
        self.epoch = self.epoch + 1 if epoch is None else self.epoch
        self.stop = threading.Event()
        try:
            with store.write() as connection:
                if jobs.find(connection, self.job.id) is None:
                    jobs.create(connection, self.job)
            hooks = Hooks(
                stop=self.stop, progress=Silent(), checkpoints=Forgetful(), proof=threading.Event(), faults=faults,
                objects=Unseen(), dirty=Remembered(), limit=NoLimit(), log=log, folder=self.folder, store=store,
                options=Options(until=until, check=check, accepted=tuple(accepted)),
            )  # fmt: skip
            if reset:
                hooks.reset.set()
            phase = replicate(self.job, self.epoch if epoch is None else epoch, hooks)
        finally:
            store.close()
        assert not faults.left, f"these moments never came: {faults.left}"
        return phase

    def dies(self, moment: str, acts: Mapping[str, Act] | None = None, **how: Any) -> None:
        """Runs the job to a moment, and no further: what was begun is neither ended nor taken back."""
        try:
            with patch.object(Producer, "close", lambda producer: producer.core.close()):
                self.play({**(acts or {}), moment: die}, **how)
        except Died:
            return
        raise AssertionError("it lived on")

    def pauses(self, moment: str) -> None:
        """Asks the job to pause at a moment, which it does."""
        try:
            self.play({moment: lambda: self.stop.set()})  # noqa: PLW0108  each play has an event of its own
        except Stopped:
            return
        raise AssertionError("it did not pause")

    def fails(self, fault: Fault, *words: str, acts: Mapping[str, Act] | None = None, **how: Any) -> DrsError:
        """Runs the job, which must stop with that fault and an error that has these words."""
        try:
            self.play(acts, **how)
        except DrsError as error:
            assert error.fault is fault, f"{error.fault.name}: {error}"
            missing = [word for word in words if word not in str(error)]
            assert not missing, f"{missing} is not in: {error}"
            return error
        raise AssertionError("the job did not stop")

    def checked(self, *accepted: str) -> list[Finding]:
        """What the prechecks say about the job now."""
        return checking.check_job(self.job, accepted)

    def release(self) -> list[tuple[str, str]]:
        """Ends the job for good; what was reported of that."""
        self.epoch += 1
        found: list[tuple[str, str]] = []
        release(self.job, self.epoch, lambda what, why: found.append((what, why)))
        return found

    # what came of it

    def topics(self) -> list[str]:
        """Where there are messages."""
        ours = [name for name in self.broker.topics() if name.startswith(self.name)]
        return sorted({*ours, self.publishing.topic} - {""}) if self.publishing.topic_policy == ONE_TOPIC else ours

    def messages(self, *topics: str) -> list[Message]:
        """What consumers can see."""
        return self.broker.consume(topics or self.topics())

    def values(self, *topics: str) -> list[bytes]:
        return [message.value or b"" for message in self.messages(*topics)]
