"""Older workbooks: what xlrd does not tell is looked for in the records."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import xlwt
from xlwt.CompoundDoc import XlsDoc

from opendrs.templates import xls
from opendrs.templates.unreadable import Unreadable


def book(path: Path, *rows: tuple[object, ...], sheets: int = 1) -> Path:
    new = xlwt.Workbook(encoding="utf-8")
    for number in range(sheets):
        sheet = new.add_sheet(f"sheet {number}")
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                if value is not None:
                    sheet.write(row, column, value)
    new.save(str(path))
    return path


def read(path: Path) -> list[tuple[int, list[Any]]]:
    return [(number, list(cells)) for number, cells in xls.rows(path)]


def refused(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    return str(caught.value)


def document(
    path: Path, *records: tuple[int, bytes], sheet: tuple[tuple[int, bytes], ...] = (), name: str = "Workbook"
) -> Path:
    """A workbook of records: those of its globals, and those of its one sheet."""

    def laid(rows: list[tuple[int, bytes]]) -> bytes:
        return b"".join(struct.pack("<HH", number, len(content)) + content for number, content in rows)

    begin = (0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    page = (0x0042, struct.pack("<H", 1200))
    title = b"\x03\x00one"

    def heads(at: int) -> list[tuple[int, bytes]]:
        return [begin, page, *records, (0x0085, struct.pack("<IBB", at, 0, 0) + title), (0x000A, b"")]

    at = len(laid(heads(0)))
    inner = (0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0))
    stream = laid(heads(at)) + laid([inner, *sheet, (0x000A, b"")])
    XlsDoc().save(str(path), stream + b"\0" * (4096 - len(stream) % 4096))
    if name != "Workbook":
        path.write_bytes(path.read_bytes().replace("Workbook".encode("utf-16-le"), name.ljust(8).encode("utf-16-le")))
    return path


LABEL = (0x0204, struct.pack("<HHHHB", 0, 0, 0, 1, 0) + b"a")


def test_what_xlwt_writes(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xls", ("a", None, "Ünïcødé 表"), (), (1, 2.5, True, xlwt.Formula("1+1"), "=1+1"), sheets=2
    )
    rows = dict(read(path))
    assert list(rows) == [1, 3]
    assert rows[1] == ["a", "", "Ünïcødé 表"]
    assert rows[3][:2] == ["1", "2.5"] and rows[3][4] == "=1+1"
    assert [cell.reason.partition(":")[0] for cell in rows[3][2:4]] == ["it holds a truth value", "it holds a formula"]


def test_formulas_are_those_of_the_first_sheet(tmp_path: Path) -> None:
    new = xlwt.Workbook()
    for name in ("one", "two"):
        sheet = new.add_sheet(name)
        sheet.write(0, 0, "a")
        sheet.write(0, 1, "b" if name == "one" else xlwt.Formula("1+1"))
    new.save(str(tmp_path / "a.xls"))
    assert read(tmp_path / "a.xls") == [(1, ["a", "b"])]


def test_records_made_by_hand(tmp_path: Path) -> None:
    assert read(document(tmp_path / "a.xls", sheet=(LABEL,))) == [(1, ["a"])]
    error = (0x0205, struct.pack("<HHHBB", 1, 0, 0, 0x2A, 1))
    truth = (0x0205, struct.pack("<HHHBB", 1, 1, 0, 1, 0))
    number = (0x0203, struct.pack("<HHHd", 1, 2, 0, 45000.0))
    ((_, _), (_, cells)) = read(document(tmp_path / "b.xls", sheet=(LABEL, error, truth, number)))
    assert [cells[0].text, cells[1].text, cells[2]] == ["#N/A", "TRUE", "45000"]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ((0x002F, b"\0" * 6), "password"),
        ((0x00D3, b""), "macros"),
        ((0x0023, b"\0" * 8), "other workbooks"),
        ((0x01AE, struct.pack("<HH", 1, 5) + b"other"), "other workbooks"),
        ((0x01AE, struct.pack("<HH", 1, 0x3A01)), "other workbooks"),
        ((0x00DC, b"\0" * 8), "connections"),
    ],
    ids=["FilePass", "ObProj", "ExternName", "SupBook", "AddIn", "DbQuery"],
)
def test_records_that_are_not_taken(tmp_path: Path, record: tuple[int, bytes], why: str) -> None:
    assert why in refused(document(tmp_path / "a.xls", record, sheet=(LABEL,)))


def test_a_workbook_that_refers_to_itself(tmp_path: Path) -> None:
    own = (0x01AE, struct.pack("<HH", 1, 0x0401))
    assert read(document(tmp_path / "a.xls", own, sheet=(LABEL,))) == [(1, ["a"])]


def test_other_things_in_the_same_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    for name, why in (("EncrPack", "no workbook"), ("WordDocu", "no workbook")):
        assert why in refused(document(path, sheet=(LABEL,), name=name))
    content = book(path, ("a",)).read_bytes()
    for name, why in (("_VBA_PROJECT_CUR", "macros"), ("EncryptedPackage", "password"), ("EncryptionInfo", "password")):
        # In the place of an entry of the directory that is not used.
        entry = name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HBBiii", 2 * len(name) + 2, 2, 1, -1, -1, -1)
        entry = entry.ljust(128, b"\0")
        at = content.index("Workbook".encode("utf-16-le"))
        path.write_bytes(content[: at + 128] + entry + content[at + 256 :])
        assert why in refused(path)


def test_versions_before_97(tmp_path: Path) -> None:
    old = (0x0809, struct.pack("<HHHH", 0x0500, 5, 0, 0))
    assert "before 97" in refused(document(tmp_path / "a.xls", old))


def test_places_that_are_far_away(tmp_path: Path) -> None:
    far = (0x0203, struct.pack("<HHHd", 0, 200, 0, 1.0))
    assert "beyond 64 columns" in refused(document(tmp_path / "a.xls", sheet=(far,)))
    many = (0x00BD, struct.pack("<HH", 0, 0) + struct.pack("<HI", 0, 0) * 200 + struct.pack("<H", 199))
    assert "beyond 64 columns" in refused(document(tmp_path / "b.xls", sheet=(many,)))
    array = (0x0221, struct.pack("<HHBB", 0, 60_000, 0, 200) + b"\0" * 8)
    assert "very many cells" in refused(document(tmp_path / "c.xls", sheet=(array,)))
    sheets = [(0x0085, struct.pack("<IBB", 0, 0, 2) + b"\1\0s")] * (xls.SHEETS_MAX + 1)
    assert "sheets" in refused(document(tmp_path / "d.xls", *sheets))


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    magic = bytes.fromhex("d0cf11e0a1b11ae1")
    for content in (b"", magic, magic + b"\0" * 4096, magic + b"\xff" * 4096, book(path, ("a",)).read_bytes()[:2000]):
        path.write_bytes(content)
        assert "no workbook" in refused(path) or "cannot be read" in refused(path)
