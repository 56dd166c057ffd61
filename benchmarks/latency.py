"""Latency: from a commit at the source until the row is visible in the target, at a steady modest rate.

reference/writer.c inserts rows one a transaction and notes, by the machine's clock, when each was sent and when it
was acknowledged. The target keeps the moment of every commit (`track_commit_timestamp`), so when the run is over one
query tells for each row when the transaction that brought it was committed: nobody polls, and nothing is added to
the path that is measured.

Errors of the method. The row is committed at the source somewhere between "sent" and "acknowledged"; the figure
counts from "sent", so it contains the whole insert, and the note says how much less it is from "acknowledged" on. In
the target the moment is taken just before the commit record is written, and the row is visible before the committing
session hears of it: how far apart these two are is measured here too, with commits of our own, and stated.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.job import PAUSED, Follower, forget, make_tables
from benchmarks.measure import Outcome, Running, ToolFailed
from benchmarks.report import Figure, Target
from benchmarks.servers import TARGET_DATABASE
from benchmarks.stage import Stage, say
from tests.harness.server import USER

DATABASE: Final = "latency"
TABLE: Final = f"{DATABASE}.beat"
DEFINITION: Final = f"CREATE TABLE {TABLE} (id bigint NOT NULL PRIMARY KEY, padding varchar(100) NOT NULL)"
# Transactions a second, and what the 99th percentile may be.
RATES: Final = ((200, Target(at_most=10)), (1000, Target(at_most=50)))
WRITERS: Final = 4
SECONDS: Final = 20
WARM_S: Final = 2.0  # rows of the first seconds are not counted
ARRIVE_TIMEOUT_S: Final = 60.0
PROBES: Final = 200

Written = tuple[int, int, int]
"""Id of a row, and when it was sent and acknowledged, in microseconds since 1970."""


def measure(stage: Stage) -> tuple[list[Figure], Outcome]:
    stage.source.execute(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}; {DEFINITION} ENGINE=InnoDB")
    stage.source.execute(f"GRANT INSERT ON {DATABASE}.* TO '{USER}'@'%'")
    make_tables(stage, DATABASE)
    error_ms = _commit_to_reply_ms(stage)
    follower = Follower(stage, "latency", [TABLE], "transactional")
    figures: list[Figure] = []
    outcome = Outcome()
    first = 2
    with follower.start() as running:
        follower.wait_until_following(running)
        write_rows(stage.binaries.writer, stage.login.environment(DATABASE), 1, 1, 1)
        _arrived(stage, running, 1, 1)  # the log is being read now
        for rate, target in RATES:
            say(f"latency at {rate} transactions/s")
            count = rows_at(rate, stage.scale)
            figures += _at_rate(stage, running, rate, count, first, target, error_ms)
            first += count
        running.ask_to_end()
        outcome.samples["latency"] = [running.finish(ends=PAUSED)]
    forget(stage, DATABASE)
    return figures, outcome


def _at_rate(
    stage: Stage, running: Running, rate: int, count: int, first: int, target: Target, error_ms: float
) -> list[Figure]:
    written = write_rows(stage.binaries.writer, stage.login.environment(DATABASE), rate, count, first)
    visible = _arrived(stage, running, first, count)
    error = f"visible at most {error_ms:.2f} ms later than counted"
    return figures_of(f"latency at {rate} tx/s", written, visible, target, error)


def figures_of(
    name: str, written: list[Written], arrived: Mapping[int, float], target: Target | None, error: str
) -> list[Figure]:
    """p50 and p99. `arrived`: id -> microseconds since 1970; `error`: of the method, for the note."""
    begun = min(sent for _, sent, _ in written) + WARM_S * 1e6
    counted = [(number, sent, heard) for number, sent, heard in written if sent >= begun]
    from_sent = sorted((arrived[number] - sent) / 1e3 for number, sent, _ in counted)
    from_heard = sorted((arrived[number] - heard) / 1e3 for number, _, heard in counted)
    insert = sorted((heard - sent) / 1e3 for _, sent, heard in counted)
    spent_s = (max(sent for _, sent, _ in counted) - min(sent for _, sent, _ in counted)) / 1e6
    note = (
        f"{len(counted):,} rows at {len(counted) / spent_s:,.0f}/s, counted from before the insert, which takes"
        f" {at(insert, 0.5):.2f} ms (p50; p99 {at(insert, 0.99):.2f}); from its acknowledgement on p50"
        f" {at(from_heard, 0.5):.2f}, p99 {at(from_heard, 0.99):.2f}; most {from_sent[-1]:.2f}; {error}"
    )
    say(f"  {note}")
    return [
        Figure(name=f"{name}, p50", unit="ms", value=at(from_sent, 0.5)),
        Figure(name=f"{name}, p99", unit="ms", value=at(from_sent, 0.99), target=target, note=note),
    ]


def rows_at(rate: int, scale: float) -> int:
    """How many rows are written. Small scales are for trying things out: less time there, but something behind the
    warming up."""
    return int(rate * max(SECONDS * min(10 * scale, 1), WARM_S + 1))


def write_rows(writer: Path, environment: Mapping[str, str], rate: int, count: int, first: int) -> list[Written]:
    """Rows with ids from `first` on, through reference/writer.c."""
    words = [str(writer), TABLE, str(rate), str(count), str(WRITERS), str(first)]
    done = subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFailed(done.stderr)
    rows = [line.split() for line in done.stdout.splitlines()]
    return [(int(number), int(sent), int(heard)) for number, sent, heard in rows]


def at(ascending: list[float], share: float) -> float:
    """The smallest value that is not below that share of all."""
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)]


def _arrived(stage: Stage, running: Running, first: int, count: int) -> dict[int, float]:
    """Moment of the commit of each row, in microseconds since 1970; asked when all are there."""
    deadline = time.monotonic() + ARRIVE_TIMEOUT_S
    last = first + count - 1
    # Only the last row is asked for meanwhile, and seldom.
    while not stage.in_target(f"SELECT 1 FROM {TABLE} WHERE id = %s", (last,)):
        running.check()
        if time.monotonic() > deadline:
            raise running.failure(f"row {last} has not arrived")
        time.sleep(0.5)
    rows: list[Any] = []
    while len(rows) < count and time.monotonic() < deadline:
        time.sleep(0.1)
        rows = stage.in_target(
            "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000"
            f" FROM {TABLE} WHERE id BETWEEN %s AND %s",
            (first, last),
        )
    if len(rows) != count:
        raise ToolFailed(f"{len(rows)} of {count} rows have arrived")
    return {int(number): float(moment) for number, moment in rows}


def _commit_to_reply_ms(stage: Stage) -> float:
    """How much later than its kept moment a commit is visible, at most: until its session hears of it (p99)."""
    stage.in_target("CREATE TABLE IF NOT EXISTS probe (id int, heard double precision); TRUNCATE probe")
    heard = {}
    with stage.target.connect(TARGET_DATABASE) as connection, connection.cursor() as cursor:
        for number in range(PROBES):
            cursor.execute("INSERT INTO probe VALUES (%s)", (number,))
            heard[number] = time.time()
        cursor.execute("SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM probe")
        late = sorted((heard[number] - float(moment)) * 1e3 for number, moment in cursor.fetchall())
        cursor.execute("DROP TABLE probe")
    return at(late, 0.99)
