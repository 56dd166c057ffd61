"""Which files are taken: by name, size and first bytes. What is in them is looked at by those who read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from opendrs.templates.unreadable import Unreadable

Format = Literal["excel", "json"]
Kind = Literal["xlsx", "xls", "json", "txt", "zip"]

MB: Final = 1 << 20
FILE_MAX: Final = 5 * MB
NAME_MAX: Final = 128
# Letters and digits of any script; the rest as published.
_STEM: Final = re.compile(r"[\w ()-]+")

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
HEAD_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """A kind of file. `begins`: with these bytes; empty: it is text. `most`: its bytes."""

    format: Format
    begins: bytes
    most: int


_FACTS: Final[dict[Kind, _Fact]] = {
    "xlsx": _Fact(format="excel", begins=_ZIP, most=FILE_MAX),
    "xls": _Fact(format="excel", begins=_OLE, most=FILE_MAX),
    "json": _Fact(format="json", begins=b"", most=FILE_MAX),
    "txt": _Fact(format="json", begins=b"", most=FILE_MAX),
    "zip": _Fact(format="json", begins=_ZIP, most=MB),
}
_MACROS: Final = ("xlsm", "xltm", "xlam", "xlsb", "xla", "xlt")
# What a file is by its first bytes, for people.
_SEEN: Final = {_ZIP: "a ZIP or a newer workbook (.xlsx)", _OLE: "an older or a protected workbook (.xls)"}


def kinds(format: Format) -> tuple[Kind, ...]:
    """The files of a format."""
    return tuple(kind for kind, fact in _FACTS.items() if fact.format == format)


def limit(kind: Kind) -> int:
    """Bytes that such a file may have."""
    return _FACTS[kind].most


def kind_of(name: str, size: int, head: bytes, format: Format) -> Kind:
    """What a file is. Raises Unreadable if it cannot be that, or is not taken.

    name   as the client has it, without a folder
    head   its first HEAD_BYTES
    """
    stem, dot, ending = name.rpartition(".")
    kind = next((one for one in kinds(format) if one == ending.lower()), None) if dot else None
    wanted = ", ".join(f".{one}" for one in kinds(format))
    if ending.lower() in _MACROS and format == "excel":
        raise Unreadable(f"a file .{ending.lower()} may hold macros: save it as .xlsx")
    if kind is None:
        raise Unreadable(f"this job takes {wanted}")
    demand_name(stem)
    if size > limit(kind):
        raise Unreadable(f"it has {size} bytes, and a .{kind} may have {limit(kind)}")
    if not size:
        raise Unreadable("it is empty")
    _demand_begin(kind, head)
    return kind


def demand_name(stem: str) -> None:
    """Raises Unreadable for a name, without its ending, that the published rule does not allow."""
    if not _STEM.fullmatch(stem) or len(stem) > NAME_MAX or stem != stem.strip():
        raise Unreadable(f"its name must be 1 to {NAME_MAX} letters, digits, blanks, -, _ and parentheses")


def _demand_begin(kind: Kind, head: bytes) -> None:
    begins = _FACTS[kind].begins
    if begins and head.startswith(begins):
        return
    seen = next((words for magic, words in _SEEN.items() if head.startswith(magic)), "")
    if begins:
        raise Unreadable(f"it is named .{kind}, and is {seen or 'something else'}")
    if seen:
        raise Unreadable(f"it is named .{kind}, and is {seen}")
