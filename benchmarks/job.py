"""The command `opendrs run`, as the benchmarks use it, and what the target shows of it.

The command is a black box here: words in, an exit status out. When something became durable is read from the target
itself: `track_commit_timestamp` keeps the moment of every commit, and a job's checkpoint (`_opendrs.job`) is a row
like any other. Both sides and the observer are on one machine and share its clock.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.changes import LogPosition
from benchmarks.measure import Running, Sample, ToolFailed
from benchmarks.servers import TARGET_DATABASE, source_settings
from benchmarks.stage import Stage
from tests.harness.server import PASSWORD, USER

CONTROL: Final = "_opendrs"  # schema of the job's own tables in the target (ARCHITECTURE.md, "What is persisted")
SAVED: Final = "saved_opendrs"
POLL_S: Final = 0.02
BEGIN_TIMEOUT_S: Final = 120.0
PAUSED: Final = (0, 130)  # exit statuses after an interrupt
Mode = Literal["transactional", "merged"]
MODES: Final[tuple[Mode, ...]] = ("transactional", "merged")


def command() -> Path:
    """The installed command. Raises ToolFailed if it is not there."""
    path = Path(sys.executable).with_name("opendrs")
    if not path.is_file():
        raise ToolFailed(f"{path} is not there: `make setup` makes it")
    return path


def words(stage: Stage, task: str, tables: Sequence[str], state: Path, *more: str) -> list[str]:
    """`opendrs run` without prechecks and without a display. Passwords are in the environment."""
    source = f"mysql://{USER}@127.0.0.1:{stage.source.port}/"
    target = f"postgresql://{USER}@127.0.0.1:{stage.target.port}/{TARGET_DATABASE}"
    chosen = [word for table in tables for word in ("--tables", table)]
    options = ["--task", task, *chosen, "--state", str(state / "opendrs.db"), "--plain", "--no-check", *more]
    return [str(command()), "run", source, target, *options]


def start(stage: Stage, name: str, task: str, tables: Sequence[str], state: Path, *more: str) -> Running:
    state.mkdir(parents=True, exist_ok=True)
    environment = {
        **stage.login.environment(),
        "OPENDRS_SOURCE_PASSWORD": PASSWORD,
        "OPENDRS_TARGET_PASSWORD": PASSWORD,
        "NO_COLOR": "1",
    }
    line = words(stage, task, tables, state, *more)
    return Running(line, stage.pair, environment=environment, log=stage.log_of(name))


# --- full load --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTimes:
    """Where the time of a full load went.

    start_s  from the start of the process until the job begins: schema, empty tables and checkpoint are made
    load_s   until all rows are there, with their keys, and the job says so in the target
    rest_s   until the process ends: the proof
    cpu_s    processor seconds of the tool within load_s
    """

    start_s: float
    load_s: float
    rest_s: float
    cpu_s: float


def full_load(stage: Stage, table: str) -> Sample:
    """Loads one table with a new job. The sample's facts are LoadTimes."""
    schema = table.partition(".")[0]
    state = stage.scratch / "state"
    shutil.rmtree(state, ignore_errors=True)
    began = time.time()
    with start(stage, "opendrs-load", "full", [table], state) as running:
        sample = running.finish()
    rows = stage.in_target(
        "SELECT extract(epoch FROM pg_xact_commit_timestamp(n.xmin)),"
        " extract(epoch FROM pg_xact_commit_timestamp(j.xmin)), j.phase"
        f" FROM pg_namespace n, {CONTROL}.job j WHERE n.nspname = %s",
        (schema,),
    )
    if len(rows) != 1 or rows[0][2] != "done":
        raise ToolFailed(f"the job has not ended as it should: {rows}")
    begun, done = float(rows[0][0]), float(rows[0][1])
    times = LoadTimes(
        start_s=begun - began,
        load_s=done - begun,
        rest_s=began + sample.wall_s - done,
        cpu_s=running.cpu_s_between(begun, done),
    )
    return replace(sample, facts=asdict(times))


def make_tables(stage: Stage, schema: str) -> None:
    """Lets OpenDRS make the tables of a source database, so that they are as it wants them, and empties them."""
    forget(stage, schema)
    state = stage.scratch / "tables-state"
    shutil.rmtree(state, ignore_errors=True)
    with start(stage, "opendrs-tables", "full", [f"{schema}.*"], state) as running:
        running.finish()
    forget(stage)
    for (table,) in stage.in_target("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)):
        stage.in_target(f"TRUNCATE {schema}.{table}")


def forget(stage: Stage, *schemas: str) -> None:
    """Takes a job and what it brought out of the target."""
    for schema in (CONTROL, SAVED, *schemas):
        stage.in_target(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


# --- the log ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """When a position was durable in the target, in seconds since 1970.

    taken    the worker got hold of the target
    reached  the position was
    """

    taken: float
    reached: float


class Follower:
    """A job that follows the log, which can be put back to where it was: stopped, and at any position.

    Its first start makes the job at the log's present end. What it then has written of itself, in the target and in
    its state folder, is kept, and given back with another position before each measured start.
    """

    def __init__(self, stage: Stage, name: str, tables: Sequence[str], mode: Mode) -> None:
        self._stage = stage
        self._name = f"opendrs-{name}"
        self._tables = tables
        self._mode = mode
        self._state = stage.scratch / f"{name}-state"
        self._saved = stage.scratch / f"{name}-saved"

    @property
    def exists(self) -> bool:
        return self._saved.is_dir()

    def create(self) -> None:
        """Starts the job and pauses it as soon as it follows."""
        shutil.rmtree(self._state, ignore_errors=True)
        with self.start() as running:
            self.wait_until_following(running)
            running.ask_to_end()
            running.finish(ends=PAUSED)
        self._keep()

    def start(self) -> Running:
        return start(self._stage, self._name, "incremental", self._tables, self._state, "--apply", self._mode)

    def wait_until_following(self, running: Running) -> None:
        deadline = time.monotonic() + BEGIN_TIMEOUT_S
        while not (self._exists() and self._checkpoint()[1] == "following"):
            running.check()
            if time.monotonic() > deadline:
                raise running.failure("the job does not begin")
            time.sleep(POLL_S)

    def put_back(self, position: LogPosition) -> None:
        """The job as it was when it had just been made, but standing at this position."""
        shutil.rmtree(self._state, ignore_errors=True)
        shutil.copytree(self._saved, self._state)
        for table in self._control_tables(SAVED):
            self._stage.in_target(
                f"TRUNCATE {CONTROL}.{table}; INSERT INTO {CONTROL}.{table} SELECT * FROM {SAVED}.{table}"
            )
        self._stage.in_target(
            f"UPDATE {CONTROL}.job SET position = %s, phase = 'following'", (position_text(position),)
        )

    def wait_until_applied(self, running: Running, end: LogPosition, timeout_s: float) -> Applied:
        """Looks at the job's checkpoint every 20 ms; the moments are those of the commits, not of the looks."""
        deadline = time.monotonic() + timeout_s
        epoch = self._checkpoint()[0]
        taken = 0.0
        with self._stage.target.connect(TARGET_DATABASE) as connection, connection.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(
                    f"SELECT epoch, position, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {CONTROL}.job"
                )
                now_epoch, position, committed = cursor.fetchone()
                if not taken and now_epoch != epoch:
                    taken = float(committed)
                at = json.loads(position)["file"]
                if taken and end.reached_by(at["file"], at["pos"]):
                    return Applied(taken=taken, reached=float(committed))
                running.check()
                time.sleep(POLL_S)
        raise running.failure(f"{end} was not reached in {timeout_s:.0f} s")

    # --- inside ---------------------------------------------------------------------------

    def _keep(self) -> None:
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self._state, self._saved)
        self._stage.in_target(f"DROP SCHEMA IF EXISTS {SAVED} CASCADE; CREATE SCHEMA {SAVED}")
        for table in self._control_tables(CONTROL):
            self._stage.in_target(f"CREATE TABLE {SAVED}.{table} AS TABLE {CONTROL}.{table}")

    def _control_tables(self, schema: str) -> list[str]:
        found = self._stage.in_target("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
        return [str(row[0]) for row in found]

    def _exists(self) -> bool:
        return bool(self._stage.in_target("SELECT to_regclass(%s) IS NOT NULL", (f"{CONTROL}.job",))[0][0])

    def _checkpoint(self) -> tuple[int, str | None, str | None]:
        """Epoch, phase and position; the epoch is 0 if there is no job."""
        rows: list[Any] = self._stage.in_target(f"SELECT epoch, phase, position FROM {CONTROL}.job")
        return rows[0] if rows else (0, None, None)


def position_text(position: LogPosition) -> str:
    """A position as a checkpoint holds it (src/opendrs/engines/mysql/position.py)."""
    form = {
        "version": 1,
        "kind": "mariadb-gtid",
        "server": f"mariadb-{source_settings()['server_id']}",
        "gtid": position.gtid,
        "file": {"file": position.file, "pos": position.offset},
    }
    return json.dumps(form)
