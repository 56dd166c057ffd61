"""How brokers are reached: an endpoint as settings of librdkafka, and the client that administers and reads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicCollection, TopicPartition, cimpl
from confluent_kafka import KafkaError as ClientError
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from opendrs.engines.kafka.errors import of_client
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint

CONNECT_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_LEAST_MS: Final = 1000  # that librdkafka takes
PAUSE_S: Final = 0.05
# What brokers say of a topic that was made a moment ago: each of them gets to know it a little later.
NOT_YET: Final = (
    *(ClientError._UNKNOWN_PARTITION, ClientError._UNKNOWN_TOPIC, ClientError.UNKNOWN_TOPIC_OR_PART),
    *(ClientError.LEADER_NOT_AVAILABLE, ClientError.NOT_LEADER_FOR_PARTITION),
)
HEARSAY_S: Final = 0.5  # is waited for the reason of a failure
NAME: Final = "opendrs"
# What depends on librdkafka, and so finds it for our own producer.
LIBRARY: Final = Path(cimpl.__file__)
SILENCE: Final = " (brokers that hang up without a word may want TLS, `tls=`, or a login, `user:password@`)"
Settings = Mapping[str, str]

Answer = TypeVar("Answer")

# What the clients say stands in the errors; their own log repeats it with every attempt.
_silent = logging.getLogger("opendrs.kafka")
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


def brokers(endpoint: Endpoint) -> str:
    """The brokers to begin with, as `host:port,...`."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    others = [one for one in endpoint.options.get("brokers", "").split(",") if one]
    return ",".join([f"{host}:{endpoint.port}", *others])


def timeout_s(endpoint: Endpoint) -> float:
    """How long the brokers may take to answer. Raises ENDPOINT_INVALID."""
    text = endpoint.options.get("connect_timeout", "")
    try:
        found = float(text or CONNECT_TIMEOUT_S)
    except ValueError:
        found = 0.0
    if not 0 < found <= 3600:
        reason = f"connect_timeout={text} is no number of seconds"
        raise DrsError(Fault.ENDPOINT_INVALID, endpoint=str(endpoint), reason=reason)
    return found


def settings(endpoint: Endpoint) -> dict[str, str]:
    """Settings of librdkafka (its CONFIGURATION.md) for whoever connects. They hold the password."""
    tls = endpoint.options.get("tls", "disable")
    found = {
        "bootstrap.servers": brokers(endpoint),
        "client.id": NAME,
        "security.protocol": ("SASL_" if endpoint.user else "") + ("PLAINTEXT" if tls == "disable" else "SSL"),
        "socket.connection.setup.timeout.ms": str(max(CONNECT_TIMEOUT_LEAST_MS, int(timeout_s(endpoint) * 1000))),
        "allow.auto.create.topics": "false",
    }
    if endpoint.user:
        mechanism = endpoint.options.get("sasl", "PLAIN")
        found |= {
            "sasl.mechanism": mechanism,
            "sasl.username": endpoint.user,
            "sasl.password": endpoint.password.reveal(),
        }
    if tls != "disable":
        found |= _tls(endpoint, tls)
    return found


def _tls(endpoint: Endpoint, mode: str) -> dict[str, str]:
    found = {
        "enable.ssl.certificate.verification": "false" if mode == "require" else "true",
        "ssl.endpoint.identification.algorithm": "https" if mode == "verify-full" else "none",
    }
    for option, setting in (
        ("tls_ca", "ssl.ca.location"), ("tls_cert", "ssl.certificate.location"), ("tls_key", "ssl.key.location"),
    ):  # fmt: skip
        if option in endpoint.options:
            found[setting] = endpoint.options[option]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that exists."""

    name: str
    partitions: int
    replicas: int


class Client:
    """Administers topics and reads them. Every call raises the Fault that its failure means."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._timeout_s = timeout_s(endpoint)
        self._said: list[ClientError] = []
        options: dict[str, Any] = {**settings(endpoint), "error_cb": self._said.append}
        try:
            self._admin = AdminClient(options, logger=_silent)
        except KafkaException as error:  # of a file that is none, or not what it should be
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=str(endpoint), reason=error.args[0].str()) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Its threads end when nobody holds the client any more."""
        del self._admin

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise self._explained(error.args[0], what) from error
        except TimeoutError as error:
            raise self._explained(ClientError(ClientError._TIMED_OUT), what) from error

    def _explained(self, error: ClientError, what: str) -> DrsError:
        """That nobody answered in time says little; what the client has said meanwhile tells why."""
        if error.code() not in (ClientError._TRANSPORT, ClientError._TIMED_OUT, ClientError._ALL_BROKERS_DOWN):
            return of_client(error, self.endpoint, what)
        telling = self._telling()
        if telling is not None:
            return of_client(telling, self.endpoint, what)
        return of_client(error, self.endpoint, what, SILENCE)

    def _telling(self) -> ClientError | None:
        """What was said last. It comes from threads of the library, which may be behind the call that failed."""
        admin = getattr(self, "_admin", None)
        for wait_s in (0.0, *[HEARSAY_S / 10] * 10):
            if admin is not None:
                admin.poll(wait_s)
            telling = [said for said in self._said if said.code() != ClientError._ALL_BROKERS_DOWN]
            if telling:
                return telling[-1]
        return None

    def answer(self, future: Any, what: str) -> Any:
        """What an asynchronous call comes to."""
        with self.translated(what):
            return future.result(self._timeout_s * 2)

    # what there is

    def brokers(self) -> list[str]:
        """`host:port` of every broker."""
        with self.translated("list the brokers"):
            found = self._admin.list_topics("", timeout=self._timeout_s).brokers
        return [f"{one.host}:{one.port}" for one in found.values()]

    def broker_id(self) -> str:
        """Of some broker: what is set for all of them, each can tell."""
        with self.translated("list the brokers"):
            return str(min(self._admin.list_topics("", timeout=self._timeout_s).brokers))

    def topics(self) -> dict[str, Topic]:
        """Every topic that the account may see."""
        with self.translated("list the topics"):
            found = self._admin.list_topics(timeout=self._timeout_s).topics
        return {
            name: Topic(
                name=name,
                partitions=len(topic.partitions),
                replicas=min((len(partition.replicas) for partition in topic.partitions.values()), default=0),
            )
            for name, topic in found.items()
            if topic.error is None
        }

    def configuration(self, kind: ResourceType, name: str) -> dict[str, str]:
        """The settings of a topic or a broker that are told."""
        resource = ConfigResource(kind, name)
        (future,) = self._admin.describe_configs([resource], request_timeout=self._timeout_s).values()
        entries = self.answer(future, f"read the settings of {name}")
        return {key: entry.value for key, entry in entries.items() if entry.value is not None}

    def allowed(self, topics: Sequence[str]) -> dict[str, frozenset[AclOperation]]:
        """What the account may do with topics that are there. Those that it may not even see are left out, and so are
        all of brokers that do not tell."""
        if not topics:
            return {}
        asked = self._admin.describe_topics(
            TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=self._timeout_s
        )
        found = {}
        for name, future in asked.items():
            with suppress(KafkaException, TimeoutError):
                operations = future.result(self._timeout_s * 2).authorized_operations
                if operations:
                    found[name] = frozenset(operations)
        return found

    # what is made

    def create(self, name: str, *, partitions: int, replicas: int, config: Settings, dry: bool = False) -> bool:
        """Makes a topic; False if it was there. `dry`: only asks whether it could be made."""
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas, config=dict(config))
        (future,) = self._admin.create_topics(
            [topic], request_timeout=self._timeout_s, operation_timeout=self._timeout_s, validate_only=dry
        ).values()
        with self.translated(f"create the topic {name}"):
            try:
                future.result(self._timeout_s * 2)
            except KafkaException as error:
                if error.args[0].code() == ClientError.TOPIC_ALREADY_EXISTS:
                    return False
                raise
        return True

    def delete(self, names: Sequence[str]) -> None:
        """Deletes topics; those that are not there are no error."""
        if not names:
            return
        for name, future in self._admin.delete_topics(list(names), request_timeout=self._timeout_s).items():
            with self.translated(f"delete the topic {name}"):
                try:
                    future.result(self._timeout_s * 2)
                except KafkaException as error:
                    if error.args[0].code() != ClientError.UNKNOWN_TOPIC_OR_PART:
                        raise

    # what is read

    def read(self, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        """Key and value of every committed record of partition 0, from the first to the last that there is now."""
        return self._read(topic, IsolationLevel.READ_COMMITTED, self._first)

    def undecided(self, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        """Key and value of the records of partition 0 from the first of an open transaction on, those included that are
        committed or aborted."""
        since = self.open_transactions([topic]).get((topic, 0))
        if since is None:
            return iter(())
        return self._read(topic, IsolationLevel.READ_UNCOMMITTED, lambda _consumer, _topic: since)

    def open_transactions(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Partitions of topics in which a transaction is open, whosever it is, and the offset at which that begins."""
        there = self.topics()
        found = sorted(set(topics) & there.keys())
        partitions = [TopicPartition(name, number) for name in found for number in range(there[name].partitions)]
        ends = self._ends(partitions, IsolationLevel.READ_UNCOMMITTED)
        stable = self._ends(partitions, IsolationLevel.READ_COMMITTED)  # later: what has ended meanwhile is not open
        return {place: offset for place, offset in stable.items() if offset < ends[place]}

    def _ends(self, partitions: Sequence[TopicPartition], level: IsolationLevel) -> dict[tuple[str, int], int]:
        if not partitions:
            return {}
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = dict.fromkeys(partitions, latest)
        futures = self._admin.list_offsets(asked, isolation_level=level, request_timeout=self._timeout_s)
        return {
            (place.topic, place.partition): int(self.answer(future, f"ask for the end of {place.topic}").offset)
            for place, future in futures.items()
        }

    def _read(
        self, topic: str, level: IsolationLevel, since: Callable[[Consumer, str], int]
    ) -> Iterator[tuple[bytes | None, bytes | None]]:
        options: dict[str, Any] = {
            **settings(self.endpoint),
            "group.id": NAME,  # demanded, and not used: nothing is committed
            "enable.auto.commit": False,
            "isolation.level": level.name.lower(),
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 5,  # the end is told when a fetch comes back empty
            "auto.offset.reset": "error",
            "error_cb": self._said.append,
        }
        what = f"read the topic {topic}"
        with self.translated(what):
            consumer = Consumer(options, logger=_silent)
        try:
            with self.translated(what):
                consumer.assign([TopicPartition(topic, 0, since(consumer, topic))])
            yield from self._records(consumer, what)
        finally:
            consumer.close()

    def _first(self, consumer: Consumer, topic: str) -> int:
        """The first offset of partition 0."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                low, _ = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=self._timeout_s)
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)
            else:
                return int(low)

    def _records(self, consumer: Consumer, what: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        while True:
            with self.translated(what):
                message = consumer.poll(self._timeout_s)
            if message is None:
                raise self._explained(ClientError(ClientError._TIMED_OUT), what)
            error = message.error()
            if error is None:
                yield message.key(), message.value()
            elif error.code() == ClientError._PARTITION_EOF:
                return
            elif error.code() == ClientError.GROUP_AUTHORIZATION_FAILED:
                continue  # librdkafka asks for a coordinator that is not needed
            else:
                raise self._explained(error, what)
