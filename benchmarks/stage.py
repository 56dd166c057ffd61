"""What every measurement stands on: two servers with the workloads in place, and the built references."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import changes, references, servers, workloads
from benchmarks.changes import ChangeLog
from benchmarks.references import Binaries
from tests.harness import Server
from tests.harness.cache import fingerprint
from tests.harness.server import USER

ROOT: Final = Path(__file__).parents[1]
PLACE: Final = ROOT / ".cache" / "bench"
LOGS: Final = "changes.json"  # written last: the source is complete


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a measurement takes place.

    rows    of each table of the full load
    runs    of each contender
    logs    the binary log's workloads by name
    states  folder of what the tables of `logs` hold before them
    scratch folder for whatever is needed for a while
    """

    source: Server
    target: Server
    binaries: Binaries
    scale: float
    rows: int
    runs: int
    logs: dict[str, ChangeLog]
    states: Path
    scratch: Path

    @property
    def pair(self) -> tuple[Server, Server]:
        return self.source, self.target

    @property
    def login(self) -> servers.Login:
        return servers.Login(self.source, self.target)

    def in_target(self, sql: str, params: Any = None) -> list[Any]:
        return self.target.execute(sql, params, database=servers.TARGET_DATABASE)

    def log_of(self, name: str) -> Path:
        """File for what a measured program prints."""
        return self.scratch / f"{name}.log"


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def open_stage(*, scale: float, runs: int, fresh: bool = False) -> Iterator[Stage]:
    """Starts the servers and fills the source, which is kept for later runs of the same scale (`fresh`: is not)."""
    PLACE.mkdir(parents=True, exist_ok=True)
    binaries = references.build(PLACE)
    rows = max(int(workloads.ROWS * scale), 1000)
    facts = (workloads.VERSION, changes.VERSION, servers.SOURCE, servers.source_settings(), float(scale))
    place = PLACE / f"source-{fingerprint(facts)}"
    if fresh or not (place / LOGS).is_file():
        shutil.rmtree(place, ignore_errors=True)
    scratch = PLACE / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for folder in (place, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    with servers.source(place / "data") as source, servers.target() as target:
        if not (place / LOGS).is_file():
            _fill(source, scale, rows, place)
        target.create_database(servers.TARGET_DATABASE)
        target.execute(f"ALTER DATABASE {servers.TARGET_DATABASE} OWNER TO {USER}")
        _warm(source)
        yield Stage(
            source=source, target=target, binaries=binaries, scale=scale, rows=rows, runs=runs,
            logs=changes.load(place / LOGS), states=place, scratch=scratch,
        )  # fmt: skip


def _fill(source: Server, scale: float, rows: int, place: Path) -> None:
    began = time.monotonic()
    say(f"filling the source with {rows:,} rows of W1 and W2, and its log with both workloads ...")
    workloads.fill_source(source, rows, place)
    logs = changes.make(source, scale, place)
    changes.save(logs, place / LOGS)
    for log in logs:
        say(f"  {log.name}: {log.changes:,} row changes, {log.transactions:,} transactions, {log.bytes / 1e6:.0f} MB")
    say(f"  done in {time.monotonic() - began:.0f} s; kept in {place}")


def _warm(source: Server) -> None:
    """Reads the tables once, so that the first run finds them in memory as the others do."""
    for workload in workloads.WORKLOADS:
        table, last = f"{workloads.SOURCE_DATABASE}.{workload.name}", workload.names[-1]
        source.execute(f"SELECT MAX({last}) FROM {table} FORCE INDEX (PRIMARY)")
