"""The main job on real servers while it is killed at its named places, and by chance."""

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


@pytest.mark.parametrize(
    ("source", "target", "mode"),
    [("mariadb", "postgres18", "transactional")],
)
def test_killed_at_every_named_place(
    start_server: StartServer, tmp_path: Path, source: str, target: str, mode: str
) -> None:
    here, there = start_server(source), start_server(target)
    options = ("--apply", mode)
    with world(here, there, tmp_path, seed=1, options=options, faults=",".join((*LOAD, *LOG))) as made:
        made.wait_for("event=worker.started", 1 + len(LOAD) + len(LOG))
        made.settle()


@pytest.mark.parametrize(
    ("source", "target", "mode", "seed"),
    [("mysql", "postgres18", "transactional", 2), ("mariadb", "postgres16", "merged", 3)],
)
def test_disturbed_by_chance(
    start_server: StartServer, tmp_path: Path, source: str, target: str, mode: str, seed: int
) -> None:
    here, there = start_server(source), start_server(target)
    with world(here, there, tmp_path, seed=seed, options=("--apply", mode)) as made:
        made.play(40, DEEDS)
        made.settle()
