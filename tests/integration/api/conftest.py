"""Services for tests of the API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opendrs.store import identity
from tests.harness.postgres import Postgres
from tests.harness.service import Service
from tests.integration.api.jobs import chosen, creation, kafka
from tests.integration.api.raw import Raw, listening
from tests.integration.api.ruling import Ruled
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


@pytest.fixture(scope="module")
def ruled_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One whose errands are done as they come."""
    with open_world(tmp_path_factory.mktemp("rules"), patience_s=60) as world, world.runners():
        yield world


@pytest.fixture
def ruled_job(ruled_world: World, request: pytest.FixtureRequest) -> Ruled:
    """A job to PostgreSQL that has chosen the database shop."""
    return _made(ruled_world, request, creation)


def _made(world: World, request: pytest.FixtureRequest, how: Callable[[str], Any]) -> Ruled:
    sdk = world.sdk()
    name = f"j-{abs(hash(request.node.nodeid))}"[:40]
    found = Ruled(sdk, str(sdk.call("create_job", body=how(name)).id))
    world.step()
    found.choose(chosen("shop"))
    return found


@pytest.fixture
def ruled_publisher(ruled_world: World, request: pytest.FixtureRequest) -> Ruled:
    """The same to Kafka."""
    return _made(ruled_world, request, lambda name: creation(name, target=kafka(), engine_type="mysql-to-kafka"))


@pytest.fixture(autouse=True, scope="session")
def cheap() -> Iterator[None]:
    """Passwords that cost little: what they cost is in the hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_COST", (4, 8, 1))
        yield


# Of the jobs that tests of bad input make.
SECRETS = ("s0urce-pass-of-a-job", "t4rget-pass-of-a-job", "cert-pass-of-a-job")
