"""What publishing is measured on: a source of its own, whose log has W2 alone, and a broker beside it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import changes, references, servers, workloads
from benchmarks.changes import ChangeLog
from benchmarks.stage import LOGS, PLACE, say
from benchmarks.workloads import W2
from tests.harness import Kafka, Server
from tests.harness.cache import fingerprint

VERSION: Final = 1
ROWS_A_CHANGE: Final = 1.25  # of `bench.w2`: LARGE begins with one for each change, and inserts a quarter more


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStage:
    """Where publishing is measured.

    runs              of each contender
    logs              LARGE and SINGLE of W2, by name
    states            folder of what the tables of `logs` hold before them
    scratch           folder for whatever is needed for a while
    writer, producer  the built references
    compiler          for the report
    """

    source: Server
    broker: Kafka
    scale: float
    runs: int
    logs: dict[str, ChangeLog]
    states: Path
    scratch: Path
    writer: Path
    producer: Path
    compiler: str

    @property
    def pair(self) -> tuple[Server, Kafka]:
        return self.source, self.broker

    def log_of(self, name: str) -> Path:
        """File for what a measured program prints."""
        return self.scratch / f"{name}.log"

    def renew_topic(self, name: str, partitions: int = 1, **config: str | int) -> None:
        """The topic is there, and empty."""
        if name in self.broker.topics():
            self.broker.delete_topic(name)
        self.broker.create_topic(name, partitions, **config)


@contextmanager
def open_publish_stage(*, scale: float, runs: int, fresh: bool = False) -> Iterator[PublishStage]:
    """Starts both servers; the source is kept for later runs of the same scale (`fresh`: is not)."""
    PLACE.mkdir(parents=True, exist_ok=True)
    binaries, producer = references.build(PLACE), references.build_producer(PLACE)
    facts = (VERSION, workloads.VERSION, changes.VERSION, servers.SOURCE, servers.source_settings(), float(scale))
    place = PLACE / f"publish-{fingerprint(facts)}"
    if fresh or not (place / LOGS).is_file():
        shutil.rmtree(place, ignore_errors=True)
    scratch = PLACE / "publish-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for folder in (place, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    with servers.source(place / "data") as source, servers.broker() as broker:
        if not (place / LOGS).is_file():
            _fill(source, scale, place)
        yield PublishStage(
            source=source, broker=broker, scale=scale, runs=runs, logs=changes.load(place / LOGS), states=place,
            scratch=scratch, writer=binaries.writer, producer=producer, compiler=binaries.compiler,
        )  # fmt: skip


def _fill(source: Server, scale: float, place: Path) -> None:
    began = time.monotonic()
    rows = max(int(ROWS_A_CHANGE * changes.CHANGES * scale), 1000)
    say(f"filling the source of publishing with {rows:,} rows of W2, and its log ...")
    workloads.fill_source(source, rows, place, [W2])
    logs = changes.make(source, scale, place, [W2])
    changes.save(logs, place / LOGS)
    for log in logs:
        say(f"  {log.name}: {log.changes:,} row changes, {log.transactions:,} transactions, {log.bytes / 1e6:.0f} MB")
    say(f"  done in {time.monotonic() - began:.0f} s; kept in {place}")
