"""Sources, and jobs of theirs into the broker that all share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opendrs.model.publishing import ONE_TOPIC, Publishing
from opendrs.pipeline import flow
from tests.harness.fixtures import NewDatabase
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.tale import Tale

NewTale = Callable[..., Tale]
# Who reads one partition reads everything in the order of the source.
IN_ORDER: dict[str, Any] = {"format": "json_c", "topic_policy": ONE_TOPIC, "partition_policy": 1}


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of the log that is to rest waits for its server that long."""
    monkeypatch.setattr(flow, "POLL_S", 0.02)


@pytest.fixture(params=["mariadb", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


@pytest.fixture
def tell(database: NewDatabase, tmp_path: Path) -> Iterator[NewTale]:
    """`tell(source, broker, **publishing)`: a new job of a new, empty database; its topics go after the test."""
    made: list[Tale] = []

    def new(source: FamilyServer, broker: Kafka, *, of: dict[str, Any] | None = None, **publishing: Any) -> Tale:
        name = database(source)
        folder = tmp_path / name
        folder.mkdir()
        in_order = {**IN_ORDER, "topic": name, "ddl_topic": name}
        how = Publishing(**{**(in_order if "topic_policy" not in publishing else {}), **publishing})
        made.append(Tale(source=source, broker=broker, name=name, folder=folder, publishing=how, **(of or {})))
        return made[-1]

    yield new
    for tale in made:
        if tale.broker.running:  # the test may have ended it
            there = tale.broker.topics()
            for topic in {*tale.topics(), tale.checkpoint_topic}.intersection(there):
                tale.broker.delete_topic(topic)
