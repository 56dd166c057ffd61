"""Apache Kafka 4.3 and 3.9: one broker that is its own controller (KRaft).

The archives come from Maven. A broker starts from a copy of a template: a data folder that was
formatted and used once, with the topics of the coordinators in it, and an archive of the classes
that a start loads, which halves its time.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import urllib.parse
import uuid
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import OFFSET_BEGINNING
from confluent_kafka.admin import AclOperation, AdminClient, ResourceType

from tests.harness import cache, java, kafka_client, kafka_wire, maven
from tests.harness.commands import run
from tests.harness.kafka_client import Isolation, Message
from tests.harness.lifecycle import START_TIMEOUT_S, STOP_TIMEOUT_S, LocalDaemon
from tests.harness.ports import HOST, free_port, listens
from tests.harness.processes import Command
from tests.harness.proxy import Proxy
from tests.harness.server import ADMIN_PASSWORD, PASSWORD, USER, Options, ServerUnavailable, Settings

ADMIN: Final = "admin"
TEMPLATE: Final = 1  # changes when the way of making a template changes
RELEASES: Final = {"4.3": "4.3.1", "3.9": "3.9.2"}

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
MECHANISMS: Final[tuple[Mechanism, ...]] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class Listener(StrEnum):
    """A way to a broker, on a port of its own."""

    PLAINTEXT = "PLAINTEXT"  # always there
    PROXIED = "PROXIED"  # the same, by way of `Kafka.proxy`
    SSL = "SSL"
    MTLS = "MTLS"  # wants the client's certificate too
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


CONTROLLER: Final = "CONTROLLER"  # the broker's own way to its controller
PROTOCOLS: Final[dict[str, str]] = {
    CONTROLLER: "PLAINTEXT",
    Listener.PLAINTEXT: "PLAINTEXT",
    Listener.PROXIED: "PLAINTEXT",
    Listener.SSL: "SSL",
    Listener.MTLS: "SSL",
    Listener.SASL_PLAINTEXT: "SASL_PLAINTEXT",
    Listener.SASL_SSL: "SASL_SSL",
}
WITH_TLS: Final = frozenset({Listener.SSL, Listener.MTLS, Listener.SASL_SSL})
WITH_SASL: Final = frozenset({Listener.SASL_PLAINTEXT, Listener.SASL_SSL})

COMMON_SETTINGS: Settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "inter.broker.listener.name": Listener.PLAINTEXT,
    "controller.listener.names": CONTROLLER,
    "auto.create.topics.enable": "false",
    "num.partitions": 1,
    # The time of a message is that of the change it tells of, which may be long ago.
    "log.retention.ms": -1,
    "log.cleaner.dedupe.buffer.size": 4 * 2**20,  # 128 MiB of the heap otherwise
    "metadata.max.idle.interval.ms": 0,  # else the controller writes to its log twice a second
    # Alone, a broker cannot copy anything, and one partition of each is enough.
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
}
DURABLE_SETTINGS: Settings = {"log.flush.interval.messages": 1}
# A controller takes a broker that it has heard of for alive until its session ends, and lets no
# other register under that id: a killed broker would be away for 10 s instead of 2 s.
AFTER_CRASH_SETTINGS: Settings = {"broker.heartbeat.interval.ms": 200, "broker.session.timeout.ms": 1000}
# Who comes by PLAINTEXT has no name, and may do everything: it is the way of the harness.
AUTHORIZER_SETTINGS: Settings = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:ANONYMOUS;User:{ADMIN}",
}

JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",  # a file in /tmp that a killed process leaves
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
QUICK: Final = "-XX:TieredStopAtLevel=1"  # compile once, lightly


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions(Options):
    """How a broker is set up. Of `Options`, `tls` adds the listener SSL and `auth`, a mechanism of
    SASL, a listener for that alone: SASL_SSL with `tls`, else SASL_PLAINTEXT.

    listeners   beside PLAINTEXT
    authorizer  users may do only what was granted to them; but by PLAINTEXT and SSL, where nobody
                has a name, everything
    features    levels of features, as a cluster has them from its formatting on:
                `{"transaction.version": 1}`
    sustained   let Java compile for long runs, as benchmarks want it: starts a little later
    heap_mib    the most memory that Java takes for objects
    """

    listeners: Collection[Listener] = ()
    authorizer: bool = False
    features: Mapping[str, int] = field(default_factory=dict)
    sustained: bool = False
    heap_mib: int = 512


class Kafka(LocalDaemon):
    """A broker; see `server.Daemon` for what each method promises.

    By SASL the users `opendrs` and `admin` can log in, and by MTLS the client of `tls` is `opendrs`.
    """

    stop_signal = signal.SIGTERM
    options: KafkaOptions

    def __init__(self, version: str = "4.3", options: Options | None = None) -> None:
        super().__init__(f"kafka-{version}", _complete(options or KafkaOptions()))
        self.listeners = (Listener.PLAINTEXT, *sorted(set(self.options.listeners) - {Listener.PLAINTEXT}))
        self.mechanisms: tuple[str, ...] = (self.options.auth,) if self.options.auth else MECHANISMS
        self.proxy: Proxy | None = None
        self._java = java.find()
        release = RELEASES[version]
        self._jars = maven.jars(f"kafka-{release}", f"org.apache.kafka:kafka_2.13:{release}", maven.LOGGER)
        self._passwords = {ADMIN: ADMIN_PASSWORD, USER: PASSWORD}
        self._ports: dict[str, int] = {}

    # --- ways to it -----------------------------------------------------------------------

    @property
    def bootstrap(self) -> str:
        """Host and port of PLAINTEXT."""
        return self.address(Listener.PLAINTEXT)

    def address(self, listener: Listener) -> str:
        """Host and port, as the broker tells them to its clients."""
        return f"{HOST}:{self._advertised(listener)}"

    def url(self, listener: Listener = Listener.PLAINTEXT, *, user: str = USER, password: str | None = None) -> str:
        if listener not in WITH_SASL:
            return f"kafka://{self.address(listener)}"
        secret = self._passwords[user] if password is None else password
        return f"kafka://{_word(user)}:{_word(secret)}@{self.address(listener)}"

    def client(
        self,
        listener: Listener = Listener.PLAINTEXT,
        *,
        user: str = USER,
        password: str | None = None,
        mechanism: Mechanism = "SCRAM-SHA-512",
    ) -> dict[str, Any]:
        """The configuration with which a client of librdkafka comes in that way."""
        found: dict[str, Any] = {"bootstrap.servers": self.address(listener), "security.protocol": PROTOCOLS[listener]}
        if listener in WITH_TLS and self.tls is not None:
            found["ssl.ca.location"] = str(self.tls.ca)
        if listener is Listener.MTLS and self.tls is not None:
            found["ssl.certificate.location"] = str(self.tls.client_certificate)
            found["ssl.key.location"] = str(self.tls.client_key)
        if listener in WITH_SASL:
            secret = self._passwords[user] if password is None else password
            found |= {"sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": secret}
        return found

    # --- what tests do, all of it by PLAINTEXT --------------------------------------------

    def admin(self) -> AdminClient:
        return kafka_client.admin(self.client())

    def topics(self) -> list[str]:
        """The names of all topics but the broker's own."""
        return kafka_client.topics(self.client())

    def create_topic(self, name: str, partitions: int = 1, **config: str | int) -> None:
        """Make a topic, and return when it can be used.

        config  of the topic, with underlines for dots: `cleanup_policy="compact"`
        """
        kafka_client.create_topic(self.client(), name, partitions, **config)

    def delete_topic(self, name: str) -> None:
        """Delete a topic, and return when the broker has forgotten it."""
        kafka_client.delete_topic(self.client(), name)

    def consume(
        self, topics: str | Sequence[str], isolation: Isolation = "read_committed", *, begin: int = OFFSET_BEGINNING
    ) -> list[Message]:
        """All messages of topics from the beginning to the end as it is now, by topic, partition and offset.

        isolation  `read_committed` ends before the first transaction that is open, and leaves out
                   those that were aborted
        begin      an offset; in every partition what is before it is left out
        """
        return kafka_client.consume(self.client(), topics, isolation, begin=begin)

    @property
    def features(self) -> dict[str, int]:
        """The levels of the features in force, such as `transaction.version`; absent: 0."""
        return kafka_wire.features(self.port)

    def create_user(self, name: str, password: str) -> None:
        """A user of SCRAM, or his new password. (The users of PLAIN stand in the settings.)"""
        kafka_client.create_user(self.client(), name, password)
        self._passwords[name] = password

    def grant(
        self, user: str, kind: ResourceType, name: str, *operations: AclOperation, prefixed: bool = False
    ) -> None:
        """Allow a user operations on a resource, or on all whose names begin so."""
        kafka_client.grant(self.client(), user, kind, name, operations, prefixed=prefixed)

    def revoke(self, user: str) -> None:
        """Take all from a user that was granted to him."""
        kafka_client.revoke(self.client(), user)

    # --- life -----------------------------------------------------------------------------

    def close(self) -> None:
        super().close()
        if self.proxy is not None:
            self.proxy.close()
            self.proxy = None

    def _choose_ports(self) -> None:
        super()._choose_ports()
        others = [CONTROLLER, *self.listeners[1:]]
        self._ports = {Listener.PLAINTEXT: self.port, **{name: free_port() for name in others}}
        if Listener.PROXIED in self.listeners:
            if self.proxy is not None:
                self.proxy.close()
            self.proxy = Proxy(self._ports[Listener.PROXIED])

    def _prepare_data(self) -> None:
        (self.folder / "tmp").mkdir()
        if not (self.data / "meta.properties").is_file():
            cache.copy_tree(self._template() / "data", self.data)
            _give_own_id(self.data / "meta.properties")
        if self.tls is not None:
            parts = (self.tls.server_key, self.tls.server_certificate)
            self._identity.write_text("".join(part.read_text() for part in parts))

    def _command(self) -> Command:
        settings = {
            **COMMON_SETTINGS,
            **(DURABLE_SETTINGS if self.options.durable else {}),
            **(AUTHORIZER_SETTINGS if self.options.authorizer else {}),
            **({} if (self.data / ".kafka_cleanshutdown").exists() else AFTER_CRASH_SETTINGS),
            **self._tls_settings(),
            **self._sasl_settings(),
            **self.settings,
            **self._places(self.data, self.listeners),
        }
        classes = self._template() / "classes.jsa"
        shared = [f"-XX:SharedArchiveFile={classes}"] if classes.is_file() else []
        quick = [] if self.options.sustained else [QUICK]
        return self._broker_command(settings, [*shared, *quick, f"-Xmx{self.options.heap_mib}m"])

    def _answers(self) -> bool:
        try:
            ready = listens(self.port) and kafka_wire.gives_producer_ids(self.port)
        except (OSError, EOFError):  # it ends, or takes its time; its log will tell
            return False
        return ready and kafka_client.answers(self.client())

    def _after_first_start(self) -> None:
        pass  # all is in the template

    def _ask_version(self) -> str:
        """No request of the protocol asks for it; the archive tells."""
        archive = next(jar for jar in self._jars if jar.name.startswith("kafka-clients-"))
        with zipfile.ZipFile(archive) as opened:
            text = opened.read("kafka/kafka-version.properties").decode()
        return text.partition("version=")[2].splitlines()[0]

    # --- settings -------------------------------------------------------------------------

    @property
    def _identity(self) -> Path:
        """The key and the certificate in one file, as Kafka wants them."""
        return self.folder / "tls" / "identity.pem"

    def _advertised(self, listener: str) -> int:
        if listener == Listener.PROXIED and self.proxy is not None:
            return self.proxy.port
        return self._ports[listener]

    def _places(self, data: Path, listeners: Sequence[str]) -> Settings:
        names = [*listeners, CONTROLLER]
        return {
            "log.dirs": str(data),
            "controller.quorum.voters": f"1@{HOST}:{self._ports[CONTROLLER]}",
            "listeners": ",".join(f"{name}://{HOST}:{self._ports[name]}" for name in names),
            "advertised.listeners": ",".join(f"{name}://{HOST}:{self._advertised(name)}" for name in listeners),
            "listener.security.protocol.map": ",".join(f"{name}:{PROTOCOLS[name]}" for name in names),
        }

    def _tls_settings(self) -> Settings:
        if self.tls is None:
            return {}
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._identity),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.tls.ca),
            f"listener.name.{Listener.MTLS.lower()}.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/,DEFAULT",
        }

    def _sasl_settings(self) -> Settings:
        settings: dict[str, str | int] = {"sasl.enabled.mechanisms": ",".join(self.mechanisms)}
        for listener in WITH_SASL.intersection(self.listeners):
            for mechanism in self.mechanisms:
                key = f"listener.name.{listener.lower()}.{mechanism.lower()}.sasl.jaas.config"
                settings[key] = _login_module(mechanism)
        return settings

    def _broker_command(self, settings: Settings, jvm: Sequence[str]) -> Command:
        file = self.folder / "server.properties"
        _write_properties(file, settings)
        return Command(
            name=self.name,
            argv=[*self._java_command(), *jvm, "kafka.Kafka", file],
            folder=self.folder,
            log=self.log,
            environment={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.folder),
                "LC_ALL": "C",
                "TZ": "UTC",
            },
            tied=not self.options.detach,
        )

    def _java_command(self) -> list[str | Path]:
        classes = ":".join(map(str, self._jars))
        # Libraries that Java unpacks go with the folder.
        return [self._java.program, *JVM, f"-Djava.io.tmpdir={self.folder / 'tmp'}", "-cp", classes]

    # --- the template ---------------------------------------------------------------------

    def _template(self) -> Path:
        """`data`, a folder that a broker has used, and `classes.jsa`, the classes that it loaded."""
        features = sorted(self.options.features.items())
        key = cache.fingerprint(TEMPLATE, self._java, self._jars, JVM, COMMON_SETTINGS, features)
        return cache.entry(cache.cache_root() / "templates" / f"{self.name}-{key}", self._make_template)

    def _make_template(self, place: Path) -> None:
        settings = {**COMMON_SETTINGS, **self._places(place / "data", [Listener.PLAINTEXT])}
        self._format(settings)
        # It tells of each class that it leaves out.
        archive = [f"-XX:ArchiveClassesAtExit={place / 'classes.jsa'}", "-Xlog:cds=error,cds+dynamic=error"]
        child = self._child_of(self._broker_command(settings, [QUICK, *archive]))
        # The first asking makes the topics of the coordinators.
        child.wait_until(self._answers, START_TIMEOUT_S)
        child.end(signal.SIGTERM, STOP_TIMEOUT_S)

    def _format(self, settings: Settings) -> None:
        file = self.folder / "format.properties"
        _write_properties(file, settings)
        words = ["format", "--config", str(file), "--cluster-id", _new_id()]
        for name, level in self.options.features.items():
            words += ["--feature", f"{name}={level}"]
        for mechanism in MECHANISMS[1:]:
            for user, password in ((ADMIN, ADMIN_PASSWORD), (USER, PASSWORD)):
                words += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
        run([*self._java_command(), QUICK, "kafka.tools.StorageTool", *words])


def _complete(options: Options) -> KafkaOptions:
    """The options with the listeners that `tls` and `auth` ask for, and `tls` where a listener does."""
    if not isinstance(options, KafkaOptions):
        options = KafkaOptions(**{given.name: getattr(options, given.name) for given in fields(options)})
    if options.auth is not None and options.auth not in MECHANISMS:
        raise ServerUnavailable(f"the harness knows {MECHANISMS} for Kafka, not {options.auth}")
    listeners = set(options.listeners)
    if options.tls:
        listeners.add(Listener.SSL)
    if options.auth is not None:
        listeners.add(Listener.SASL_SSL if options.tls else Listener.SASL_PLAINTEXT)
    return replace(options, listeners=frozenset(listeners), tls=bool(WITH_TLS & listeners))


def _login_module(mechanism: str) -> str:
    package = "org.apache.kafka.common.security"
    if mechanism == "PLAIN":
        users = {ADMIN: ADMIN_PASSWORD, USER: PASSWORD}
        words = " ".join(f'user_{name}="{password}"' for name, password in users.items())
        return f"{package}.plain.PlainLoginModule required {words};"
    return f"{package}.scram.ScramLoginModule required;"


def _write_properties(file: Path, settings: Settings) -> None:
    escaped = {key: str(value).replace("\\", "\\\\") for key, value in settings.items()}
    file.write_text("".join(f"{key}={value}\n" for key, value in escaped.items()))


def _give_own_id(file: Path) -> None:
    """Make a copied data folder that of another cluster. Nothing else in it names the cluster."""
    file.write_text(re.sub(r"(?m)^cluster\.id=.*$", f"cluster.id={_new_id()}", file.read_text()))


def _new_id() -> str:
    """As Kafka writes a random id; without a dash first, which would look like an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _word(text: str) -> str:
    return urllib.parse.quote(text, safe="")
