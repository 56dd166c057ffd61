"""Clears up behind a demo that was killed: `python -m tools.demo.guard FOLDER`.

Its standard input is the other end of a pipe that the demo holds: the pipe's end says that the demo is over, however
it ended. The servers and what starts workers (the service, `opendrs run`) die with the demo; workers are made to
outlive what started them, and are found by their leases in the state store, as whoever comes next would find them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

from opendrs.worker import process
from tests.harness.service import working

PATIENCE_S = 15.0
STARTERS = {"serve", "run"}  # commands that start workers


class Guard:
    """The demo's side."""

    def __init__(self, folder: Path) -> None:
        # A session of its own: Ctrl-C is for the demo, which clears up itself.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo.guard", str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )

    def close(self) -> None:
        self._process.communicate()


def clear(folder: Path) -> None:
    """Ends whoever works at the jobs whose state is in `folder`, and removes that."""
    until = time.monotonic() + PATIENCE_S
    store = folder / "data" / "opendrs.db"
    while store.exists() and time.monotonic() < until:
        # Those that looked after the workers may live a moment longer than the demo, and start another one.
        family = [*working(f"sqlite:///{store}").values(), *_starters(folder)]
        if not family:
            break
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.2)
    shutil.rmtree(folder, ignore_errors=True)


def _starters(folder: Path) -> list[psutil.Process]:
    """Whatever starts workers there, and what it has started, as long as it is there."""
    places = {str(folder / "data"), str(folder / "data" / "opendrs.db")}  # --data, --state
    found = []
    for one in psutil.process_iter(["cmdline"]):
        words = one.info["cmdline"] or []
        if STARTERS.intersection(words) and places.intersection(words) and one.pid != process.myself("worker").pid:
            found += [one, *one.children(recursive=True)]
    return found


def main() -> None:
    sys.stdin.buffer.read()
    clear(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
