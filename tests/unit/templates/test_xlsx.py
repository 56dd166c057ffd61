"""Newer workbooks: every kind of cell, whoever wrote them, and everything that is not taken."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from opendrs.templates import xlsx, zips
from opendrs.templates.cells import COLUMNS_MAX, ROWS_MAX, Unfit
from opendrs.templates.unreadable import Unreadable
from tests.unit.templates.making import MAIN, RELATED, WORKBOOK, inline, packed, parts, relations, sheet


def read(path: Path) -> list[tuple[int, list[Any]]]:
    return [(number, list(cells)) for number, cells in xlsx.rows(path)]


def refused(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    return str(caught.value)


def made(path: Path, *cells: str) -> list[Any]:
    """The cells of a row, given as XML."""
    ((_, found),) = read(packed(path, parts(f'<row r="1">{"".join(cells)}</row>')))
    return found


def test_what_openpyxl_writes(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["a", None, "c"], [], [1, 2.5, True], ["=A1", datetime.date(2024, 1, 2), "Ünïcødé 表 _x0041_"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    rows = dict(read(tmp_path / "a.xlsx"))
    assert list(rows) == [1, 3, 4]  # an empty row is none
    assert rows[1] == ["a", "", "c"]
    assert rows[3][:2] == ["1", "2.5"] and rows[3][2] == Unfit(
        "TRUE", "it holds a truth value: format the cell as text, and write the name again"
    )
    assert isinstance(rows[4][0], Unfit) and "formula" in rows[4][0].reason


def test_every_kind_of_cell(tmp_path: Path) -> None:
    strings = f'<sst xmlns="{MAIN}"><si><t>plain</t></si><si><r><t>ri</t></r><r><t xml:space="preserve">ch </t></r><rPh sb="0" eb="1"><t>said</t></rPh></si></sst>'
    cells = (
        '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
        '<c r="D1" t="str"><v>text_x000A_more</v></c><c r="E1"><v>2024</v></c><c r="F1"><v>2024.0</v></c>'
        '<c r="G1"><v>1E3</v></c><c r="H1" t="n"><v>0.5</v></c><c r="I1" t="e"><v>#REF!</v></c>'
        '<c r="J1" t="d"><v>2024-01-02</v></c><c r="K1" t="b"><v>0</v></c><c r="L1"/><c r="M1" t="inlineStr"><is><t>&lt;&amp;</t></is></c>'
    )
    path = packed(tmp_path / "a.xlsx", parts(f'<row r="1">{cells}</row>', **{"xl/sharedStrings.xml": strings}))
    ((_, found),) = read(path)
    assert found[:8] == ["plain", "rich ", "", "text\nmore", "2024", "2024", "1000", "0.5"]
    assert [cell.text for cell in found[8:11]] == ["#REF!", "2024-01-02", "FALSE"]
    assert found[11:] == ["", "<&"]


def test_cells_and_rows_without_places(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "a.xlsx",
        parts("<row><c t='str'><v>a</v></c><c t='str'><v>b</v></c></row><row/><row><c t='str'><v>c</v></c></row>"),
    )
    assert read(path) == [(1, ["a", "b"]), (3, ["c"])]


def test_other_namespaces_prefixes_and_places(tmp_path: Path) -> None:
    """Strict workbooks, and such as put the parts elsewhere."""
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    files = parts()
    files["xl/workbook.xml"] = (
        f'<x:workbook xmlns:x="{strict}" xmlns:rel="{RELATED}"><x:sheets><x:sheet name="one" sheetId="1" rel:id="rId7"/></x:sheets></x:workbook>'
    )
    files["xl/_rels/workbook.xml.rels"] = relations(
        ("rId7", "http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet", "/other/Sheet.xml")
    )
    files["other/sheet.xml"] = (
        f'<x:worksheet xmlns:x="{strict}"><x:sheetData><x:row r="2"><x:c r="B2" t="str"><x:v>b</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    assert read(packed(tmp_path / "a.xlsx", files)) == [(2, ["", "b"])]


def test_a_text_that_is_escaped_and_back() -> None:
    for text in ("_x0041_", "a_x005F_b", "plain", "_x", "_xzzzz_", "__x0041__"):
        assert xlsx.unescaped(xlsx.escaped(text)) == text


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("xl/vbaProject.bin", "x", "macros"),
        ("xl/vbaproject.BIN", "x", "macros"),
        ("xl/externalLinks/externalLink1.xml", "<a/>", "links to other workbooks"),
        ("xl/connections.xml", "<a/>", "connections to other data"),
        ("xl/embeddings/oleObject1.bin", "x", "embedded objects"),
        ("xl/activeX/activeX1.xml", "<a/>", "embedded objects"),
        ("xl/media/inner.zip", "PK", "another file"),
        ("xl/unknown.bin", "x", "something unknown"),
        ("customUI/customUI.xml", "<a/>", "surface"),
        ("xl/macrosheets/sheet1.xml", "<a/>", "macros"),
        ("../outside.xml", "<a/>", "leads out"),
        ("/etc/passwd", "x", "leads out"),
        ("xl\\..\\..\\x.xml", "x", "leads out"),
        ("C:/x.xml", "x", "leads out"),
    ],
)
def test_parts_that_are_not_taken(tmp_path: Path, name: str, content: str, why: str) -> None:
    assert why in refused(packed(tmp_path / "a.xlsx", parts(**{name: content})))


def test_printer_settings_and_links_of_cells_do_no_harm(tmp_path: Path) -> None:
    link = relations(("rId1", f"{RELATED}/hyperlink", "https://example.com/"), mode="External")
    more = {"xl/printerSettings/printerSettings1.bin": "x", "xl/worksheets/_rels/sheet1.xml.rels": link}
    assert read(packed(tmp_path / "a.xlsx", parts(inline("a"), **more))) == [(1, ["a"])]


def test_what_is_elsewhere(tmp_path: Path) -> None:
    for kind in ("externalLinkPath", "oleObject", "attachedTemplate", "image"):
        away = relations(("rId1", f"{RELATED}/{kind}", "file:///etc/passwd"), mode="External")
        found = refused(packed(tmp_path / "a.xlsx", parts(**{"xl/worksheets/_rels/sheet1.xml.rels": away})))
        assert "outside of it" in found


def test_a_workbook_for_macros(tmp_path: Path) -> None:
    kind = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    files = parts()
    files["[Content_Types].xml"] = files["[Content_Types].xml"].replace(WORKBOOK, kind)
    assert "made for macros" in refused(packed(tmp_path / "a.xlsx", files))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>',
    "file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "outside": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
@pytest.mark.parametrize(
    "part",
    [
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "xl/workbook.xml",
        "_rels/.rels",
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types(tmp_path: Path, part: str, doctype: str, encoding: str) -> None:
    files: dict[str, Any] = parts(inline("a"), **{"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"/>'})
    text = files[part].partition("?>")[2] or files[part]
    files[part] = (f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{text}').encode(encoding)
    assert "declares a document type" in refused(packed(tmp_path / "a.xlsx", files))


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = " " * (30 << 20)
    assert "times its size" in refused(packed(tmp_path / "a.xlsx", parts(zeros)))
    monkeypatch.setattr(xlsx, "UNPACKED_MAX", 1 << 20)
    monkeypatch.setattr(zips, "RATIO_MAX", 10_000)
    assert "it unpacks to" in refused(packed(tmp_path / "b.xlsx", parts(zeros)))
    many = {f"xl/{number}.xml": "" for number in range(zips.ENTRIES_MAX)}
    assert "entries in it" in refused(packed(tmp_path / "c.xlsx", parts(**many)))


def test_a_size_that_is_a_lie(tmp_path: Path) -> None:
    """What is declared bounds what is read, whatever the stream would go on to say."""
    path = packed(tmp_path / "a.xlsx", parts(inline("x" * 30_000)))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    content = path.read_bytes().replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(content)
    assert "cannot be read" in refused(path)


def test_a_row_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "ROW_BYTES_MAX", 1 << 18)
    monkeypatch.setattr(zips, "RATIO_MAX", 10_000)
    cells = "".join(f'<c t="str"><v>{number}</v></c>' for number in range(40_000))
    assert "beyond 64 columns" in refused(packed(tmp_path / "a.xlsx", parts(f"<row>{cells}</row>")))
    empty = "<c/>" * 200_000
    assert "are no rows" in refused(packed(tmp_path / "b.xlsx", parts(f"<row>{empty}</row>")))
    files = parts()
    files["xl/worksheets/sheet1.xml"] = sheet("").replace("</worksheet>", f"{'<mergeCell/>' * 100_000}</worksheet>")
    assert "are no rows" in refused(packed(tmp_path / "c.xlsx", files))
    assert "more than 32767 characters" in refused(packed(tmp_path / "d.xlsx", parts(inline("x" * 40_000))))
    long = f"<row><c><v>{'9' * 40_000}</v></c></row>"
    assert "more than 32767 characters" in refused(packed(tmp_path / "e.xlsx", parts(long)))


def test_deep_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "RATIO_MAX", 10_000)
    deep = "<a>" * 200_000 + "</a>" * 200_000
    assert read(packed(tmp_path / "a.xlsx", parts(deep + inline("a")))) == [(1, ["a"])]


def test_places_that_are_far_away(tmp_path: Path) -> None:
    assert f"more than {ROWS_MAX} rows" in refused(packed(tmp_path / "a.xlsx", parts(inline("a", number=ROWS_MAX + 1))))
    assert made(tmp_path / "b.xlsx", '<c r="BL1"><v>1</v></c>')[COLUMNS_MAX - 1] == "1"
    assert "beyond" in refused(packed(tmp_path / "c.xlsx", parts('<row r="1"><c r="XFD1"><v>1</v></c></row>')))
    assert "comes behind" in refused(packed(tmp_path / "d.xlsx", parts(inline("a", number=2) + inline("b", number=1))))


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    for content in (b"", b"PK\3\4", b"PK\3\4" + b"\0" * 1000, b"no zip at all" * 100):
        path.write_bytes(content)
        assert "no ZIP" in refused(path)
    for missing in (
        "[Content_Types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/_rels/workbook.xml.rels",
    ):
        files = parts(inline("a"))
        del files[missing]
        assert refused(packed(path, files))
    files = parts(inline("a"))
    files["xl/_rels/workbook.xml.rels"] = files["xl/_rels/workbook.xml.rels"].replace("/worksheet", "/chartsheet")
    assert "none with rows" in refused(packed(path, files))


def test_broken_xml_and_broken_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    for rows in (
        "<row>",
        "<row><c t='s'><v>7</v></c></row>",
        "<row><c t='s'><v>-1</v></c></row>",
        "<row><c><v>x</v></c></row>",
        "\0",
        "<row r='1'><c t='s'><v>" + "9" * 9000 + "</v></c></row>",
    ):
        assert "cannot be read" in refused(packed(path, parts(rows)))


def test_an_archive_with_a_password_or_a_strange_packing(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.xlsx", parts(inline("a")))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")
    content[at + 8] |= 1
    path.write_bytes(content)
    assert "password" in refused(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, text in parts(inline("a")).items():
            archive.writestr(name, text)
    assert "packed in a way" in refused(path)
