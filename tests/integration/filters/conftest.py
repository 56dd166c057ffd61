"""The sources: every test that takes `source` runs on each of them."""

from __future__ import annotations

import pytest

from tests.harness.mysql_family import FamilyServer


@pytest.fixture(params=["mariadb", "mariadb_11", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    """A server of the run, shared: leave it as you found it."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server
