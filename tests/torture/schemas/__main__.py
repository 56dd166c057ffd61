"""`python -m tests.torture.schemas --source mysql --target postgres18 --seeds 0 50`: worlds one after the other."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import cast

from tests.harness import create
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.torture.schemas import names
from tests.torture.schemas.trial import Trial, play


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.schemas", description=__doc__)
    parser.add_argument("--source", default="mariadb")
    parser.add_argument("--target", default="postgres15")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    given = parser.parse_args()
    failed = 0
    with create(given.source) as source, create(given.target) as target:
        for seed in range(*given.seeds):
            try:
                trial = on(cast("FamilyServer", source), cast("Postgres", target), seed)
                counts = f"{dict(trial.world.accepted)}, refused {dict(trial.world.refused)}"
                print(f"seed {seed}: {trial.world.lossy}, {trial.outcome[:200]} {counts}", flush=True)
            except Exception as error:  # noqa: BLE001  the other worlds are played all the same
                failed += 1
                print(f"seed {seed}: FAILED\n{error}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
    print(f"{given}: {failed} failed")
    sys.exit(1 if failed else 0)


def on(source: FamilyServer, target: Postgres, seed: int) -> Trial:
    """A world in databases of its own, which are thrown away when both sides were equal."""
    name = names.DATABASES[seed % len(names.DATABASES)] if seed % 2 else f"world{seed}"
    there = f"there{seed}"
    source.drop_database(name)
    source.create_database(name)
    target.drop_database(there)
    target.create_database(there)
    folder = Path(tempfile.mkdtemp(prefix=f"schemas-{seed}-"))
    try:
        return play(seed, source, target, name, there, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
