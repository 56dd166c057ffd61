"""What is sent: ZIP archives with one file each, or with the template in its two kinds."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from opendrs.model.catalog import TableName
from opendrs.templates import xls, xlsx
from opendrs.templates.cells import Rows, shown
from opendrs.templates.files import Format, Kind, kinds
from opendrs.templates.layout import CHANGE, ERROR, OBJECT_TITLES, Level, columns
from opendrs.templates.layout import Mapping as MappingType
from opendrs.templates.sheets import is_title

HELP: Final = "How to fill it in"
RESULT: Final = "Result"
READERS: Final[dict[Kind, Callable[[Path], Rows]]] = {"xlsx": xlsx.rows, "xls": xls.rows}


def rows_of(path: Path, kind: Kind) -> Rows:
    """The rows of a workbook. Raises Unreadable."""
    return READERS[kind](path)


def template(format: Format, level: Level, mapping: MappingType) -> bytes:
    """The archive with what is to be filled in."""
    with tempfile.TemporaryDirectory() as folder:
        files = _document(Path(folder), level) if format == "json" else _workbooks(Path(folder), level, mapping)
        archive = Path(folder) / "template.zip"
        pack(archive, files)
        return archive.read_bytes()


def _workbooks(folder: Path, level: Level, mapping: MappingType) -> list[Path]:
    from opendrs.templates.writing import write

    headings = columns(level, mapping)
    notes: list[tuple[str, ...]] = [("Column", "Needed", "Meaning", "Example")]
    notes += [(one.title, "yes" if one.needed else "", one.meaning, one.example) for one in headings]
    notes += [("",), ("Rows begin below the titles. Nothing is taken unless all rows are good.",)]
    files = {kind: folder / f"import-{level}.{kind}" for kind in kinds("excel")}
    for kind, file in files.items():
        write(file, kind, [one.title for one in headings], (), notes, HELP)
    return list(files.values())


def _document(folder: Path, level: Level) -> list[Path]:
    """One database to be replaced, as update_job has it."""
    database: dict[str, Any] = {"name": "TOPIC_OR_SOURCE_DATABASE", "all": True}
    if level != "database":
        table: dict[str, Any] = {"name": "TOPIC_OR_SOURCE_TABLE", "type": "table"}
        if level == "column":
            column = {"name": "TARGET_COLUMN", "filtered": True}
            table |= {"all": False, "columns": {"SOURCE_COLUMN": column}}
        database = {"name": "TOPIC_OR_SOURCE_DATABASE", "all": False, "tables": {"SOURCE_TABLE": table}}
    scope = "database" if level == "database" else "table"
    objects = {"object_scope": scope, "object_info": {"SOURCE_DATABASE": database}}
    file = folder / f"import-{level}.json"
    file.write_bytes(document({"job": {"type": "db_object", "params": {"db_object": objects}}}))
    return [file]


def document(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=2).encode()


def pack(archive: Path, files: Iterable[Path], names: Sequence[str] | None = None) -> None:
    """An archive of files, whole or not at all. `names`: what they are called in it, if not as they are."""
    listed = list(files)
    draft = archive.with_name(f".{archive.name}.draft")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
            for file, name in zip(listed, names or [file.name for file in listed], strict=True):
                packed.write(file, name)
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)


# what comes back


def annotate(
    path: Path, kind: Kind, level: Level, mapping: MappingType, problems: Mapping[int, str], told: str, out: Path
) -> None:
    """The rows of a workbook as they came, with what is wrong in a last column. `told`: of the file as a whole."""
    from opendrs.templates.writing import write

    rows = rows_of(path, kind)
    first = next(rows)
    texts = [shown(cell) for cell in first[1]]
    old = texts.index(ERROR) if ERROR in texts else None
    titled = is_title(first[1], level, mapping)
    titles = _without(texts, old) if titled else list(OBJECT_TITLES)
    place = max(len(titles), len(columns(level, mapping)) if titled else 0)
    titles += [""] * (place - len(titles))

    def lines() -> Iterator[list[str]]:
        for number, cells in rows if titled else chain((first,), rows):
            found = _without([shown(cell) for cell in cells], old)
            found += [""] * (place - len(found))
            yield [*found[:place], problems.get(number, ""), *found[place:]]

    notes = [("Rows that are wrong", str(len(problems))), ("", told)]
    write(out, kind, [*titles, ERROR], lines(), notes, RESULT)


def _without(texts: list[str], place: int | None) -> list[str]:
    return texts if place is None else texts[:place] + texts[place + 1 :]


# tables as rows: what is replicated, what has changed, what keys there are


def tables_sheet(
    path: Path, kind: Kind, tables: Mapping[TableName, TableName], changes: Mapping[TableName, str] | None = None
) -> None:
    """Tables, and databases as a whole, by name at the source, each with its name at the target; and what changes of
    it, if that is told."""
    from opendrs.templates.writing import write

    titles = [one.title for one in columns("table", "table_mapping")]
    told = changes or {}
    rows = (
        [name.schema, "", name.table, "", target.schema, target.table, told.get(name, "")]
        for name, target in tables.items()
    )
    write(path, kind, [*titles, *([CHANGE] if changes is not None else [])], rows, (), RESULT)


def keys_sheet(path: Path, kind: Kind, keys: Mapping[TableName, Sequence[str]]) -> None:
    """Tables and the columns that they are compared by."""
    from opendrs.templates.writing import write

    titles = [one.title for one in columns("compare_key", "table_mapping")]
    rows = ([name.schema, "", name.table, ", ".join(columns_)] for name, columns_ in keys.items())
    write(path, kind, titles, rows, (), RESULT)
