"""A handful of worlds in every run; `python -m tests.torture.schemas.seeds` and `make torture` play others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.torture.schemas.trial import play

WORLDS = {
    "mariadb": ("postgres", (2, 6, 16)),
    "mariadb_11": ("postgres_16", (8, 10, 17)),
    "mysql": ("postgres_18", (0, 21, 28)),
}


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name, (_, seeds) in WORLDS.items() for seed in seeds])
def test_world(request: pytest.FixtureRequest, database: NewDatabase, tmp_path: Path, name: str, seed: int) -> None:
    source: FamilyServer = request.getfixturevalue(name)
    target: Postgres = request.getfixturevalue(WORLDS[name][0])
    trial = play(seed, source, target, database(source), database(target), tmp_path)
    assert trial.outcome == "equal" or trial.outcome.startswith("announced")
