"""The command `opendrs run` into Kafka, as the benchmarks use it, and what the broker shows of it.

The command is a black box here, as in `job.py`. When the worker takes hold of its target it writes a record with its
epoch into the topic of its checkpoint: that record's own time is the beginning. The checkpoint travels in the
transactions of the messages, so when a read_committed consumer is handed the record with the end position, all
messages can be consumed: that moment is the end. It includes the consumer's own way, a few milliseconds.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from benchmarks import topic
from benchmarks.changes import LogPosition
from benchmarks.job import BEGIN_TIMEOUT_S, PAUSED, command
from benchmarks.measure import Running, ToolFailed
from benchmarks.publish_stage import PublishStage
from benchmarks.servers import source_environment
from tests.harness.server import PASSWORD, USER

FORMAT: Final = "json_c"
JOB: Final = [
    "job"
]  # key of the record that has epoch, phase and position, behind the job's id (engines/kafka/control.py)
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """When a position could be consumed, in seconds since 1970.

    taken         the worker got hold of the target
    reached       the position was there
    transactions  of Kafka between them
    """

    taken: float
    reached: float
    transactions: int


class Publisher:
    """A job that publishes the log to one topic, and can be put back to where it was: stopped, at any position.

    What its first start has written of itself, in the broker and in its state folder, is kept, and given back with
    another position before each measured start.
    """

    def __init__(self, stage: PublishStage, name: str, tables: Sequence[str], **options: str | int) -> None:
        self._stage = stage
        self.name = name
        self.topic = name
        self.partitions = int(options.get("partitions", 1))
        self._checkpoint = f"_opendrs.{name}"
        self._tables = tables
        self._options = {"format": FORMAT, "checkpoint_topic": self._checkpoint, **options}
        self._state = stage.scratch / f"{name}-state"
        self._saved = stage.scratch / f"{name}-saved"
        self._records: dict[bytes, bytes | None] = {}
        self._job = b""

    @property
    def exists(self) -> bool:
        return self._saved.is_dir()

    def create(self) -> None:
        """Starts the job and pauses it as soon as it follows."""
        shutil.rmtree(self._state, ignore_errors=True)
        self._renew()
        with self.start() as running:
            self.wait_until_following(running)
            running.ask_to_end()
            running.finish(ends=PAUSED)
        shutil.copytree(self._state, self._saved)
        # The newest of each key counts.
        self._records = {
            one.key(): one.value() for one in topic.messages(self._stage.broker.bootstrap, self._checkpoint)
        }
        (self._job,) = filter(_is_of_job, self._records)

    def put_back(self, position: LogPosition) -> None:
        """The job as it was when it had just been made, but standing at this position, with an empty topic."""
        shutil.rmtree(self._state, ignore_errors=True)
        shutil.copytree(self._saved, self._state)
        self._renew()
        job = json.loads(self._records[self._job] or b"{}")
        place = json.loads(job["position"])
        place |= {"gtid": position.gtid, "file": {"file": position.file, "pos": position.offset}}
        record = json.dumps({**job, "position": json.dumps(place), "next_id": 1, "done": 0}).encode()
        with _producer(self._stage) as producer:
            for key, value in {**self._records, self._job: record}.items():
                producer.produce(self._checkpoint, value, key, partition=0)
            producer.flush()

    def start(self) -> Running:
        stage = self._stage
        self._state.mkdir(parents=True, exist_ok=True)
        source = f"mysql://{USER}@127.0.0.1:{stage.source.port}/"
        target = f"{stage.broker.url()}/{self.topic}?{urlencode(self._options)}"
        chosen = [word for table in self._tables for word in ("--tables", table)]
        words = [
            str(command()), "run", source, target, "--task", "incremental", *chosen,
            "--state", str(self._state / "opendrs.db"), "--plain", "--no-check",
        ]  # fmt: skip
        environment = {**source_environment(stage.source), "OPENDRS_SOURCE_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        return Running(words, stage.pair, environment=environment, log=stage.log_of(f"opendrs-{self.name}"))

    def wait_until_following(self, running: Running) -> None:
        with self._job_records() as records:
            for job, _, _ in _until(records, running, BEGIN_TIMEOUT_S, "the job does not begin"):
                if job["phase"] == "following":
                    return

    def wait_until_published(self, running: Running, end: LogPosition, timeout_s: float) -> Published:
        """Reads the records of the checkpoint as they come."""
        known = json.loads(self._records[self._job] or b"{}")["epoch"]
        taken, transactions = 0.0, 0
        with self._job_records() as records:
            for job, made, arrived in _until(records, running, timeout_s, f"{end} was not reached"):
                if job["epoch"] <= known:
                    continue
                if not taken:
                    taken = made
                    continue
                transactions += 1
                at = json.loads(job["position"])["file"]
                if end.reached_by(at["file"], at["pos"]):
                    return Published(taken=taken, reached=arrived, transactions=transactions)
        raise ToolFailed("there are no more records")

    # --- inside ---------------------------------------------------------------------------

    def _renew(self) -> None:
        self._stage.renew_topic(self.topic, self.partitions)
        self._stage.renew_topic(self._checkpoint, cleanup_policy="compact")

    @contextmanager
    def _job_records(self) -> Iterator[Iterator[tuple[dict[str, Any], float, float] | None]]:
        """The records of the job itself: value, time of the record, and when it came; None now and then."""
        settings = {**topic.COMMON, "bootstrap.servers": self._stage.broker.bootstrap, "fetch.wait.max.ms": 50}
        with Consumer(settings) as consumer:
            consumer.assign([TopicPartition(self._checkpoint, 0, OFFSET_BEGINNING)])
            yield _jobs(consumer)


def _is_of_job(key: bytes | None) -> bool:
    return key is not None and json.loads(key)[1:] == JOB


def _jobs(consumer: Consumer) -> Iterator[tuple[dict[str, Any], float, float] | None]:
    while True:
        message = consumer.poll(POLL_S)
        arrived = time.time()
        if message is None:
            yield None
        elif message.error() is not None:
            raise ToolFailed(str(message.error()))
        elif _is_of_job(message.key()):
            yield json.loads(message.value() or b"{}"), message.timestamp()[1] / 1000, arrived


def _until(
    records: Iterator[tuple[dict[str, Any], float, float] | None], running: Running, timeout_s: float, failure: str
) -> Iterator[tuple[dict[str, Any], float, float]]:
    """All records, as long as the program runs and there is time."""
    deadline = time.monotonic() + timeout_s
    for record in records:
        if record is not None:
            yield record
        running.check()
        if time.monotonic() > deadline:
            raise running.failure(f"{failure} in {timeout_s:.0f} s")


@contextmanager
def _producer(stage: PublishStage, **settings: str | int) -> Iterator[Producer]:
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap, "log_level": 0, **settings})
    yield producer
    producer.flush()
