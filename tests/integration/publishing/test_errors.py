"""What a job into Kafka can stumble over: the fault, words that say what to do, and nothing lost when it is mended."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (
    AclOperation,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from opendrs._core import KafkaError
from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.producing import Producer
from opendrs.errors import Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.publishing import Publishing
from tests.harness.kafka import Kafka, Listener
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import USER
from tests.integration.publishing.conftest import NewTale, grant_all
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import differing

TABLES = """
CREATE TABLE t (id INT PRIMARY KEY, v INT);
CREATE TABLE u (id INT PRIMARY KEY, v INT);
INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO u VALUES (1, 1)
"""
WRITES = "UPDATE t SET v = v + 1;\nDELETE FROM t WHERE id = 2;\nINSERT INTO u VALUES (9, 9)"


@pytest.fixture
def guarded(mysql: FamilyServer, house: Kafka, tell: NewTale) -> Iterator[Tale]:
    """A job of an account that may nothing yet, into topics a table."""
    tale = tell(mysql, house, topic_policy=1, format="json_c")
    tale.target = f"{house.url(Listener.SASL_PLAINTEXT)}?connect_timeout=5&sasl=SCRAM-SHA-512"
    tale.at_source(TABLES)
    yield tale
    house.revoke(USER)


def allow(tale: Tale, kind: ResourceType, name: str, *operations: AclOperation) -> None:
    tale.broker.grant(USER, kind, name, *operations, prefixed=name.endswith((".", tale.name)))


def test_privileges_one_after_the_other(guarded: Tale) -> None:
    """Each is named when it is missing; with all of them the job runs, and goes on when one was taken away."""
    topic, transaction = ResourceType.TOPIC, ResourceType.TRANSACTIONAL_ID
    write, create = AclOperation.WRITE, AclOperation.CREATE
    own = guarded.checkpoint_topic
    guarded.fails(Fault.PRIVILEGE_MISSING, f"create the topic {own}")
    allow(guarded, topic, "_opendrs.", write, create, AclOperation.READ)
    guarded.fails(Fault.PRIVILEGE_MISSING, "take the transactional id")
    allow(guarded, transaction, "opendrs.", write)
    guarded.fails(Fault.TOPIC_MISSING, f"{guarded.name}-t", "Create it")
    guarded.broker.create_topic(f"{guarded.name}-t")
    guarded.broker.create_topic(f"{guarded.name}-u")
    guarded.fails(Fault.TOPIC_MISSING, f"{guarded.name}-t")  # who may not see it does not know that it is there
    allow(guarded, topic, guarded.name, AclOperation.DESCRIBE)
    guarded.fails(Fault.PRIVILEGE_MISSING, "Topic authorization failed", f"topics: {guarded.name}-t")
    allow(guarded, topic, guarded.name, write)
    guarded.play()
    guarded.broker.revoke(USER)
    grant_all(guarded.broker, USER, guarded.name)
    guarded.at_source(WRITES)
    guarded.play()
    assert differing(guarded) == []


def test_a_topic_that_may_not_be_written_to_any_more(guarded: Tale) -> None:
    grant_all(guarded.broker, USER, guarded.name)
    guarded.play()
    guarded.broker.revoke(USER)
    grant_all(guarded.broker, USER, f"{guarded.name}-t")
    allow(guarded, ResourceType.TOPIC, guarded.name, AclOperation.DESCRIBE)
    guarded.at_source(WRITES)
    guarded.fails(Fault.PRIVILEGE_MISSING, "Topic authorization failed", f"topics: {guarded.name}-u")
    grant_all(guarded.broker, USER, guarded.name)
    guarded.play()
    assert differing(guarded) == []


def test_a_topic_that_may_not_be_made_for_a_new_table(guarded: Tale) -> None:
    grant_all(guarded.broker, USER, guarded.name)
    guarded.play()
    guarded.broker.revoke(USER)
    for name in ("-t", "-u"):
        grant_all(guarded.broker, USER, f"{guarded.name}{name}")
    guarded.at_source("CREATE TABLE later (id INT PRIMARY KEY);\nINSERT INTO later VALUES (1), (2)")
    guarded.at_source(WRITES)
    for _ in range(2):
        guarded.fails(Fault.TOPIC_MISSING, f"{guarded.name}-later", "let the account create topics")
    grant_all(guarded.broker, USER, guarded.name)
    guarded.play()
    assert differing(guarded) == []


def set_limit(tale: Tale, topic: str, nbytes: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(nbytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    asking = tale.broker.admin()
    for future in asking.incremental_alter_configs([resource]).values():
        future.result(10)


def test_a_row_that_is_too_large(mysql: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """In the load and in the log: it is named, and with the limit raised the job goes on. What counts is what is left of
    it behind the compression."""
    tale = tell(mysql, kafka, topic_policy=1, partition_policy=2, format="json_c", compression="lz4")
    tale.at_source("""
SET cte_max_recursion_depth = 20000, group_concat_max_len = 9000000;
CREATE TABLE wide (id INT, name VARCHAR(9), v LONGTEXT, PRIMARY KEY (id, name));
INSERT INTO wide VALUES (1, 'one', REPEAT('abc', 500000)), (3, 'three', 'small');
INSERT INTO wide WITH RECURSIVE s AS (SELECT 1 n UNION ALL SELECT n + 1 FROM s WHERE n < 12000)
 SELECT 2, 'two', GROUP_CONCAT(SHA2(n, 512)) FROM s
""")
    topic = f"{tale.name}-wide"
    for _ in range(2):
        tale.fails(Fault.MESSAGE_TOO_LARGE, f"A row of the topic {topic}, key 2,two", "Raise max.message.bytes")
    set_limit(tale, topic, 3_000_000)
    tale.play()
    tale.at_source(
        "INSERT INTO wide SELECT 4, 'four', CONCAT(v, REVERSE(v), v) FROM wide WHERE id = 2;\nDELETE FROM wide WHERE id = 1"
    )
    tale.fails(Fault.MESSAGE_TOO_LARGE, f"A row of the topic {topic}, key 4,four")
    set_limit(tale, topic, 20_000_000)
    tale.play()
    assert differing(tale) == []


def test_a_transaction_that_has_failed_says_so_however_often_it_is_asked(kafka: Kafka) -> None:
    """And not that nobody answers: what is behind the message that failed is never taken."""
    end, name = Endpoint.parse(kafka.url()), f"failed-{uuid.uuid4().hex[:8]}"
    with Client(end) as client:
        client.create(name, partitions=1, replicas=1, config={})
        producer = Producer(end, Publishing(compression="lz4"), f"opendrs.{name}", timeout_ms=60_000)
        try:
            producer.fence()
            producer.begin()
            number, _ = producer.topic(name)
            for value in (b"small", os.urandom(1_500_000), b"behind it"):  # each in a request of its own
                producer.core.send(number, 0, b"key", value)
            kinds = []
            for _ in range(3):
                with pytest.raises(KafkaError) as raised:
                    producer.core.commit(2.0)
                kinds.append(raised.value.kind)
        finally:
            producer.close()
        assert kinds[0] == "too_large" and "unavailable" not in kinds
        assert list(client.read(name)) == []
        client.delete([name])


def test_rows_that_foreign_keys_take_and_the_log_does_not_tell(
    mariadb: FamilyServer, kafka: Kafka, tell: NewTale
) -> None:
    tale = tell(mariadb, kafka)
    tale.at_source("""
CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2)
""")
    item = "MysqlForeignKeyReferentialActionCheck"
    tale.fails(Fault.PRECHECK_FAILED, item, check=True)
    assert not tale.broker.topics() or tale.name not in tale.broker.topics()
    tale.play(check=True, accepted=[item])
    tale.at_source("DELETE FROM parent WHERE id = 1")
    tale.play()
    assert [json.loads(value)["table"] for value in tale.values()][-1] == "parent"
    (doubt,) = differing(tale)  # as was accepted
    assert "only in the messages" in doubt and "child" in doubt


def test_cascades_that_the_log_tells(mysql: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(mysql, kafka)
    tale.at_source("""
CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2)
""")
    tale.play({"load.loaded": "DELETE FROM parent WHERE id = 1"}, check=True)
    assert differing(tale) == []
