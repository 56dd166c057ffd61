"""Sessions of the compiled client at each PostgreSQL that can be had."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opendrs._core import PgConnection
from tests.harness.ports import HOST
from tests.harness.postgres import Postgres
from tests.harness.server import PASSWORD, USER

Connect = Callable[..., PgConnection]


@pytest.fixture(scope="session", params=["postgres", "postgres_16", "postgres_18"])
def server(request: pytest.FixtureRequest) -> Postgres:
    """Every test of this folder runs at every version."""
    found: Postgres = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def shared_database(server: Postgres) -> Iterator[str]:
    name = f"wire_{os.getpid()}"
    server.create_database(name)
    yield name
    if server.running:
        server.drop_database(name)


@pytest.fixture
def name(server: Postgres, shared_database: str) -> str:
    """A database with an empty schema `app`, owned by the user that the client logs in as."""
    text = f"DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app AUTHORIZATION {USER}"
    server.execute(text, database=shared_database)
    return shared_database


def options(server: Postgres, database: str = "postgres", **given: Any) -> str:
    """How the client reaches a server, as JSON."""
    return json.dumps(
        {
            "host": HOST,
            "port": server.port,
            "user": USER,
            "password": PASSWORD,
            "database": database,
            "application_name": "opendrs/test",
            **given,
        }
    )


@pytest.fixture
def connect(server: Postgres, name: str) -> Iterator[Connect]:
    """`connect(**options)`: a session at the test's database, closed after the test."""
    made: list[PgConnection] = []

    def new(**given: Any) -> PgConnection:
        made.append(PgConnection(options(server, given.pop("database", name), **given)))
        return made[-1]

    yield new
    for connection in made:
        connection.close()


@pytest.fixture
def connection(connect: Connect) -> PgConnection:
    return connect()
