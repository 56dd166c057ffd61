"""Services for tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.service import Service
from tests.integration.api.world import World, open_world


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A real one, in processes of its own."""
    with Service(tmp_path) as service:
        yield service


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One in this process, whose workers the test plays."""
    with open_world(tmp_path) as world:
        yield world
