"""A producer with what it needs to publish: the encoder of its tables, and the number of the checkpoint's topic."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka.admin import ResourceType

from opendrs.engines.kafka.connect import Client
from opendrs.engines.kafka.control import Record, of_job
from opendrs.engines.kafka.producing import TIMEOUT_MS, Producer, transactional_id
from opendrs.engines.kafka.tables import Encoding
from opendrs.engines.kafka.topics import checkpoint_topic
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy
from opendrs.model.selection import Selection


def timeout_ms(client: Client) -> int:
    """How long a transaction may last: what the brokers allow, if they tell, and not for ever."""
    try:
        told = client.configuration(ResourceType.BROKER, client.broker_id())
    except DrsError as error:
        if error.fault is not Fault.PRIVILEGE_MISSING:
            raise
        return TIMEOUT_MS
    return min(TIMEOUT_MS, int(told.get("transaction.max.timeout.ms", TIMEOUT_MS)))


class Opened:
    """Has fenced whoever had its transactional id before. `lane` None: the one that follows the log."""

    def __init__(
        self, endpoint: Endpoint, job: str, lane: int | None, policy: Policy, selection: Selection, timeout_ms: int
    ) -> None:
        self._job = job
        publishing = policy.publishing
        self.producer = Producer(
            endpoint,
            publishing,
            transactional_id(job, lane),
            timeout_ms=timeout_ms,
        )
        try:
            self.producer.fence()
            self.checkpoint, _ = self.producer.topic(checkpoint_topic(job, publishing))
            self.encoding = Encoding(self.producer, publishing, selection, job)
        except BaseException:
            self.close()
            raise

    def commit(self, records: Iterable[Record]) -> None:
        """Makes what was sent durable, and with it what the job is to remember."""
        self.producer.commit(self.checkpoint, list(of_job(self._job, records)))

    def close(self) -> None:
        """What is not committed is forgotten."""
        self.producer.close()
