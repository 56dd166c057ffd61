"""Files on their way in: written to disk as they come, and gone when nobody has kept them.

What is sent is multipart/form-data with one part named `file` (RFC 7578). It lies on disk as it came, and the part
is cut out of it there: of a file of any size only a portion is ever in memory.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from opendrs.control.importing import Upload
from opendrs.errors import DrsError, Fault

FOLDER: Final = "uploads"
MULTIPART: Final = "multipart/form-data"
PART: Final = "file"
FRAME_MAX: Final = 64 << 10  # bytes of the frame around a file
PARTS_MAX: Final = 16
PORTION: Final = 1 << 16
_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))', re.IGNORECASE)
_PARAMETER: Final = re.compile(r';\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))')


class Uploads:
    """The folder that they come to. A service has one, and no other process writes there."""

    def __init__(self, folder: Path) -> None:
        """folder   of the service"""
        self._folder = folder / FOLDER

    def clear(self) -> None:
        """Takes away what an earlier service has left, which was killed."""
        for file in self._folder.glob("*"):
            file.unlink(missing_ok=True)

    def begin(self) -> Arriving:
        """Raises TOO_SLOW if there is no room for it."""
        with _room():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Arriving(self._folder)


class Arriving:
    """A body that comes in, on disk. `digest`: SHA-256 of what has come."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)  # with the mode 0600
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._hash = hashlib.sha256()

    def write(self, part: bytes) -> None:
        """Raises TOO_SLOW if there is no room for it."""
        with _room():
            self._file.write(part)
        self._hash.update(part)
        self.size += len(part)

    @property
    def digest(self) -> str:
        """Empty: nothing has come."""
        return self._hash.hexdigest() if self.size else ""

    def close(self) -> None:
        """All has come."""
        self._file.close()

    def discard(self) -> None:
        """It has served. May be repeated."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    @contextmanager
    def file(self, content_type: str) -> Iterator[Upload]:
        """The file in it, beside it: whoever keeps it moves it away. Raises CONTENT_TYPE, REQUEST_INVALID,
        PARAMETER_EMPTY."""
        if content_type.partition(";")[0].strip().lower() != MULTIPART:
            raise DrsError(Fault.CONTENT_TYPE, found=content_type[:64] or "nothing")
        if not self.size:
            raise DrsError(Fault.PARAMETER_EMPTY, name=PART)
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise _odd("its Content-Type has no boundary")
        cut = self.path.with_name(f"{self.path.name}.file")
        try:
            with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
                name, begins, ends = _part(body, f"--{found[1] or found[2]}".encode("latin-1"))
                with _room(), cut.open("wb") as out:
                    for at in range(begins, ends, PORTION):
                        out.write(body[at : min(at + PORTION, ends)])
            yield Upload(name=name, path=cut, size=ends - begins)
        finally:
            cut.unlink(missing_ok=True)


def _part(body: mmap.mmap, boundary: bytes) -> tuple[str, int, int]:
    """Name of the file, where it begins and where it ends. Raises REQUEST_INVALID, PARAMETER_EMPTY."""
    found: list[tuple[str, int, int]] = []
    at = 0 if body[: len(boundary)] == boundary else body.find(b"\r\n" + boundary) + 2
    if at < 2 and body[: len(boundary)] != boundary:
        raise _odd("its boundary is nowhere in it")
    for _ in range(PARTS_MAX):
        at += len(boundary)
        if body[at : at + 2] == b"--":
            break
        head = body.find(b"\r\n", at)
        begins = body.find(b"\r\n\r\n", head, at + FRAME_MAX)
        ends = body.find(b"\r\n" + boundary, begins + 2)
        if body[at:head].strip() or begins < 0 or ends < 0:
            raise _odd("its parts are not as RFC 7578 wants them")
        names = _disposition(body[head : begins + 2])
        if names.get("name") == PART:
            found.append((names.get("filename", ""), begins + 4, max(ends, begins + 4)))
        at = ends + 2
    else:
        raise _odd(f"it has more than {PARTS_MAX} parts")
    if not found:
        raise DrsError(Fault.PARAMETER_EMPTY, name=PART)
    if len(found) > 1:
        raise _odd(f"there are {len(found)} parts named {PART}")
    return found[0]


def _disposition(head: bytes) -> dict[str, str]:
    """The parameters of Content-Disposition; the name of the file is without folders."""
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    line = next((one for one in text.split("\r\n") if one.lower().startswith("content-disposition:")), "")
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(line)}
    encoded = found.pop("filename*", "")
    if encoded.lower().startswith("utf-8''"):
        found["filename"] = unquote(encoded[len("utf-8''") :], errors="replace")
    if "filename" in found:
        found["filename"] = found["filename"].replace("\\", "/").rpartition("/")[2]
    return found


def _odd(reason: str) -> DrsError:
    return DrsError(Fault.REQUEST_INVALID, reason=reason)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DrsError(Fault.TOO_SLOW, reason=f"the file cannot be kept here: {error.strerror or error}") from error
