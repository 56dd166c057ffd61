"""`make torture`: tests that are too large for `make test`, and then faults by chance until the time is over, in
simulation and on real servers.

SEED    first seed; every world has its own, and is played again by naming it
MINUTES how long to go on beginning new worlds
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.harness import create, create_broker
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.torture.live import workload
from tests.torture.live.publishing import broker_options, publishing
from tests.torture.live.world import DEEDS, world
from tests.torture.schemas import seeds as random_schemas
from tests.torture.sim.test_history import play as play_history
from tests.torture.sim.test_simulation import play

# Sources, targets, modes by turns: 12 worlds until the same three meet again.
PAIRS = tuple(
    itertools.product(("mariadb", "mysql", "mariadb11"), ("transactional", "merged"), ("postgres18", "postgres15"))
)
BROKERS = ("kafka", "kafka39")
SIMULATED = 500  # histories before each world
SCHEMAS = 10  # random schemas behind each world
SECONDS = 45.0
KEPT = Path(".cache/torture")


def simulate(first: int) -> None:
    for seed in range(first, first + SIMULATED):
        play(seed)
        play_history(seed)


def schemas(first: int) -> str:
    source, _, target = PAIRS[first // SCHEMAS % len(PAIRS)]
    return random_schemas.play_some(source, target, range(first, first + SCHEMAS))


def live(seed: int) -> str:
    """One world; what it was, in a line."""
    source, mode, target = PAIRS[seed % len(PAIRS)]
    workload.DONE.clear()
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{seed}-"))
    with create(source) as here, create(target) as there:
        try:
            with world(here, there, folder, seed=seed, options=("--apply", mode), ddl_s=1.0) as made:
                made.play(SECONDS, DEEDS)
                made.settle()
                _, epoch = made.job.lease()
        except BaseException:
            KEPT.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, KEPT / f"seed-{seed}", dirs_exist_ok=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return f"{source} to {target}, {mode}: {made.writers.transactions:,} transactions, {epoch} workers, equal"


def into_kafka(seed: int) -> str:
    """The same people and the same deeds, with a broker as the target."""
    source, broker = PAIRS[seed % len(PAIRS)][0], BROKERS[seed % len(BROKERS)]
    workload.DONE.clear()
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{seed}-"))
    # Small transactions of Kafka, so that large ones of the source come in several.
    words = "&transaction_bytes=200000" if seed % 3 == 0 else ""
    with create(source) as here, create_broker(broker, broker_options()) as there:
        assert isinstance(here, FamilyServer) and isinstance(there, Kafka)
        try:
            with publishing(here, there, folder, seed=seed, words=words, ddl_s=1.0) as made:
                made.play(SECONDS, DEEDS)
                made.settle()
                _, epoch = made.job.lease()
        except BaseException:
            KEPT.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, KEPT / f"seed-{seed}-kafka", dirs_exist_ok=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return f"{source} to {broker}: {made.writers.transactions:,} transactions, {epoch} workers, every change told once"


def large() -> str:
    """Tests that are too large for `make test`."""
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "large", "tests/integration"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{done.stdout}{done.stderr}")
    return next(line for line in done.stdout.splitlines() if " passed" in line)


def main() -> None:
    warnings.simplefilter("ignore", ResourceWarning)  # a driver whose server was killed
    seed, until = int(os.environ.get("SEED", "0")), time.monotonic() + 60 * float(os.environ.get("MINUTES", "10"))
    worlds = failed = 0
    try:
        print(f"large tests: {large()}", flush=True)
    except AssertionError as error:
        failed += 1
        print(f"large tests: FAILED\n{error}", flush=True)
    while worlds == 0 or time.monotonic() < until:
        try:
            simulate(seed * SIMULATED)
            print(f"seed {seed}: {SIMULATED} simulated histories; {live(seed)}", flush=True)
            print(f"seed {seed}: {into_kafka(seed)}", flush=True)
            print(f"seed {seed}: {SCHEMAS} random schemas: {schemas(seed * SCHEMAS)}", flush=True)
        except Exception as error:  # noqa: BLE001  the other worlds are played all the same
            failed += 1
            print(f"seed {seed}: FAILED, SEED={seed} plays it again, {KEPT} has its logs\n{error}", flush=True)
        seed, worlds = seed + 1, worlds + 1
    print(f"{worlds} worlds, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
