"""Which topic the changes of a table go to, and that it is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.engines.kafka.connect import Topic
from opendrs.engines.kafka.topics import checkpoint_topic, ensure, topic_of
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.publishing import Format, Publishing, legal
from opendrs.model.selection import Selection

ORDERS = TableName("shop", "orders")


def topic(publishing: Publishing, name: TableName = ORDERS, **topics: str) -> str:
    mapped = {TableName(*place.split("_", 1)): topic for place, topic in topics.items()}
    return topic_of(name, publishing, Selection(topics=mapped))


@pytest.mark.parametrize(
    ("publishing", "expected"),
    [
        (Publishing(), "shop-orders"),
        (Publishing(topic_policy=0, topic="all"), "all"),
        (Publishing(topic_policy=0, topic="all", topic_name_format="$tablename$"), "all"),
        (Publishing(topic_policy=2), "shop"),
        (Publishing(topic_policy=3), "shop"),
        (Publishing(topic_policy=1, topic="all"), "shop-orders"),
        (Publishing(topic_name_format="cdc.$database$.$tablename$"), "cdc.shop.orders"),
        (Publishing(topic_name_format="$schema$.$tablename$.$tablename$"), "shop.orders.orders"),
        (Publishing(topic_policy=2, topic_name_format="$tablename$"), "orders"),
        (Publishing(topic_policy=2, topic_name_format="plain"), "plain"),
    ],
)
@pytest.mark.parametrize("form", ["json", "avro", "canal-json"])
def test_a_topic_is_named_as_the_policy_has_it(publishing: Publishing, expected: str, form: Format) -> None:
    assert topic(publishing) == expected


@pytest.mark.parametrize("policy", [0, 1, 2, 3])
def test_what_is_mapped_goes_where_it_was_mapped(policy: int) -> None:
    publishing = Publishing(topic_policy=policy, topic="all")
    assert topic(publishing, shop_orders="mine") == "mine"
    assert topic(publishing, shop_="of the database") == "of the database"
    assert topic(publishing, shop_orders="mine", shop_="of the database") == "mine"
    other = topic(publishing)
    assert topic(publishing, shop_carts="no", crm_="no", crm_orders="no") == other not in ("no", "mine")


@pytest.mark.parametrize(
    ("schema", "table", "expected"),
    [
        ("shop", "päckchen", "shop-p_ckchen"),
        ("订单", "表", "__-_"),
        ("a b", "c/d", "a_b-c_d"),
        ("a.b", "c_d-e", "a.b-c_d-e"),
        ("$tablename$", "t", "_tablename_-t"),
        ("s", "$database$", "s-_database_"),
        ("s", "x" * 300, "s-" + "x" * 247),
        ("s", "\U0001f600", "s-_"),
    ],
)
def test_characters_that_kafka_does_not_take(schema: str, table: str, expected: str) -> None:
    assert topic(Publishing(), TableName(schema, table)) == expected


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)


@given(WORDS, WORDS, st.sampled_from(["$database$-$tablename$", "$tablename$", "x.$schema$.$tablename$"]))
def test_whatever_a_table_is_called_its_topic_can_be_made(schema: str, table: str, form: str) -> None:
    found = topic(Publishing(topic_name_format=form), TableName(schema, table))
    assert legal(found)
    # Names that Kafka takes as they are stay as they are.
    if legal(schema) and legal(table) and "$" not in form.replace("$database$", "").replace("$tablename$", ""):
        assert found == form.replace("$database$", schema).replace("$tablename$", table)


@pytest.mark.parametrize("table", [".", ".."])
def test_a_table_called_dot_has_a_topic(table: str) -> None:
    """Kafka takes neither as a name."""
    assert legal(topic(Publishing(topic_name_format="$tablename$"), TableName("s", table)))


def test_where_a_job_keeps_its_state() -> None:
    assert checkpoint_topic("4f", Publishing()) == "_opendrs.4f"
    assert checkpoint_topic("4f", Publishing(checkpoint_topic="mine")) == "mine"


# --- made if it is not there ---


class Client:
    def __init__(self, *topics: str, failing: DrsError | None = None) -> None:
        self.there = set(topics)
        self.failing = failing
        self.made: list[tuple[str, dict[str, Any]]] = []

    def topics(self) -> dict[str, Topic]:
        return {name: Topic(name=name, partitions=1, replicas=1) for name in self.there}

    def create(self, name: str, **facts: Any) -> bool:
        if self.failing is not None:
            raise self.failing
        self.made.append((name, facts))
        return True


def test_topics_that_are_missing_are_made_once_as_the_policy_has_it() -> None:
    client = Client("b")
    ensure(client, ["c", "b", "a", "c"], Publishing(partitions=6, replication_factor=3))  # type: ignore[arg-type]
    facts = {"partitions": 6, "replicas": 3, "config": {}}
    assert client.made == [("a", facts), ("c", facts)]


def test_nothing_is_made_where_nothing_is_missing() -> None:
    client = Client("a", failing=AssertionError())  # type: ignore[arg-type]
    ensure(client, ["a"], Publishing())  # type: ignore[arg-type]
    ensure(client, [], Publishing())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (DrsError(Fault.PRIVILEGE_MISSING, endpoint="e", what="create", reason="their words"), Fault.TOPIC_MISSING),
        (DrsError(Fault.TARGET_REFUSED, what="create", reason="their words"), Fault.TOPIC_MISSING),
        (DrsError(Fault.TARGET_UNREACHABLE, endpoint="e", reason="their words"), Fault.TARGET_UNREACHABLE),
        (DrsError(Fault.ACCESS_DENIED, endpoint="e", reason="their words"), Fault.ACCESS_DENIED),
    ],
)
def test_a_topic_that_cannot_be_made_is_named(error: DrsError, fault: Fault) -> None:
    with pytest.raises(DrsError) as raised:
        ensure(Client(failing=error), ["orders"], Publishing())  # type: ignore[arg-type]
    assert raised.value.fault is fault and "their words" in raised.value.message
    assert fault is not Fault.TOPIC_MISSING or raised.value.details["topic"] == "orders"
