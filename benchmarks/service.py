"""The API with many jobs in its store: requests a second and the 99th percentile of their time, beside a bare FastAPI
hello on the same machine in the same run.

10,000 jobs with 20 tables each are written into an SQLite store, `opendrs serve` is started on it, and wrk (Debian's)
asks over 16 connections for one thing at a time, with a token, as a console or a script does. One process answers,
as one does for the reference; wrk has a processor of its own as far as there is one.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from benchmarks.measure import Outcome, ToolFailed
from benchmarks.report import Figure, Target
from benchmarks.stage import PLACE, say
from opendrs.control.creation import job_id
from opendrs.model.action import Kind
from opendrs.model.caller import Wanted
from opendrs.model.endpoint import Secret
from opendrs.model.job import Policy
from opendrs.model.lifecycle import State
from opendrs.model.links import LINKS
from opendrs.model.selection import Selection
from opendrs.store import identity
from opendrs.store.database import Store, open_store
from opendrs.store.sealing import Seal
from opendrs.store.tables import actions, jobs, progress, table_progress
from opendrs.worker.report import Report
from tests.harness import apt, cache
from tests.harness.ports import free_port

JOBS: Final = 10_000
TABLES: Final = 20
CONNECTIONS: Final = 16
SECONDS: Final = 5
PROJECT, USER, PASSWORD = "benchmarks", "measurer", "measuring-password"
OPENDRS: Final = Path(sys.executable).with_name("opendrs")
WRK: Final = apt.Wanted(suite="bookworm", packages=("wrk",), skip=r"libc6|libgcc|gcc-|libcrypt|debconf|perl")
# What is asked for, and what it has to reach of the reference.
ASKED: Final[dict[str, tuple[str, Target | None]]] = {
    "detail": ("/v5/{project}/jobs/{job}?type=detail", Target(at_least=0.3, of="ratio")),
    "overview": ("/v5/{project}/jobs/{job}?type=overview", None),
    "progress": ("/v5/{project}/jobs/{job}?type=progress", None),
    "progress-data": ("/v5/{project}/jobs/{job}/progress-data/table", None),
    "list": ("/v5/{project}/jobs?job_type=sync", None),
    "list, page 500": ("/v5/{project}/jobs?job_type=sync&offset=5000", None),
    "list by name": ("/v5/{project}/jobs?job_type=sync&name=job-00777", None),
}


@dataclass(frozen=True, slots=True)
class Run:
    """requests a second; milliseconds within which 50 and 99 of 100 were answered."""

    rate: float
    p50_ms: float
    p99_ms: float


def measure(runs: int) -> tuple[list[Figure], Outcome]:
    folder = PLACE / "service"
    wrk = _wrk()
    ids = _fill(folder)
    hello: list[Run] = []
    found: dict[str, list[Run]] = {name: [] for name in ASKED}
    with _hello() as reference, _service(folder) as (url, token):
        paths = {name: path.format(project=PROJECT, job=ids[len(ids) // 2]) for name, (path, _) in ASKED.items()}
        for number in range(runs):
            say(f"the service with {len(ids):,} jobs, run {number + 1} of {runs}")
            hello.append(wrk(f"{reference}/hello", ""))
            for name, path in paths.items():
                found[name].append(wrk(f"{url}{path}", token))
    base = statistics.median(run.rate for run in hello)
    p99 = statistics.median(run.p99_ms for run in hello)
    say(f"  hello: {base:,.0f}/s, p99 {p99:.1f} ms")
    return [figure for name, several in found.items() for figure in _figures(name, several, base, p99)], Outcome()


def _figures(name: str, runs: list[Run], base: float, base_p99: float) -> Iterator[Figure]:
    rate = statistics.median(run.rate for run in runs)
    p50, p99 = (statistics.median(values) for values in zip(*((run.p50_ms, run.p99_ms) for run in runs), strict=True))
    say(f"  {name}: {rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    yield Figure(name=f"API {name}", unit="requests/s", value=rate, reference=base, target=ASKED[name][1])
    yield Figure(name=f"API {name}, p99", unit="ms", value=p99, reference=base_p99)


def _wrk() -> Any:
    """A function that asks one thing for some seconds."""
    key = cache.fingerprint(WRK)
    folder = cache.entry(
        cache.cache_root() / "clients" / f"wrk-{key}",
        lambda folder: apt.unpack(WRK, folder / "tree", folder / "scratch"),
    )
    libraries = ":".join(str(found) for found in (folder / "tree").glob("usr/lib/*-linux-gnu"))

    def ask(url: str, token: str) -> Run:
        words = [
            str(folder / "tree/usr/bin/wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency",
            *(["-H", f"X-Auth-Token: {token}"] if token else []), url,
        ]  # fmt: skip
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env={**os.environ, "LD_LIBRARY_PATH": libraries}
        )
        if done.returncode or "Non-2xx" in done.stdout:
            raise ToolFailed(f"{url}: {done.stdout}{done.stderr}")
        rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        assert rate is not None, done.stdout
        return Run(float(rate[1]), _ms(done.stdout, "50%"), _ms(done.stdout, "99%"))

    return ask


def _ms(text: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


@contextmanager
def _hello() -> Iterator[str]:
    port = free_port()
    popen = subprocess.Popen([sys.executable, "-m", "benchmarks.hello", str(port)])
    try:
        _wait(f"http://127.0.0.1:{port}/hello")
        yield f"http://127.0.0.1:{port}"
    finally:
        popen.terminate()
        popen.wait()


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, str]]:
    """Its URL, and a token."""
    port = free_port()
    words = [str(OPENDRS), "serve", "--listen", f"127.0.0.1:{port}", "--data", str(folder)]
    with (folder / "service.log").open("w") as log:
        popen = subprocess.Popen(words, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/readyz")
        yield url, _token(folder)
    finally:
        popen.terminate()
        popen.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _token(folder: Path) -> str:
    store = open_store(f"sqlite:///{folder / 'opendrs.db'}")
    try:
        with store.write() as connection:
            login = identity.find_login(connection, USER)
            assert login is not None
            issued = identity.issue_token(connection, login, datetime.now(UTC))
            assert issued is not None
            return issued[0].reveal()
    finally:
        store.close()


def _fill(folder: Path) -> list[str]:
    """A store with many jobs, made anew; their ids."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.glob("opendrs.db*"):
        old.unlink()
    store = open_store(f"sqlite:///{folder / 'opendrs.db'}")
    try:
        identity.ensure(
            store, Seal.of(folder, {}), Wanted(project_id=PROJECT, user_name=USER, password=Secret(PASSWORD))
        )
        return _write_jobs(store)
    finally:
        store.close()


def _write_jobs(store: Store) -> list[str]:
    now = datetime.now(UTC)
    ids = [job_id("sync", LINKS[0]) for _ in range(JOBS)]
    inner = {"ip": "192.0.2.1", "db_port": "3306", "db_user": "reader", "db_password": "", "endpoint_name": "mysql"}
    end = {"db_type": "mysql", "endpoint_type": "offline", "endpoint_role": "so", "endpoint": inner}
    counters = dict(Report().fetch().counters)
    rows: list[dict[str, Any]] = [
        {
            "id": key, "name": f"job-{number:05}", "name_key": f"job-{number:05}", "description": f"number {number}",
            "source": "mysql://reader:***@192.0.2.1:3306/", "target": "postgresql://writer:***@192.0.2.2:5432/shop",
            "task": "full+incremental", "selection": Selection().to_json(), "policy": Policy().to_json(),
            "state": State.CONFIGURATION.value, "created_at": now, "updated_at": now, "project_id": PROJECT,
            "job_type": "sync", "engine_type": "mysql-to-pgl", "job_direction": "up", "net_type": "vpc",
            "places": " 192.0.2.1 192.0.2.2 ",
            "facts": {"base_info": {"charging_mode": "on_demand"}, "source_endpoint": end, "target_endpoint": end},
        }
        for number, key in enumerate(ids)
    ]  # fmt: skip
    tables = [
        {
            "job_id": key, "schema_name": "shop", "table_name": f"table_{number}", "rows": 1000, "bytes": 50_000,
            "rows_estimate": 1000, "bytes_estimate": 65_536, "state": "loaded", "updated_at": now,
        }
        for key in ids
        for number in range(TABLES)
    ]  # fmt: skip
    asked = [
        {
            "id": key, "job_id": key, "kind": Kind.CREATE.value, "user_name": USER, "status": "success", "params": {},
            "revision": 0, "asked_at": now, "ended_at": now,
        }
        for key in ids
    ]  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(jobs), rows)
        connection.execute(insert(actions), asked)
        connection.execute(insert(progress), [{"job_id": key, "counters": counters, "updated_at": now} for key in ids])
        connection.execute(insert(table_progress), tables)
    return ids
