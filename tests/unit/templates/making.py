"""Workbooks with whatever in them, made by hand: as no program writes them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def sheet(rows: str, before: str = "") -> str:
    return f'{HEAD}{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def parts(rows: str = "", **more: str) -> dict[str, str]:
    """The parts of a workbook with one sheet; `rows` is its XML."""
    return {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{TYPES}"><Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK}"/></Types>',
        "_rels/.rels": relations(("rId1", f"{RELATED}/officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATED}"><sheets><sheet name="one" sheetId="1" r:id="rId7"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(("rId7", f"{RELATED}/worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": sheet(rows),
        **more,
    }


def relations(*rows: tuple[str, str, str], mode: str = "") -> str:
    external = f' TargetMode="{mode}"' if mode else ""
    found = "".join(f'<Relationship Id="{id}" Type="{kind}" Target="{target}"{external}/>' for id, kind, target in rows)
    return f'{HEAD}<Relationships xmlns="{PACKAGE}">{found}</Relationships>'


def packed(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def inline(*texts: str, number: int = 1) -> str:
    """A row of texts."""
    cells = "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' for text in texts)
    return f'<row r="{number}">{cells}</row>'
