"""Services for tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.service import Service
from tests.integration.api.raw import Raw, listening
from tests.integration.api.world import World, open_world
from tests.integration.state_fixtures import url

__all__ = ["url"]


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


@pytest.fixture
def world_on_both(tmp_path: Path, url: str) -> Iterator[World]:
    """The same, on each kind of state store."""
    with open_world(tmp_path, url="" if url.startswith("sqlite") else url) as world:
        yield world


@pytest.fixture
def raw(world_on_both: World) -> Iterator[Raw]:
    """A client that sends anything; at its end, no secret may have been seen, and nothing may have failed inside."""
    with listening() as log:
        raw = Raw(world_on_both.url, log)
        yield raw
        raw.end(SECRETS)


# Of the jobs that tests of bad input make.
SECRETS = ("s0urce-pass-of-a-job", "t4rget-pass-of-a-job", "cert-pass-of-a-job")
