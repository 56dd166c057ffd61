"""Who clears up behind a demo that was killed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job
from opendrs.store import jobs, leases
from opendrs.store.database import open_store
from opendrs.worker import process
from tools.demo.guard import Guard, clear

WAIT = "import time; print('up', flush=True); time.sleep(600)"
SERVICE = ("serve", "--data", "{folder}/data")
COMMAND = ("run", "a", "b", "--state", "{folder}/data/opendrs.db")
DEMO = """
import sys, time
from pathlib import Path
from tools.demo.guard import Guard
guard = Guard(Path(sys.argv[1]))
print(guard._process.pid, flush=True)
time.sleep(600)
"""
JOB = Job(id="job", source=Endpoint.parse("mysql://a@b"), target=Endpoint.parse("postgresql://a@b/c"), task="full")


def test_a_killed_demo_leaves_no_worker_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "data").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", WAIT], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None and worker.stdout.readline()
        store = open_store(f"sqlite:///{folder / 'data' / 'opendrs.db'}")
        started_at = psutil.Process(worker.pid).create_time()
        holder = replace(process.myself("worker"), pid=worker.pid, started_at=started_at)
        with store.write() as connection:
            jobs.create(connection, JOB)
            leases.claim(connection, JOB.id, holder, {})
        store.close()
        with subprocess.Popen([sys.executable, "-c", DEMO, str(folder)], stdout=subprocess.PIPE) as demo:
            assert demo.stdout is not None and demo.stdout.readline()
            demo.kill()
            # The pipe of the demo's output is the guard's as well: its end is the guard's.
            assert demo.stdout.read() == b""
        assert worker.wait(60) == -9
    assert not folder.exists()


@pytest.mark.parametrize("words", [SERVICE, COMMAND])
def test_what_would_start_workers_is_ended_as_well(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "data").mkdir()
    open_store(f"sqlite:///{tmp_path / 'data' / 'opendrs.db'}").close()
    argv = [sys.executable, "-c", WAIT, *(word.format(folder=tmp_path) for word in words)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline()
        clear(tmp_path)
        assert starter.wait(60) == -9
    assert not tmp_path.exists()


def test_a_demo_that_ends_by_itself_has_nothing_left_to_clear_up(tmp_path: Path) -> None:
    Guard(tmp_path / "nothing").close()
    assert tmp_path.exists()
