"""Older workbooks (.xls, BIFF8 in an OLE2 file), read row by row with xlrd.

xlrd shows the value of a formula and says nothing of macros, links and passwords, and it makes room for as many cells
as a file claims to have. So the records are looked at before: [MS-XLS] has their numbers and shapes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import xlrd
from xlrd.biffh import error_text_from_code
from xlrd.compdoc import CompDoc
from xlrd.sheet import Sheet

from opendrs.templates.cells import COLUMNS_MAX, FAILED, FORMULA, TEXT_MAX, TRUTH, Cell, Rows, Unfit, number_text, place
from opendrs.templates.unreadable import Unreadable, as_unreadable

SHEETS_MAX: Final = 64
_HEADER: Final = struct.Struct("<HH")
_BOF, _EOF = 0x0809, 0x000A
_BIFF8: Final = 0x0600
_BOUNDSHEET: Final = 0x0085
_WITH_ROWS: Final = 0x00
_REFUSED: Final[dict[int, str]] = {
    0x002F: "it is protected by a password",  # FilePass
    0x00D3: "it holds macros: save it without them",  # ObProj
    0x00D2: "it holds macros: save it without them",  # ObNoMacros comes with a project
    0x0023: "it refers to other workbooks: save it without links",  # ExternName
    0x00DC: "it holds connections to other data",  # DbQuery
    0x0813: "it holds connections to other data",  # RealTimeData
}
_SUPBOOK: Final = 0x01AE
_OWN_SHEETS: Final = 0x0401  # a SupBook of this length of name is the workbook itself
_FORMULAS: Final = (0x0006, 0x0221, 0x0236)  # Formula, Array, Table
# Records of cells that are not empty: row, column, ... Of several in a row the last column stands at the end.
_CELLS: Final = (0x0006, 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD, 0x00D6)
_MANY: Final = 0x00BD
_STORAGES: Final = {"_vba_project_cur": "macros", "macros": "macros", "_vba_project": "macros"}
_PARTS: Final = ("workbook", "book")
_ENCRYPTED: Final = ("encryptedpackage", "encryptioninfo")


def rows(path: Path) -> Rows:
    """The rows of the first sheet. Raises Unreadable before the first of them."""
    content = path.read_bytes()
    with as_unreadable("it is no workbook, or a broken one"):
        formulas = _looked_at(content)
        book = xlrd.open_workbook(
            file_contents=content, logfile=io.StringIO(), on_demand=True, ragged_rows=True, verbosity=0
        )
        sheet = book.sheet_by_index(0)
    with book, as_unreadable("its first sheet cannot be read"):
        yield from _rows(sheet, formulas)


def _rows(sheet: Sheet, formulas: frozenset[tuple[int, int]]) -> Rows:
    for number in range(sheet.nrows):
        cells = [_cell(sheet, number, column, (number, column) in formulas) for column in range(sheet.row_len(number))]
        if any(cell != "" for cell in cells):
            yield number + 1, cells


def _cell(sheet: Sheet, row: int, column: int, formula: bool) -> Cell:
    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if formula:
        return Unfit(value if kind == xlrd.XL_CELL_TEXT else "", FORMULA)
    match kind:
        case xlrd.XL_CELL_TEXT:
            if len(value) > TEXT_MAX:
                raise Unreadable(f"{place(row + 1, column)} has more than {TEXT_MAX} characters")
            return str(value)
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            return number_text(float(value))
        case xlrd.XL_CELL_BOOLEAN:
            return Unfit("TRUE" if value else "FALSE", TRUTH)
        case xlrd.XL_CELL_ERROR:
            return Unfit(error_text_from_code.get(int(value), ""), FAILED)
        case _:
            return ""


@dataclass(slots=True)
class _Look:
    """What the records of a workbook say.

    first   where the first sheet with rows begins
    within  where the substreams begin that are open: a chart stands within its sheet
    """

    formulas: set[tuple[int, int]] = field(default_factory=set)
    sheets: int = 0
    first: int = -1
    within: list[int] = field(default_factory=list)


def _looked_at(content: bytes) -> frozenset[tuple[int, int]]:
    """Where the first sheet has formulas. Raises Unreadable for what is not taken."""
    document = CompDoc(content, logfile=io.StringIO())
    names = {node.name.lower() for node in document.dirlist}
    if names & set(_ENCRYPTED):
        raise Unreadable("it is protected by a password")
    for name, what in _STORAGES.items():
        if name in names:
            raise Unreadable(f"it holds {what}: save it without them")
    for part in _PARTS:
        memory, base, length = document.locate_named_stream(part.capitalize())
        if memory is not None:
            return _records(memory[base : base + length])
    raise Unreadable("it is no workbook")


def _records(stream: bytes) -> frozenset[tuple[int, int]]:
    look = _Look()
    for at, number, record in _split(stream):
        if reason := _REFUSED.get(number):
            raise Unreadable(reason)
        if number == _BOF:
            if _HEADER.unpack_from(record)[0] != _BIFF8:
                raise Unreadable("it is of a version before 97: save it anew")
            look.within.append(at)
        elif number == _EOF:
            look.within.pop()
        elif number == _BOUNDSHEET:
            _note_sheet(look, record)
        elif number == _SUPBOOK and int.from_bytes(record[2:4], "little") != _OWN_SHEETS:
            raise Unreadable("it refers to other workbooks: save it without links")
        elif number in _CELLS or number == _MANY:
            _demand_near(number, record)
        if number in _FORMULAS and look.within[-1] == look.first:
            look.formulas |= _covered(number, record)
    return frozenset(look.formulas)


def _note_sheet(look: _Look, record: bytes) -> None:
    look.sheets += 1
    if look.sheets > SHEETS_MAX:
        raise Unreadable(f"it has more than {SHEETS_MAX} sheets")
    begins, _, kind = struct.unpack_from("<IBB", record)
    if kind == _WITH_ROWS and look.first < 0:
        look.first = begins


def _demand_near(number: int, record: bytes) -> None:
    row, column = _HEADER.unpack_from(record)
    last = int.from_bytes(record[-2:], "little") if number == _MANY else column
    if max(column, last) >= COLUMNS_MAX:
        raise Unreadable(f"there is something in {place(row + 1, max(column, last))}, beyond {COLUMNS_MAX} columns")


def _covered(number: int, record: bytes) -> set[tuple[int, int]]:
    """The cells of a formula; those of an array and of a table are a range."""
    if number == _FORMULAS[0]:
        row, column = _HEADER.unpack_from(record)
        return {(row, column)}
    first, last, left, right = struct.unpack_from("<HHBB", record)
    if (last - first + 1) * (right - left + 1) > COLUMNS_MAX * COLUMNS_MAX:
        raise Unreadable("it holds a formula for very many cells: write the values themselves")
    return {(row, column) for row in range(first, last + 1) for column in range(left, right + 1)}


def _split(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Place, number and content of each record, up to the end of the last substream."""
    at = 0
    while at + _HEADER.size <= len(stream):
        number, length = _HEADER.unpack_from(stream, at)
        begins = at + _HEADER.size
        if number == 0 and length == 0:
            return  # behind the end the stream is filled with nothing
        yield at, number, stream[begins : begins + length]
        at = begins + length
