"""A job into Kafka on real servers while everything is killed; an independent judge reads what consumers can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.pipeline import faultpoints
from tests.harness.fixtures import StartKafka, StartServer
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.torture.live.publishing import broker_options, publishing
from tests.torture.live.world import DEEDS

# A driver whose server was killed leaves its socket to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

LOAD = (
    faultpoints.OPENED, faultpoints.BEGUN, f"{faultpoints.CHUNK_WRITTEN}:2", f"{faultpoints.CHUNK_COMMITTED}:2",
    f"{faultpoints.TABLE_FINISHED}:2", faultpoints.LOADED, faultpoints.CONSTRAINED,
)  # fmt: skip
LOG = (
    f"{faultpoints.WINDOW_TAKEN}:3", f"{faultpoints.WINDOW_WRITTEN}:5", f"{faultpoints.FLUSHED}:4",
    f"{faultpoints.SAVED}:3", f"{faultpoints.ACKNOWLEDGED}:6", f"{faultpoints.ALTERED}:1",
)  # fmt: skip
SECONDS = 8.0


def test_killed_at_every_named_place(start_server: StartServer, start_kafka: StartKafka, tmp_path: Path) -> None:
    here, there = start_server("mariadb"), start_kafka(broker_options())
    assert isinstance(here, FamilyServer) and isinstance(there, Kafka)
    with publishing(here, there, tmp_path, seed=1, pause_s=0.1, faults=",".join((*LOAD, *LOG))) as made:
        made.wait_for("event=worker.started", 1 + len(LOAD) + len(LOG))
        made.settle()


def test_disturbed_by_chance(start_server: StartServer, start_kafka: StartKafka, tmp_path: Path) -> None:
    """The broker is killed within transactions as well, and a worker that was frozen comes back as a zombie."""
    here, there = start_server("mysql"), start_kafka(broker_options())
    assert isinstance(here, FamilyServer) and isinstance(there, Kafka)
    with publishing(here, there, tmp_path, seed=2) as made:
        made.play(SECONDS, DEEDS)
        made.settle()
