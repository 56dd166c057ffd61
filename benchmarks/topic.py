"""What consumers find in a topic: read_committed, and with nothing known of how it came there."""

from __future__ import annotations

import json
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from benchmarks.changes import ChangeLog, state_file
from benchmarks.measure import ToolFailed
from benchmarks.workloads import W2
from tests.harness import Server
from tests.harness.fold import Folded, FoldError, Name, Row, told

Form = Literal["json_c", "debezium-json"]
# Where a value says what happened to its row.
MARKS: Final[dict[Form, dict[str, bytes]]] = {
    "json_c": {"insert": b'"type":"INSERT"', "update": b'"type":"UPDATE"', "delete": b'"type":"DELETE"'},
    "debezium-json": {"insert": b'"op":"c"', "update": b'"op":"u"', "delete": b'"op":"d"'},
}
# Of integers: as text in DRS's formats.
NUMBERS: Final[dict[Form, type]] = {"json_c": str, "debezium-json": int}
COMMON: Final = {
    "group.id": "opendrs-benchmarks",  # none is joined, but the library wants the name
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "log_level": 0,
}
CALL_MESSAGES: Final = 10_000
CALL_S: Final = 0.1
SILENT_S: Final = 30.0
SAMPLE_EVERY: Final = 25


@dataclass(slots=True)
class Contents:
    """What a topic holds.

    kinds  messages by what happened to the row
    nbytes of keys and values
    """

    kinds: Counter[str] = field(default_factory=Counter)
    nbytes: int = 0

    @property
    def messages(self) -> int:
        return self.kinds.total()


def messages(broker: str, topic: str, partitions: int = 1) -> Iterator[Any]:
    """All that can be read of a topic now, one partition after the other. `broker`: host and port."""
    settings = {**COMMON, "bootstrap.servers": broker, "enable.partition.eof": True, "fetch.wait.max.ms": 10}
    with Consumer({**settings, "queued.max.messages.kbytes": 256 << 10}) as consumer:
        for partition in range(partitions):
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
            yield from _to_the_end(consumer, f"{topic}, partition {partition}")


def _to_the_end(consumer: Consumer, place: str) -> Iterator[Any]:
    deadline = time.monotonic() + SILENT_S
    while time.monotonic() < deadline:
        # It returns when there are so many, or when the time is over.
        found = consumer.consume(CALL_MESSAGES, CALL_S)
        if found:
            deadline = time.monotonic() + SILENT_S
        for message in found:
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise ToolFailed(f"{place}: {error}")
    raise ToolFailed(f"nothing came from {place} in {SILENT_S:.0f} s")


def look(
    broker: str, topic: str, form: Form, *, partitions: int = 1, sample: Path | None = None, fold: Folded | None = None
) -> Contents:
    """Reads a whole topic. Raises ToolFailed where it makes no sense.

    sample  file for some of the messages, evenly chosen, as reference/producer.c reads them
    fold    takes all changes
    """
    contents = Contents()
    marks = MARKS[form].items()
    chosen: list[bytes] = []
    for number, message in enumerate(messages(broker, topic, partitions)):
        key, value = message.key() or b"", message.value()
        contents.nbytes += len(key) + len(value)
        contents.kinds[next((kind for kind, mark in marks if mark in value), "?")] += 1
        if sample is not None and number % SAMPLE_EVERY == 0:
            chosen.append(struct.pack("<II", len(key), len(value)) + key + value)
        if fold is not None and (change := told(value, form)) is not None:
            try:
                fold.take(change)
            except FoldError as error:
                raise ToolFailed(f"{topic}, message {number}: {error}") from error
    if sample is not None:
        sample.write_bytes(b"".join(chosen))
    return contents


def check(contents: Contents, log: ChangeLog) -> None:
    """Whether these are the messages of that log: by number and kind. Raises ToolFailed."""
    quarter = log.changes // 4
    expected = {"update": 2 * quarter, "insert": quarter, "delete": quarter}
    if dict(contents.kinds) != expected:
        raise ToolFailed(f"{log.name} has {expected}, but the topic {dict(contents.kinds)}")


# --- rows -------------------------------------------------------------------------------------


def before(states: Path, log: ChangeLog, form: Form) -> Folded:
    """The rows that were there before the log, ready for its messages."""
    name, number = _name(log), NUMBERS[form]
    rows: dict[tuple[Any, ...], Row] = {}
    with state_file(states, log.name, W2).open(encoding="utf-8") as file:
        for line in file:
            row = _row(line.rstrip("\n").split("\t"), number)
            rows[row["id"],] = row
    return Folded(keys={name: W2.key}, tables={name: rows})


def check_rows(source: Server, folded: Folded, log: ChangeLog, form: Form) -> None:
    """Whether the messages came to what the source's table holds, row by row. Raises ToolFailed."""
    rows = folded.tables[_name(log)]
    there = source.execute(f"SELECT {', '.join(W2.names)} FROM {log.database}.{W2.name}")
    if len(there) != len(rows):
        raise ToolFailed(f"{log.database} has {len(there)} rows, its messages come to {len(rows)}")
    for values in there:
        row = _row(values, NUMBERS[form])
        if rows.get((row["id"],)) != row:
            raise ToolFailed(f"{log.database} has {row}, its messages come to {rows.get((row['id'],))}")


def _name(log: ChangeLog) -> Name:
    return log.database, W2.name


def _row(values: Any, number: type) -> dict[str, Any]:
    row = dict(zip(W2.names, values, strict=True))
    return {**row, "id": number(row["id"]), "k": number(row["k"])}


# --- arrivals ---------------------------------------------------------------------------------


def arrivals(*, broker: str, topic: str, count: int, timeout_s: float) -> Mapping[str, Any]:
    """Runs in a process of its own: the first `count` messages of a topic, which has one partition: the column `id`
    of each, and when it was in the hands of this consumer, in microseconds since 1970."""
    found: list[tuple[int, bytes]] = []
    deadline = time.monotonic() + timeout_s
    with Consumer({**COMMON, "bootstrap.servers": broker, "fetch.wait.max.ms": 5}) as consumer:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            moment = time.time_ns() // 1000
            if message is None:
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            found.append((moment, message.value() or b""))
    ids = [int(json.loads(value)["data"][0]["id"]) for _, value in found]
    return {"arrivals": [(number, moment) for number, (moment, _) in zip(ids, found, strict=True)]}
