"""Which files are taken at all, by their names, sizes and first bytes."""

from __future__ import annotations

import pytest

from opendrs.templates.files import FILE_MAX, MB, kind_of
from opendrs.templates.unreadable import Unreadable

ZIP, OLE, TEXT = b"PK\3\4\0\0\0\0", bytes.fromhex("d0cf11e0a1b11ae1"), b'{"object'


@pytest.mark.parametrize(
    ("name", "head", "format", "kind"),
    [
        ("a.xlsx", ZIP, "excel", "xlsx"),
        ("My tables_2 (final)-x.XLSX", ZIP, "excel", "xlsx"),
        ("表格.xls", OLE, "excel", "xls"),
        ("a.json", TEXT, "json", "json"),
        ("a.txt", TEXT, "json", "txt"),
        ("a.zip", ZIP, "json", "zip"),
    ],
)
def test_what_is_taken(name: str, head: bytes, format: str, kind: str) -> None:
    assert kind_of(name, 100, head, format) == kind  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "size", "head", "format", "why"),
    [
        ("a.xlsx", 100, OLE, "excel", "it is named .xlsx, and is an older or a protected workbook (.xls)"),
        ("a.xls", 100, ZIP, "excel", "it is named .xls, and is a ZIP or a newer workbook (.xlsx)"),
        ("a.xls", 100, TEXT, "excel", "it is named .xls, and is something else"),
        ("a.json", 100, ZIP, "json", "it is named .json, and is a ZIP or a newer workbook (.xlsx)"),
        ("a.txt", 100, OLE, "json", "it is named .txt, and is an older or a protected workbook (.xls)"),
        ("a.zip", 100, TEXT, "json", "it is named .zip, and is something else"),
        ("a.xlsm", 100, ZIP, "excel", "a file .xlsm may hold macros: save it as .xlsx"),
        ("a.xlsx", 100, ZIP, "json", "this job takes .json, .txt, .zip"),
        ("a.json", 100, TEXT, "excel", "this job takes .xlsx, .xls"),
        ("a.csv", 100, TEXT, "excel", "this job takes .xlsx, .xls"),
        ("xlsx", 100, ZIP, "excel", "this job takes .xlsx, .xls"),
        ("", 100, ZIP, "excel", "this job takes .xlsx, .xls"),
        ("a.xlsx", FILE_MAX + 1, ZIP, "excel", f"it has {FILE_MAX + 1} bytes, and a .xlsx may have {FILE_MAX}"),
        ("a.zip", MB + 1, ZIP, "json", f"it has {MB + 1} bytes, and a .zip may have {MB}"),
        ("a.json", 0, b"", "json", "it is empty"),
    ],
)
def test_what_is_not(name: str, size: int, head: bytes, format: str, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        kind_of(name, size, head, format)  # type: ignore[arg-type]
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "stem", ["", " a", "a ", "a/b", "a\\b", "..", "a.b", "a;b", "a\0b", "a\nb", "x" * 129, "a'b", "a`b", "a$b"]
)
def test_names_that_the_rule_does_not_allow(stem: str) -> None:
    with pytest.raises(Unreadable, match="its name must be"):
        kind_of(f"{stem}.xlsx", 100, ZIP, "excel")
