"""Processes that are made to stand still."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness.proc import process

BUSY = """
import hashlib, sys, threading
def work():
    while True:
        hashlib.sha256(bytes(1 << 20)).digest()
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
print("works", flush=True)
work()
"""


def states(pid: int) -> set[str]:
    return {one.read_text().rpartition(")")[2].split()[0] for one in Path(f"/proc/{pid}/task").glob("*/stat")}


def test_all_threads_stand_still_when_a_process_is_paused() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        one = process(child.pid)
        assert one is not None
        one.pause()
        assert states(child.pid) == {"T"}
        child.kill()
    one.pause()  # it is gone
