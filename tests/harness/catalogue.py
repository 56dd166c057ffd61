"""The servers that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.harness import mariadb, mysql
from tests.harness.kafka import Kafka
from tests.harness.postgres import Postgres
from tests.harness.server import Options, Server

NAMES: Final[dict[str, Callable[[Options | None], Server]]] = {
    "mariadb": mariadb.mariadb_10,
    "mariadb11": mariadb.mariadb_11,
    "mysql": mysql.mysql,
    "postgres15": lambda options: Postgres(15, options),
    "postgres16": lambda options: Postgres(16, options),
    "postgres18": lambda options: Postgres(18, options),
}
BROKERS: Final[dict[str, Callable[[Options | None], Kafka]]] = {
    "kafka": lambda options: Kafka("4.3", options),
    "kafka39": lambda options: Kafka("3.9", options),
}


def create(name: str, options: Options | None = None) -> Server:
    """A database server, not yet started. Raises ServerUnavailable if this machine cannot have it."""
    return NAMES[name](options)


def create_broker(name: str = "kafka", options: Options | None = None) -> Kafka:
    """A broker, not yet started. Raises ServerUnavailable if this machine cannot have it."""
    return BROKERS[name](options)
