"""What is sent: opened by other readers than ours."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlrd

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.templates import bundles, documents, sheets
from opendrs.templates.files import Kind
from opendrs.templates.layout import LEVELS, NOT_TAKEN, Level, columns
from tests.integration.api import workbooks

TAKEN = [level for level in LEVELS if level not in NOT_TAKEN]


@pytest.mark.parametrize("level", TAKEN)
@pytest.mark.parametrize("mapping", ["table_mapping", "topic_mapping"])
def test_templates_of_workbooks(level: Level, mapping: Any, tmp_path: Path) -> None:
    titles = [one.title for one in columns(level, mapping)]
    files = workbooks.unpacked(bundles.template("excel", level, mapping))
    assert set(files) == {f"import-{level}.xlsx", f"import-{level}.xls"}
    for name, content in files.items():
        assert workbooks.rows(name, content) == [titles]
        path = tmp_path / name
        path.write_bytes(content)
        assert list(sheets.read(bundles.rows_of(path, name.rpartition(".")[2]), level, mapping)) == []  # type: ignore[arg-type]
    help_ = openpyxl.load_workbook(io.BytesIO(files[f"import-{level}.xlsx"])).worksheets[1]
    assert [row[0] for row in help_.iter_rows(values_only=True)][1 : len(titles) + 1] == titles
    sheet = openpyxl.load_workbook(io.BytesIO(files[f"import-{level}.xlsx"])).worksheets[0]
    assert sheet.column_dimensions["A"].number_format == "@"  # what is typed is not made a number or a date


@pytest.mark.parametrize("level", ["database", "table", "column"])
def test_templates_of_json(level: Level, tmp_path: Path) -> None:
    name, content = workbooks.only(bundles.template("json", level, "topic_mapping"))
    path = tmp_path / name
    path.write_bytes(content)
    assert documents.read(path, name, "json").objects["object_scope"] == (
        "database" if level == "database" else "table"
    )


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_what_is_wrong_stands_beside_each_row(kind: Kind, tmp_path: Path) -> None:
    titles = [one.title for one in columns("table", "table_mapping")]
    literal = "_x005F_x0041_" if kind == "xlsx" else "_x0041_"
    odd = ["=1+1", "", "+cmd|' /C calc'!A0", "", "@SUM(1)", literal, "a remark"]
    path = workbooks.write(tmp_path / f"a.{kind}", titles, odd, [], ["d", "", "t"])
    if kind == "xlsx":  # a text that looks like a formula, and is none
        book = openpyxl.load_workbook(path)
        book.worksheets[0]["A2"].data_type = "s"
        book.save(path)
    out = tmp_path / f"out.{kind}"
    bundles.annotate(path, kind, "table", "table_mapping", {2: "it is odd"}, "all of it", out)
    found = workbooks.rows(out.name, out.read_bytes())
    assert found == [[*titles, "Error"], [*odd[:6], "it is odd", "a remark"], ["d", "", "t"]]
    if kind == "xlsx":
        sheet = openpyxl.load_workbook(out).worksheets[0]
        assert [sheet["G2"].fill.fgColor.rgb, sheet["A2"].fill.fgColor.rgb] == ["FFF4CCCC", "00000000"]
        streamed = openpyxl.load_workbook(out, read_only=True)
        assert sum(1 for _ in streamed.worksheets[0].iter_rows()) == 3
        streamed.close()
    if kind == "xlsx":
        cells = openpyxl.load_workbook(out).worksheets[0]["A2":"G2"]
        assert [cell.data_type for row in cells for cell in row if cell.value] == ["s"] * 5
    assert b"all of it" in b"".join(str(row).encode() for row in _second(out))
    again = tmp_path / f"again.{kind}"
    bundles.annotate(out, kind, "table", "table_mapping", {3: "something else"}, "", again)
    assert workbooks.rows(again.name, again.read_bytes())[:3] == [
        [*titles, "Error"],
        [*found[1][:6], "", "a remark"],
        ["d", "", "t", "", "", "", "something else"],
    ]


def _second(path: Path) -> list[Any]:
    if path.suffix == ".xlsx":
        return list(openpyxl.load_workbook(path).worksheets[1].iter_rows(values_only=True))
    sheet = xlrd.open_workbook(path).sheet_by_index(1)
    return [sheet.row_values(number) for number in range(sheet.nrows)]


def test_two_columns_with_and_without_titles(tmp_path: Path) -> None:
    path = workbooks.write(tmp_path / "a.xlsx", ["d.t", "s.u"], ["d.v"])
    out = tmp_path / "out.xlsx"
    bundles.annotate(path, "xlsx", "table", "table_mapping", {1: "wrong", 2: "too"}, "", out)
    assert workbooks.rows("a.xlsx", out.read_bytes()) == [
        ["Source object", "Target object", "Error"], ["d.t", "s.u", "wrong"], ["d.v", "", "too"],
    ]  # fmt: skip
    assert [
        dict(row.values)["source_table"] for row in sheets.read(bundles.rows_of(out, "xlsx"), "table", "table_mapping")
    ] == ["t", "v"]
    bundles.annotate(out, "xlsx", "table", "table_mapping", {3: "again"}, "", path)
    found = workbooks.rows("a.xlsx", path.read_bytes())
    assert found[0][:2] == ["Source object", "Target object"] and found[2][-1] == "again"


def test_an_archive_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bundles.pack(tmp_path / "a.zip", [tmp_path / "nowhere"])
    assert not (tmp_path / "a.zip").exists()
    (tmp_path / "b.txt").write_text("b")
    bundles.pack(tmp_path / "a.zip", [tmp_path / "b.txt"], ["ünï.txt"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["ünï.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.txt"]


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_lists_of_tables_and_keys(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    tables = {TableName("shop", "orders"): TableName("store", "bought"), TableName("log", ""): TableName("", "")}
    bundles.tables_sheet(path, kind, tables, {TableName("shop", "orders"): "added", TableName("log", ""): "removed"})
    titles = [one.title for one in columns("table", "table_mapping")]
    assert workbooks.rows(path.name, path.read_bytes()) == [
        [*titles, "Change"], ["shop", "", "orders", "", "store", "bought", "added"], ["log", "", "", "", "", "", "removed"],
    ]  # fmt: skip
    bundles.keys_sheet(path, kind, {TableName("shop", "orders"): ("a", "b")})
    assert workbooks.rows(path.name, path.read_bytes())[1] == ["shop", "", "orders", "a, b"]


def test_more_rows_than_an_older_workbook_has(tmp_path: Path) -> None:
    tables = {TableName("d", str(number)): TableName("d", "t") for number in range(65_536)}
    with pytest.raises(DrsError, match="65536 rows"):
        bundles.tables_sheet(tmp_path / "a.xls", "xls", tables)


def test_documents_are_json() -> None:
    assert json.loads(bundles.document({"ü": [1]})) == {"ü": [1]}
