"""The temporary folder of this process, and the clearing up after processes that died.

Each process that starts servers has one folder, with a lock that the system drops when the
process ends, however it ends. Whoever makes a new folder looks first for folders whose lock is
free: their recorded children are ended, by process number and start time, and they are removed.
"""

from __future__ import annotations

import atexit
import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.harness import memory, shared_memory
from tests.harness.cache import locked, reachable_by_others
from tests.harness.proc import Process, boot_id, kill_tree

LOCK = "owner.lock"
RECORDS = "children"


@dataclass(slots=True)
class Workplace:
    """A folder that lives as long as this process.

    Layout: `owner.lock`; `children/NAME`, one record for each child; one folder per server.
    """

    path: Path
    lock: TextIO
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def folder(self, name: str) -> Path:
        """A new folder in here; the name gets a number."""
        path = self.path / f"{name}-{next(self._numbers)}"
        path.mkdir(mode=0o755)
        return path

    def record(self, name: str) -> Path:
        return self.path / RECORDS / name


# By process: a forked child must not use its parent's. (It keeps its parent's lock, though: until
# it ends as well, the parent is taken to live.)
_current: dict[int, Workplace] = {}


def workplace() -> Workplace:
    """This process's folder, made when first asked for; each time the dead ones are cleared up."""
    root = _root()
    for other in _other_roots(root):
        with locked(other / ".lock"):
            _sweep(other)
    with locked(root / ".lock"):
        _sweep(root)
        if os.getpid() not in _current:
            _current[os.getpid()] = _make(root)
            atexit.register(_remove_at_exit, os.getpid())
    return _current[os.getpid()]


def _root() -> Path:
    """The folder of all folders; short, since a socket's path may have 107 bytes only."""
    temporary = Path(tempfile.gettempdir())
    if len(str(temporary)) > 40 or not reachable_by_others(temporary):
        temporary = Path("/tmp")
    root = temporary / _name()
    root.mkdir(mode=0o755, exist_ok=True)
    if root.lstat().st_uid != os.geteuid():
        raise PermissionError(f"{root} belongs to somebody else")
    root.chmod(0o755)
    return root


def _other_roots(root: Path) -> list[Path]:
    """Where processes with another TMPDIR may have left something."""
    found = [place / _name() for place in (Path("/tmp"), memory.PLACE)]
    return [other for other in found if other != root and other.is_dir() and other.lstat().st_uid == os.geteuid()]


def _name() -> str:
    return f"opendrs-harness-{os.geteuid()}"


def _make(root: Path) -> Workplace:
    path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))
    path.chmod(0o755)  # servers may run as another user
    (path / RECORDS).mkdir(mode=0o700)
    lock = (path / LOCK).open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return Workplace(path, lock)


def _sweep(root: Path) -> None:
    for path in root.iterdir():
        if path.is_dir() and not _owner_lives(path):
            _clear(path)


def _owner_lives(path: Path) -> bool:
    try:
        lock = (path / LOCK).open()
    except FileNotFoundError:  # died while making or removing it, which happens under our lock
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _clear(path: Path) -> None:
    for record in (path / RECORDS).glob("*"):
        child = _recorded(record)
        if child:
            kill_tree(child)
    shared_memory.release_below(path)
    shutil.rmtree(path, ignore_errors=True)


def _recorded(record: Path) -> Process | None:
    """The process that a record names; None if it cannot be told or is of an earlier boot."""
    words = record.read_text().split()
    if record.suffix or len(words) != 3 or words[2] != boot_id():
        return None
    return Process(int(words[0]), int(words[1]))


def _remove_at_exit(owner: int) -> None:
    if os.getpid() == owner:
        path = _current.pop(owner).path
        with locked(path.with_name(".lock")):
            _clear(path)
