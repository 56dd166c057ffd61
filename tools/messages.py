"""Writes the tables of docs/reference/kafka.md that show values: `python -m tools.messages`.

They are made from the golden files of rust/messages, which are real messages, and from its table of types. What stands
between two marks of a table is ours, everything else on the page is written by hand. A test fails when it is stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/reference/kafka.md"
GOLDEN: Final = ROOT / "rust/messages/tests/golden"
KINDS: Final = ROOT / "rust/messages/src/kinds.rs"
FORMATS: Final = ("json", "json_c", "avro", "canal-json", "debezium-json")
BEGIN, END = "<!-- {}: made by python -m tools.messages -->", "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Value:
    """A value worth showing, and as what Flink reads it.

    types     for people
    page      the golden file without its ending, with the column and the number of the row
    canal     Flink's type in a table of canal-json; empty: of a row before, or none
    debezium  the same of debezium-json
    """

    types: str
    page: str
    column: str
    row: int
    canal: str = ""
    debezium: str = ""


VALUES: Final = (
    Value("`tinyint`", "integers", "tiny", 0, "TINYINT", "TINYINT"),
    Value("`tinyint unsigned`, `smallint`", "integers", "utiny", 1, "SMALLINT", "SMALLINT"),
    Value("`smallint unsigned`, `mediumint`, `int`", "integers", "usmall", 1, "INT", "INT"),
    Value("`int unsigned`, `bigint`", "integers", "uwhole", 1, "BIGINT", "BIGINT"),
    Value("`bigint unsigned`", "integers", "ubig", 1, "DECIMAL(20, 0)", "DECIMAL(20, 0)"),
    Value("`decimal(10,2)`", "fractions", "d", 0, "DECIMAL(10, 2)", "DECIMAL(10, 2)"),
    Value("`decimal` of more than 38 digits", "fractions", "d65", 0, "STRING", "STRING"),
    Value("`float`", "fractions", "f", 7, "FLOAT", "FLOAT"),
    Value("`double`", "fractions", "g", 0, "DOUBLE", "DOUBLE"),
    Value("`year`", "bits", "y", 0, "INT", "INT"),
    Value("`year`, 0000", "bits", "y", 1),
    Value("`bit(1)`", "bits", "b1", 0, "TINYINT", "BOOLEAN"),
    Value("`bit(10)`", "bits", "b10", 0, "BIGINT", "BYTES"),
    Value("`date`", "times", "d", 0, "DATE", "DATE"),
    Value("`date` that no calendar has", "times", "d", 3, "STRING", "STRING"),
    Value("`time` within a day", "times", "t", 0, "TIME", "TIME"),
    Value("`time`", "times", "t6", 3, "STRING", "STRING"),
    Value("`datetime(3)`", "times", "dt3", 0, "TIMESTAMP(3)", "TIMESTAMP(3)"),
    Value("`timestamp`", "moments", "ts", 0, "TIMESTAMP(0)", "TIMESTAMP_LTZ(0)"),
    Value("`timestamp(3)`", "moments", "ts3", 0, "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"),
    Value("`timestamp`, the zero one", "moments", "ts", 1, "STRING", "STRING"),
    Value("`char`, `varchar`, `tinytext` to `longtext`", "texts", "v", 0, "STRING", "STRING"),
    Value("`enum`", "texts", "e", 3, "STRING", "STRING"),
    Value("`set`", "texts", "s", 0, "STRING", "STRING"),
    Value("`json`", "documents", "j", 3, "STRING", "STRING"),
    Value("`binary`, `varbinary`, `tinyblob` to `longblob`", "bytes", "tb", 0, "BYTES", "BYTES"),
    Value("`geometry`, `point` ...: SRID, then WKB", "rare", "g", 0, "BYTES", "BYTES"),
    Value("`vector(2)`", "rare", "vec", 0, "STRING", "STRING"),
    Value("`uuid`", "rare", "u", 0, "STRING", "STRING"),
    Value("`inet4`", "rare", "i4", 0, "STRING", "STRING"),
    Value("`inet6`", "rare", "i6", 0, "STRING", "STRING"),
    Value("NULL", "texts", "v", 2),
)
SHOWN_MAX: Final = 44


@cache
def snapshot(form: str, page: str) -> tuple[str, ...]:
    """The messages of a golden file that are of a snapshot; of avro, what they hold as JSON."""
    section = (GOLDEN / form / f"{page}.expected").read_text().partition("# snapshot\n")[2].partition("\n# ")[0]
    lines = section.strip("\n").split("\n")
    if form == "avro":
        return tuple(line.removeprefix("#= ") for line in lines if line.startswith("#= "))
    return tuple(_value_of(line) for line in lines)


def _value_of(line: str) -> str:
    """A line is: topic and partition, the key as JSON, the value."""
    rest = line.partition(" ")[2]
    _, end = json.JSONDecoder().raw_decode(rest) if rest.startswith('"') else (None, 1)
    return rest[end:].strip()


class Number(str):
    """A number as it is written."""


def row(form: str, value: Value) -> Mapping[str, Any]:
    record = json.loads(snapshot(form, value.page)[value.row], parse_float=Number, parse_int=Number)
    found: Mapping[str, Any] = record["after"] if form == "debezium-json" else record["data"][0]
    return found


def document(page: str) -> str:
    """The page with its tables made anew."""
    for name, lines in (("values", _values()), ("flink", _flink()), ("kinds", _kinds())):
        begin = BEGIN.format(name)
        before, mark, rest = page.partition(begin)
        assert mark and END in rest, f"{PAGE.name} has no place for the table {name}"
        page = "\n".join([before + begin, "", *lines, "", END]) + rest.partition(END)[2]
    return page


def _table(*rows: tuple[str, ...]) -> Iterator[str]:
    head, *others = rows
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cells)} |" for cells in others)


def _values() -> Iterator[str]:
    """Where a format has what the one to the left has, the cell is empty."""
    rows = []
    for value in VALUES:
        cells = [_shown(row(form, value)[value.column]) for form in FORMATS]
        rows.append((value.types, cells[0], *("" if cell == left else cell for left, cell in pairwise(cells))))
    yield from _table(("type", *(f"`{form}`" for form in FORMATS)), *rows)


def _shown(value: Any) -> str:
    if isinstance(value, Number):
        return _code(value)
    if isinstance(value, dict):  # bytes of avro
        return f"bytes {_code(value['bytes'])}"
    return _code(json.dumps(value, ensure_ascii=False))


def _code(text: str) -> str:
    short = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
    return f"`{short}`".replace("|", "\\|")


def _flink() -> Iterator[str]:
    rows = [(value.types, f"`{value.canal}`", f"`{value.debezium}`") for value in VALUES if value.canal]
    yield from _table(("type", "`canal-json`", "`debezium-json`"), *rows)


def _kinds() -> Iterator[str]:
    found = re.findall(r'^    \("(\w+)", (-?\d+)\),$', KINDS.read_text(), re.MULTILINE)
    by_number: dict[str, list[str]] = {}
    for name, number in found:
        by_number.setdefault(number, []).append(f"`{name}`")
    rows = [(number, ", ".join(names)) for number, names in sorted(by_number.items(), key=lambda item: int(item[0]))]
    yield from _table(("`sqlType`", "`mysqlType`"), *rows)


if __name__ == "__main__":
    PAGE.write_text(document(PAGE.read_text()))
