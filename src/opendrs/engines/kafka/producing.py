"""A producer of the job: with a transactional id, so that its successors fence it; or a plain one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from opendrs._core import KafkaError, KafkaProducer
from opendrs.engines.kafka.connect import LIBRARY, settings
from opendrs.engines.kafka.control import Record
from opendrs.engines.kafka.errors import of_producer
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.publishing import Publishing

# How long nobody may answer before the job is told; then it tries again from its checkpoint.
PATIENCE_S: Final = 30.0
CALL_S: Final = 5.0
COMMIT_S: Final = 0.5  # a commit waits for messages of which one may have been refused: that is told between two calls
PAUSE_S: Final = 0.05
ID_PREFIX: Final = "opendrs."
TIMEOUT_MS: Final = 300_000  # of a transaction that nobody ends, if the brokers allow as much
REFUSED_PARTITION: Final = re.compile(r'Failed to add partition "([^"]+)".*authorization failed')
DISOWNED: Final = b"opendrs"  # key of what nobody is to see; compacted topics take none without
BATCH_BYTES: Final = 1_000_000  # of messages that are sent together; a topic that takes less cannot be used


def transactional_id(job: str, lane: int | None = None) -> str:
    return f"{ID_PREFIX}{job}" + ("" if lane is None else f".{lane}")


class Producer:
    """One transaction at a time; used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, publishing: Publishing, identity: str, *, timeout_ms: int) -> None:
        self._endpoint = endpoint
        self.transactional = publishing.delivery == "exactly-once"
        self._opened_at: float | None = None
        self._undecided = False  # whether the transaction is there, or gone
        self._failed = False  # something of the transaction
        options = {
            **settings(endpoint),
            "acks": "all",
            "enable.idempotence": "true",
            "compression.codec": publishing.compression,
            "linger.ms": "5",
            "batch.num.messages": "100000",
            "batch.size": str(BATCH_BYTES),
            "message.max.bytes": "1000000000",  # how large a message may be, the brokers decide
            "socket.nagle.disable": "true",
        }
        if self.transactional:
            options |= {"transactional.id": identity, "transaction.timeout.ms": str(timeout_ms)}
        with self.translated("open a producer"):
            self.core = KafkaProducer(LIBRARY, list(options.items()), PATIENCE_S)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaError as error:
            self._failed = True
            raise of_producer(error, self._endpoint, what, self._named(error)) from error

    def _named(self, error: KafkaError) -> str:
        """Topics of which only librdkafka's log says that they were refused to a transaction."""
        if error.kind != "authorization" or error.topic:
            return ""
        found = (REFUSED_PARTITION.search(line) for _, line in self.core.take_log())
        names = sorted({one[1] for one in found if one})
        return f" (topics: {', '.join(names)})" if names else ""

    def fence(self) -> None:
        """From now on no older producer of this identity can commit anything."""
        if self.transactional:
            with self.translated("take the transactional id"):
                _patiently(self.core.init_transactions)

    def topic(self, name: str) -> tuple[int, int]:
        """Number and partitions of a topic, which may have been made a moment ago."""
        deadline = time.monotonic() + CALL_S
        while True:
            try:
                return self.core.topic(name, CALL_S)
            except KafkaError as error:
                if error.kind not in ("unknown_topic", "unavailable") or time.monotonic() > deadline:
                    raise of_producer(error, self._endpoint, f"look at the topic {name}") from error
            time.sleep(0.05)

    def begin(self) -> None:
        """Opens a transaction, if none is open. Raises TARGET_UNREACHABLE if nobody knows what became of the last:
        whoever opens the target anew finds out."""
        if self._undecided:
            reason = "a transaction was neither committed nor aborted in time"
            raise DrsError(Fault.TARGET_UNREACHABLE, endpoint=str(self._endpoint), reason=reason)
        if self._opened_at is not None:
            return
        self._failed = False
        if self.transactional:
            with self.translated("begin a transaction"):
                self.core.begin()
        self._opened_at = time.monotonic()

    def open_for_s(self) -> float:
        """How long the transaction has been open."""
        return 0.0 if self._opened_at is None else time.monotonic() - self._opened_at

    def commit(self, topic: int, records: Sequence[Record]) -> None:
        """Makes everything durable, and the records with it: where there are no transactions, behind it."""
        self.begin()
        if not self.transactional:
            self._flush()
        with self.translated("write the checkpoint"):
            for key, value in records:
                self.core.send(topic, 0, key, value)
        if self.transactional:
            with self.translated("commit"):
                self._commit()
        else:
            self._flush()
        self._opened_at = None

    def _commit(self) -> None:
        try:
            _patiently(self.core.commit, COMMIT_S)
        except KafkaError as error:
            # It may come about still: while that is not known, an abort must not be asked for.
            self._undecided = error.kind == "unavailable" or self._has_ended()
            raise

    def _has_ended(self) -> bool:
        """Behind a commit that failed: librdkafka takes a call that ran out of time for unfinished, and lets no other
        be made before the same one is, even if a message was refused and the transaction cannot but be aborted."""
        try:
            self.core.commit(CALL_S)
        except KafkaError:
            return False
        return True

    def _flush(self) -> None:
        with self.translated("send messages"):
            _patiently(self.core.flush)

    def disown(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Takes back what predecessors have left open in partitions: the next mark there is for all that came before,
        and this one is an abort."""
        numbers = [(self.topic(name)[0], partition) for name, partition in partitions]
        self.begin()
        with self.translated("take back an open transaction"):
            for number, partition in numbers:
                self.core.send(number, partition, DISOWNED, b"")
        self._flush()  # a partition to which nothing came gets no mark
        self.rollback()

    def rollback(self) -> None:
        """Forgets what was sent since the last commit, where there are transactions. If that does not come about,
        what it was called for says more; then nothing more can be begun."""
        if self._opened_at is not None and self.transactional and not self._undecided:
            try:
                self._abort()
            except KafkaError:
                self._undecided = True
        self._opened_at = None

    def _abort(self) -> None:
        """What is on its way arrives first, if it can. Where another transaction has ended a moment ago, the
        coordinator is told of this one later (CONCURRENT_TRANSACTIONS), and librdkafka (2.16) would ask it to end what
        it knows nothing of."""
        if not self._failed:
            with suppress(KafkaError):
                self.core.flush(CALL_S)
        _patiently(self.core.abort)

    def close(self) -> None:
        """Whatever is not committed is forgotten. If the brokers cannot be told, they find out when a successor comes,
        or when its time is over; until then readers of committed messages wait."""
        if self._opened_at is not None and self.transactional and not self._undecided:
            with suppress(KafkaError):
                self.core.abort(CALL_S)
        self.core.close()


def _patiently(call: Callable[[float], None], call_s: float = CALL_S) -> None:
    """Repeats a call that may be repeated, until it succeeds or patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            call(call_s)
        except KafkaError as error:
            if error.kind != "unavailable" or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)  # not every call that may be repeated has waited
        else:
            return
