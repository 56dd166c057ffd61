"""Services for tests of the API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from opendrs.store import identity
from tests.harness.postgres import Postgres
from tests.harness.service import Service
from tests.integration.api.raw import Raw, listening
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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests of a file, on each kind of state store: names of jobs are to be used once."""
    folder, url = tmp_path_factory.mktemp("world"), ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        name = f"t{os.getpid()}_{request.module.__name__.rpartition('.')[2]}"
        server.create_database(name)
        url = server.url(name)
    with open_world(folder, url=url) as world:
        yield world
    if url:
        server.drop_database(name)


@pytest.fixture(scope="module")
def raw(shared_world: World) -> Iterator[Raw]:
    """A client that sends anything; at its end, no secret may have been seen, and nothing may have failed inside."""
    with listening() as log:
        raw = Raw(shared_world.url, log)
        yield raw
        raw.end(SECRETS)


@pytest.fixture(autouse=True, scope="session")
def cheap() -> Iterator[None]:
    """Passwords that cost little: what they cost is in the hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_COST", (4, 8, 1))
        yield


# Of the jobs that tests of bad input make.
SECRETS = ("s0urce-pass-of-a-job", "t4rget-pass-of-a-job", "cert-pass-of-a-job")
