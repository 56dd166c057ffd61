"""Whatever is sent: it is read, or refused with a reason; nothing else happens, and memory is bounded."""

from __future__ import annotations

import io
import json
import os
import random
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opendrs.templates import bundles, documents, sheets
from opendrs.templates.files import FILE_MAX, HEAD_BYTES, Kind, kind_of, limit
from opendrs.templates.layout import LEVELS, NOT_TAKEN, columns
from opendrs.templates.unreadable import Unreadable
from tests.integration.api import workbooks
from tests.unit.templates.making import inline, packed, parts

MEMORY_MAX = 64 << 20
TRIES = settings(
    max_examples=int(os.environ.get("OPENDRS_EXAMPLES", "0")) or 120, suppress_health_check=list(HealthCheck)
)
LEVELS_TAKEN = [level for level in LEVELS if level not in NOT_TAKEN]


def look(content: bytes, kind: Kind) -> None:
    """Reads it to the end, within bounds; the only thing that may be raised is that it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        path.write_bytes(content)
        try:
            kind_of(path.name, len(content), content[:HEAD_BYTES], "excel" if kind in ("xlsx", "xls") else "json")
            if kind in ("xlsx", "xls"):
                for _ in sheets.read(bundles.rows_of(path, kind), "table", "table_mapping"):
                    pass
            else:
                documents.count(documents.read(path, path.name, kind).objects)
        except Unreadable as error:
            assert str(error)


def _workbook(ending: str) -> bytes:
    titles = [one.title for one in columns("table", "table_mapping")]
    rows = [["shop", "", f"table_{number}", "", "store", f"ünï_{number}"] for number in range(50)]
    with tempfile.TemporaryDirectory() as folder:
        return workbooks.write(Path(folder) / f"a.{ending}", titles, *rows).read_bytes()


def _packed_json() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return packed(Path(folder) / "a.zip", {"a.json": JSON}).read_bytes()


OBJECTS = {"object_scope": "table", "object_info": {"shop": {"tables": {f"t{n}": {"name": "ü"} for n in range(40)}}}}
JSON = json.dumps(OBJECTS, ensure_ascii=False).encode()
REAL: dict[Kind, bytes] = {
    "xlsx": _workbook("xlsx"),
    "xls": _workbook("xls"),
    "json": JSON,
    "txt": JSON,
    "zip": _packed_json(),
}
HEADS: dict[Kind, bytes] = {"xlsx": b"PK\3\4", "xls": bytes.fromhex("d0cf11e0a1b11ae1"), "zip": b"PK\3\4"}
KINDS: list[Kind] = list(REAL)


@TRIES
@given(kind=st.sampled_from(KINDS), content=st.binary(max_size=4000), headed=st.booleans())
def test_anything(kind: Kind, content: bytes, headed: bool) -> None:
    look((HEADS.get(kind, b"") if headed else b"") + content, kind)


@TRIES
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32), changes=st.integers(1, 40))
def test_real_files_with_a_few_changes(kind: Kind, seed: int, changes: int) -> None:
    """Bytes turned, taken out, doubled; numbers made large: as a disk, a network or an enemy would."""
    look(_mutated(REAL[kind], random.Random(seed), changes), kind)


@TRIES
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 20))
def test_workbooks_whose_parts_are_changed(seed: int, changes: int) -> None:
    """Changes behind the checksum: the archive is whole, what is in it is not."""
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(REAL["xlsx"])) as archive:
        found: dict[str, bytes] = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(found))
    found[name] = _mutated(found[name], chance, changes)
    with tempfile.TemporaryDirectory() as folder:
        look(packed(Path(folder) / "a.xlsx", found).read_bytes(), "xlsx")


@TRIES
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 6))
def test_older_workbooks_whose_records_are_changed(seed: int, changes: int) -> None:
    """Numbers and lengths of records, not only whatever byte: the frame around them stays whole."""
    chance, content = random.Random(seed), bytearray(REAL["xls"])
    begins = content.index(b"\x09\x08\x10\x00\x00\x06")
    places, at = [], begins
    while at + 4 < len(content) and (number := int.from_bytes(content[at : at + 2], "little")):
        places.append(at)
        at += 4 + int.from_bytes(content[at + 2 : at + 4], "little")
        assert number
    for _ in range(changes):
        at = chance.choice(places) + chance.choice((0, 2, 4, 6, 8))
        content[at : at + 2] = chance.choice(
            (b"\xff\xff", b"\0\0", b"\x06\0", b"\x85\0", b"\x2f\0", bytes(chance.randbytes(2)))
        )
    look(bytes(content), "xls")


def _mutated(content: bytes, chance: random.Random, changes: int) -> bytes:
    found = bytearray(content)
    for _ in range(changes):
        at = chance.randrange(len(found) or 1)
        part = found[at : at + chance.choice((1, 2, 4, 8, 64))]
        match chance.randrange(6):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del found[at : at + len(part)]
            case 2:
                found[at:at] = part * chance.choice((1, 2, 50))
            case 3:
                found[at : at + 4] = chance.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\1\0\0\0"))
            case 4:
                found[at:at] = chance.choice(
                    (b"<!DOCTYPE x>", b"&a;", b"<row r='999999999999'>", b"\0", b'{"', b"]]>", b"9" * 30)
                )
            case _:
                del found[at:]
    return bytes(found)


@TRIES
@given(
    level=st.sampled_from(LEVELS_TAKEN),
    cells=st.lists(
        st.lists(st.one_of(st.text(max_size=80), st.just(""), st.integers(), st.floats(allow_nan=False)), max_size=14),
        max_size=6,
    ),
    titled=st.booleans(),
)
@example(level="table", cells=[["=A1", "\t", "_x0041_"]], titled=True)
def test_what_people_may_type(level: Any, cells: list[list[Any]], titled: bool) -> None:
    """Each row is good, or has a reason; and can be sent back with it."""
    titles = [one.title for one in columns(level, "table_mapping")]
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [titles] * titled + cells:
        book.active.append([_storable(cell) for cell in row])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        book.save(path)
        try:
            rows = list(sheets.read(bundles.rows_of(path, "xlsx"), level, "table_mapping"))
        except Unreadable as error:
            assert str(error)
            return
        out = Path(folder) / "out.xlsx"
        problems = {row.number: row.problem for row in rows if row.problem}
        bundles.annotate(path, "xlsx", level, "table_mapping", problems, "", out)
        again = list(sheets.read(bundles.rows_of(out, "xlsx"), level, "table_mapping"))
        assert len(again) == len(rows)
        for before, after in zip(rows, again, strict=True):
            assert before.problem or (after.values, after.problem) == (before.values, "")


def _storable(cell: Any) -> Any:
    if isinstance(cell, str):
        return "".join(one for one in cell if one.isprintable())
    return cell


# within bounds: what is asserted is memory, never time


def _measured(read: Callable[[], int]) -> tuple[int, int]:
    tracemalloc.start()
    try:
        count = read()
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shared", [False, True], ids=["inline", "shared"])
def test_many_rows_take_little_memory(tmp_path: Path, shared: bool) -> None:
    titles = [one.title for one in columns("table", "table_mapping")]
    many = 100_000
    if shared:  # as programs write it: each text stands once
        texts = "".join(f"<si><t>table_{number}</t></si>" for number in range(many))
        head = "".join(f"<si><t>{title}</t></si>" for title in (*titles, "shop"))
        cells = "".join(
            f'<row r="{n + 2}"><c r="A{n + 2}" t="s"><v>6</v></c><c r="C{n + 2}" t="s"><v>{n + 7}</v></c></row>'
            for n in range(many)
        )
        first = "".join(f'<c t="s"><v>{n}</v></c>' for n in range(6))
        files = parts(f'<row r="1">{first}</row>{cells}', **{"xl/sharedStrings.xml": f"<sst>{head}{texts}</sst>"})
    else:
        files = parts(inline(*titles) + "".join(inline("shop", "", f"table_{n}", number=n + 2) for n in range(many)))
    path = packed(tmp_path / "a.xlsx", files)
    assert path.stat().st_size < limit("xlsx")
    del files

    def read() -> int:
        return sum(1 for row in sheets.read(bundles.rows_of(path, "xlsx"), "table", "table_mapping") if not row.problem)

    count, peak = _measured(read)
    assert count == many and peak < MEMORY_MAX, peak


def test_what_is_refused_takes_little_memory(tmp_path: Path) -> None:
    """Everything that a file of five megabytes can be made to unfold to."""
    wide = "<row>" + "<c/>" * (1 << 20) + "</row>"
    texts = "<sst>" + "<si><t/></si>" * (1 << 20) + "</sst>"
    for files in (parts(wide), parts(inline("a"), **{"xl/sharedStrings.xml": texts}), parts("<a>" * (1 << 20))):
        path = packed(tmp_path / "a.xlsx", files)
        _, peak = _measured(lambda path=path: look(path.read_bytes(), "xlsx") or 0)  # type: ignore[misc]
        assert peak < 2 * MEMORY_MAX, peak
    far = b"".join(
        bytes.fromhex("0302 0e00") + number.to_bytes(2, "little") + (63).to_bytes(2, "little") + b"\0" * 10
        for number in range(65_535)
    )
    assert len(far) < FILE_MAX
    _, peak = _measured(lambda: look(HEADS["xls"] + far, "xls") or 0)
    assert peak < 2 * MEMORY_MAX, peak
