"""Temporary files in memory, where there is plenty: tests make hundreds of databases, and some of these are hundreds of
files each.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import psutil

PLACE: Final = Path("/dev/shm")
ROOM: Final = 8 << 30  # all servers of three workers of `make test` take less than half of it
LEFT: Final = 6 << 30  # for the processes themselves


def use() -> None:
    """Everything temporary of this process, and of those that it starts, from now on. Whoever has set TMPDIR has said
    where else it is to be."""
    if "TMPDIR" not in os.environ and roomy():
        os.environ["TMPDIR"] = str(PLACE)
        tempfile.tempdir = None


def roomy() -> bool:
    if not (PLACE.is_dir() and os.access(PLACE, os.W_OK)):
        return False
    found = os.statvfs(PLACE)
    return found.f_bavail * found.f_frsize >= ROOM and psutil.virtual_memory().available >= ROOM + LEFT
