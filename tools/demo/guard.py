"""Clears up behind a demo that was killed: `python -m tools.demo.guard FOLDER`.

Its standard input is the other end of a pipe that the demo holds. It is told there the process of the job, and
the pipe's end says that the demo is over, however it ended.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

PATIENCE_S = 15.0


class Guard:
    """The demo's side."""

    def __init__(self, folder: Path) -> None:
        # A session of its own: Ctrl-C is for the demo, which clears up itself.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo.guard", str(folder)],
            stdin=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def watch(self, pid: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{pid} {psutil.Process(pid).create_time()}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate()


def main() -> None:
    folder = Path(sys.argv[1])
    told = [line.split() for line in sys.stdin]
    for pid, started_at in told:
        try:
            job = psutil.Process(int(pid))
            if job.create_time() != float(started_at):
                continue
            for _ in range(2):  # pause; and at once, with its worker
                job.send_signal(signal.SIGINT)
                try:
                    job.wait(PATIENCE_S / 3)
                except psutil.TimeoutExpired:
                    continue
                break
            else:
                job.wait(PATIENCE_S)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            job.kill()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
