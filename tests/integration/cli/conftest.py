"""One service for all tests of the shell: each takes jobs of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.service import PASSWORD, USER, Service
from tests.integration.cli.shell import Shell


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """A shell of somebody who has not logged in."""
    return Shell(tmp_path)


@pytest.fixture
def shell(stranger: Shell, service: Service) -> Shell:
    """One of somebody who has."""
    stranger.done("login", service.url, "--user", USER, OPENDRS_PASSWORD=PASSWORD)
    return stranger
