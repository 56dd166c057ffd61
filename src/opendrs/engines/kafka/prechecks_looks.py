"""What the prechecks of a Kafka target look at, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from confluent_kafka.admin import AclOperation, ResourceType

from opendrs.engines.kafka import control
from opendrs.engines.kafka.connect import Client, Topic
from opendrs.engines.kafka.opened import timeout_ms
from opendrs.engines.kafka.producing import BATCH_BYTES, ID_PREFIX, Producer
from opendrs.engines.kafka.tables import published
from opendrs.engines.kafka.topics import checkpoint_topic, topic_of
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, Column, Table, TableName
from opendrs.model.job import Policy
from opendrs.model.precheck import Verdict, alarm, failed, how_many, named, passed
from opendrs.model.publishing import Publishing
from opendrs.model.selection import Selection

CHECK_ID: Final = f"{ID_PREFIX}check"
TIMEOUT_LEAST_MS: Final = 60_000
CHECKED_TOPICS_MAX: Final = 200
ENOUGH: Final = 2  # replicas that have a message
COLLISION: Final = "to Kafka, . and _ are the same in names of topics"
DEFAULT_MESSAGE_BYTES: Final = 1_048_588  # of Kafka
# Bytes that a byte of the source may become in a message: numbers of up to five characters, text of six.
GROWTH: Final = {"binary": 5, "geometry": 5, "vector": 5, "text": 6, "json": 6}


@dataclass(frozen=True, kw_only=True)
class Server:
    """The brokers as the account sees them. `job`: its id, if it may have begun."""

    client: Client
    policy: Policy
    selection: Selection
    job: str = ""

    @property
    def publishing(self) -> Publishing:
        return self.policy.publishing

    @cached_property
    def brokers(self) -> Sequence[str]:
        return self.client.brokers()

    @cached_property
    def topics(self) -> Mapping[str, Topic]:
        return self.client.topics()

    @cached_property
    def timeout_ms(self) -> int:
        return timeout_ms(self.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """What is to arrive there."""

    server: Server
    catalog: Catalog

    @property
    def by_topic(self) -> dict[str, list[TableName]]:
        found: dict[str, list[TableName]] = defaultdict(list)
        for table in self.catalog.tables:
            found[topic_of(table.name, self.server.publishing, self.server.selection)].append(table.name)
        return found

    @property
    def topics(self) -> list[str]:
        """Where messages go, those of statements too."""
        ddl = self.server.publishing.ddl_topic
        return sorted({*self.by_topic, *([ddl] if ddl else [])})


def connection(server: Server) -> Verdict:
    return passed(f"{how_many(len(server.brokers), 'broker')}: {named(server.brokers)}")


def encryption(server: Server) -> Verdict:
    endpoint = server.client.endpoint
    encrypted = endpoint.options.get("tls", "disable") != "disable"
    if endpoint.user and not encrypted and endpoint.options.get("sasl", "PLAIN") == "PLAIN":
        remedy = "Use tls=verify-full, or SCRAM-SHA-512."
        return alarm("The password goes over the network in plain text (PLAIN without TLS)", remedy)
    return passed("Encrypted" if encrypted else "Not encrypted, as asked for")


def replication_factor(server: Server) -> Verdict:
    wanted, there = server.publishing.replication_factor, len(server.brokers)
    if wanted > there:
        remedy = f"Set replication_factor to {there} at most."
        return failed(f"replication_factor is {wanted}, and there are {how_many(there, 'broker')}", remedy)
    if wanted == 1 and there > 1:
        remedy = "Set replication_factor to 3, or to as many brokers as there are."
        return alarm("Topics that are made have one replica: with its broker, what is published is lost", remedy)
    return passed(f"replication_factor {wanted}, {how_many(there, 'broker')}")


def transactions(server: Server) -> Verdict:
    """Tried: a transactional id of ours is taken."""
    if server.publishing.delivery == "at-least-once":
        return alarm("Delivery is at least once: after an interruption, messages may come twice")
    try:
        with closing(
            Producer(server.client.endpoint, server.publishing, CHECK_ID, timeout_ms=server.timeout_ms)
        ) as producer:
            producer.fence()
    except DrsError as error:
        if error.fault is not Fault.PRIVILEGE_MISSING:
            raise
        remedy = (
            f"Allow the account WRITE and DESCRIBE for transactional ids that begin with {ID_PREFIX} (an ACL of the "
            "pattern type PREFIXED), or set delivery=at-least-once."
        )
        return failed(f"The account may not use transactions: {error.message}", remedy)
    return passed(f"A transactional id can be taken; its transactions may last {server.timeout_ms // 1000} s")


def transaction_timeout(server: Server) -> Verdict:
    allowed = server.timeout_ms
    if allowed < TIMEOUT_LEAST_MS:
        remedy = f"Set it to {TIMEOUT_LEAST_MS} at least; 900000 is Kafka's default."
        return alarm(f"transaction.max.timeout.ms is {allowed}: large transactions will come in parts", remedy)
    return passed(f"A transaction may last {allowed // 1000} s")


def checkpoint(server: Server) -> Verdict:
    name = checkpoint_topic(server.job or "JOB", server.publishing)
    if name in server.topics:
        cleanup = server.client.configuration(ResourceType.TOPIC, name).get("cleanup.policy", "")
        if cleanup != "compact":
            return failed(
                f"The topic {name} has cleanup.policy={cleanup}: what the job remembers there would be deleted",
                f"Set it: kafka-configs.sh --alter --topic {name} --add-config cleanup.policy=compact",
            )
        partitions = server.topics[name].partitions
        if partitions != 1:
            return failed(f"The topic {name} has {partitions} partitions", "Make it anew with one partition.")
        return passed(f"The job keeps its own state in the topic {name}, which is there")
    replicas = min(server.publishing.replication_factor, len(server.brokers))
    return _can_be_made(server, name, partitions=1, replicas=replicas, config=control.config(replicas)) or passed(
        f"The job will keep its own state in the topic {name}, which can be made"
    )


def _can_be_made(
    server: Server, name: str, *, partitions: int, replicas: int, config: Mapping[str, str]
) -> Verdict | None:
    """Tried without effect; None: it can."""
    try:
        server.client.create(name, partitions=partitions, replicas=replicas, config=config, dry=True)
    except DrsError as error:
        remedy = "Create the topic, or allow the account CREATE for it or for the cluster."
        return failed(f"The topic {name} is not there, and cannot be made: {error.message}", remedy)
    return None


def topics(objects: Objects) -> list[Verdict]:
    server = objects.server
    wanted = objects.topics
    missing = [name for name in wanted if name not in server.topics]
    facts = {"partitions": server.publishing.partitions, "config": {}}
    replicas = min(server.publishing.replication_factor, len(server.brokers))
    tried = (_can_be_made(server, name, replicas=replicas, **facts) for name in missing[:CHECKED_TOPICS_MAX])  # type: ignore[arg-type]
    found = [verdict for verdict in tried if verdict is not None]
    found += _colliding(missing)
    if found:
        return found
    there = len(wanted) - len(missing)
    return [
        passed(f"{how_many(len(wanted), 'topic')}: {there} there, {len(missing)} can be made: {named(wanted, most=5)}")
    ]


def _colliding(missing: Iterable[str]) -> Iterator[Verdict]:
    """Kafka makes no topic whose name is that of another but for `.` and `_`, which its metrics do not tell apart. With
    topics that are there it says so when it is asked."""
    alike: dict[str, list[str]] = {}
    for name in missing:
        alike.setdefault(name.replace(".", "_"), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            remedy = "Map the tables to topics of other names, or choose another topic_name_format."
            yield failed(f"Only one of {named(names, most=5)} can be made: {COLLISION}", remedy)


def names(objects: Objects) -> Verdict:
    """Topics that several tables share only because characters of their names are not allowed."""
    shared = {topic: tables for topic, tables in objects.by_topic.items() if len(tables) > 1}
    policy = objects.server.publishing.topic_policy
    if shared and policy == 1:
        told = (f"{topic}: {named(tables, most=5)}" for topic, tables in shared.items())
        remedy = "Map them to topics of their own if that is not wanted; the records tell database and table."
        return alarm(f"Several tables arrive in one topic: {named(told, most=5)}", remedy)
    return passed(f"{how_many(len(objects.catalog.tables), 'table')} in {how_many(len(objects.by_topic), 'topic')}")


def topic_privileges(objects: Objects) -> Verdict:
    server = objects.server
    own = checkpoint_topic(server.job or "JOB", server.publishing)
    wanted = {name: {AclOperation.WRITE, AclOperation.DESCRIBE} for name in objects.topics}
    wanted[own] = {AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE}
    there = [name for name in sorted(wanted) if name in server.topics][:CHECKED_TOPICS_MAX]
    allowed = server.client.allowed(there)
    missing = {name: sorted(one.name for one in wanted[name] - operations) for name, operations in allowed.items()}
    short = [f"{name} ({', '.join(operations)})" for name, operations in missing.items() if operations]
    if short:
        return failed(f"The account may not do all that is needed: {named(short, most=5)}", "Add ACLs that allow it.")
    told = f"The brokers tell that of {len(allowed)}" if allowed else "The brokers do not tell"
    return passed(f"{told} of {how_many(len(there), 'topic')} that are there")


def in_sync(objects: Objects) -> Verdict:
    server = objects.server
    several = [name for name in objects.topics if name in server.topics and server.topics[name].replicas > 1]
    alone = []
    for name in several[:CHECKED_TOPICS_MAX]:
        if int(server.client.configuration(ResourceType.TOPIC, name).get("min.insync.replicas", 1)) < ENOUGH:
            alone.append(name)
    if alone:
        remedy = f"Set it to {ENOUGH}: kafka-configs.sh --alter --topic NAME --add-config min.insync.replicas={ENOUGH}"
        return alarm(f"min.insync.replicas is 1, so what one broker has may be lost with it: {named(alone)}", remedy)
    return passed(f"{how_many(len(several), 'topic')} with several replicas")


def statements(objects: Objects) -> Verdict:
    if objects.server.publishing.ddl_topic and objects.server.policy.ddl == "carry":
        return passed(f"Changes of the schema are published to {objects.server.publishing.ddl_topic}")
    remedy = "Set ddl_topic if consumers must know; the job's events name what was not published."
    return alarm("Changes of the schema are not published: consumers do not see TRUNCATE and DROP", remedy)


def sizes(objects: Objects) -> Verdict:
    """Whether a row may be larger than what a message may be, by its declaration."""
    allowed = _message_bytes(objects)
    narrow = {topic: most for topic, most in allowed.items() if most < BATCH_BYTES}
    if narrow:
        told = (f"{topic} ({most})" for topic, most in narrow.items())
        remedy = f"Raise max.message.bytes to {BATCH_BYTES} at least; Kafka's default is 1048588."
        return failed(f"Topics take less than messages that are sent together: {named(told)}", remedy)
    most = min(allowed.values(), default=DEFAULT_MESSAGE_BYTES)
    doubtful = [
        f"{table.name} ({named(sorted(columns), most=3)})"
        for table in objects.catalog.tables
        if (columns := list(_large(table, most)))
    ]
    if doubtful:
        remedy = "Raise max.message.bytes of the topics if values are so long; a row that is too large stops the job."
        message = f"A message may have {most} bytes, and rows may need more by their declaration: {named(doubtful)}"
        return alarm(message, remedy)
    return passed(f"No row can be larger than a message may be ({most} bytes)")


def _message_bytes(objects: Objects) -> dict[str, int]:
    """What topics take, if they tell; those that are to be made take what the brokers say."""
    server = objects.server
    found: dict[str, int] = {}
    for name in sorted(objects.by_topic)[:CHECKED_TOPICS_MAX]:
        there = name in server.topics
        kind, asked = (ResourceType.TOPIC, name) if there else (ResourceType.BROKER, server.client.broker_id())
        setting = "max.message.bytes" if there else "message.max.bytes"
        found[name] = int(server.client.configuration(kind, asked).get(setting, DEFAULT_MESSAGE_BYTES))
    return found


def _large(table: Table, most: int) -> Iterator[str]:
    for column in published(table):
        if _bytes(column) > most:
            yield column.name


def _bytes(column: Column) -> float:
    """The most that a value may take in a message."""
    growth = GROWTH.get(column.type.kind)
    if growth is None:
        return 0
    return float("inf") if column.length is None else column.length * growth
