"""What tests do with a broker, on the client library: each call opens a client and closes it.

A `client` is a configuration of librdkafka, as `Kafka.client` gives it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Literal

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.harness.server import ServerFailed

Client = Mapping[str, Any]
Isolation = Literal["read_committed", "read_uncommitted"]

REQUEST_S: Final = 10.0
PROBE_S: Final = 2.0
CONSUME_S: Final = 60.0  # without a message
MARKS_S: Final = 0.3  # from a broker's yes to a commit to what consumers see
VISIBLE_S: Final = 20.0  # from a controller's yes to a broker that knows
SCRAM_ITERATIONS: Final = 4096  # the least that Kafka takes
SCRAM: Final = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)

# For asking whether the coordinator of transactions answers; it refuses who wants to take longer than it allows.
PROBE: Final = {"transactional.id": "opendrs-harness", "transaction.timeout.ms": 1000}
# Who was cut off tries again soon: brokers of tests are away for a moment only.
HASTY: Final = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200}
SILENT: Final = {"log_level": 0}  # librdkafka writes to standard error otherwise


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a consumer got it; the time is the producer's, in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...]


def admin(client: Client) -> AdminClient:
    """Whoever waits for an answer must hold it: it goes with its last reference, and takes all orders along."""
    return AdminClient({**HASTY, **SILENT, **client})


def answers(client: Client) -> bool:
    """Whether the broker tells its topics, and the coordinator of transactions gives out producer ids."""
    try:
        admin(client).list_topics(timeout=PROBE_S)
        # Not as a context manager: the library's ends with a SystemError if this fails for good.
        Producer({**HASTY, **SILENT, **PROBE, **client}).init_transactions(PROBE_S)
    except KafkaException:
        return False
    return True


# --- topics -------------------------------------------------------------------------------


def create_topic(client: Client, name: str, partitions: int = 1, **config: str | int) -> None:
    """Make a topic, and return when each partition has a leader.

    config  of the topic, with underlines for dots: `cleanup_policy="compact"`
    """
    settings = {key.replace("_", "."): str(value) for key, value in config.items()}
    wanted = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
    asking = admin(client)
    _wait(asking.create_topics([wanted], operation_timeout=REQUEST_S))
    _until(f"{name} is there", lambda: _leaders(asking, name) == partitions)


def delete_topic(client: Client, name: str) -> None:
    """Delete a topic, and return when the broker has forgotten it."""
    asking = admin(client)
    _wait(asking.delete_topics([name], operation_timeout=REQUEST_S))
    _until(f"{name} is gone", lambda: _leaders(asking, name) is None)


def topics(client: Client) -> list[str]:
    """The names of all topics but the broker's own."""
    found = admin(client).list_topics(timeout=REQUEST_S).topics
    return sorted(name for name in found if not name.startswith("__"))


def _leaders(asking: AdminClient, name: str) -> int | None:
    """How many partitions of a topic have a leader; None if there is no such topic."""
    # All topics are asked for: to ask for one may create it.
    found = asking.list_topics(timeout=REQUEST_S).topics.get(name)
    return None if found is None else sum(part.leader >= 0 for part in found.partitions.values())


def _until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + VISIBLE_S
    while not condition():
        if time.monotonic() > deadline:
            raise ServerFailed(f"Kafka did not say in {VISIBLE_S} s that {what}")
        time.sleep(0.01)


# --- reading ------------------------------------------------------------------------------


def consume(
    client: Client,
    names: str | Sequence[str],
    isolation: Isolation = "read_committed",
    *,
    begin: int = OFFSET_BEGINNING,
) -> list[Message]:
    """All messages of topics from the beginning to the end as it is now, by topic, partition and offset.

    isolation  `read_committed` ends before the first transaction that is open, and leaves out
               those that were aborted
    begin      an offset; in every partition what is before it is left out
    """
    settings = {
        "group.id": "opendrs-harness",  # none is joined, but the library wants the name
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 10,  # at the end there is nothing to wait for
        "isolation.level": isolation,
    }
    wanted = [names] if isinstance(names, str) else list(names)
    with Consumer({**HASTY, **SILENT, **settings, **client}) as consumer:
        parts = _partitions(consumer, wanted)
        if isolation == "read_committed":
            _await_marks(client, parts)
        consumer.assign([TopicPartition(topic, part, begin) for topic, part in parts])
        found = list(_to_the_end(consumer, set(parts)))
    return sorted(found, key=lambda message: (message.topic, message.partition, message.offset))


def _await_marks(client: Client, parts: Sequence[tuple[str, int]]) -> None:
    """A broker answers a commit before it has written the marks behind which consumers see what was committed. Of a
    transaction that is open there are none: that is not waited for for long."""
    asking, until = admin(client), time.monotonic() + MARKS_S
    while _ends(asking, parts, IsolationLevel.READ_COMMITTED) != _ends(asking, parts, IsolationLevel.READ_UNCOMMITTED):
        if time.monotonic() > until:
            return
        time.sleep(0.01)


def _ends(asking: AdminClient, parts: Sequence[tuple[str, int]], isolation: IsolationLevel) -> list[int]:
    """Behind the last offset that such a consumer gets, of each partition."""
    wanted = {TopicPartition(topic, part): OffsetSpec.latest() for topic, part in parts}
    answers = asking.list_offsets(wanted, isolation_level=isolation)
    return [answers[one].result(REQUEST_S).offset for one in wanted]


def _partitions(consumer: Consumer, names: Sequence[str]) -> list[tuple[str, int]]:
    known = consumer.list_topics(timeout=REQUEST_S).topics
    for name in names:
        if name not in known:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"there is no topic {name}"))
    return [(name, number) for name in names for number in known[name].partitions]


def _to_the_end(consumer: Consumer, unfinished: set[tuple[str, int]]) -> Iterator[Message]:
    deadline = time.monotonic() + CONSUME_S
    while unfinished:
        one = consumer.poll(PROBE_S)
        if one is None:
            if time.monotonic() > deadline:
                raise ServerFailed(f"Kafka sent nothing for {CONSUME_S} s; not at the end: {sorted(unfinished)}")
            continue
        deadline = time.monotonic() + CONSUME_S
        error = one.error()
        if error is None:
            yield _message(one)
        elif error.code() == KafkaError._PARTITION_EOF:
            unfinished.discard((one.topic(), one.partition()))
        else:
            raise KafkaException(error)


def _message(one: Any) -> Message:
    return Message(
        topic=one.topic(),
        partition=one.partition(),
        offset=one.offset(),
        key=one.key(),
        value=one.value(),
        timestamp_ms=one.timestamp()[1],
        headers=tuple(one.headers() or ()),
    )


# --- users --------------------------------------------------------------------------------


def create_user(client: Client, name: str, password: str) -> None:
    """A user of SCRAM, with both mechanisms; or his new password."""
    asking = admin(client)
    for mechanism in SCRAM:  # a controller does not take both in one request
        wanted = UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, SCRAM_ITERATIONS), password.encode())
        _wait(asking.alter_user_scram_credentials([wanted]))


def grant(
    client: Client, user: str, kind: ResourceType, name: str, operations: Sequence[AclOperation], *, prefixed: bool
) -> None:
    """Allow a user operations on a resource, or on all whose names begin so."""
    pattern = ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL
    wanted = [
        AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)
        for operation in operations
    ]
    asking = admin(client)
    _wait(asking.create_acls(wanted))
    for one in wanted:
        _until(f"{one} is granted", lambda one=one: bool(_listed(asking, one)))


def revoke(client: Client, user: str) -> None:
    """Take all from a user that was granted to him."""
    his = AclBindingFilter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        f"User:{user}",
        None,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    asking = admin(client)
    _wait(asking.delete_acls([his]))
    _until(f"nothing is granted to {user}", lambda: not _listed(asking, his))


def _listed(asking: AdminClient, binding: AclBinding | AclBindingFilter) -> list[AclBinding]:
    """What the broker goes by of it: it is told of a change a moment after whoever has asked for it."""
    wanted = AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
    return list(asking.describe_acls(wanted).result(REQUEST_S))


def _wait(asked: Mapping[Any, Future[Any]]) -> None:
    for answer in asked.values():
        answer.result(REQUEST_S)
