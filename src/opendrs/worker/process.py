"""Processes: who we are, whether another one lives, how a worker is started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import psutil

from opendrs.store.leases import Holder, Owner
from opendrs.worker.order import Order
from opendrs.worker.starting import Early, spawn

# The system tells a process's start in ticks since the machine's start, and the machine's start in seconds that
# may differ by one from look to look, and more when the clock is set.
START_TOLERANCE_S: Final = 2.0


@cache
def host() -> str:
    """Where a process number means something: this machine since its start, in this process namespace.

    Two containers of one machine, and the machine before and after a restart, are different hosts.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:  # not Linux
        return f"{socket.gethostname()}/{int(psutil.boot_time())}"
    return f"{socket.gethostname()}/{boot}/{namespace}"


def myself(owner: Owner) -> Holder:
    """This process."""
    return Holder(owner=owner, pid=os.getpid(), started_at=psutil.Process().create_time(), host=host())


def same(one: Holder, other: Holder) -> bool:
    """Whether both are the same process, whatever it is at."""
    near = abs(one.started_at - other.started_at) <= START_TOLERANCE_S
    return one.pid == other.pid and one.host == other.host and near


def alive(holder: Holder) -> bool | None:
    """Whether that very process runs; None: it is on another host, and nobody here can say."""
    if holder.host != host():
        return None
    return _process(holder) is not None


def stopped(holder: Holder) -> bool:
    """Whether that very process is here, and somebody has stopped it (SIGSTOP, a terminal, a debugger)."""
    process = None if holder.host != host() else _process(holder)
    try:
        return process is not None and process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.NoSuchProcess:
        return False


def send(holder: Holder, signum: signal.Signals) -> bool:
    """Signals that very process. False: it is not here any more, or never was."""
    process = None if holder.host != host() else _process(holder)
    if process is None:
        return False
    try:
        process.send_signal(signum)
    except psutil.Error:
        return False
    return True


def _process(holder: Holder) -> psutil.Process | None:
    try:
        process = psutil.Process(holder.pid)
        if abs(process.create_time() - holder.started_at) > START_TOLERANCE_S:
            return None
        # In a container, nobody may ever fetch the status of a process whose parent is gone.
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


class Worker(Protocol):
    """The process of a worker, as a watch sees it."""

    epoch: int

    @property
    def holder(self) -> Holder: ...

    def running(self) -> bool: ...

    def status(self) -> int | None:
        """Of a process that ended: its exit status, negative for a signal. None: nobody can say."""

    def send(self, signum: signal.Signals) -> bool: ...


class Child:
    """A worker that this process has started."""

    def __init__(self, popen: subprocess.Popen[bytes], epoch: int) -> None:
        self._popen = popen
        self.epoch = epoch
        self.holder = Holder(owner="worker", pid=popen.pid, started_at=_started_at(popen.pid), host=host())

    def running(self) -> bool:
        return self._popen.poll() is None

    def status(self) -> int | None:
        return self._popen.poll()

    def send(self, signum: signal.Signals) -> bool:
        # Nobody else fetches the status of our child, so its number is still its own.
        self._popen.send_signal(signum)
        return True

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()


class Stranger:
    """A worker that another process has started: we know what the lease says of it."""

    def __init__(self, holder: Holder, epoch: int, lives: Callable[[Holder], bool | None]) -> None:
        self.holder = holder
        self.epoch = epoch
        self._lives = lives

    def running(self) -> bool:
        return self._lives(self.holder) is not False

    def status(self) -> int | None:
        return None

    def send(self, signum: signal.Signals) -> bool:
        return send(self.holder, signum)


def _started_at(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def start(order: Order, epoch: int, life: int, *, early: Early | None = None) -> Child:
    """Gives the order to a new process, or to the one that was started early.

    life   the how many-eth process of this job we start, from 0
    """
    popen = (early.take() if early else None) or spawn(order, life)
    child = Child(popen, epoch)
    assert popen.stdin is not None
    try:
        with popen.stdin as pipe:
            pipe.write(order.document(epoch))
    except BrokenPipeError:
        pass  # it ended at once, and its end says more than ours would
    return child
