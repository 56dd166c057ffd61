"""Files of JSON: the objects as update_job takes them, whole or the part of it that says them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from opendrs.templates import zips
from opendrs.templates.files import MB, Kind
from opendrs.templates.unreadable import Unreadable

UNPACKED_MAX: Final = 20 * MB
# What a document may have of everything that takes memory of its own: `{`, `[`, `,` and `:`.
PARTS_MAX: Final = 4_000_000
DEPTH_MAX: Final = 64
TEXTS: Final = (".json", ".txt")
ERROR: Final = "error"
_WRAPPED: Final = ("job", "params", "db_object")
_BOMS: Final = {b"\xef\xbb\xbf": "", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Wrong(NamedTuple):
    """An object that cannot be taken: which, and why."""

    object: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """root: all of it; objects: DbObject, a part of it. `name`: of the file with the text."""

    name: str
    root: dict[str, Any]
    objects: dict[str, Any]

    def annotated(self, wrong: Sequence[Wrong]) -> bytes:
        """The same with a list of what is wrong with it; what was said of it before is forgotten."""
        rest = {name: value for name, value in self.root.items() if name != ERROR}
        rows = [row._asdict() for row in wrong]
        return json.dumps({ERROR: rows, **rest}, ensure_ascii=False, indent=2).encode()


def read(path: Path, name: str, kind: Kind) -> Document:
    """name: the file's own. Raises Unreadable."""
    if kind == "zip":
        name, content = _unpacked(path)
    else:
        content = path.read_bytes()
    root = _parsed(_text(content))
    return Document(name, root, _objects(root))


def _unpacked(path: Path) -> tuple[str, bytes]:
    with zips.opened(path, UNPACKED_MAX) as archive:
        files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        texts = [file for file in files if file.lower().endswith(TEXTS)]
        if len(files) != 1 or len(texts) != 1:
            raise Unreadable(f"a .zip must hold one file .json or .txt and nothing else; in it are {len(files)}")
        return texts[0].rpartition("/")[2], zips.read(archive, texts[0], UNPACKED_MAX)


def _text(content: bytes) -> str:
    for mark, encoding in _BOMS.items():
        if content.startswith(mark) and encoding:
            raise Unreadable(f"it is in {encoding}: save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not in UTF-8 (byte {error.start}): save it as UTF-8") from None
    if "\0" in text:
        raise Unreadable("there is a NUL in it: it is no text, or not in UTF-8")
    if sum(text.count(one) for one in "{[,:") > PARTS_MAX:
        raise Unreadable(f"it has more than {PARTS_MAX} parts")
    return text


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError:
        raise Unreadable("it is too deep") from None
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("it is no JSON object")
    _demand_storable(found)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"{twice[:64]!r} stands twice in one object")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _demand_storable(found: Any) -> None:
    """JSON can say what no store takes, and what no tree of objects has."""
    rest: list[tuple[Any, int]] = [(found, 0)]
    while rest:
        value, depth = rest.pop()
        if depth > DEPTH_MAX:
            raise Unreadable("it is too deep")
        if isinstance(value, str):
            if "\0" in value or not _whole(value):
                raise Unreadable("a text in it has a NUL, or half a character")
        elif isinstance(value, dict):
            rest += [(one, depth + 1) for pair in value.items() for one in pair]
        elif isinstance(value, list):
            rest += [(one, depth + 1) for one in value]
        elif isinstance(value, int | float) and not abs(value) < 1 << 63:
            raise Unreadable("a number in it is too large")


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _objects(root: Mapping[str, Any]) -> dict[str, Any]:
    """What update_job has as job.params.db_object; from wherever on the file begins."""
    found: Any = root
    for name in _WRAPPED:
        if isinstance(found, dict) and name in found:
            found = found[name]
    if not isinstance(found, dict) or not {"object_scope", "object_info"} & found.keys():
        raise Unreadable("there is no object_scope in it, neither at its top nor in job.params.db_object")
    return found


def count(objects: Mapping[str, Any]) -> int:
    """How many objects it names: tables, and databases as a whole."""
    info = objects.get("object_info")
    if not isinstance(info, dict):
        return 0
    tables = [database.get("tables") if isinstance(database, dict) else None for database in info.values()]
    return sum(len(one) if isinstance(one, dict) and one else 1 for one in tables)
