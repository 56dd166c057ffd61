"""ZIP archives of strangers: looked at as a whole before anything of one is unpacked, and unpacked within bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opendrs.templates.unreadable import Unreadable, as_unreadable

ENTRIES_MAX: Final = 1_000
# Deflate makes at most 1032 of one; sheets with 100,000 alike rows come to 60.
RATIO_MAX: Final = 200
RATIO_FROM: Final = 1 << 20  # bytes: below it does not matter
_ENCRYPTED: Final = 0x1
_TAKEN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
PORTION: Final = 1 << 16


@contextmanager
def opened(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    """The archive. Raises Unreadable unless it is one that does no harm.

    most   bytes of all that is in it, unpacked
    """
    with as_unreadable("it is no ZIP, or a broken one"):
        archive = zipfile.ZipFile(path)
    with archive:
        _demand_harmless(archive, most)
        yield archive


def read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """One entry, whole. Raises Unreadable if it is larger than that, or broken."""
    info = archive.getinfo(name)
    if info.file_size > most:
        raise Unreadable(f"{shown(name)} in it has {info.file_size} bytes, and may have {most}")
    with as_unreadable(f"{shown(name)} in it is broken"):
        return archive.read(name)


def _demand_harmless(archive: zipfile.ZipFile, most: int) -> None:
    entries = archive.infolist()
    if len(entries) > ENTRIES_MAX:
        raise Unreadable(f"there are {len(entries)} entries in it, and there may be {ENTRIES_MAX}")
    if len({entry.filename for entry in entries}) < len(entries):
        raise Unreadable("two entries in it have one name")
    total = sum(entry.file_size for entry in entries)
    if total > most:
        raise Unreadable(f"it unpacks to {total} bytes, and may to {most}")
    for entry in entries:
        name = shown(entry.filename)
        if not _plain(entry.filename):
            raise Unreadable(f"the name {name} in it leads out of the archive")
        if entry.flag_bits & _ENCRYPTED:
            raise Unreadable("it is protected by a password")
        if entry.compress_type not in _TAKEN:
            raise Unreadable(f"{name} in it is packed in a way that is not taken")
        # What is unpacked is never more than what is declared here: reading stops there.
        if entry.file_size > RATIO_FROM and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
            raise Unreadable(f"{name} in it unpacks to more than {RATIO_MAX} times its size")


def _plain(name: str) -> bool:
    """Whether it is a path inside, and nothing else."""
    parts = name.removesuffix("/").split("/")
    return bool(name) and name.isprintable() and not {"\\", ":"} & set(name) and not {"", ".", ".."} & set(parts)


def shown(name: str) -> str:
    return repr(name if len(name) <= 64 else f"{name[:64]}...")
