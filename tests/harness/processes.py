"""Starting, watching and ending the processes of servers.

A child has its own session, so that a Ctrl-C meant for the tests does not reach it, and by
default dies with the process that started it. What outlives its starter all the same is ended by
the next process that starts a server (see `workplace`).
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from tests.harness.proc import Process, boot_id, descendants, kill_tree, process
from tests.harness.server import ServerFailed

LAUNCHER = Path(__file__).with_name("launcher.py")
PROBE_EVERY_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a child is started.

    log       takes what it prints; appended to
    account   (user id, group id) to run as; None: as we are
    tied      whether it dies with this process
    """

    name: str
    argv: Sequence[str | Path]
    folder: Path
    log: Path
    environment: Mapping[str, str]
    account: tuple[int, int] | None = None
    tied: bool = True


class Child:
    """A process that we started, with the processes it starts itself.

    record  where it is noted who it is, for as long as it lives
    """

    def __init__(self, command: Command, record: Path) -> None:
        self.command = command
        self._record = record
        self._popen = _spawner().call(lambda: _popen(command, record))
        found = process(self._popen.pid)
        if found is None:
            raise ServerFailed(f"{command.name} ended at once\n{tail(command.log)}")
        self.process: Process = found

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self._popen.poll() is None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Return when `ready()`. Raises ServerFailed, and ends the child, if it never is."""
        deadline = time.monotonic() + timeout_s
        while self.running() and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(PROBE_EVERY_S)
        what = "did not get ready in time" if self.running() else "ended while starting"
        self.kill()
        raise ServerFailed(f"{self.command.name} {what}\n{tail(self.command.log)}")

    def end(self, signum: signal.Signals, timeout_s: float) -> None:
        """Ask the child to end, and wait. Raises ServerFailed, and kills it, if it does not."""
        self.process.send(signum)
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            log = tail(self.command.log)
            raise ServerFailed(f"{self.command.name} did not stop in {timeout_s} s\n{log}") from None
        self._forget()

    def kill(self) -> None:
        """SIGKILL the child and its descendants; a paused one too."""
        if self.running():
            kill_tree(self.process)
            self._popen.wait()
        self._forget()

    def kill_alone(self) -> None:
        """SIGKILL the child, and leave its descendants to themselves."""
        self.process.send(signal.SIGKILL)
        self._popen.wait()
        self._forget()

    def pause(self) -> None:
        """The child first, so that it starts no others, then its descendants."""
        self.process.pause()
        for member in descendants(self.pid):
            member.pause()

    def resume(self) -> None:
        for member in descendants(self.pid):
            member.send(signal.SIGCONT)
        self.process.send(signal.SIGCONT)

    def _forget(self) -> None:
        self._record.unlink(missing_ok=True)


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log, for an error message."""
    if not log.is_file():
        return f"(no log at {log})"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _popen(command: Command, record: Path) -> subprocess.Popen[bytes]:
    uid, gid = command.account or (-1, -1)
    tied = "tied" if command.tied else "free"
    launch = [sys.executable, "-I", "-S", str(LAUNCHER), str(record), boot_id(), str(os.getpid())]
    argv = [*launch, tied, str(uid), str(gid), *map(str, command.argv)]
    with command.log.open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=command.folder,
            env=dict(command.environment),
            start_new_session=True,
        )


class _Spawner:
    """One thread that starts all children.

    "Die with your parent" (PR_SET_PDEATHSIG) means the parent *thread*: a server started by a
    thread of a test would die with that thread. This one lives as long as the process.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[
            tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]
        ] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="harness-spawner", daemon=True).start()

    def call(self, order: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((order, answer))
        return answer.result()

    def _work(self) -> None:
        while True:
            order, answer = self._orders.get()
            try:
                answer.set_result(order())
            except Exception as error:  # noqa: BLE001  (the one who gave the order raises it)
                answer.set_exception(error)


_spawners: dict[int, _Spawner] = {}  # by process: threads do not survive a fork


def _spawner() -> _Spawner:
    if os.getpid() not in _spawners:
        _spawners[os.getpid()] = _Spawner()
    return _spawners[os.getpid()]
