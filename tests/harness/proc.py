"""What /proc says about processes, and signals that reach exactly the process that was meant."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process for good: its number may be used again, number and start time together are not."""

    pid: int
    start_ticks: int  # clock ticks since the machine started

    def alive(self) -> bool:
        """Whether it still runs; one that has ended and waits for its parent does not."""
        status = _status(self.pid)
        return status is not None and status.start_ticks == self.start_ticks and status.runs

    def send(self, signum: signal.Signals) -> None:
        """Signal this process; nothing happens if it is gone, whoever has its number now."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            if self.alive():  # the handle keeps the number from being given away meanwhile
                signal.pidfd_send_signal(handle, signum)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)

    def pause(self, timeout_s: float = 10.0) -> None:
        """SIGSTOP, and wait until all its threads stand still: those that run on another processor go on for a
        moment."""
        self.send(signal.SIGSTOP)
        deadline = time.monotonic() + timeout_s
        while self.alive() and not set(_thread_states(self.pid)) <= set("TtZX"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self} does not stand still")
            time.sleep(0.001)


@dataclass(frozen=True, slots=True)
class _Status:
    parent: int
    start_ticks: int
    runs: bool


def process(pid: int) -> Process | None:
    """The process that has this number now."""
    status = _status(pid)
    return Process(pid, status.start_ticks) if status else None


def boot_id() -> str:
    """Differs after each start of the machine, when all numbers and start times begin anew."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def descendants(pid: int) -> list[Process]:
    """The children of a process, their children, and so on."""
    by_parent: dict[int, list[Process]] = {}
    for number, status in _all():
        by_parent.setdefault(status.parent, []).append(Process(number, status.start_ticks))
    found = list(by_parent.get(pid, ()))
    for child in found:  # grows while it is walked
        found += by_parent.get(child.pid, ())
    return found


def kill_tree(root: Process, timeout_s: float = 20.0) -> None:
    """SIGKILL a process with all its descendants, and wait until they are gone."""
    root.send(signal.SIGSTOP)  # so that it makes no further children meanwhile
    family = [root, *descendants(root.pid)] if root.alive() else []
    for member in family:
        member.send(signal.SIGKILL)
    deadline = time.monotonic() + timeout_s
    while any(member.alive() for member in family):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes outlive SIGKILL: {family}")
        time.sleep(0.005)


def _thread_states(pid: int) -> Iterator[str]:
    """The letters of proc(5), a thread each."""
    for thread in (PROC / str(pid) / "task").glob("*/stat"):
        try:
            yield thread.read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue


def _all() -> Iterator[tuple[int, _Status]]:
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            status = _status(int(folder.name))
            if status:
                yield int(folder.name), status


def _status(pid: int) -> _Status | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): the name in brackets may hold anything; after it come state (3) and parent (4),
    # and the start time is field 22.
    fields = text.rpartition(")")[2].split()
    return _Status(int(fields[1]), int(fields[19]), fields[0] not in "ZX")
