"""Workbooks as people have them: written and read without the product."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import xlrd
import xlwt

TABLES = ("Source database", "Source schema", "Source table", "Target database", "Target schema", "Target table")
COLUMNS = (*TABLES, "Source column", "Target column", "Replicated", "Additional column", "Type", "Value")
KEYS = ("Source database", "Source schema", "Source table", "Key columns")
DATABASES = ("Source database", "Target database", "Target schema")


def write(path: Path, *rows: Sequence[object]) -> Path:
    """A workbook of the kind that its name says."""
    if path.suffix == ".xls":
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet("Sheet1")
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value not in (None, ""):
                    sheet.write(number, column, value)
        book.save(str(path))
    else:
        new = openpyxl.Workbook()
        assert new.active is not None
        for row in rows:
            new.active.append([None if value == "" else value for value in row])
        new.save(path)
    return path


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def only(archive: bytes) -> tuple[str, bytes]:
    """The one file of an archive."""
    (found,) = unpacked(archive).items()
    return found


def rows(name: str, content: bytes) -> list[list[str]]:
    """The texts of the first sheet, row by row, without what is empty at the end of a row."""
    if name.endswith(".xls"):
        sheet = xlrd.open_workbook(file_contents=content).sheet_by_index(0)
        found = [[str(value) for value in sheet.row_values(number)] for number in range(sheet.nrows)]
    else:
        book = openpyxl.load_workbook(io.BytesIO(content))
        found = [["" if v is None else str(v) for v in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    for row in found:
        while row and not row[-1]:
            row.pop()
    return found
