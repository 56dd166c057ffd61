"""Latency of publishing: from a commit at the source until a read_committed consumer is handed the message.

reference/writer.c inserts rows one a transaction and notes when each was sent and acknowledged, as for `latency.py`.
A consumer in a process of its own notes when it has each message in its hands; it asks the broker without pause, in
the way of every consumer, and does nothing else. All clocks are the machine's own.

Errors of the method. As in `latency.py` the figure counts from before the insert, and the note says how much less it
is from the acknowledgement on. The consumer's way from the broker is part of the figure, since what is not consumed is
of no use; how long the way through Kafka takes without us is measured too: transactions of one message each by
librdkafka alone, one behind the other, from before they begin until the same kind of consumer has the message.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Producer

from benchmarks.job import PAUSED
from benchmarks.latency import DATABASE, DEFINITION, TABLE, at, figures_of, rows_at, write_rows
from benchmarks.measure import Outcome, ToolFailed
from benchmarks.publish_stage import PublishStage
from benchmarks.publisher import Publisher
from benchmarks.report import Figure, Target
from benchmarks.servers import source_environment
from benchmarks.stage import say
from tests.harness.server import USER

# Transactions a second, and what the 99th percentile may be.
RATES: Final = ((200, None), (1000, Target(at_most=100)))
NAME: Final = "publish-latency"
PROBE: Final = "publish-probe"
PROBES: Final = 500
PROBE_PAUSE_S: Final = 0.002
CONSUMER_START_S: Final = 1.0
ARRIVE_S: Final = 30.0  # beyond the time of the writing


def measure(stage: PublishStage) -> tuple[list[Figure], Outcome]:
    stage.source.execute(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}; {DEFINITION} ENGINE=InnoDB")
    stage.source.execute(f"GRANT INSERT ON {DATABASE}.* TO '{USER}'@'%'")
    alone = _alone_ms(stage)
    note = (
        f"librdkafka alone needs p50 {at(alone, 0.5):.2f}, p99 {at(alone, 0.99):.2f} for one message in a transaction"
    )
    job = Publisher(stage, NAME, [TABLE])
    job.create()
    environment = source_environment(stage.source, DATABASE)
    figures: list[Figure] = []
    outcome = Outcome()
    written = 0
    with job.start() as running:
        for rate, target in ((1, None), *RATES):
            count = rows_at(rate, stage.scale) if written else 1  # at first one, so that the log is being read
            if written:
                say(f"latency of publishing at {rate} transactions/s")
            with _listening(stage, job.topic, written + count, count / rate + ARRIVE_S) as arrived:
                rows = write_rows(stage.writer, environment, rate, count, written + 1)
                moments = arrived()
            running.check()
            if written:
                figures += figures_of(f"publish latency at {rate} tx/s", rows, moments, target, note)
            written += count
        running.ask_to_end()
        outcome.samples[NAME] = [running.finish(ends=PAUSED)]
    return figures, outcome


@contextmanager
def _listening(
    stage: PublishStage, topic: str, count: int, timeout_s: float
) -> Iterator[Callable[[], dict[int, float]]]:
    """A consumer that takes the first `count` messages of the topic. What is given waits for it to end, and tells when
    each row arrived, in microseconds since 1970."""
    words = [sys.executable, "-m", "benchmarks.measure", "benchmarks.topic:arrivals"]
    order = {"broker": stage.broker.bootstrap, "topic": topic, "count": count, "timeout_s": timeout_s}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def arrived() -> dict[int, float]:
            said, _ = process.communicate(timeout=timeout_s + ARRIVE_S)
            if process.returncode:
                raise ToolFailed("the consumer has failed")
            found = {int(number): float(moment) for number, moment in json.loads(said)["arrivals"]}
            if len(found) != count:
                raise ToolFailed(f"{len(found)} of {count} rows have arrived")
            return found

        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(order))
            process.stdin.close()
            process.stdin = None
            yield arrived
        finally:
            process.kill()


def _alone_ms(stage: PublishStage) -> list[float]:
    """How long one message in a transaction takes from before it begins to a consumer, without us; ascending."""
    stage.renew_topic(PROBE)
    settings = {"bootstrap.servers": stage.broker.bootstrap, "transactional.id": PROBE, "linger.ms": 5, "log_level": 0}
    sent: dict[int, float] = {}
    with _listening(stage, PROBE, PROBES, ARRIVE_S) as arrived:
        producer = Producer(settings)
        producer.init_transactions()
        producer.list_topics(PROBE)
        time.sleep(CONSUMER_START_S)
        for number in range(PROBES):
            sent[number] = time.time() * 1e6
            producer.begin_transaction()
            producer.produce(PROBE, json.dumps({"data": [{"id": number}]}), partition=0)
            producer.commit_transaction()
            time.sleep(PROBE_PAUSE_S)
        moments = arrived()
    return sorted((moments[number] - moment) / 1e3 for number, moment in sent.items())
