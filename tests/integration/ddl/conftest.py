"""The servers of these tests, by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.ddl.sources import Source
from tests.integration.ddl.targets import Target

FIXTURES = {"mariadb": "mariadb", "mariadb11": "mariadb_11", "mysql": "mysql"}


@pytest.fixture(params=sorted(FIXTURES))
def source_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(source_name: str, request: pytest.FixtureRequest, database: NewDatabase) -> Iterator[Source]:
    """An empty database on each of the source servers in turn."""
    server: FamilyServer = request.getfixturevalue(FIXTURES[source_name])
    made = Source(server, database(server))
    yield made
    made.connection.close()


@pytest.fixture(params=["postgres", "postgres_18"])
def target(request: pytest.FixtureRequest, database: NewDatabase) -> Iterator[Target]:
    """An empty database on each of the target servers in turn."""
    server: Postgres = request.getfixturevalue(request.param)
    made = Target(server, database(server))
    yield made
    made.connection.close()
