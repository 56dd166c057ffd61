"""Workbooks of ours: .xlsx by openpyxl, .xls by xlwt, written row by row. Loaded only by those who write.

What a user has sent is written back as text, whatever it looks like: a cell that begins with `=` is no formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from opendrs.errors import DrsError, Fault
from opendrs.templates.cells import TEXT_MAX
from opendrs.templates.files import Kind
from opendrs.templates.layout import ERROR, SHEET
from opendrs.templates.xlsx import escaped

WIDTH: Final = 22  # characters
XLS_ROWS_MAX: Final = 65_536
_FLUSH_ROWS: Final = 1_000
_BOLD: Final = Font(bold=True)
_RED: Final = PatternFill("solid", fgColor="FFF4CCCC")
_FIRST_SHEET: Final = "xl/worksheets/sheet1.xml"
_ROWS_END: Final = "</sheetData>"
_DIMENSION: Final = re.compile(r"<dimension [^>]*/>")

Lines = Iterable[Sequence[str]]


def write(path: Path, kind: Kind, titles: Sequence[str], rows: Lines, notes: Lines, note_title: str) -> None:
    """A workbook: titles and rows on the first sheet, on the second what people should know of it.

    kind   xlsx or xls
    A column with the title ERROR is marked where it says something. Raises UNSUPPORTED for more rows than a .xls has.
    """
    _WRITERS[kind](path, titles, rows, notes, note_title)


def _xlsx(path: Path, titles: Sequence[str], rows: Lines, notes: Lines, note_title: str) -> None:
    """openpyxl makes the book, with its titles, styles and notes. The rows go in as text: a cell takes it 0.2 ms."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet.freeze_panes = "A2"
    for number, title in enumerate(titles, 1):
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width = WIDTH
        column.number_format = "@"  # what is typed stays as it is typed
        _filled(sheet, 1, number, title).font = _BOLD
    red = sheet.cell(1, len(titles) + 1)
    red.fill = _RED
    style = red.style_id
    sheet.delete_cols(len(titles) + 1)
    beside = book.create_sheet(note_title)
    for row, line in enumerate(notes, 1):
        for number, text in enumerate(line, 1):
            _filled(beside, row, number, text)
    made = io.BytesIO()
    book.save(made)
    error = titles.index(ERROR) if ERROR in titles else -1
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in before.namelist():
            with packed.open(name, "w") as out:
                if name != _FIRST_SHEET:
                    out.write(before.read(name))
                    continue
                head, end, tail = before.read(name).decode().rpartition(_ROWS_END)
                out.write(_DIMENSION.sub("", head).encode())  # how many rows there are is not known yet
                for line_ in _lines(rows, error, style):
                    out.write(line_.encode())
                out.write(f"{end}{tail}".encode())


def _filled(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell), "nothing is merged here"
    if text:
        cell.value = escaped(_fit(text))
        cell.data_type = "s"
    return cell


def _lines(rows: Lines, error: int, style: int) -> Iterator[str]:
    """The XML of each row."""
    letters: list[str] = []
    marked = f' s="{style}"'
    for number, row in enumerate(rows, 2):
        letters += [get_column_letter(column + 1) for column in range(len(letters), len(row))]
        cells = "".join(
            f'<c r="{letters[column]}{number}"{marked if column == error else ""} t="inlineStr">'
            f'<is><t xml:space="preserve">{escape(escaped(_fit(text)))}</t></is></c>'
            for column, text in enumerate(row)
            if text
        )
        yield f'<row r="{number}">{cells}</row>'


def _fit(text: str) -> str:
    """Without what no workbook holds."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 3]}..."


def _xls(path: Path, titles: Sequence[str], rows: Lines, notes: Lines, note_title: str) -> None:
    import xlwt

    plain, bold = xlwt.easyxf(num_format_str="@"), xlwt.easyxf("font: bold on")
    red = xlwt.easyxf("pattern: pattern solid, fore_colour rose", num_format_str="@")
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(SHEET)
    sheet.set_panes_frozen(True)
    sheet.set_horz_split_pos(1)
    for column, title in enumerate(titles):
        sheet.col(column).width = WIDTH * 256
        sheet.col(column).set_style(plain)
        sheet.write(0, column, title, bold)
    error = titles.index(ERROR) if ERROR in titles else -1
    try:
        for number, row in enumerate(rows, 1):
            if number >= XLS_ROWS_MAX:
                raise DrsError(Fault.UNSUPPORTED, what=f"A .xls of more than {XLS_ROWS_MAX} rows")
            for column, text in enumerate(row):
                if text:
                    sheet.write(number, column, _fit(text), red if column == error else plain)
            if number % _FLUSH_ROWS == 0:
                sheet.flush_row_data()
        beside = book.add_sheet(note_title)
        for number, row in enumerate(notes):
            for column, text in enumerate(row):
                beside.write(number, column, _fit(text))
        with path.open("wb") as file:
            book.save(file)
    finally:
        if sheet.row_tempfile is not None:  # rows that were put out of memory; xlwt leaves it open
            sheet.row_tempfile.close()


_WRITERS: Final[dict[Kind, Callable[[Path, Sequence[str], Lines, Lines, str], None]]] = {"xlsx": _xlsx, "xls": _xls}
