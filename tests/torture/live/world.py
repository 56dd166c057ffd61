"""A job on real servers, and everything that can be done to it: kills, freezes, cuts, restarts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from opendrs.store.tables import leases
from opendrs.worker.killing import VARIABLE
from tests.harness.proxy import Proxy
from tests.harness.server import Daemon, Server
from tests.torture.live import workload
from tests.torture.live.oracle import differences

ROOT = Path(__file__).parents[3]
PATIENCE_S = 180.0
PAUSED = 130


@dataclass(slots=True, kw_only=True)
class Job:
    """`opendrs run` in a process group of its own, started anew whenever the story ends it."""

    source: str
    target: str
    state: Path
    options: tuple[str, ...]
    faults: str = ""
    process: subprocess.Popen[bytes] | None = None
    runs: int = 0

    def command(self, word: str, *more: str) -> list[str]:
        module = [sys.executable, "-m", "tests.torture.live.command", word]
        return [
            *module,
            self.source,
            self.target,
            "--tables",
            f"{workload.DATABASE}.*",
            "--state",
            str(self.state),
            *more,
        ]

    def start(self) -> None:
        self.runs += 1
        environ = {**os.environ, VARIABLE: self.faults if self.runs == 1 else ""}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command("run", "--plain", *self.options),
                stdout=output, stderr=output, start_new_session=True, env=environ, cwd=ROOT,
            )  # fmt: skip

    @property
    def output(self) -> Path:
        return self.state.with_name("run.log")

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, signum: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)

    def lease(self) -> tuple[int, int]:
        """Process and epoch of the worker; no process: it has not said yet who it is, or has said its last word;
        zeros: there is none."""
        if not self.state.exists():
            return 0, 0
        engine = create_engine(f"sqlite:///{self.state}")
        try:
            with engine.connect() as connection:
                row = connection.execute(select(leases.c.owner, leases.c.pid, leases.c.epoch, leases.c.outcome)).first()
        except SQLAlchemyError:
            return 0, 0
        finally:
            engine.dispose()
        if row is None:
            return 0, 0
        return (row.pid if row.owner == "worker" and row.outcome is None else 0), row.epoch

    def told(self, lines: int = 30) -> str:
        text = self.output.read_text(errors="replace") if self.output.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


@dataclass(slots=True, kw_only=True)
class World:
    """Two servers, a proxy before each, writers at the source, and the job."""

    source: Server
    target: Daemon
    database: str
    to_source: Proxy
    to_target: Proxy
    job: Job
    writers: workload.Writers
    rng: random.Random
    story: list[str] = field(default_factory=list)

    def tell(self, what: str) -> None:
        self.story.append(f"{time.strftime('%H:%M:%S')} {what}")

    def check(self) -> None:
        """The job must live, whatever was done to it."""
        if not self.job.running():
            code = self.job.process.returncode if self.job.process else None
            raise AssertionError(f"the job ended with {code}\n{self.words()}")

    def words(self) -> str:
        return "\n".join([*self.story[-40:], "--- DDL:", *workload.DONE, "--- what it said:", self.job.told()])

    def play(self, seconds: float, deeds: list[Deed]) -> None:
        """Does something evil every few seconds, until the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.rng.uniform(0.2, 3.0))
            deed = self.rng.choice(deeds)
            self.tell(deed.__name__)
            deed(self)
            self.check()

    def wait_for(self, words: str, count: int = 1) -> None:
        """Until the job has said it so often."""
        until = time.monotonic() + PATIENCE_S
        while self.job.told(10_000).count(words) < count:
            self.check()
            assert time.monotonic() < until, f"{words} did not come\n{self.words()}"
            time.sleep(0.2)

    def settle(self) -> None:
        """The writers rest; the proof and the oracle must both find both sides equal."""
        self.writers.stop()
        self.tell(f"{self.writers.transactions} transactions")
        # Behind a pause the job is at rest until its next worker is there: a proof would be one of two halves.
        until = time.monotonic() + PATIENCE_S
        while not self.job.lease()[0] and time.monotonic() < until:
            time.sleep(0.1)
        self.check()
        proof = subprocess.run(
            self.job.command("proof"), capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE_S
        )
        assert isinstance(self.target, Server)
        found = differences(self.source, self.target, workload.DATABASE, self.database)
        assert not found, "\n".join([*found, self.words()])
        assert proof.returncode == 0, f"{proof.stdout}{proof.stderr}\n{self.words()}"


Deed = Callable[[World], None]


def kill_worker(world: World) -> None:
    pid, _ = world.job.lease()
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_supervisor(world: World) -> None:
    world.job.end(signal.SIGKILL)
    if world.rng.random() < 0.5:
        kill_worker(world)
    world.job.start()


def pause(world: World) -> None:
    time.sleep(3)  # a signal that comes while Python still starts is Python's
    code = world.job.end(signal.SIGINT)
    assert code == PAUSED, f"a pause ended with {code}\n{world.words()}"
    world.job.start()


def kill_source(world: World) -> None:
    world.source.kill()
    time.sleep(world.rng.uniform(0, 2))
    world.source.start()


def kill_target(world: World) -> None:
    world.target.kill()
    time.sleep(world.rng.uniform(0, 2))
    world.target.start()


def restart_source(world: World) -> None:
    world.source.restart()


def new_log(world: World) -> None:
    world.source.execute("FLUSH BINARY LOGS")


def freeze(world: World) -> None:
    """A worker is stopped until another has overtaken it, and then goes on."""
    pid, epoch = world.job.lease()
    if not pid:
        return
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return
    until = time.monotonic() + 20
    while world.job.lease()[1] == epoch and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(world.rng.uniform(0, 2))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def cut(world: World) -> None:
    proxy = world.rng.choice([world.to_source, world.to_target])
    for _ in range(world.rng.randint(1, 3)):
        proxy.cut()
        time.sleep(world.rng.uniform(0, 0.5))


def cut_midway(world: World) -> None:
    """Somewhere within what the source sends."""
    world.to_source.cut_after(world.rng.randint(1, 100_000))


def stall(world: World) -> None:
    proxy = world.rng.choice([world.to_source, world.to_target])
    proxy.stall()
    time.sleep(world.rng.uniform(0.5, 4))
    proxy.forward()


def refuse(world: World) -> None:
    proxy = world.rng.choice([world.to_source, world.to_target])
    proxy.refuse()
    proxy.cut()
    time.sleep(world.rng.uniform(0.5, 3))
    proxy.forward()


DEEDS: list[Deed] = [
    kill_worker, kill_worker, kill_supervisor, pause, kill_source, kill_target, restart_source, new_log,
    freeze, cut, cut, cut_midway, stall, refuse,
]  # fmt: skip


@contextmanager
def world(
    source: Server, target: Server, folder: Path, *, seed: int, options: tuple[str, ...] = (), faults: str = "",
    scale: float = 1.0, ddl_s: float = 2.0, pause_s: float = 0.01,
) -> Iterator[World]:  # fmt: skip
    """Everything up, the writers writing, and the job started."""
    database = f"torture_{seed}"
    connection = source.connect()
    workload.make(connection, seed, scale)
    connection.close()
    target.create_database(database)
    writers = workload.Writers(lambda: source.connect(workload.DATABASE), seed, count=3, pause_s=pause_s, ddl_s=ddl_s)
    with ExitStack() as stack:
        to_source = stack.enter_context(Proxy(source.port))
        to_target = stack.enter_context(Proxy(target.port))
        job = Job(
            source=to_source.through(source.url()), target=to_target.through(target.url(database)),
            state=folder / f"state-{seed}" / "state.db", options=options, faults=faults,
        )  # fmt: skip
        job.state.parent.mkdir()
        made = World(
            source=source, target=target, database=database, to_source=to_source, to_target=to_target, job=job,
            writers=writers, rng=random.Random(seed),
        )  # fmt: skip
        stack.callback(_drop, made)
        stack.callback(end, made.job)
        writers.start()
        stack.callback(writers.stop)
        job.start()
        if not faults:  # a worker that is killed takes what it had to tell with it
            made.wait_for("event=precheck.passed")  # a server away before that is an answer, not an accident
        yield made


def end(job: Job) -> None:
    """Ends what is left of it, by its number."""
    if job.running():
        job.end(signal.SIGKILL)
    pid, _ = job.lease()
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)


def _drop(made: World) -> None:
    assert isinstance(made.target, Server)
    if made.target.running:
        made.target.drop_database(made.database)
