"""A consumer that reads what is published as it arrives, and shows a few messages of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import Consumer, Message

from tools.demo.screen import Lines

AT_ONCE: Final = 50_000
WAIT_S: Final = 0.05
CANDIDATES: Final = 20  # of those that came at once, so many are looked at
COLUMNS: Final = 3
WIDTH: Final = 40  # longer values are left out


class Reader:
    """Reads committed messages only.

    statements  how many changes of the schema were told
    """

    def __init__(self, client: Mapping[str, Any], prefix: str, statements: str) -> None:
        options = {
            **client,
            "group.id": "demo",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "topic.metadata.refresh.interval.ms": 500,  # the topics are not there yet
            "log_level": 0,
        }
        self._topic = statements
        self._consumer = Consumer(options)
        self._consumer.subscribe([f"^{prefix}", f"^{statements}$"])
        self._lines = Lines()
        self._shown: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, int], bytes | None] = {}
        self.statements = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read(self) -> None:
        """Reads what is there, and shows one message now and then, and every statement."""
        found = [one for one in self._consumer.consume(AT_ONCE, WAIT_S) if one.error() is None]
        if not found:
            return
        for one in found:
            self._last[one.topic(), one.partition()] = one.key()
        rows = [one for one in found if one.topic() != self._topic]
        for statement in (json.loads(one.value()) for one in found if one.topic() == self._topic):
            ran = statement["type"] == "DDL"  # the others made what was there
            self.statements += ran
            self._show(statement, matters=ran)
        self._show_one(rows[:: max(1, len(rows) // CANDIDATES)])

    def _show_one(self, candidates: Sequence[Message]) -> None:
        """Of what was shown least."""
        records = [json.loads(one.value()) for one in candidates]
        if records:
            self._show(min(records, key=lambda record: self._shown[_kind(record)]))

    def _show(self, record: Mapping[str, Any], *, matters: bool = False) -> None:
        if self._lines.show(f"  < {line(record)}", matters=matters):
            self._shown[_kind(record)] += 1

    def said(self, topic: str, key: bytes) -> bool:
        """Whether the newest message of one of the topic's partitions has that key."""
        return any(name == topic and last == key for (name, _), last in self._last.items())


def _kind(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["table"], record["type"]


def line(record: Mapping[str, Any]) -> str:
    """A message in short: type, table, key, and a few columns."""
    head = f"{record['type']:<8} {record['table']:<12}"
    if record["isDdl"]:
        return f"{head} {' '.join(record['sql'].split())[:100]}"
    (row,), old = record["data"], (record["old"] or [{}])[0]
    key = ",".join(f"{row[name]}" for name in record["pkNames"])
    told = {name: value for name, value in row.items() if name not in record["pkNames"]}
    if old:
        told = {name: f"{old.get(name)} -> {row[name]}" for name in told if old.get(name) != row[name]}
    columns = [f"{name} {value or 'NULL'}" for name, value in told.items() if len(value or "") <= WIDTH]
    return f"{head} {key or '(no key)':<14} {', '.join(columns[:COLUMNS])}"
