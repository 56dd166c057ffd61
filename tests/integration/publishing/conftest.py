"""Sources, and jobs of theirs into the broker that all share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AclOperation, ResourceType

from opendrs.model.publishing import ONE_TOPIC, Publishing
from tests.harness.catalogue import create_broker
from tests.harness.fixtures import NewDatabase, not_exercised
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import ServerUnavailable
from tests.integration.publishing.tale import Tale

NewTale = Callable[..., Tale]
# Who reads one partition reads everything in the order of the source.
IN_ORDER: dict[str, Any] = {"format": "json_c", "topic_policy": ONE_TOPIC, "partition_policy": 1}


@pytest.fixture(params=["mariadb", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


@pytest.fixture(scope="session")
def house() -> Iterator[Kafka]:
    """A broker with every listener, where users may do what was granted to them. By SASL_SSL there is no
    SCRAM-SHA-256."""
    some = {f"listener.name.{Listener.SASL_SSL.lower()}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512"}
    try:
        broker = create_broker("kafka", KafkaOptions(listeners=list(Listener), authorizer=True, settings=some))
    except ServerUnavailable as error:
        not_exercised("kafka", str(error))
    with broker:
        yield broker


@pytest.fixture
def tell(database: NewDatabase, tmp_path: Path) -> Iterator[NewTale]:
    """`tell(source, broker, **publishing)`: a new job of a new, empty database; its topics go after the test."""
    there: dict[Kafka, set[str]] = {}

    def new(source: FamilyServer, broker: Kafka, *, of: dict[str, Any] | None = None, **publishing: Any) -> Tale:
        there.setdefault(broker, set(broker.topics()))
        name = database(source)
        folder = tmp_path / name
        folder.mkdir()
        in_order = {**IN_ORDER, "topic": name, "ddl_topic": name}
        how = Publishing(**{**(in_order if "topic_policy" not in publishing else {}), **publishing})
        return Tale(source=source, broker=broker, name=name, folder=folder, publishing=how, **(of or {}))

    yield new
    for broker, before in there.items():
        if broker.running:  # the test may have ended it
            for topic in set(broker.topics()) - before:
                broker.delete_topic(topic)


def grant_all(house: Kafka, user: str, prefix: str) -> None:
    """What `docs/howto/kafka.md` says that an account needs, for topics that begin so."""
    topic, own = ResourceType.TOPIC, (AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE, AclOperation.DELETE)
    house.grant(user, topic, prefix, AclOperation.WRITE, AclOperation.CREATE, prefixed=True)
    house.grant(user, topic, "_opendrs.", *own, AclOperation.DESCRIBE_CONFIGS, prefixed=True)
    house.grant(user, ResourceType.TRANSACTIONAL_ID, "opendrs.", AclOperation.WRITE, prefixed=True)
    house.grant(user, ResourceType.BROKER, "kafka-cluster", AclOperation.DESCRIBE_CONFIGS)
