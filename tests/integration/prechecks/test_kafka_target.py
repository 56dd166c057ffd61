"""Brokers that are not ready for a job, and made ready by what the findings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from confluent_kafka.admin import AclOperation, ResourceType

from opendrs.engines.kafka.connect import Client
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing
from tests.harness.fixtures import NewDatabase, StartKafka
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.mysql_family import FamilyServer
from tests.integration.prechecks.findings import findings, items, of

JOB = "JOB"  # as prechecks call one that has no id yet
OWN = f"_opendrs.{JOB}"


@pytest.fixture
def shop(mariadb: FamilyServer, database: NewDatabase) -> str:
    """A source database with two tables."""
    name = database(mariadb)
    mariadb.execute(f"CREATE TABLE {name}.orders (id INT PRIMARY KEY, note VARCHAR(20))")
    mariadb.execute(f"CREATE TABLE {name}.notes (id INT PRIMARY KEY, note LONGTEXT)")
    return name


@pytest.fixture
def broker(kafka: Kafka) -> Iterator[Kafka]:
    there = set(kafka.topics())
    yield kafka
    for name in set(kafka.topics()) - there:
        kafka.delete_topic(name)


def policy(**facts: object) -> Policy:
    publishing = Publishing(**{"topic_policy": 1, **facts})  # type: ignore[arg-type]
    return replace(Policy(), publishing=publishing)


def looked(source: FamilyServer, target: Kafka | Endpoint, shop: str, **facts: object) -> list[Finding]:
    end = target if isinstance(target, Endpoint) else Endpoint.parse(target.url())
    return findings(source, end, f"{shop}.*", policy=policy(**facts))


def of_target(found: list[Finding]) -> Mapping[str, str]:
    return {finding.item: finding.message for finding in found if finding.result == "FAILED"}


def test_brokers_that_are_ready(mariadb: FamilyServer, broker: Kafka, shop: str) -> None:
    found = looked(mariadb, broker, shop)
    assert of_target(found) == {}
    assert "notes (note)" in of(found, "dstMaxAllowedPacketCheck").message  # LONGTEXT may be larger than a message
    assert of(found, "dstDdlTopicCheck").result == "ALARM"
    assert broker.topics() == [], "what a check asks for must not be made by it"


def test_replicas_that_there_are_no_brokers_for(mariadb: FamilyServer, broker: Kafka, shop: str) -> None:
    found = of(looked(mariadb, broker, shop, replication_factor=3), "dstReplicationFactorCheck")
    assert (found.result, found.message) == ("FAILED", "replication_factor is 3, and there are 1 broker")
    assert found.remedy == "Set replication_factor to 1 at most."


def test_names_that_kafka_does_not_tell_apart(mariadb: FamilyServer, broker: Kafka, shop: str) -> None:
    mariadb.execute(f"CREATE TABLE {shop}.`a.b` (id INT PRIMARY KEY); CREATE TABLE {shop}.a_b (id INT PRIMARY KEY)")
    found = of(looked(mariadb, broker, shop), "dstTopicCheck")
    assert found.result == "FAILED"
    assert found.message.startswith(f"Only one of {shop}-a.b, {shop}-a_b can be made: ")
    # Kafka itself tells of those that are there.
    broker.create_topic(f"{shop}-a.b")
    found = of(looked(mariadb, broker, shop), "dstTopicCheck")
    assert found.result == "FAILED" and f"{shop}-a_b" in found.message and "collides" in found.message


@pytest.mark.parametrize(
    ("partitions", "config", "said"),
    [(1, {"cleanup_policy": "delete"}, "cleanup.policy=delete"), (3, {"cleanup_policy": "compact"}, "3 partitions")],
)
def test_a_checkpoint_topic_that_would_forget(
    mariadb: FamilyServer, broker: Kafka, shop: str, partitions: int, config: Mapping[str, str], said: str
) -> None:
    broker.create_topic("state", partitions, **config)
    found = of(looked(mariadb, broker, shop, checkpoint_topic="state"), "dstCheckpointTopicCheck")
    assert found.result == "FAILED" and said in found.message


def test_a_topic_that_takes_small_messages_only(mariadb: FamilyServer, broker: Kafka, shop: str) -> None:
    broker.create_topic(f"{shop}-orders", max_message_bytes=1000)
    found = of(looked(mariadb, broker, shop), "dstMaxAllowedPacketCheck")
    assert found.result == "FAILED" and f"{shop}-orders (1000)" in found.message


def test_an_account_that_may_do_nothing_then_all_that_is_needed(
    mariadb: FamilyServer, start_kafka: StartKafka, shop: str
) -> None:
    """The privileges are those that engines/kafka/README.md lists, and no more."""
    broker = start_kafka(KafkaOptions(listeners=[Listener.SASL_PLAINTEXT], authorizer=True))
    user = "bank"
    broker.create_user(user, "Secret-1-bank")
    end = Endpoint.parse(f"{broker.url(Listener.SASL_PLAINTEXT, user=user)}?sasl=SCRAM-SHA-512")
    topics = [f"{shop}-orders", f"{shop}-notes"]

    failed = of_target(looked(mariadb, end, shop))
    assert {"dstDbPrivilegesIsEnough", "dstCheckpointTopicCheck", "dstTopicCheck"} <= failed.keys()

    grant = broker.grant
    grant(user, ResourceType.TRANSACTIONAL_ID, "opendrs.", AclOperation.WRITE, prefixed=True)
    grant(user, ResourceType.TOPIC, "_opendrs.", AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE,
          AclOperation.DESCRIBE_CONFIGS, prefixed=True)  # fmt: skip
    grant(user, ResourceType.TOPIC, shop, AclOperation.WRITE, AclOperation.CREATE, prefixed=True)
    grant(user, ResourceType.BROKER, "kafka-cluster", AclOperation.DESCRIBE_CONFIGS)
    assert of_target(looked(mariadb, end, shop)) == {}

    for name in topics:
        broker.create_topic(name)
    broker.create_topic(OWN, cleanup_policy="compact")
    assert of_target(looked(mariadb, end, shop)) == {}
    with Client(end) as client:
        assert list(client.read(OWN)) == [], "reading needs no privilege on a group"

    broker.revoke(user)
    grant(user, ResourceType.TRANSACTIONAL_ID, "opendrs.", AclOperation.WRITE, prefixed=True)
    grant(user, ResourceType.TOPIC, "_opendrs.", AclOperation.READ, AclOperation.DESCRIBE_CONFIGS, prefixed=True)
    grant(user, ResourceType.TOPIC, shop, AclOperation.DESCRIBE, prefixed=True)
    grant(user, ResourceType.BROKER, "kafka-cluster", AclOperation.DESCRIBE_CONFIGS)
    failed = of_target(looked(mariadb, end, shop))
    assert failed.keys() == {"dstTopicPrivilegesCheck"}
    for name in (*topics, OWN):
        assert f"{name} (WRITE)" in failed["dstTopicPrivilegesCheck"]


def test_an_account_whose_password_is_wrong(mariadb: FamilyServer, start_kafka: StartKafka, shop: str) -> None:
    broker = start_kafka(KafkaOptions(listeners=[Listener.SASL_PLAINTEXT]))
    end = Endpoint.parse(f"{broker.url(Listener.SASL_PLAINTEXT, password='not-this-one')}?sasl=SCRAM-SHA-512")
    found = looked(mariadb, end, shop)
    assert items(found, "FAILED"), "nobody was let in"
    assert all("not-this-one" not in finding.message + finding.remedy for finding in found)
