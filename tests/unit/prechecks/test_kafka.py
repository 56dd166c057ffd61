"""The looks at a Kafka target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from confluent_kafka.admin import ResourceType

from opendrs.engines.kafka import prechecks
from opendrs.engines.kafka import prechecks_looks as looks
from opendrs.engines.kafka.connect import Topic
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, Column, Generated, Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing
from opendrs.model.selection import Selection
from tests.unit.prechecks.mysql_fakes import column, table

DENIED = DrsError(Fault.PRIVILEGE_MISSING, endpoint="kafka://h", what="create", reason="their words")
REFUSED = DrsError(Fault.TARGET_REFUSED, what="create", reason="their words")
DOWN = DrsError(Fault.TARGET_UNREACHABLE, endpoint="kafka://h", reason="their words")


@dataclass
class Client:
    """Brokers as they should be, but for what a test says."""

    endpoint: Endpoint = field(default_factory=lambda: Endpoint.parse("kafka://h"))
    hosts: int = 3
    there: dict[str, Topic] = field(default_factory=dict)
    of_brokers: dict[str, str] = field(default_factory=lambda: {"transaction.max.timeout.ms": "900000"})
    of_topics: dict[str, dict[str, str]] = field(default_factory=dict)
    refusing: dict[str, DrsError] = field(default_factory=dict)
    tried: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def brokers(self) -> list[str]:
        return [f"b{number}:9092" for number in range(self.hosts)]

    def broker_id(self) -> str:
        return "1"

    def topics(self) -> dict[str, Topic]:
        return self.there

    def configuration(self, kind: ResourceType, name: str) -> dict[str, str]:
        return self.of_brokers if kind == ResourceType.BROKER else self.of_topics.get(name, {})

    def create(self, name: str, **facts: Any) -> bool:
        assert facts.pop("dry") is True, "a check changes nothing"
        self.tried.append((name, facts))
        if name in self.refusing:
            raise self.refusing[name]
        return True


def topic(name: str, partitions: int = 1) -> dict[str, Topic]:
    return {name: Topic(name=name, partitions=partitions, replicas=1)}


def server(client: Client | None = None, *, job: str = "", **facts: Any) -> looks.Server:
    policy = Policy(publishing=Publishing(**{"replication_factor": 3, **facts}))
    return looks.Server(client=client or Client(), policy=policy, selection=Selection(), job=job)  # type: ignore[arg-type]


def objects(found: looks.Server, *tables: Table) -> looks.Objects:
    return looks.Objects(server=found, catalog=Catalog(tables=tables))


# --- brokers ---


def test_brokers_that_answer_are_named() -> None:
    assert looks.connection(server(Client(hosts=1))).message == "1 broker: b0:9092"
    assert looks.connection(server(Client(hosts=2))).message == "2 brokers: b0:9092, b1:9092"


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("kafka://anna:x@h", "ALARM"),
        ("kafka://anna:x@h?sasl=PLAIN", "ALARM"),
        ("kafka://anna:x@h?sasl=SCRAM-SHA-512", "PASSED"),
        ("kafka://anna:x@h?tls=verify-full", "PASSED"),
        ("kafka://anna:x@h?tls=require&sasl=PLAIN", "PASSED"),
        ("kafka://h", "PASSED"),
    ],
)
def test_a_password_in_plain_text(url: str, result: str) -> None:
    assert looks.encryption(server(Client(endpoint=Endpoint.parse(url)))).result == result


@pytest.mark.parametrize(
    ("factor", "hosts", "result"), [(3, 3, "PASSED"), (2, 3, "PASSED"), (4, 3, "FAILED"), (1, 3, "ALARM"), (1, 1, "PASSED")]
)  # fmt: skip
def test_as_many_replicas_as_there_can_be(factor: int, hosts: int, result: str) -> None:
    verdict = looks.replication_factor(server(Client(hosts=hosts), replication_factor=factor))
    assert verdict.result == result
    assert result != "FAILED" or verdict.remedy == "Set replication_factor to 3 at most."


@pytest.mark.parametrize(
    ("told", "result", "words"),
    [
        ({"transaction.max.timeout.ms": "900000"}, "PASSED", "300 s"),
        ({"transaction.max.timeout.ms": "60000"}, "PASSED", "60 s"),
        ({"transaction.max.timeout.ms": "59999"}, "ALARM", "59999"),
        ({}, "PASSED", "300 s"),
    ],
)
def test_how_long_a_transaction_may_last(told: dict[str, str], result: str, words: str) -> None:
    verdict = looks.transaction_timeout(server(Client(of_brokers=told)))
    assert verdict.result == result and words in verdict.message


class Producer:
    """What it was made with, and that it was closed. `failing`: with this its fence fails."""

    failing: DrsError | None = None
    made: list[Producer]

    def __init__(self, endpoint: Endpoint, publishing: Publishing, identity: str, **facts: int) -> None:
        self.identity, self.facts, self.closed = identity, facts, False
        Producer.made.append(self)

    def fence(self) -> None:
        if self.failing is not None:
            raise self.failing

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[Producer]:
    monkeypatch.setattr(looks, "Producer", Producer)
    monkeypatch.setattr(Producer, "made", [], raising=False)
    return Producer.made


def test_transactions_are_tried_with_an_id_that_is_nobodys(producers: list[Producer]) -> None:
    verdict = looks.transactions(server(Client(of_brokers={"transaction.max.timeout.ms": "60000"}), job="4f"))
    assert verdict.result == "PASSED" and "60 s" in verdict.message
    (made,) = producers
    assert (made.identity, made.facts["timeout_ms"], made.closed) == ("opendrs.check", 60_000, True)


def test_transactions_that_are_not_allowed(producers: list[Producer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Producer, "failing", DENIED)
    verdict = looks.transactions(server())
    assert verdict.result == "FAILED" and "their words" in verdict.message
    assert "opendrs." in verdict.remedy and "at-least-once" in verdict.remedy
    assert producers[0].closed
    monkeypatch.setattr(Producer, "failing", DOWN)
    with pytest.raises(DrsError):
        looks.transactions(server())


def test_without_transactions_messages_may_come_twice(producers: list[Producer]) -> None:
    assert looks.transactions(server(delivery="at-least-once")).result == "ALARM"
    assert producers == []


# --- the topic of the checkpoint ---


def test_the_topic_of_the_checkpoint_can_be_made() -> None:
    client = Client()
    verdict = looks.checkpoint(server(client, job="4f"))
    assert verdict.result == "PASSED" and "_opendrs.4f" in verdict.message
    ((name, facts),) = client.tried
    assert (name, facts["partitions"], facts["replicas"]) == ("_opendrs.4f", 1, 3)
    assert facts["config"]["cleanup.policy"] == "compact"


def test_a_topic_of_the_checkpoint_that_has_a_name_of_its_own() -> None:
    client = Client()
    looks.checkpoint(server(client, job="4f", checkpoint_topic="state"))
    looks.checkpoint(server(client))
    assert [name for name, _ in client.tried] == ["state", "_opendrs.JOB"]


@pytest.mark.parametrize("error", [DENIED, REFUSED])
def test_a_topic_of_the_checkpoint_that_cannot_be_made(error: DrsError) -> None:
    verdict = looks.checkpoint(server(Client(refusing={"_opendrs.4f": error}), job="4f"))
    assert verdict.result == "FAILED" and "their words" in verdict.message and "CREATE" in verdict.remedy


@pytest.mark.parametrize(
    ("cleanup", "partitions", "result", "words"),
    [
        ("compact", 1, "PASSED", "is there"),
        ("delete", 1, "FAILED", "cleanup.policy=delete"),
        ("compact,delete", 1, "FAILED", "cleanup.policy=compact,delete"),
        ("compact", 2, "FAILED", "2 partitions"),
    ],
)
def test_a_topic_of_the_checkpoint_that_is_there(cleanup: str, partitions: int, result: str, words: str) -> None:
    client = Client(there=topic("state", partitions), of_topics={"state": {"cleanup.policy": cleanup}})
    verdict = looks.checkpoint(server(client, checkpoint_topic="state"))
    assert verdict.result == result and words in verdict.message
    assert client.tried == []
    assert result == "PASSED" or "partitions" in words or "--topic state" in verdict.remedy


# --- topics of tables ---


def test_topics_that_are_missing_are_tried() -> None:
    client = Client(there=topic("shop-a"))
    found = looks.topics(objects(server(client, partitions=6, ddl_topic="ddl"), table("a"), table("b")))
    assert [(one.result, one.message) for one in found] == [
        ("PASSED", "3 topics: 1 there, 2 can be made: ddl, shop-a, shop-b")
    ]
    facts = {"partitions": 6, "replicas": 3, "config": {}}
    assert client.tried == [("ddl", facts), ("shop-b", facts)]


def test_replicas_that_there_cannot_be_are_another_finding() -> None:
    client = Client(hosts=2)
    looks.topics(objects(server(client), table("a")))
    assert client.tried[0][1]["replicas"] == 2


def test_each_topic_that_cannot_be_made_is_a_finding() -> None:
    client = Client(refusing={"shop-a": DENIED, "shop-c": REFUSED})
    found = looks.topics(objects(server(client), table("a"), table("b"), table("c")))
    assert [one.result for one in found] == ["FAILED", "FAILED"]
    assert "shop-a" in found[0].message and "shop-c" in found[1].message


def test_of_thousands_of_topics_some_are_tried() -> None:
    client = Client()
    tables = [table(f"t{number}") for number in range(looks.CHECKED_TOPICS_MAX + 50)]
    (verdict,) = looks.topics(objects(server(client), *tables))
    assert len(client.tried) == looks.CHECKED_TOPICS_MAX and verdict.result == "PASSED"


def test_tables_that_come_together_only_because_of_their_names() -> None:
    tables = [table("ä"), table("ö"), table("plain")]
    verdict = looks.names(objects(server(), *tables))
    assert verdict.result == "ALARM" and "shop-_: shop.ä, shop.ö" in verdict.message and "plain" not in verdict.message
    # Where tables are to come together there is nothing to say.
    for policy in ({"topic_policy": 0, "topic": "all"}, {"topic_policy": 2}, {"topic_policy": 3}):
        assert looks.names(objects(server(**policy), *tables)).result == "PASSED"
    assert looks.names(objects(server(), table("a"), table("b"))).message == "2 tables in 2 topics"
    mapped = replace(server(), selection=Selection(topics={TableName("shop", "ä"): "a"}))
    assert looks.names(objects(mapped, *tables)).result == "PASSED"


def test_whether_statements_are_told() -> None:
    told = server(ddl_topic="ddl")
    assert looks.statements(objects(told)).result == "PASSED"
    assert looks.statements(objects(server())).result == "ALARM"
    refusing = replace(told, policy=replace(told.policy, ddl="refuse"))
    assert looks.statements(objects(refusing)).result == "ALARM"


# --- how large a row may be ---

LIMIT = 1_000_000


@pytest.mark.parametrize(
    ("columns", "doubtful"),
    [
        ([], None),
        ([column("a", "text", length=83_333)], None),  # six characters for each, in both images of an update
        ([column("a", "text", length=83_334)], "a"),
        ([column("a", "text", length=50_000), column("b", "text", length=40_000)], "a, b"),
        ([column("a", "text", length=40_000), column("b", "text", length=50_000)], "b, a"),
        ([column("a", "binary", length=100_000)], None),
        ([column("a", "binary", length=100_001)], "a"),
        ([column("a", "text")], "a"),
        ([column("a", "json"), column("b")], "a"),
        ([column("a", "geometry")], "a"),
        ([column("a", "vector", length=100_001)], "a"),
        ([column("a", "enum", length=10**9)], None),
        ([column("a", "text", hidden=True)], None),
        ([column("a", "text", generated=Generated("b", stored=False, logged=False))], None),
        ([column(name, "text") for name in "abcde"], "a, b, c and 2 more"),
    ],
)
def test_rows_that_may_be_larger_than_a_message(columns: list[Column], doubtful: str | None) -> None:
    found = objects(server(Client(of_brokers={"message.max.bytes": str(LIMIT)})), table("t", *columns))
    verdict = looks.sizes(found)
    assert verdict.result == ("PASSED" if doubtful is None else "ALARM")
    assert doubtful is None or f"shop.t ({doubtful})" in verdict.message
    assert str(LIMIT) in verdict.message


def test_a_topic_that_takes_less_than_the_brokers() -> None:
    client = Client(
        of_brokers={"message.max.bytes": "5000000"}, there={**topic("shop-a"), **topic("other")},
        of_topics={"shop-a": {"max.message.bytes": "1000000"}, "other": {"max.message.bytes": "1"}},
    )  # fmt: skip
    found = server(client)
    assert looks.sizes(objects(found, table("a", column("c", "text", length=90_000)))).result == "ALARM"
    client.of_topics["shop-a"]["max.message.bytes"] = "999999"  # less than messages that are sent together
    assert looks.sizes(objects(found, table("a", column("c", "text", length=100)))).result == "FAILED"
    assert looks.sizes(objects(found, table("b", column("c", "text", length=100)))).result == "PASSED"


# --- the tables of looks ---


def test_every_look_is_in_the_table_once() -> None:
    rows = [*prechecks.SERVER, *prechecks.OBJECTS]
    asked = [row.look.__name__ for row in rows]
    public = [
        name
        for name, thing in vars(looks).items()
        if callable(thing) and getattr(thing, "__module__", "") == looks.__name__ and not name.startswith("_")
        and not isinstance(thing, type)
    ]  # fmt: skip
    assert sorted(asked) == sorted(public)
    assert {row.side for row in rows} == {"target"}


def test_without_a_privilege_for_what_a_job_needs_nothing_begins() -> None:
    """To look whether a topic can be made is to try: who may not is told so by that finding."""
    needed = {"dstDbPrivilegesIsEnough", "dstCheckpointTopicCheck", "dstTopicCheck"}
    rows = [*prechecks.SERVER, *prechecks.OBJECTS]
    assert {row.item for row in rows if row.unseen == "FAILED"} == needed
