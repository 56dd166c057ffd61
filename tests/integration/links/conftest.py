"""Pairs of servers."""

from __future__ import annotations

import pytest

from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres

# Whatever the log may hold is met on each of them; the rest on the third by `make torture` only.
EVERY = ["mariadb", "mariadb_11", "mysql"]


@pytest.fixture(params=["mariadb", pytest.param("mariadb_11", marks=pytest.mark.large), "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


@pytest.fixture
def target(request: pytest.FixtureRequest, source: FamilyServer) -> Postgres:
    """Another one for each source, so that each version has its turn."""
    names = {"mariadb-10": "postgres", "mariadb-11": "postgres_16"}
    server = request.getfixturevalue(names.get(source.name, "postgres_18"))
    assert isinstance(server, Postgres)
    return server
