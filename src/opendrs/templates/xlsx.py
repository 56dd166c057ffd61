"""Newer workbooks (.xlsx, ECMA-376), read row by row.

The XML is read with expat alone: nothing is built in memory but the row at hand and the shared strings, and a document
type, with whatever entities it declares, ends the reading. openpyxl, which writes our files, takes ten times as long
to read one, holds styles and rows as trees, and would need a parser without document types beside it.

Namespaces are not looked at: strict workbooks have others than the usual ones, and the names of elements suffice.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NoReturn
from xml.parsers import expat

from opendrs.templates import zips
from opendrs.templates.cells import (
    COLUMNS_MAX,
    DATE,
    FAILED,
    FORMULA,
    ROWS_MAX,
    TEXT_MAX,
    TRUTH,
    Cell,
    Rows,
    Unfit,
    number_text,
    place,
)
from opendrs.templates.unreadable import Unreadable, as_unreadable

UNPACKED_MAX: Final = 128 << 20  # 100,000 rows come to 30 MB
STRINGS_MAX: Final = 64 << 20
SMALL_MAX: Final = 1 << 20  # of each part that says what is where
ROW_BYTES_MAX: Final = 4 << 20  # of a sheet without the end of a row: what is held meanwhile is bounded by it

# Parts that no list of names needs, and what they are. Everything else that is not read here does no harm.
_REFUSED: Final[dict[str, str]] = {
    r".*vbaproject.*": "macros",
    r"xl/externallinks/.*": "links to other workbooks",
    r"xl/(connections\.xml|querytables/.*|model/.*)": "connections to other data",
    r"xl/(embeddings|activex|ctrlprops)/.*": "embedded objects",
    r"xl/(macrosheets|dialogsheets)/.*": "macros",
    r"(customui|xl/customui)/.*": "changes of the program's surface",
    r".*\.(zip|xlsx|xlsm|xls|docx|pptx|exe|dll|js|vbs)": "another file",
}
_PRINTER: Final = re.compile(r"xl/printersettings/.*")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_HYPERLINK: Final = "/hyperlink"


def rows(path: Path) -> Rows:
    """The rows of the first sheet. Raises Unreadable, at the latest where the reason for it stands."""
    with zips.opened(path, UNPACKED_MAX) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        _demand_plain(archive, names)
        sheet = _first_sheet(archive, names)
        found = names.get("xl/sharedstrings.xml")
        strings = _strings(archive, found) if found else []
        with as_unreadable("its first sheet cannot be read"):
            yield from _sheet(archive, sheet, strings)


def _demand_plain(archive: zipfile.ZipFile, names: Mapping[str, str]) -> None:
    for lowered in names:
        for pattern, what in _REFUSED.items():
            if re.fullmatch(pattern, lowered):
                raise Unreadable(f"it holds {what} ({zips.shown(names[lowered])}): save it without them")
        if lowered.endswith(".bin") and not _PRINTER.fullmatch(lowered):
            raise Unreadable(f"it holds something unknown ({zips.shown(names[lowered])}): save it without that")
        if lowered.endswith(".rels"):
            _demand_inside(archive, names[lowered])
    if "[content_types].xml" not in names:
        raise Unreadable("it is a ZIP, and no workbook")
    types: list[str] = []
    _parse(archive, names["[content_types].xml"], lambda name, facts: types.append(facts.get("ContentType", "")))
    if any("macroenabled" in one.lower() for one in types):
        raise Unreadable("it is made for macros: save it as .xlsx")


def _demand_inside(archive: zipfile.ZipFile, part: str) -> None:
    """Nothing of it may be elsewhere; links of cells for people to click on are."""

    def look(name: str, facts: Mapping[str, str]) -> None:
        if facts.get("TargetMode", "").lower() == "external" and not facts.get("Type", "").endswith(_HYPERLINK):
            raise Unreadable("it refers to something outside of it: save it without links")

    _parse(archive, part, look)


def _first_sheet(archive: zipfile.ZipFile, names: Mapping[str, str]) -> str:
    """The part of the first sheet."""
    roots = _relations(archive, names, "", "_rels/.rels")
    book = next((target for kind, target in roots.values() if kind.endswith("/officeDocument")), "")
    if book.lower() not in names:
        raise Unreadable("it is a ZIP, and no workbook")
    sheets: list[str] = []

    def look(name: str, facts: Mapping[str, str]) -> None:
        if name == "sheet":
            # `r:id`, whatever the prefix is.
            sheets.extend(value for key, value in facts.items() if key.rpartition(":")[2] == "id" and ":" in key)

    _parse(archive, names[book.lower()], look)
    folder, _, file = book.rpartition("/")
    related = _relations(archive, names, folder, f"{folder}/_rels/{file}.rels".lstrip("/"))
    kind, target = related.get(sheets[0], ("", "")) if sheets else ("", "")
    if not kind.endswith("/worksheet") or target.lower() not in names:
        raise Unreadable("its first sheet is none with rows")
    return names[target.lower()]


def _relations(
    archive: zipfile.ZipFile, names: Mapping[str, str], folder: str, part: str
) -> dict[str, tuple[str, str]]:
    """By id: the type, and the part that is meant."""
    found: dict[str, tuple[str, str]] = {}

    def look(name: str, facts: Mapping[str, str]) -> None:
        if name == "Relationship":
            target = facts.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            found[facts.get("Id", "")] = facts.get("Type", ""), posixpath.normpath(whole)

    if part.lower() in names:
        _parse(archive, names[part.lower()], look)
    return found


def _parse(archive: zipfile.ZipFile, part: str, look: Callable[[str, Mapping[str, str]], object]) -> None:
    """Tells of each element of a small part: its name, and its attributes."""
    text = zips.read(archive, part, SMALL_MAX)
    with as_unreadable(f"{zips.shown(part)} in it is broken"):
        parser = _parser()
        parser.StartElementHandler = lambda name, facts: look(_local(name), facts)
        parser.Parse(text, True)


def _parser() -> Any:
    """One that knows of no document types: no entity is ever declared, inside or outside."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*facts: object) -> NoReturn:
        raise Unreadable("its XML declares a document type")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    return parser


@lru_cache(maxsize=256)  # of a few words, asked for millions of times
def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _strings(archive: zipfile.ZipFile, part: str) -> list[str]:
    """The shared strings, by number."""
    if archive.getinfo(part).file_size > STRINGS_MAX:
        raise Unreadable(f"its texts have more than {STRINGS_MAX} bytes")
    found: list[str] = []
    texts = _Texts()

    def start(name: str, facts: Mapping[str, str]) -> None:
        if _local(name) == "si":
            texts.clear()
        texts.start(_local(name))

    def end(name: str) -> None:
        texts.end(_local(name))
        if _local(name) == "si":
            found.append(texts.whole())

    with as_unreadable("its texts cannot be read"):
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, texts.more
        with archive.open(part) as source:
            while portion := source.read(zips.PORTION):
                parser.Parse(portion, False)
        parser.Parse(b"", True)
    return found


class _Texts:
    """The text of a string: all `t` of it, but how it is pronounced (`rPh`)."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._within = self._beside = False

    def start(self, name: str) -> None:
        self._within = name == "t"
        self._beside = self._beside or name == "rPh"

    def end(self, name: str) -> None:
        self._within = False
        self._beside = self._beside and name != "rPh"

    def more(self, text: str) -> None:
        if self._within and not self._beside:
            self._length += len(text)
            if self._length > TEXT_MAX:
                raise Unreadable(f"a text in it has more than {TEXT_MAX} characters")
            self._parts.append(text)

    def whole(self) -> str:
        return unescaped("".join(self._parts))


def unescaped(text: str) -> str:
    """`_x000A_` stands for a character that XML cannot hold, and `_x005F_` for the `_` of such a text."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def escaped(text: str) -> str:
    """What `unescaped` makes this text of."""
    return re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text) if "_x" in text else text


def _sheet(archive: zipfile.ZipFile, part: str, strings: list[str]) -> Rows:
    reader = _Sheet(strings)
    parser = _parser()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.more
    with archive.open(part) as source:
        while portion := source.read(zips.PORTION):
            parser.Parse(portion, False)
            reader.held += len(portion)
            if reader.held > ROW_BYTES_MAX:
                raise Unreadable(f"more than {ROW_BYTES_MAX} bytes of its first sheet are no rows")
            yield from reader.fetch()
    parser.Parse(b"", True)
    yield from reader.fetch()


class _Sheet:
    """What expat tells of a sheet, as rows. `held`: bytes since the last row."""

    def __init__(self, strings: list[str]) -> None:
        self._strings = strings
        self._ready: list[tuple[int, list[Cell]]] = []
        self._row = 0
        self._cells: list[Cell] = []
        self._column = 0
        self._kind = ""
        self._formula = False
        self._in_cell = self._in_value = False
        self._text = _Texts()
        self._value = ""
        self.held = 0

    def fetch(self) -> Iterator[tuple[int, list[Cell]]]:
        ready, self._ready = self._ready, []
        return iter(ready)

    def start(self, name: str, facts: Mapping[str, str]) -> None:
        name = _local(name)
        if name == "c":
            self._begin_cell(facts)
        elif self._in_cell:
            self._in_value = name == "v"
            self._formula = self._formula or name == "f"
            self._text.start(name)
        elif name == "row":
            self._begin_row(facts.get("r"))

    def end(self, name: str) -> None:
        name = _local(name)
        if name == "c":
            self._end_cell()
        elif self._in_cell:
            self._in_value = False
            self._text.end(name)
        elif name == "row":
            if any(cell != "" for cell in self._cells):
                self._ready.append((self._row, self._cells))
            self.held = 0

    def more(self, text: str) -> None:
        if self._in_value:
            self._value += text
            if len(self._value) > TEXT_MAX:
                raise Unreadable(f"a value of row {self._row} has more than {TEXT_MAX} characters")
        elif self._in_cell:
            self._text.more(text)

    def _begin_row(self, number: str | None) -> None:
        before = self._row
        self._row = int(number) if number and len(number) < 8 and number.isdecimal() else before + 1
        if self._row <= before:
            raise Unreadable(f"row {self._row} comes behind row {before}")
        if self._row > ROWS_MAX:
            raise Unreadable(f"it has more than {ROWS_MAX} rows")
        self._cells, self._column = [], 0

    def _begin_cell(self, facts: Mapping[str, str]) -> None:
        if found := _REFERENCE.fullmatch(facts.get("r", "")):
            self._column = _number(found[1]) - 1
        self._kind = facts.get("t", "n")
        self._in_cell, self._formula = True, False
        self._value = ""
        self._text.clear()

    def _end_cell(self) -> None:
        self._in_cell = False
        cell = self._cell()
        if cell != "":
            if self._column >= COLUMNS_MAX:
                raise Unreadable(
                    f"there is something in {place(self._row, self._column)}, beyond {COLUMNS_MAX} columns"
                )
            self._cells += [""] * (self._column + 1 - len(self._cells))
            self._cells[self._column] = cell
        self._column += 1

    def _cell(self) -> Cell:
        value = self._value
        if self._formula:
            return Unfit(value if self._kind not in ("s", "e") else "", FORMULA)
        match self._kind:
            case "s":
                return self._strings[_index(value)] if value else ""
            case "inlineStr":
                return self._text.whole()
            case "str":
                return unescaped(value)
            case "b":
                return Unfit("TRUE" if value == "1" else "FALSE", TRUTH) if value else ""
            case "d":
                return Unfit(value, DATE) if value else ""
            case "e":
                return Unfit(value, FAILED)
            case _:
                return number_text(float(value)) if value else ""


def _index(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


@lru_cache(maxsize=256)
def _number(letters: str) -> int:
    """`A` is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
