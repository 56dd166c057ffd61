"""Worlds by their seeds, one after the other: what `make torture` plays, and

python -m tests.torture.schemas.seeds --source mysql --target postgres18 --seeds 0 50
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from tests.harness import create
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.torture.schemas import names
from tests.torture.schemas.trial import Trial, play


def play_some(source: str, target: str, seeds: Iterable[int], *, quiet: bool = True) -> str:
    """What came of them, in a line. Raises AssertionError with every world that failed."""
    outcomes: Counter[str] = Counter()
    failures = []
    with create(source) as here, create(target) as there:
        for seed in seeds:
            try:
                trial = on(cast("FamilyServer", here), cast("Postgres", there), seed)
            except AssertionError as error:
                failures.append(str(error))
                print(f"FAILED {error}", flush=True)
                continue
            outcomes[trial.outcome.partition(":")[0]] += 1
            if not quiet:
                counts = f"{dict(trial.world.accepted)}, refused {dict(trial.world.refused)}"
                print(f"seed {seed}: {trial.world.lossy}, {trial.outcome[:200]} {counts}", flush=True)
    line = f"{source} to {target}: {dict(outcomes)}"
    if failures:
        raise AssertionError("\n".join([f"{line}, {len(failures)} failed", *failures]))
    return line


def on(source: FamilyServer, target: Postgres, seed: int) -> Trial:
    """A world in databases of its own."""
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
        target.drop_database(there)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.schemas.seeds", description=__doc__)
    parser.add_argument("--source", default="mariadb")
    parser.add_argument("--target", default="postgres15")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    given = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)
    try:
        print(play_some(given.source, given.target, range(*given.seeds), quiet=False))
    except AssertionError as error:
        print(str(error).partition("\n")[0])
        sys.exit(1)


if __name__ == "__main__":
    main()
