"""The main job on real servers while it is killed at its named places, and for a short while by chance;
`make torture` plays other worlds, and longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.pipeline import faultpoints
from tests.harness.fixtures import StartServer
from tests.torture.live.world import DEEDS, world

# A driver whose server was killed leaves its socket to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

LOAD = (
    faultpoints.OPENED, faultpoints.BEGUN, f"{faultpoints.CHUNK_WRITTEN}:2", f"{faultpoints.CHUNK_COMMITTED}:3",
    f"{faultpoints.TABLE_FINISHED}:2", faultpoints.LOADED, faultpoints.CONSTRAINED,
)  # fmt: skip
LOG = (
    f"{faultpoints.WINDOW_TAKEN}:3", f"{faultpoints.WINDOW_WRITTEN}:5", f"{faultpoints.FLUSHED}:4",
    f"{faultpoints.SAVED}:3", f"{faultpoints.ACKNOWLEDGED}:6", f"{faultpoints.ALTERED}:1",
)  # fmt: skip


SECONDS = 8.0


def test_killed_at_every_named_place(start_server: StartServer, tmp_path: Path) -> None:
    here, there = start_server("mariadb"), start_server("postgres18")
    with world(here, there, tmp_path, seed=1, faults=",".join((*LOAD, *LOG)), scale=0.3) as made:
        made.wait_for("event=worker.started", 1 + len(LOAD) + len(LOG))
        made.settle()


def test_disturbed_by_chance(start_server: StartServer, tmp_path: Path) -> None:
    here, there = start_server("mysql"), start_server("postgres18")
    with world(here, there, tmp_path, seed=2, options=("--apply", "merged"), scale=0.3) as made:
        made.play(SECONDS, DEEDS)
        made.settle()
