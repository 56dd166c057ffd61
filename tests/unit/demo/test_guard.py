"""Who clears up behind a demo that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.demo.guard import Guard

WAIT = "import time; print('up', flush=True); time.sleep(600)"
DEMO = """
import sys, time
from pathlib import Path
from tools.demo.guard import Guard
guard = Guard(Path(sys.argv[1]))
guard.watch(int(sys.argv[2]))
print(guard._process.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_demo_leaves_no_job_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "jobs").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", WAIT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as job:
        assert job.stdout is not None and job.stdout.readline()
        words = [sys.executable, "-c", DEMO, str(folder), str(job.pid)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as demo:
            assert demo.stdout is not None
            assert demo.stdout.readline()
            demo.kill()
            # The pipe of the demo's output is the guard's as well: its end is the guard's.
            assert demo.stdout.read() == b""
        assert job.wait(60) != 0  # Python says KeyboardInterrupt
    assert not folder.exists()


def test_a_demo_that_ends_by_itself_has_no_more_to_clear_up(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as job:
        guard = Guard(tmp_path / "nothing")
        guard.watch(job.pid)
        job.wait()
    guard.close()
    assert tmp_path.exists()
