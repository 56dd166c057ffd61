"""State stores for tests: each test that takes `url` or `store` runs on SQLite and on PostgreSQL.

A conftest takes them in by importing them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job, Policy, Task, job_id
from opendrs.model.selection import Selection
from opendrs.store import jobs
from opendrs.store.database import Store, open_store

SOURCE_PASSWORD = "S0urce-Pass/word"
TARGET_PASSWORD = "T4rget-Pass word"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty state store's."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    server = request.getfixturevalue("postgres")
    return str(server.url(request.getfixturevalue("database")(server)))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def job(store: Store) -> Job:
    """A job that is in the store."""
    job = a_job()
    with store.write() as connection:
        jobs.create(connection, job)
    return job


def a_job(name: str = "", *, task: Task = "full+incremental", policy: Policy | None = None) -> Job:
    source = Endpoint.parse("mysql://anna:S0urce-Pass%2Fword@source.example/shop")
    target = Endpoint.parse("postgresql://ben:T4rget-Pass%20word@target.example/shop?tls=disable")
    assert (source.password.reveal(), target.password.reveal()) == (SOURCE_PASSWORD, TARGET_PASSWORD)
    selection = Selection(patterns=("shop.*",), schemas={"shop": "store"})
    identity = job_id(source, target, selection, name)
    return Job(id=identity, source=source, target=target, task=task, selection=selection, policy=policy or Policy())
