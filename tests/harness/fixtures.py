"""A pytest plugin: servers as fixtures, and a word at the end about what was not exercised.

A root conftest takes it in with `pytest_plugins = ["tests.harness.fixtures"]`.

A server that this machine cannot have makes its tests skip, with the reason; the names in
`$OPENDRS_TEST_REQUIRE` (comma-separated) must be there, and their absence is a failure.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import pytest

from tests.harness import mariadb as mariadb_server
from tests.harness import mysql as mysql_server
from tests.harness.catalogue import create, create_broker
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import Daemon, Options, Server, ServerUnavailable

PREFIX = "not exercised: "
NAME_CHARACTERS_MAX = 40  # MySQL takes 64 and PostgreSQL 63 bytes; room for suffixes of tests

# (what, why): filled by `not_exercised`, and by whoever knows of something no test here can reach.
NOT_EXERCISED: list[tuple[str, str]] = [
    ("MySQL 5.7 and 8.x", "no package here: their logs are byte fixtures made from the documented format"),
    (
        "MariaDB 10.4 to 10.6, 11.4, 12.x",
        "no package here: their logs are byte fixtures made from the documented format",
    ),
    ("PostgreSQL 14 and 17", "no package here; 15, 16 and 18 are run"),
    ("Kafka, a cluster of several brokers", "one broker that is its own controller is run, of 4.3 and of 3.9"),
    ("Kafka, GSSAPI and OAUTHBEARER", "no Kerberos and no authorization server here"),
    ("power failure", "processes are killed; the machine is not"),
    ("MariaDB 11, all that its log has no part in", "`make torture` plays it; 10.11 and MySQL are run"),
    ("long seeded faults", "`make torture` plays them for as long as wanted"),
]

DaemonKind = TypeVar("DaemonKind", bound=Daemon)
StartServer = Callable[..., Server]
StartKafka = Callable[..., Kafka]
NewDatabase = Callable[[Server], str]
NewTopic = Callable[..., str]

_numbers = itertools.count(1)


def not_exercised(what: str, why: str) -> NoReturn:
    """Skip the running test, and have the end of the run tell of it."""
    if what in os.environ.get("OPENDRS_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{what} is required here, and cannot be had: {why}", pytrace=False)
    pytest.skip(f"{PREFIX}{what}: {' '.join(why.split())}")


def _started(name: str, make: Callable[[], DaemonKind]) -> DaemonKind:
    try:
        return make().__enter__()
    except ServerUnavailable as error:
        not_exercised(name, str(error))


def _shared(name: str, make: Callable[[], DaemonKind]) -> Iterator[DaemonKind]:
    server = _started(name, make)
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[FamilyServer]:
    """MariaDB 10.11, shared by the run: leave it as you found it."""
    yield from _shared("mariadb", mariadb_server.mariadb_10)


@pytest.fixture(scope="session")
def mariadb_11() -> Iterator[FamilyServer]:
    """MariaDB 11.8 or newer, shared by the run."""
    yield from _shared("mariadb11", mariadb_server.mariadb_11)


@pytest.fixture(scope="session")
def mysql() -> Iterator[FamilyServer]:
    """MySQL 8 or 9, shared by the run."""
    yield from _shared("mysql", mysql_server.mysql)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL 15, shared by the run."""
    yield from _shared("postgres15", lambda: Postgres(15))


@pytest.fixture(scope="session")
def postgres_16() -> Iterator[Postgres]:
    """PostgreSQL 16, shared by the run."""
    yield from _shared("postgres16", lambda: Postgres(16))


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[Postgres]:
    """PostgreSQL 18, shared by the run."""
    yield from _shared("postgres18", lambda: Postgres(18))


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """Kafka 4.3, shared by the run: PLAINTEXT, and a topic is only there when it was made."""
    yield from _shared("kafka", create_broker)


@pytest.fixture(scope="session")
def kafka_39() -> Iterator[Kafka]:
    """Kafka 3.9, shared by the run."""
    yield from _shared("kafka39", lambda: create_broker("kafka39"))


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """`start_server(name, options=None)`: a server of the test's own, to be broken at will."""
    servers: list[Server] = []

    def start(name: str, options: Options | None = None) -> Server:
        servers.append(_started(name, lambda: create(name, options)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def start_kafka() -> Iterator[StartKafka]:
    """`start_kafka(options=None, name="kafka")`: a broker of the test's own, to be broken at will."""
    brokers: list[Kafka] = []

    def start(options: Options | None = None, name: str = "kafka") -> Kafka:
        brokers.append(_started(name, lambda: create_broker(name, options)))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """`database(server)`: the name of a new, empty database there, dropped after the test."""
    made: list[tuple[Server, str]] = []

    def new(server: Server) -> str:
        name = _new_name(request)
        server.create_database(name)
        made.append((server, name))
        return name

    yield new
    for server, name in made:
        if server.running:  # the test may have ended it
            server.drop_database(name)


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> Iterator[NewTopic]:
    """`topic(broker, partitions=1, **config)`: the name of a new topic there, deleted after the test."""
    made: list[tuple[Kafka, str]] = []

    def new(broker: Kafka, partitions: int = 1, **config: str | int) -> str:
        name = _new_name(request)
        broker.create_topic(name, partitions, **config)
        made.append((broker, name))
        return name

    yield new
    for broker, name in made:
        if broker.running and name in broker.topics():  # the test may have ended either
            broker.delete_topic(name)


def _new_name(request: pytest.FixtureRequest) -> str:
    """Unique on this machine, and begun with the test's name."""
    words = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower()).removeprefix("test_")
    return f"t{os.getpid()}_{next(_numbers)}_{words}"[:NAME_CHARACTERS_MAX].rstrip("_")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was not exercised and why; of the tests, how many."""
    counts: dict[tuple[str, str], int] = dict.fromkeys(NOT_EXERCISED, 0)
    for report in terminalreporter.stats.get("skipped", ()):
        # (file, line, "Skipped: reason"); a report travels between processes, our list does not.
        message = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        found = re.match(rf"(?:Skipped: )?{PREFIX}([^:]+): (.*)", message, re.DOTALL)
        known = (found[1], found[2]) if found else ("what a server does not have", message.removeprefix("Skipped: "))
        counts[known] = counts.get(known, 0) + 1
    if counts:
        terminalreporter.section("not exercised and why")
        for (what, why), count in sorted(counts.items()):
            tests = f" ({count} tests)" if count else ""
            terminalreporter.write_line(f"{what}{tests}: {why}")
