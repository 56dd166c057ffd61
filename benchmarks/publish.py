"""Publishing: the binary log to Kafka, end to end, by `opendrs run --task incremental`.

Before each run the topic is empty, and the job stands at the workload's start position. The time runs from the record
by which the worker takes hold of its target until the checkpoint at the end position can be consumed
(`publisher.py`). Behind each run a read_committed consumer counts the messages, and behind the first one they are
folded back into rows, strictly, and compared with the source.

Beside it, by turns, on the same broker: librdkafka alone, with some of our messages ready-made (reference/producer.c),
and Debezium's engine on the same log (`debezium.py`).
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import changes, debezium, publish_latency, servers, topic
from benchmarks.changes import ChangeLog
from benchmarks.debezium import Debezium
from benchmarks.job import PAUSED
from benchmarks.measure import Contender, Outcome, Sample, ToolFailed, alternate, run
from benchmarks.publish_stage import PublishStage
from benchmarks.publisher import FORMAT, Publisher
from benchmarks.report import Figure, Target, division
from benchmarks.stage import say
from benchmarks.workloads import W2

SPEED: Final = Target(at_least=150_000)
PROCESSOR: Final = Target(at_most=4)
BESIDE_DEBEZIUM: Final = Target(at_least=5, of="ratio")
SLOWEST: Final = 5_000  # messages a second: whoever is slower has failed
PARTITIONS: Final = 4
OF_KEY: Final = 2  # partition policy
ALONE: Final = "librdkafka-alone"  # topic, transactional id
# As the product sets them (src/opendrs/engines/kafka/producing.py), and room for all messages of a transaction.
ALONE_SETTINGS: Final = (
    f"transactional.id={ALONE}", "acks=all", "compression.codec=lz4", "linger.ms=5", "batch.num.messages=100000",
    "batch.size=1000000", "socket.nagle.disable=true", "queue.buffering.max.messages=1000000",
)  # fmt: skip
ALONE_TRANSACTION: Final = 125_000  # messages
WARM_TIMES: Final = 4


def measure(stage: PublishStage) -> tuple[list[Figure], Outcome]:
    figures: list[Figure] = []
    outcome = Outcome()
    for name in changes.NAMES:
        log = stage.logs[name]
        say(f"publishing {name.upper()}: {log.changes:,} row changes in {log.transactions:,} transactions")
        contenders = [_ours(stage, log), _ours(stage, log, PARTITIONS), _alone(stage, log), _debezium(stage, log)]
        _warm(stage, log)
        found = alternate(contenders, stage.runs, say)
        figures += _figures(stage, log, found)
        outcome.add(found)
    for figures_, found in (publish_latency.measure(stage), _flushing(stage)):
        figures += figures_
        outcome.add(found)
    return figures, outcome


def _warm(stage: PublishStage, log: ChangeLog) -> None:
    """Lets the broker's Java compile what it needs, before anything is measured: with our messages, of which some
    become the sample for librdkafka alone."""
    found = alternate([_ours(stage, log, name=f"warm {log.name}", sample=_sample(stage, log))], 1, say)
    if not found.errors:
        found = alternate([_alone(stage, log, WARM_TIMES * log.changes)], 1, say)
    for name, error in found.errors.items():
        raise ToolFailed(f"{name}: {error}")


def _sample(stage: PublishStage, log: ChangeLog) -> Path:
    return stage.scratch / f"{log.name}.sample"


# --- who is compared --------------------------------------------------------------------------


def _ours(
    stage: PublishStage, log: ChangeLog, partitions: int = 1, *, name: str = "", sample: Path | None = None
) -> Contender:
    """`sample`: file for some of the messages."""
    name = name or _name(log, partitions)
    options = {} if partitions == 1 else {"partition_policy": OF_KEY, "partitions": partitions}
    job = Publisher(stage, name.replace(" ", "-"), [f"{log.database}.{W2.name}"], **options)
    folded = False

    def prepare() -> None:
        if not job.exists:
            job.create()
        job.put_back(log.start)

    def run_() -> Sample:
        began = time.time()
        with job.start() as running:
            published = job.wait_until_published(running, log.end, 60 + log.changes / SLOWEST)
            running.ask_to_end()
            measured = running.finish(ends=PAUSED)
        facts = {
            "start_s": published.taken - began,
            "publish_s": published.reached - published.taken,
            "cpu_s": running.cpu_s_between(published.taken, published.reached),
            "transactions": published.transactions,
        }
        return replace(measured, facts=facts)

    def check(measured: Sample) -> None:
        nonlocal folded
        fold = None if folded else topic.before(stage.states, log, FORMAT)
        broker = stage.broker.bootstrap
        contents = topic.look(broker, job.topic, FORMAT, partitions=partitions, sample=sample, fold=fold)
        topic.check(contents, log)
        if fold is not None:
            topic.check_rows(stage.source, fold, log, FORMAT)
            folded = True
        assert isinstance(measured.facts, dict)
        measured.facts["bytes"] = contents.nbytes / contents.messages

    return Contender(name, prepare, run_, check)


def _alone(stage: PublishStage, log: ChangeLog, count: int = 0) -> Contender:
    """`count` messages, or as many as the log has."""
    count = count or log.changes

    def prepare() -> None:
        stage.renew_topic(ALONE)

    def run_() -> Sample:
        numbers = (str(count), str(ALONE_TRANSACTION))
        words: list[str | Path] = [
            stage.producer,
            stage.broker.bootstrap,
            ALONE,
            _sample(stage, log),
            *numbers,
            *ALONE_SETTINGS,
        ]
        return run(words, stage.pair, log=stage.log_of(ALONE))

    def check(_: Sample) -> None:
        contents = topic.look(stage.broker.bootstrap, ALONE, FORMAT)
        if contents.messages != count:
            raise ToolFailed(f"{count} messages were sent, {contents.messages} are there")

    return Contender(f"librdkafka {log.name}", prepare, run_, check)


def _debezium(stage: PublishStage, log: ChangeLog) -> Contender:
    peer = Debezium(stage, log)
    folded = False

    def check(_: Sample) -> None:
        nonlocal folded
        fold = None if folded else topic.before(stage.states, log, debezium.FORMAT)
        topic.check(topic.look(stage.broker.bootstrap, peer.topic, debezium.FORMAT, fold=fold), log)
        if fold is not None:
            topic.check_rows(stage.source, fold, log, debezium.FORMAT)
            folded = True

    return Contender(f"debezium {log.name}", peer.prepare, peer.run, check)


def _name(log: ChangeLog, partitions: int = 1) -> str:
    return f"publish {log.name}" + ("" if partitions == 1 else f" {partitions} partitions")


# --- figures ----------------------------------------------------------------------------------


def _figures(stage: PublishStage, log: ChangeLog, found: Outcome) -> list[Figure]:
    label = f"publish {log.name.upper()}"
    peer = f"debezium {log.name}"
    speed = _speed(log, found, _name(log))
    many = _name(log, PARTITIONS)
    return [
        Figure(
            name=label, unit="messages/s", value=speed, reference=_speed_alone(found, f"librdkafka {log.name}"),
            target=SPEED, note=_note(log, found, _name(log)),
        ),
        Figure(
            name=f"{label}, processor", unit="s/million", value=_processor(log, found, _name(log)), target=PROCESSOR,
        ),
        Figure(
            name=f"{label}, {PARTITIONS} partitions", unit="messages/s", value=_speed(log, found, many),
            note=_note(log, found, many),
        ),
        Figure(
            name=f"{label} beside Debezium", unit="messages/s", value=speed,
            reference=found.median(peer, debezium.warm_speed), target=BESIDE_DEBEZIUM,
            note=debezium.note(log, found, peer),
        ),
    ]  # fmt: skip


def _speed(log: ChangeLog, found: Outcome, name: str) -> float | None:
    return division(log.changes, found.median(name, lambda sample: sample.facts["publish_s"]))


def _speed_alone(found: Outcome, name: str) -> float | None:
    return found.median(name, lambda sample: sample.facts["messages"] / sample.facts["seconds"])


def _processor(log: ChangeLog, found: Outcome, name: str) -> float | None:
    return division(found.median(name, lambda sample: sample.facts["cpu_s"]), log.changes / 1e6)


def _note(log: ChangeLog, found: Outcome, name: str) -> str:
    start_s = found.median(name, lambda sample: sample.facts["start_s"])
    publish_s = found.median(name, lambda sample: sample.facts["publish_s"])
    if not (start_s and publish_s):
        return found.reason(name)
    nbytes = found.median(name, lambda sample: sample.facts["bytes"])
    transactions = found.median(name, lambda sample: sample.facts["transactions"])
    own_s = found.median(name, lambda sample: sample.facts["cpu_s"])
    source_s = found.median(name, lambda sample: sample.source_cpu_s)
    broker_s = found.median(name, lambda sample: sample.target_cpu_s)
    return (
        f"{FORMAT}, exactly-once, lz4; {nbytes:.0f} bytes a message, {transactions:,.0f} transactions of Kafka;"
        f" with the {start_s:.2f} s of the process's start {log.changes / (start_s + publish_s):,.0f}; processor"
        f" {own_s:.2f} s, source {source_s:.2f} s, broker {broker_s:.2f} s; memory {found.peak_mb(name):.0f} MB"
    )


def _flushing(stage: PublishStage) -> tuple[list[Figure], Outcome]:
    """Once more, with a broker that waits for the disk at every message it gets."""
    log = stage.logs[changes.LARGE]
    name = f"{_name(log)}, flushed"
    say(f"publishing {log.name.upper()} to a broker that flushes")
    stage.broker.restart(servers.BROKER_FLUSHES)
    found = alternate([_ours(stage, log, name=name.replace(",", ""))], 1, say)
    stage.broker.restart(servers.BROKER_DURABILITY)
    name = name.replace(",", "")
    figure = Figure(
        name=f"publish {log.name.upper()}, flushed", unit="messages/s", value=_speed(log, found, name),
        note=f"log.flush.interval.messages=1: the broker waits for the disk; {_note(log, found, name)}",
    )  # fmt: skip
    return [figure], found
