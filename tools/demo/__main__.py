"""`make demo`: a shop moves from MariaDB or MySQL into PostgreSQL while people work in it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import select

from opendrs.store.database import open_store
from opendrs.store.tables import leases, table_progress
from tests.harness import Options, Server, create
from tools.demo import shop
from tools.demo.guard import Guard
from tools.demo.writers import Writers

OPENDRS = Path(sys.executable).with_name("opendrs")
TARGET = "warehouse"
# The demo's own words stand out from those of the job.
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def say(text: str) -> None:
    print(f"{BOLD}* {text}{PLAIN}", flush=True)


class Job:
    """`opendrs run` as a person would start it; its output is shown as it comes, and remembered."""

    def __init__(self, source: str, target: str, state: Path, guard: Guard) -> None:
        self.urls = [source, target]
        self.selected = ["--tables", f"{shop.DATABASE}.*"]
        self.options = [*self.selected, "--state", str(state)]
        self.state = state
        self._guard = guard
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [str(OPENDRS), "run", *self.urls, *self.options, "--plain"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._guard.watch(self._process.pid)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())
            print(f"    {line.rstrip()}", flush=True)

    def wait_for(self, what: str, seen: str, seconds: float) -> None:
        """Until a line says so; what it said before counts."""
        deadline = time.monotonic() + seconds
        while not any(seen in line for line in self.lines):
            assert self._process is not None
            if self._process.poll() is not None:
                raise SystemExit(f"the job ended with status {self._process.returncode} before {what}")
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} did not come within {seconds:.0f} s")
            time.sleep(0.1)

    def copied(self) -> tuple[int, int]:
        """Rows copied so far, and the process that copies them."""
        store = open_store(f"sqlite:///{self.state}")
        try:
            with store.read() as connection:
                rows = sum(row.rows for row in connection.execute(select(table_progress.c.rows)))
                pid = connection.execute(select(leases.c.pid)).scalar_one_or_none() or 0
        finally:
            store.close()
        return rows, pid

    def pause(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def check(self) -> bool:
        return subprocess.run([str(OPENDRS), "check", *self.urls, *self.selected], check=False).returncode == 0

    def prove(self) -> bool:
        return subprocess.run([str(OPENDRS), "proof", *self.urls, *self.options], check=False).returncode == 0


def kill_in_the_middle(job: Job, rows: int) -> None:
    """kill -9 of the worker when part of the rows are there."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        done, pid = job.copied() if job.state.exists() else (0, 0)
        if done >= rows and pid:
            say(f"kill -9 of the worker (process {pid}) after {done:,} rows: it goes on by itself, nothing is lost")
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)
    raise SystemExit("the load did not get so far")


@contextmanager
def servers(source: str) -> Iterator[tuple[Server, Server]]:
    """Both servers, in temporary folders, on free ports of the loopback."""
    with ExitStack() as stack:
        began = time.monotonic()
        say(f"starting {source} and PostgreSQL (got from packages if they are not here)")
        here = stack.enter_context(create(source, Options(settings={"innodb_buffer_pool_size": "1G"})))
        there = stack.enter_context(create("postgres18"))
        say(f"{source} {here.version} and PostgreSQL {there.version} are up after {time.monotonic() - began:.1f} s")
        yield here, there


def fill(source: Server, scale: float) -> int:
    began = time.monotonic()
    connection = source.connect()
    with connection.cursor() as cursor:
        shop.create(cursor.execute, scale)
    connection.commit()
    counts = [source.execute(f"SELECT COUNT(*) FROM {shop.DATABASE}.{table}")[0][0] for table in shop.ROWS]
    say(f"a shop of {len(counts)} tables and {sum(counts):,} rows was made in {time.monotonic() - began:.1f} s")
    return sum(counts)


def show(source: Server, job: Job, writers: Writers, scale: float) -> None:
    """The whole job, up to the proof."""
    rows = fill(source, scale)
    say("opendrs check: what could stand in the way")
    if not job.check():
        raise SystemExit("the check failed")
    writers.start()
    say("two people work in the shop from now on: orders, cancellations, corrections, visits, roll-backs")
    began = time.monotonic()
    say("opendrs run: the job")
    job.start()
    kill_in_the_middle(job, rows // 3)
    job.wait_for("following", "phase=following", 300)
    say(f"loaded and caught up {time.monotonic() - began:.1f} s after the start; now every change arrives at once")
    time.sleep(5)
    say(
        f"opendrs proof: both sides at one position, while the shop goes on ({writers.transactions:,} transactions yet)"
    )
    if not job.prove():
        raise SystemExit("the sides are not proven equal")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--source", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--scale", type=float, default=1.0, help="1: 1,300,250 rows")
    parser.add_argument("--exit", action="store_true", help="end by itself")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="opendrs-demo-"))
    guard = Guard(folder)
    try:
        with servers(options.source) as (source, target), ExitStack() as stack:
            target.create_database(TARGET)
            job = Job(source.url(), target.url(TARGET), folder / "state.db", guard)
            stack.callback(job.pause)
            writers = Writers(lambda: source.connect(shop.DATABASE), count=2, pause_s=0.02)
            stack.callback(writers.stop)
            show(source, job, writers, options.scale)
            say(f"source  {source.url(shop.DATABASE)}")
            say(f"target  {target.url(TARGET)}")
            done = writers.transactions
            if not options.exit:
                say("everything stays up, and the shop goes on; Ctrl-C ends it")
            say(f"Both sides are proven equal: {len(shop.ROWS)} tables, {done:,} live transactions, one kill -9.")
            if not options.exit:
                signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        guard.close()


if __name__ == "__main__":
    main()
