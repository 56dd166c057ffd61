"""Shared memory that a killed PostgreSQL leaves behind.

PostgreSQL guards its data folder with a small System V segment, which the next start in the same
folder takes over. When the folder is thrown away instead nobody ever would, and the machine's
4096 segments run out after as many killed servers.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

IPC_RMID = 0
SEGMENTS = Path("/proc/sysvipc/shm")


def release_below(folder: Path) -> None:
    """Remove the segments of all PostgreSQL data folders at most two levels below `folder`."""
    for pattern in ("postmaster.pid", "*/postmaster.pid", "*/*/postmaster.pid"):
        for file in folder.glob(pattern):
            release(file)


def release(pid_file: Path) -> None:
    """Remove the segment that a `postmaster.pid` names in line 7 (key and id), if unused."""
    lines = pid_file.read_text().splitlines()
    words = lines[6].split() if len(lines) > 6 else []
    if len(words) == 2 and (int(words[0]), int(words[1])) in _unused():
        ctypes.CDLL(None, use_errno=True).shmctl(int(words[1]), IPC_RMID, None)


def _unused() -> set[tuple[int, int]]:
    """(key, id) of the segments that no process is attached to."""
    if not SEGMENTS.is_file():
        return set()
    rows = [line.split() for line in SEGMENTS.read_text().splitlines()[1:]]
    return {(int(row[0]), int(row[1])) for row in rows if row[6] == "0"}
