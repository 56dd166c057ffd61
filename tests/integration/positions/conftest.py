"""Servers of these tests' own: their logs have files by the hundred, and lose some."""

from __future__ import annotations

import pytest

from tests.harness.fixtures import StartServer
from tests.integration.positions.logs import Log, own


@pytest.fixture(params=["mariadb", "mariadb11", "mysql"])
def log(request: pytest.FixtureRequest, start_server: StartServer) -> Log:
    return own(start_server, request.param)


@pytest.fixture(params=["mariadb", "mysql"])
def one_of_each(request: pytest.FixtureRequest, start_server: StartServer) -> Log:
    """Where both versions of MariaDB are as good as one."""
    return own(start_server, request.param)
