"""Runs a program and says what it cost: time, processor, memory, and the processor of both servers.

The processor time of the tool is that of its whole tree of processes, the ended ones included. That of a server is
its process with all its threads and children, ended ones included: PostgreSQL's postmaster fetches the status of
each of its backends. Memory is the sum of the resident sets of the tool's processes, looked at every 50 ms, at first
more often (shared pages count once for each process, so it is an upper bound), and at least the peak that the system
keeps for each.

A Python function is run as a program of its own: `python -m benchmarks.measure MODULE:FUNCTION`, with its arguments
as JSON on the standard input and its result as JSON on the standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
import pymysql
from confluent_kafka import KafkaException

from tests.harness.proc import kill_tree, process
from tests.harness.server import ServerFailed, ServerUnavailable

SAMPLE_EVERY_S: Final = 0.05
SAMPLE_FIRST_S: Final = 0.004  # the first looks follow each other quickly, for programs that end soon
END_TIMEOUT_S: Final = 900.0
SETTLE_S: Final = 0.2  # after the tool has ended, until its sessions have ended at the servers
TICKS_S: Final = os.sysconf("SC_CLK_TCK")
LAST_LINES: Final = 3
PROC: Final = Path("/proc")


class Measured(Protocol):
    """A server whose processor time is measured."""

    @property
    def pid(self) -> int: ...


class ToolFailed(Exception):
    """A measured program ended with an error, or its result is wrong; the message tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run.

    wall_s       from the start of the program to its end
    cpu_s        of the tool's processes
    source_cpu_s, target_cpu_s
    peak_bytes   of memory, of the tool's processes together
    facts        what the program or the caller says of the run
    """

    wall_s: float
    cpu_s: float
    source_cpu_s: float
    target_cpu_s: float
    peak_bytes: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


FAILURES: Final = (
    ToolFailed, ServerFailed, ServerUnavailable, psycopg.Error, pymysql.Error, KafkaException, OSError,
)  # fmt: skip


# --- what /proc says --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cpu:
    """Ticks of a process, and of its children that have ended and were fetched; with the start time that, together
    with the number, tells it from all others."""

    own: int
    children: int
    start: int


def _cpu(pid: int) -> _Cpu | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): fields 14 to 17 and 22; the name before field 3 may hold anything.
    fields = text.rpartition(")")[2].split()
    return _Cpu(int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]), int(fields[19]))


def _memory(pid: int) -> tuple[int, int]:
    """Resident bytes of a process: now, and the most since it began its program."""
    found = {"VmRSS": 0, "VmHWM": 0}
    try:
        text = (PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) << 10
    return found["VmRSS"], found["VmHWM"]


def _children(pid: int) -> list[int]:
    """Without a look at all processes of the machine, which would itself cost something."""
    found: list[int] = []
    try:
        for thread in (PROC / str(pid) / "task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:  # grows while it is walked
        found += _children(pid)
    return found


def server_cpu_s(server: Measured) -> float:
    ticks = 0
    for pid in _tree(server.pid):
        if (cpu := _cpu(pid)) is not None:
            ticks += cpu.own + (cpu.children if pid == server.pid else 0)
    return ticks / TICKS_S


class Watch(threading.Thread):
    """Looks at a process and all that it starts now and then, until told to stop."""

    def __init__(self, root: int) -> None:
        super().__init__(name="watch", daemon=True)
        self.peak_bytes = 0
        self._root = root
        self._known: dict[tuple[int, int], int] = {}  # (process, its start) -> ticks when last seen
        self._history: list[tuple[float, float]] = [(time.time(), 0.0)]  # moment, processor seconds until then
        self._stop_asked = threading.Event()

    def run(self) -> None:
        pause_s = SAMPLE_FIRST_S
        while not self._stop_asked.wait(pause_s):
            self.look()
            pause_s = min(1.2 * pause_s, SAMPLE_EVERY_S)

    def look(self) -> None:
        total = 0
        # Processes that their parents left alone are no longer in the tree, but they are known.
        left = {pid for pid, start in self._known if (cpu := _cpu(pid)) is not None and cpu.start == start}
        for pid in {*_tree(self._root), *left}:
            cpu, (resident, highest) = _cpu(pid), _memory(pid)
            if cpu is not None:
                self._known[pid, cpu.start] = cpu.own
            total += resident
            self.peak_bytes = max(self.peak_bytes, highest)
        self.peak_bytes = max(self.peak_bytes, total)
        self._history.append((time.time(), sum(self._known.values()) / TICKS_S))

    def stop(self) -> float:
        """Returns the processor seconds of all processes ever seen, as far as they were seen."""
        self._stop_asked.set()
        self.join()
        return self._history[-1][1]

    def cpu_s_until(self, moment: float) -> float:
        """Processor seconds until a moment since 1970, evenly spread between two looks."""
        then, used = self._history[0]
        for at, total in self._history:
            if at >= moment:
                share = (moment - then) / (at - then) if at > then else 1.0
                return used + (total - used) * max(share, 0.0)
            then, used = at, total
        return used


# --- running ----------------------------------------------------------------------------------


class Running:
    """A program under measurement. As a context manager it is ended at the latest with the block."""

    def __init__(
        self,
        words: Sequence[str | Path],
        servers: tuple[Measured, Measured],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: str | None = None,
        log: Path,
    ) -> None:
        self._servers = servers
        self._log = log
        self._before = [server_cpu_s(server) for server in servers]
        self.began = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,  # a Ctrl-C is for us, and we end the program as is right for it
            )
        self.pid = self._process.pid
        self._watch = Watch(self.pid)
        self._watch.start()
        if stdin is not None and self._process.stdin is not None:
            self._process.stdin.write(stdin.encode())
            self._process.stdin.close()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def check(self) -> None:
        """Raises ToolFailed if the program is not running any more."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            raise self.failure("it ended before its time")

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def failure(self, what: str) -> ToolFailed:
        """An error that tells the last words of the program."""
        lines = [line.strip() for line in self.output().splitlines() if line.strip()]
        return ToolFailed(f"{what}: {' / '.join(lines[-LAST_LINES:])} (all it said: {self._log})")

    def cpu_s_between(self, begin: float, end: float) -> float:
        """Processor seconds of the tool between two moments since 1970, to about one look."""
        return self._watch.cpu_s_until(end) - self._watch.cpu_s_until(begin)

    def ask_to_end(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def finish(self, facts: Mapping[str, Any] | None = None, *, ends: tuple[int, ...] = (0,)) -> Sample:
        """Waits for the end. Raises ToolFailed unless the status is one of `ends`."""
        self._wait(END_TIMEOUT_S)
        _, status, usage = os.wait4(self.pid, 0)
        wall_s = self.elapsed_s
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        seen_s = self._watch.stop()
        if code not in ends:
            raise self.failure(f"it ended with {code}")
        time.sleep(SETTLE_S)
        used = [server_cpu_s(server) - then for server, then in zip(self._servers, self._before, strict=True)]
        return Sample(
            wall_s=wall_s,
            cpu_s=max(usage.ru_utime + usage.ru_stime, seen_s),
            source_cpu_s=used[0],
            target_cpu_s=used[1],
            peak_bytes=self._watch.peak_bytes,
            facts=dict(facts or {}),
        )

    def _wait(self, timeout_s: float) -> None:
        """Returns at the moment of the end, and leaves the status to be fetched."""
        handle = os.pidfd_open(self.pid)
        try:
            ended, _, _ = select.select([handle], [], [], timeout_s)
        finally:
            os.close(handle)
        if not ended:
            raise self.failure(f"it has not ended in {timeout_s:.0f} s")

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.returncode is None:
            # With all it started: a worker in a session of its own would go on without its supervisor.
            if (root := process(self.pid)) is not None:
                kill_tree(root)
            self._process.wait()
            self._watch.stop()


def run(
    words: Sequence[str | Path],
    servers: tuple[Measured, Measured],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    log: Path,
) -> Sample:
    """Runs a program to its end. The last line it prints, if that is JSON, gives the facts."""
    with Running(words, servers, environment=environment, stdin=stdin, log=log) as running:
        sample = running.finish()
        return replace(sample, facts=last_line(running.output()))


def run_function(
    function: Callable[..., Mapping[str, Any]], servers: tuple[Measured, Measured], log: Path, **arguments: Any
) -> Sample:
    """Runs a Python function with JSON arguments and result in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.measure", f"{function.__module__}:{function.__qualname__}"]
    return run(words, servers, stdin=json.dumps(arguments), log=log)


def last_line(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        return {}
    return dict(json.loads(lines[-1]))


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that are compared.

    prepare  what has to be done before each run and is not measured
    run      one measured run
    check    raises if the run's result is wrong
    """

    name: str
    prepare: Callable[[], object]
    run: Callable[[], Sample]
    check: Callable[[Sample], object]


@dataclass(slots=True)
class Outcome:
    """What was found. Who failed has no samples, and has the reason under its name in `errors`."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        self.samples |= other.samples
        self.errors |= other.errors

    def median(self, name: str, value: Callable[[Sample], float]) -> float | None:
        samples = self.samples.get(name)
        return statistics.median(map(value, samples)) if samples else None

    def reason(self, name: str) -> str:
        """Why there are no samples; empty if there are."""
        return self.errors.get(name, "")

    def peak_mb(self, name: str) -> float | None:
        return self.median(name, lambda sample: sample.peak_bytes / 1e6)

    def cpu_s(self, name: str) -> float | None:
        return self.median(name, lambda sample: sample.cpu_s)


def alternate(contenders: Sequence[Contender], runs: int, say: Callable[[str], None]) -> Outcome:
    """All of them by turns, `runs` times, so that whatever drifts on the machine meets each of them alike."""
    outcome = Outcome({contender.name: [] for contender in contenders})
    for number in range(runs):
        for contender in contenders:
            if contender.name in outcome.errors:
                continue
            try:
                contender.prepare()
                sample = contender.run()
                contender.check(sample)
            except FAILURES as error:
                say(f"  {contender.name} FAILED: {error}")
                outcome.errors[contender.name] = f"{type(error).__name__}: {error}"
                del outcome.samples[contender.name]
                continue
            outcome.samples[contender.name].append(sample)
            say(
                f"  {contender.name:28} run {number + 1}: {sample.wall_s:7.2f} s, processor {sample.cpu_s:6.2f} s"
                f" (source {sample.source_cpu_s:6.2f}, target {sample.target_cpu_s:6.2f}),"
                f" memory {sample.peak_bytes / 1e6:6.1f} MB"
            )
    return outcome


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    arguments = json.load(sys.stdin)
    print(json.dumps(getattr(importlib.import_module(module), name)(**arguments)))


if __name__ == "__main__":
    main()
