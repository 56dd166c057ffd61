"""Which topic and which partition a message goes to, under which key, and what stays in order there."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import pytest
from confluent_kafka import Producer

from opendrs.model.catalog import TableName
from opendrs.model.publishing import PARTITION_POLICIES
from opendrs.model.selection import Selection
from tests.harness.fixtures import NewDatabase, NewTopic
from tests.harness.fold import told
from tests.harness.kafka import Kafka
from tests.harness.kafka_client import Message
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import differing, folded

PARTITIONS: Final = 5
COMBINATIONS: Final = [(topic, partition) for topic, policies in PARTITION_POLICIES.items() for partition in policies]
TABLES: Final = """
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE pair (b VARCHAR(9), a INT, v INT, PRIMARY KEY (a, b));
CREATE TABLE raw (id VARBINARY(9) PRIMARY KEY, v INT);
CREATE TABLE loose (v INT)
"""
FIRST: Final = """
INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT i, 'v' FROM n;
INSERT INTO pair VALUES ('x', 1, 1), ('a,b', 2, 2), ('\\\\', 3, 3), ('', 4, 4), ('ü', -5, 5), ('\\\\,', 6, 6);
INSERT INTO raw VALUES (x'00ff', 1), (x'', 2), ('abc', 3);
INSERT INTO loose VALUES (1), (1), (2)
"""
LATER: Final = """
UPDATE t SET v = 'w' WHERE id MOD 3 = 0;
UPDATE t SET id = id + 100 WHERE id MOD 7 = 0;
DELETE FROM t WHERE id < 5;
UPDATE pair SET v = v + 1;
UPDATE pair SET b = 'moved' WHERE a = 1;
DELETE FROM loose WHERE v = 1 LIMIT 1;
UPDATE t SET v = 'x';
REPLACE INTO raw VALUES ('abc', 9)
"""


def chosen(broker: Kafka, topic: str, keys: Iterable[bytes]) -> dict[bytes, int]:
    """Where another client's producer puts messages of these keys."""
    producer = Producer({**broker.client(), "partitioner": "murmur2_random"})
    for key in keys:
        producer.produce(topic, b"", key)
    assert producer.flush(10) == 0
    return {message.key: message.partition for message in broker.consume(topic) if message.key is not None}


def key_of(tale: Tale, message: Message) -> bytes | None:
    """The key that the policy wants, told from the row."""
    change = told(message.value or b"", "json_c")
    assert change is not None
    database, table = change.table
    row: Any = change.after or change.before
    match tale.publishing.partition_policy:
        case 1:
            return None
        case 3:
            return database.encode()
        case 2 if table == "t":
            return row["id"].encode()
        case 2 if table == "pair":
            return f"{row['a']},".encode() + row["b"].replace("\\", "\\\\").replace(",", "\\,").encode()
        case 2 if table == "raw":
            return bytes(number & 255 for number in json.loads(row["id"])).hex().encode()
    return f"{database}.{table}".encode()


def topic_of(tale: Tale, database: str, table: str) -> str:
    return {0: tale.publishing.topic, 1: f"{database}-{table}"}.get(tale.publishing.topic_policy, database)


def test_each_topic_policy_with_each_partition_policy(
    mysql: FamilyServer, kafka: Kafka, tell: NewTale, database: NewDatabase, topic: NewTopic
) -> None:
    """Jobs of two databases, all of the same tables; those that share topics follow each other."""
    first, other, judge = tell(mysql, kafka), database(mysql), topic(kafka, PARTITIONS)
    first.selection = Selection(databases=frozenset({first.name, other}))
    first.task = "incremental"
    for name in (first.name, other):
        mysql.execute(TABLES, database=name)
    tales = [
        first.another(topic_policy=one, partition_policy=policy, partitions=PARTITIONS, topic=f"{first.name}-{policy}",
                      ddl_topic="")
        for one, policy in COMBINATIONS
    ]  # fmt: skip
    seen: dict[str, int] = defaultdict(int)
    for tale in tales:
        tale.play()
    for name in (first.name, other):
        mysql.execute(f"{FIRST};{LATER}", database=name)
    heard: dict[int, list[Message]] = {}
    for number, tale in enumerate(tales):
        tale.play()
        heard[number] = news(tale, other, seen)
    keys = {message.key for messages in heard.values() for message in messages if message.key is not None}
    places = chosen(kafka, judge, keys)
    for number, tale in enumerate(tales):
        check(tale, other, heard[number], places)


def news(tale: Tale, other: str, seen: dict[str, int]) -> list[Message]:
    """What has come since somebody looked, per topic and partition in order."""
    topics = sorted(
        {topic_of(tale, name, table) for name in (tale.name, other) for table in ("t", "pair", "raw", "loose")}
    )
    found = []
    for message in tale.broker.consume(topics):
        place = f"{message.topic} {message.partition}"
        if message.offset >= seen[place]:
            found.append(message)
            seen[place] = message.offset + 1
    return found


def check(tale: Tale, other: str, messages: list[Message], places: dict[bytes, int]) -> None:
    policy = (tale.publishing.topic_policy, tale.publishing.partition_policy)
    together: dict[Any, set[tuple[str, int]]] = defaultdict(set)
    for message in messages:
        change = told(message.value or b"", "json_c")
        assert change is not None
        assert message.topic == topic_of(tale, *change.table), policy
        assert message.key == key_of(tale, message), policy
        assert message.partition == (0 if message.key is None else places[message.key]), (policy, message.key)
        together[message.topic, message.key].add((message.topic, message.partition))
    assert all(len(where) == 1 for where in together.values()), policy
    for _, group in itertools.groupby(messages, key=lambda message: (message.topic, message.partition)):
        ids = [json.loads(message.value or b"")["id"] for message in group]
        assert ids == sorted(ids), policy
    # Whoever reads partition by partition has the rows of the source, if each row's changes are in one.
    assert differing(tale, [message.value or b"" for message in messages], other) == [], policy


def test_names_of_topics(mysql: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(mysql, kafka, topic_policy=1, topic_name_format="x.$schema$..$tablename$-$database$", format="json_c",
                partitions=2)  # fmt: skip
    odd = ("sp ace", "ünï", "a.b", "c/d", "$tablename$", "x" * 64)
    for name in odd:
        tale.at_source(f"CREATE TABLE `{name}` (id INT PRIMARY KEY);\nINSERT INTO `{name}` VALUES (1)")
    names = {f"x.{tale.name}..{''.join(c if c.isascii() and (c.isalnum() or c in '._-') else '_' for c in name)}-{tale.name}"
             for name in odd}  # fmt: skip
    tale.play()
    assert {name for name in kafka.topics() if tale.name in name} == names
    tale.at_source("CREATE TABLE later (id INT PRIMARY KEY);\nINSERT INTO later VALUES (7)")
    tale.play()
    made = f"x.{tale.name}..later-{tale.name}"
    assert len(kafka.admin().list_topics(timeout=10).topics[made].partitions) == 2
    assert differing(tale, [m.value or b"" for m in kafka.consume([*names, made])]) == []


def test_tables_that_are_mapped_to_topics(mysql: FamilyServer, kafka: Kafka, tell: NewTale, topic: NewTopic) -> None:
    """One to a topic of its own, which is there and stays as it is, the others of its database to another."""
    tale = tell(mysql, kafka, topic_policy=1, format="json_c", partitions=3, partition_policy=2)
    mine = topic(kafka, 7)
    tale.at_source(TABLES + ";" + FIRST)
    topics = {TableName(tale.name, "t"): mine, TableName(tale.name, ""): f"{tale.name}.rest"}
    tale.selection = Selection(databases=frozenset({tale.name}), topics=topics)
    tale.play()
    tale.at_source(LATER)
    tale.play()
    tables = {name: {told(m.value or b"", "json_c").table[1] for m in kafka.consume(name)}  # type: ignore[union-attr]
              for name in (mine, f"{tale.name}.rest")}  # fmt: skip
    assert tables == {mine: {"t"}, f"{tale.name}.rest": {"pair", "raw", "loose"}}
    assert f"{tale.name}-t" not in kafka.topics()
    assert {m.partition for m in kafka.consume(mine)} == set(range(7))
    assert differing(tale, [m.value or b"" for m in kafka.consume([mine, f"{tale.name}.rest"])]) == []


@pytest.mark.parametrize("policy", [0, 2])
def test_keys_of_debezium(mariadb: FamilyServer, kafka: Kafka, tell: NewTale, topic: NewTopic, policy: int) -> None:
    tale = tell(mariadb, kafka)
    tale.publishes(format="debezium-json", partition_policy=policy, partitions=PARTITIONS, ddl_topic="")
    tale.at_source(TABLES + ";" + FIRST)
    tale.play()
    tale.at_source(LATER)
    tale.play()
    messages = tale.messages()
    places = chosen(kafka, topic(kafka, PARTITIONS), {m.key for m in messages if m.key is not None})
    tables: dict[str, set[int]] = defaultdict(set)
    for message in messages:
        record = json.loads(message.value or b"")
        table, row = record["source"]["table"], record["after"] or record["before"]
        names = {"t": ["id"], "pair": ["a", "b"], "raw": ["id"], "loose": []}[table]
        assert (message.key and json.loads(message.key)) == ({name: row[name] for name in names} or None)
        tables[table].add(message.partition)
        if policy == 2 and message.key is not None:
            assert message.partition == places[message.key]
    assert (policy == 0) == all(len(found) == 1 for found in tables.values())
    keyed = {(tale.name, "t"): ("id",), (tale.name, "pair"): ("a", "b"), (tale.name, "raw"): ("id",)}
    assert len(folded(tale.values(), "debezium-json", keyed).rows((tale.name, "t"))) == len(
        mariadb.execute("SELECT id FROM t", database=tale.name)
    )
