"""Brokers that are a list: what is committed stands there, and whoever is fenced can commit nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka.admin import ResourceType

from opendrs._core import RecordBatch
from opendrs.engines.kafka import loader, sink
from opendrs.engines.kafka.connect import Topic
from opendrs.engines.kafka.control import Kept, Record, of_job, read
from opendrs.engines.kafka.producing import transactional_id
from opendrs.engines.kafka.topics import topic_of
from opendrs.engines.memory.position import Lsn, parse_position
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.event import Control, TableChanges, Window
from opendrs.model.job import Policy
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

JOB = "j"
ENDPOINT = Endpoint.parse("kafka://h:9092")
ORDERS, CARTS, KEYLESS = (TableName("shop", name) for name in ("orders", "carts", "lines"))
INSERT, BEFORE, AFTER, DELETE = 1, 2, 3, 4


def table(name: TableName = ORDERS, *more: str, engine: str = "InnoDB", key: Sequence[str] = ("id",)) -> Table:
    columns = tuple(Column(name=one, type=Logical(kind="int", bits=64), native="bigint") for one in ("id", *more))
    primary = Index(name="PRIMARY", parts=tuple(IndexPart(column=one) for one in key), unique=True) if key else None
    return Table(name=name, columns=columns, primary=primary, engine=engine)


@dataclass(frozen=True)
class Message:
    """One of a row, of the log (`op` of what it is about) or of the load (`op` 0); or of a statement."""

    topic: str
    id: int
    table: TableName | None = None
    row: int = 0
    op: int = 0
    width: int = 0  # how many columns the encoder knew
    sql: str = ""


@dataclass
class Brokers:
    """What outlives a worker. `topics` that are there, and every message that consumers see."""

    topics: set[str] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    generations: Counter[str] = field(default_factory=Counter)
    commits: list[tuple[str, int]] = field(default_factory=list)  # (identity, number of messages)
    settings: dict[str, str] = field(default_factory=dict)
    refusing: dict[str, DrsError] = field(default_factory=dict)
    open_for_s: float = 0.0
    open: list[Record] = field(default_factory=list)  # behind the begin of a transaction that nobody has ended
    disowned: list[tuple[str, list[tuple[str, int]]]] = field(default_factory=list)  # (identity, partitions)

    def kept(self) -> Kept:
        return read(JOB, self.records, parse_position)

    def ids(self) -> list[int]:
        return [message.id for message in self.messages]


@dataclass
class Client:
    """An `engines.kafka.connect.Client`."""

    here: Brokers
    made: list[str] = field(default_factory=list)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def close(self) -> None:
        pass

    def delete(self, names: Sequence[str]) -> None:
        if "delete" in self.here.refusing:
            raise self.here.refusing["delete"]
        for name in names:
            self.here.topics.remove(name)

    def brokers(self) -> list[str]:
        return ["h:9092"]

    def broker_id(self) -> str:
        return "1"

    def topics(self) -> dict[str, Topic]:
        return {name: Topic(name=name, partitions=1, replicas=1) for name in self.here.topics}

    def configuration(self, kind: ResourceType, name: str) -> dict[str, str]:
        return self.here.settings

    def create(self, name: str, **facts: Any) -> bool:
        self.made.append(name)
        self.here.topics.add(name)
        return True

    def read(self, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        assert topic in self.here.topics
        return iter(list(self.here.records))

    def undecided(self, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        assert topic in self.here.topics
        return iter(list(self.here.open))

    def open_transactions(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        return {(name, 0): 0 for name in topics if name in self.here.topics}


class Producer:
    """An `engines.kafka.producing.Producer`, which has fenced its predecessors."""

    def __init__(self, here: Brokers, identity: str, transactional: bool) -> None:
        self.here, self.identity, self.transactional = here, identity, transactional
        here.generations[identity] += 1
        self._generation = here.generations[identity]
        self._topics: list[str] = []
        self._pending: list[Message] = []
        self.is_open = False
        self.core = self

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        yield

    def topic(self, name: str) -> tuple[int, int]:
        if name not in self._topics:
            assert name in self.here.topics, f"nobody made {name}"
            self._topics.append(name)
        return self._topics.index(name), 1

    def name(self, topic: int) -> str:
        return self._topics[topic]

    def begin(self) -> None:
        self.is_open = True

    def open_for_s(self) -> float:
        return self.here.open_for_s if self.is_open else 0.0

    def put(self, message: Message) -> None:
        assert self.is_open, "a message outside of a transaction"
        if self.transactional:
            self._pending.append(message)
        else:
            self.here.messages.append(message)

    def send(self, topic: int, partition: int, key: Message, value: Any) -> None:
        """Of a statement: the encoder makes a message of it."""
        assert partition == 0 and key.topic == ""
        self.put(Message(topic=self.name(topic), id=key.id, sql=key.sql, table=key.table))

    def commit(self, topic: int, records: Sequence[Record]) -> None:
        if self._generation != self.here.generations[self.identity]:
            raise DrsError(Fault.TARGET_UNREACHABLE, endpoint="h", reason="fenced")
        self.here.commits.append((self.identity, len(self._pending)))
        self.here.messages += self._pending
        self.here.records += records
        self._pending = []
        self.is_open = False

    def disown(self, partitions: Sequence[tuple[str, int]]) -> None:
        self.here.disowned.append((self.identity, list(partitions)))
        self.here.open = []

    def rollback(self) -> None:
        self._pending = []
        self.is_open = False

    def close(self) -> None:
        self.rollback()


class Encoding:
    """An `engines.kafka.tables.Encoding`, whose encoder keeps rows as they are."""

    def __init__(self, producer: Producer, policy: Policy, selection: Selection) -> None:
        self._producer, self._policy, self._selection = producer, policy, selection
        self.tables: list[tuple[Table, str]] = []
        self.core = self

    def number(self, table: Table) -> int:
        topic = topic_of(table.name, self._policy.publishing, self._selection)
        if (table, topic) not in self.tables:
            self._producer.topic(topic)
            self.tables.append((table, topic))
        return self.tables.index((table, topic))

    def shaped(self, table: Table, batch: Any, leading: int) -> Any:
        return batch

    def _message(self, number: int, row: int, op: int, id_: int) -> Message:
        known, topic = self.tables[number]
        return Message(topic=topic, id=id_, table=known.name, row=row, op=op, width=len(known.columns))

    def send_window(
        self,
        producer: Producer,
        batches: Sequence[tuple[int, RecordBatch]],
        origins: Any,
        *,
        first_id: int,
        skip: int,
        begun: int,
    ) -> tuple[int, int, int]:
        assert origins == "origins"
        found: list[tuple[int, int, int, int]] = []
        for number, batch in batches:
            rows = pa.record_batch(batch).to_pylist()
            found += [(row["seq"], number, row["id"], row["op"]) for row in rows if row["op"] != BEFORE]
        sent = [one for one in sorted(found) if one[0] >= skip]
        for place, (_, number, row, op) in enumerate(sent):
            producer.put(self._message(number, row, op, first_id + place))
        return first_id + len(sent), len(sent), 100 * len(sent)

    def send_rows(
        self, producer: Producer, number: int, batch: Any, place: Any, *, first_id: int
    ) -> tuple[int, int, int]:
        for offset, row in enumerate(batch.ids):
            producer.put(self._message(number, row, 0, first_id + offset))
        return first_id + len(batch.ids), len(batch.ids), 100 * len(batch.ids)

    def statement(
        self, words: tuple[str, str, str, str], place: Any, *, snapshot: bool, id: int
    ) -> tuple[Message, tuple[Any, ...]]:
        sql, kind, database, name = words
        told = f"{kind} {sql}" + (" (snapshot)" if snapshot else "")
        return Message(topic="", id=id, sql=told, table=TableName(database, name)), place


class Opened:
    """An `engines.kafka.opened.Opened`."""

    here: Brokers
    all: list[Opened]

    def __init__(
        self, endpoint: Endpoint, job: str, lane: int | None, policy: Policy, selection: Selection, timeout_ms: int
    ) -> None:
        self.job, self.lane, self.timeout_ms, self.is_closed = job, lane, timeout_ms, False
        transactional = policy.publishing.delivery == "exactly-once"
        self.producer = Producer(self.here, transactional_id(job, lane), transactional)
        self.checkpoint = 0
        self.encoding = Encoding(self.producer, policy, selection)
        Opened.all.append(self)

    def commit(self, records: Iterable[Record]) -> None:
        self.producer.commit(self.checkpoint, list(of_job(self.job, records)))

    def close(self) -> None:
        self.is_closed = True
        self.producer.close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    """Brokers that every sink finds from now on."""
    found = Brokers()
    monkeypatch.setattr(Opened, "here", found, raising=False)
    monkeypatch.setattr(Opened, "all", [], raising=False)
    monkeypatch.setattr(sink, "Client", lambda endpoint: Client(found))
    monkeypatch.setattr(sink, "Opened", Opened)
    monkeypatch.setattr(loader, "now", lambda: (0, None, None, 0))
    return found


@dataclass
class Worker:
    """A sink, and what it has reported."""

    sink: sink.Sink
    reported: list[tuple[str, str]]

    @property
    def main(self) -> Opened:
        found: Any = self.sink._main
        assert isinstance(found, Opened)
        return found


_epochs = itertools.count(1)


def worker(policy: Policy | None = None, *, epoch: int | None = None, selection: Selection | None = None) -> Worker:
    """A new one, which is newer than those before unless an epoch is given. It is not open."""
    reported: list[tuple[str, str]] = []
    settings = sink.SinkSettings(
        job=JOB,
        epoch=next(_epochs) if epoch is None else epoch,
        selection=selection or Selection(),
        policy=policy or Policy(),
        parse_position=parse_position,
        place=lambda change: (7, None, None, 0),
        create_statement=lambda name: f"CREATE TABLE {name.table}",
        report=lambda what, why: reported.append((what, why)),
    )
    return Worker(sink.Sink(ENDPOINT, settings), reported)


# --- windows ---


@dataclass(frozen=True)
class Rows:
    """Of a snapshot."""

    ids: Sequence[int]
    nbytes: int = 0

    @property
    def num_rows(self) -> int:
        return len(self.ids)


def batch(*changes: tuple[int, int, int]) -> RecordBatch:
    """(ordinal, op, id) a row."""
    leading = {"op": pa.int8(), "seq": pa.uint32(), "txn": pa.uint32(), "flags": pa.uint8(), "id": pa.int64()}
    columns = [[op for _, op, _ in changes], [seq for seq, _, _ in changes], [0] * len(changes), [0] * len(changes)]
    columns.append([row for _, _, row in changes])
    arrays = [pa.array(values, kind) for values, kind in zip(columns, leading.values(), strict=True)]
    return RecordBatch.from_arrow(pa.record_batch(arrays, names=list(leading)))


def window(
    position: int | None, *changes: tuple[TableName, int, int] | int, ordinals: int | None = None,
    controls: Sequence[Control] = (), origins: Any = lambda: "origins",
) -> Window:  # fmt: skip
    """Insertions into `orders` by their ids, or (table, op, id); None where an ordinal was undone at once is left out by
    giving `ordinals`."""
    listed = [(ORDERS, INSERT, one) if isinstance(one, int) else one for one in changes]
    by_table: dict[TableName, list[tuple[int, int, int]]] = {}
    for seq, (name, op, row) in enumerate(listed):
        by_table.setdefault(name, []).append((seq, op, row))
    tables = [TableChanges(name, batch(*found)) for name, found in by_table.items()]
    return Window(
        tables=tables, position=None if position is None else Lsn(position), controls=controls,
        ordinals=len(listed) if ordinals is None else ordinals, changes=len(listed), origins=origins,
        transactions=0 if position is None else 1,
    )  # fmt: skip
