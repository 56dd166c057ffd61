"""Debezium's engine as a peer of ours: the same log to the same broker, by a small program around it.

It is set up for speed: nothing but the changes (no snapshot, no schema in the messages, no tombstones), large batches
and queues, the two processors that there are for making messages, and a Kafka producer with the settings of ours.
What it promises is less: at least once, with an idempotent producer and without transactions; offsets are kept in a
file. It goes over the log twice in one process, to two topics: the second time, when Java is warm, counts, from its
first acknowledged message to its last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.changes import ChangeLog
from benchmarks.measure import Outcome, Sample
from benchmarks.measure import run as run_program
from benchmarks.publish_stage import PublishStage
from benchmarks.topic import Form
from benchmarks.workloads import W2
from tests.harness import java, maven
from tests.harness.server import PASSWORD, USER

FORMAT: Final[Form] = "debezium-json"
# The connector for MariaDB is to be had in fewer releases than the rest.
RELEASE: Final = "3.5.0.Final"
ARTIFACTS: Final = ("debezium-api", "debezium-embedded", "debezium-connector-mariadb")
LOGGER: Final = "org.slf4j:slf4j-simple:1.7.36"
PROGRAM: Final = Path(__file__).parent / "peers" / "Publish.java"
NAME: Final = "debezium"
REPLICA_ID: Final = 4803
JVM: Final = ("-XX:+UseParallelGC", "-Xms2g", "-Xmx2g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class Debezium:
    """One log, published to a topic with one partition."""

    def __init__(self, stage: PublishStage, log: ChangeLog) -> None:
        self._stage = stage
        self._log = log
        self.topic = f"{NAME}-{log.name}"
        self._cold_topic = f"{self.topic}-cold"
        self._jars: Sequence[Path] = ()

    def prepare(self) -> None:
        """Raises ServerUnavailable if this machine cannot have Debezium."""
        wanted = [f"io.debezium:{name}:{RELEASE}" for name in ARTIFACTS]
        self._jars = self._jars or maven.jars(f"debezium-mariadb-{RELEASE}", *wanted, LOGGER)
        for topic in (self._cold_topic, self.topic):
            self._stage.renew_topic(topic)

    def run(self) -> Sample:
        """The sample's facts are what the program says."""
        stage, log = self._stage, self._log
        offsets = stage.scratch / f"{self.topic}.offsets"
        offsets.unlink(missing_ok=True)
        settings = stage.scratch / f"{self.topic}.json"
        settings.write_text(json.dumps({"engine": self._engine(offsets), "producer": self._producer()}))
        words: list[str | Path] = [
            java.find().program, *JVM, "-cp", ":".join(map(str, self._jars)), PROGRAM,
            settings, self._cold_topic, self.topic, str(log.changes),
            log.start.file, str(log.start.offset), log.start.gtid,
        ]  # fmt: skip
        return run_program(words, stage.pair, environment=dict(os.environ), log=stage.log_of(self.topic))

    def _engine(self, offsets: Path) -> dict[str, str]:
        return {
            "name": NAME,
            "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
            "topic.prefix": NAME,
            "database.hostname": "127.0.0.1",
            "database.port": str(self._stage.source.port),
            "database.user": USER,
            "database.password": PASSWORD,
            "database.server.id": str(REPLICA_ID),
            "database.ssl.mode": "disable",
            "database.include.list": self._log.database,
            "table.include.list": f"{self._log.database}.{W2.name}",
            # The tables as they are now, and no rows; then the log from the offset.
            "snapshot.mode": "recovery",
            "snapshot.locking.mode": "none",
            "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": str(offsets),
            "offset.flush.interval.ms": "1000",
            "include.schema.changes": "false",
            "tombstones.on.delete": "false",
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "max.batch.size": "16384",
            "max.queue.size": "65536",
            "poll.interval.ms": "10",
        }

    def _producer(self) -> dict[str, str]:
        return {
            "bootstrap.servers": self._stage.broker.bootstrap,
            "acks": "all",
            "enable.idempotence": "true",
            "compression.type": "lz4",
            "linger.ms": "5",
            "batch.size": "1000000",
            "buffer.memory": str(128 << 20),
        }


def warm_speed(sample: Sample) -> float:
    """Messages a second, the second time."""
    return float(sample.facts["messages"] / sample.facts["second_s"])


def note(log: ChangeLog, found: Outcome, name: str) -> str:
    first_s = found.median(name, lambda sample: sample.facts["first_s"])
    if not first_s:
        return found.reason(name)
    own_s = found.cpu_s(name) or 0.0
    broker_s = found.median(name, lambda sample: sample.target_cpu_s)
    nbytes = found.median(name, lambda sample: sample.facts["bytes"] / log.changes)
    return (
        f"Debezium {RELEASE}, JSON without schemas, {nbytes:.0f} bytes a message, at least once, without transactions;"
        f" counted is its second time over the log, when Java is warm; the first time {log.changes / first_s:,.0f};"
        f" processor {own_s / (2 * log.changes) * 1e6:.1f} s/million with its start, broker {broker_s:.2f} s for both;"
        f" memory {found.peak_mb(name):.0f} MB"
    )
