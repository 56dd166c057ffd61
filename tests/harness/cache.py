"""The folder where server programs and initialised data folders are kept between runs.

An entry is built beside its final place and renamed when it is complete, so that an entry which
exists is whole, however its maker ended. A lock file per entry keeps two runs from making the
same one at the same time; the system drops the lock of a process that dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.commands import run


def cache_root() -> Path:
    """`$OPENDRS_TEST_CACHE`, or the user's own cache folder."""
    chosen = os.environ.get("OPENDRS_TEST_CACHE")
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "opendrs"


def public_root() -> Path:
    """A cache that other users of the machine can reach, for programs that refuse to run as root.

    A root's home folder is closed to others, so the usual place will not do for PostgreSQL.
    """
    if reachable_by_others(cache_root()):
        return cache_root()
    place = Path("/var/tmp") / f"opendrs-{os.geteuid()}"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.lstat().st_uid != os.geteuid():
        raise PermissionError(f"{place} belongs to somebody else; set OPENDRS_TEST_CACHE")
    place.chmod(0o755)
    return place


def reachable_by_others(path: Path) -> bool:
    """Whether every existing folder on the way to `path` may be entered by any user."""
    path = path.absolute()
    for folder in (path, *path.parents):
        try:
            mode = folder.stat().st_mode
        except FileNotFoundError:
            continue
        except PermissionError:
            return False
        if stat.S_ISDIR(mode) and not mode & stat.S_IXOTH:
            return False
    return True


def fingerprint(*facts: object) -> str:
    """A short name for what an entry was made from: other facts, other entry."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def entry(place: Path, make: Callable[[Path], None]) -> Path:
    """The finished folder `place`; `make` fills it when it does not exist yet."""
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.with_name(f".{place.name}.lock")):
        if place.is_dir():  # another process made it while we waited
            return place
        _remove_unfinished(place)
        building = Path(tempfile.mkdtemp(prefix=_unfinished_prefix(place), dir=place.parent))
        try:
            make(building)
            building.chmod(0o755)
            building.rename(place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return place


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, which stays on disk: removing it would let two in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder to a new place, sharing blocks where the file system can.

    The copy appears whole or not at all; an empty folder may be there already.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=_unfinished_prefix(target), dir=target.parent))
    run(["cp", "-a", "--reflink=auto", f"{source}/.", str(building)])
    building.rename(target)


def _unfinished_prefix(place: Path) -> str:
    return f".{place.name}.unfinished-"


def _remove_unfinished(place: Path) -> None:
    """Throw away what a killed maker left; the lock is ours, so nobody is at work there."""
    for left in place.parent.glob(f"{_unfinished_prefix(place)}*"):
        shutil.rmtree(left, ignore_errors=True)
