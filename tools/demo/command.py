"""The job of the demo that needs no service: `opendrs run` as a process, and what its state store says of it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import psutil

from opendrs.cli.view import View, look
from opendrs.model.checkpoint import Phase
from opendrs.store.database import open_store
from tests.harness.processes import Child, Command, tail
from tests.harness.service import OPENDRS, working
from tools.demo.screen import Lines

POLL_S: Final = 0.1
PATIENCE_S: Final = 180.0

Found = TypeVar("Found")


class Job:
    """One `opendrs run`, from its start on.

    meanwhile   is called all the time while something is waited for
    """

    def __init__(self, folder: Path, source: str, target: str, meanwhile: Callable[[], None]) -> None:
        self._folder = folder
        (folder / "data").mkdir()
        state = folder / "data" / "opendrs.db"
        self.words = [str(OPENDRS), "run", source, target, "--tables", "shop.*", "--state", str(state)]
        self._url = f"sqlite:///{state}"
        self._store = open_store(self._url)
        self._child: Child | None = None
        self._meanwhile = meanwhile
        self._lines = Lines()

    def __enter__(self) -> Self:
        command = Command(
            name="opendrs run", argv=[*self.words, "--plain"], folder=self._folder, log=self._folder / "run.log",
            environment=os.environ,
        )  # fmt: skip
        self._child = Child(command, self._folder / "run.json")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()
        for worker in working(self._url).values():
            worker.kill()
        self._store.close()

    def __str__(self) -> str:
        """The command line, for a shell."""
        return shlex.join(self.words)

    def like(self, name: str, target: str) -> str:
        """A command line for another job of the same source."""
        words = [*self.words[:3], target, *self.words[4:], "--name", name]
        return shlex.join(words)

    def worker(self) -> psutil.Process:
        """The process that works at the job, as soon as there is one."""
        return self.until("a worker", lambda: next(iter(working(self._url).values()), None))

    def load_until(self, share: float) -> None:
        """Shows how far the job is until so much of the load is there."""
        self._watch(lambda view: view.phase not in ("", Phase.LOADING) or view.done >= share)

    def follow(self) -> None:
        """Shows how far the job is until it follows the log."""
        self._watch(lambda view: view.phase == Phase.FOLLOWING)

    def go_on(self, seconds: float) -> None:
        """Shows how far the job is for so long."""
        end = time.monotonic() + seconds
        self._watch(lambda view: time.monotonic() >= end)

    def _watch(self, there: Callable[[View], bool]) -> None:
        def arrived() -> bool:
            view = self._look()
            if view is None:
                return False
            over = there(view)
            self._lines.show(_line(view), matters=over)
            return over

        self.until("progress", arrived)

    def _look(self) -> View | None:
        job = next(iter(working(self._url)), None)
        return None if job is None else look(self._store, job, after=1 << 62)

    def until(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Waits for something, and returns it. Ends the demo if the job has ended, or it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := look():
                return found
            if self._child is None or not self._child.running():
                raise SystemExit(f"`opendrs run` has ended:\n{tail(self._folder / 'run.log')}")
            self._meanwhile()
            time.sleep(POLL_S)
        raise SystemExit(f"no {what} within {PATIENCE_S:.0f} s:\n{tail(self._folder / 'run.log')}")


def _line(view: View) -> str:
    """How the job stands, in one line."""
    load, metrics = view.load, view.metrics
    if not load.get("tables"):
        return "starting"
    if view.phase in ("", Phase.LOADING):
        return f"loading {view.done:.0%}, {load['loaded']} of {load['tables']} tables, {load['rows']:,} rows"
    late_s = metrics.get("apply_latency")
    late = "" if late_s is None else f", {late_s * 1000:,.0f} ms behind"
    return f"{view.phase}, {metrics.get('apply_changes_total', 0):,} changes of the log published{late}"
