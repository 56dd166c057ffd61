"""A producer with what it needs to publish: the encoder of its tables, and the number of the checkpoint's topic."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka.admin import ResourceType

from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.producing import MESSAGE_BYTES, MESSAGE_BYTES_MOST, TIMEOUT_MS, Producer, transactional_id
from opendrs.engines.kafka.tables import Encoding
from opendrs.engines.kafka.topics import checkpoint_topic
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy
from opendrs.model.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the brokers allow: how long a transaction may last, and how large a message may be."""

    timeout_ms: int = TIMEOUT_MS
    message_bytes: int = MESSAGE_BYTES


def limits(client: Client) -> Limits:
    """As the brokers tell, or, to an account that may not ask, what all of them allow by default."""
    try:
        told = client.configuration(ResourceType.BROKER, client.broker_id())
    except DrsError as error:
        if error.fault is not Fault.PRIVILEGE_MISSING:
            raise
        return Limits()
    return Limits(
        timeout_ms=min(TIMEOUT_MS, int(told.get("transaction.max.timeout.ms", TIMEOUT_MS))),
        message_bytes=min(MESSAGE_BYTES_MOST, int(told.get("message.max.bytes", MESSAGE_BYTES))),
    )


class Opened:
    """Has fenced whoever had its transactional id before. `lane` None: the one that follows the log."""

    def __init__(
        self, endpoint: Endpoint, job: str, lane: int | None, policy: Policy, selection: Selection, limits: Limits
    ) -> None:
        publishing = policy.publishing
        self.producer = Producer(
            endpoint,
            publishing,
            transactional_id(job, lane),
            timeout_ms=limits.timeout_ms,
            message_bytes=limits.message_bytes,
        )
        try:
            self.producer.fence()
            self.checkpoint, _ = self.producer.topic(checkpoint_topic(job, publishing))
            self.encoding = Encoding(self.producer, publishing, selection, job)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """What is not committed is forgotten."""
        self.producer.close()
