"""The first messages of a topic meet brokers that have just heard of it."""

from __future__ import annotations

import time
import uuid

import pytest

from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.producing import Producer
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.publishing import Publishing
from tests.harness.kafka import Kafka

SENT = 6


@pytest.mark.parametrize("topics", [20, pytest.param(300, marks=pytest.mark.large)])
def test_the_first_messages_arrive(kafka: Kafka, topics: int) -> None:
    """With several requests on their way, brokers now and then (of one topic in some hundreds) take the first for one
    that they have had (KAFKA-15591). Then the transaction does not come about, and is sent once more."""
    end = Endpoint.parse(kafka.url())
    run = f"new-{uuid.uuid4().hex[:8]}"
    names = [f"{run}-{number}" for number in range(topics)]
    with Client(end) as client:
        producer = Producer(end, Publishing(), f"opendrs.{run}", timeout_ms=60_000)
        try:
            producer.fence()
            again = 0
            for name in names:
                client.create(name, partitions=1, replicas=1, config={})
                while not _published(producer, name):
                    again += 1
            print(f"{again} of {topics} transactions did not come about at first")
        finally:
            producer.close()
        found = {name: [value for _, value in client.read(name)] for name in names}
        client.delete(names)
    assert found == {name: [b"%d" % number for number in range(SENT + 1)] for name in names}


def _published(producer: Producer, name: str) -> bool:
    """A transaction of several requests."""
    producer.begin()
    number, _ = producer.topic(name)
    for message in range(SENT):
        producer.core.send(number, 0, b"key", b"%d" % message)
        time.sleep(0.006)  # longer than messages are collected for
    try:
        producer.commit(number, [(b"key", b"%d" % SENT)])
    except DrsError as error:
        assert error.fault is Fault.TARGET_UNREACHABLE and "cannot say where" in error.message
        producer.rollback()
        return False
    return True
