"""Writes docs/reference/types.md from the tables in the code: `python -m tools.type_map` (`--check`: only look)."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from opendrs.engines.mysql.types import COUNTING, TYPES
from opendrs.engines.postgres import names
from opendrs.engines.postgres.column_changes import GUARD
from opendrs.engines.postgres.conversions import RULES
from opendrs.engines.postgres.rendered import REASONS
from opendrs.engines.postgres.types import LOSSES, TYPE_MAP

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "types.md"

# What MySQL and MariaDB call a logical type, where its name in their table of types does not say it.
SOURCES = {
    "uint64 that numbers rows": "bigint unsigned",
    "text with a length": "char, varchar",
    "json that is text": "longtext with the check json_valid(column): MariaDB's json",
}


def _sources() -> dict[str, str]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, row in TYPES.items():
        if row.kind == "int":
            found[f"int{row.size}"].append(name)
            found[f"uint{row.size}"].append(f"{name} unsigned")
        elif name not in ("char", "varchar"):
            found[row.kind].append(name)
    return {key: ", ".join(parts) for key, parts in found.items()} | SOURCES


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _map() -> list[str]:
    sources = _sources()
    rows = []
    for key, row in TYPE_MAP.items():
        loss = ", ".join(f"[{name}](#{name})" for name in row.losses)
        target = row.target.replace("{", "").replace("}", "")
        rows.append((_code(sources[key]), key, _code(target), "exact, but for " + loss if loss else "exact", row.note))
    return _table(("MySQL, MariaDB", "logical type", "PostgreSQL", "values", "remarks"), rows)


def _losses() -> list[str]:
    lines = []
    for loss in LOSSES.values():
        policies = ", ".join(_code(policy) for policy in loss.policies) or "none"
        counted = f"`{COUNTING[loss.id].format(c='c')}`" if loss.id in COUNTING else "concerns no single value"
        lines += [f"### {loss.id}", "", f"{loss.text[0].upper()}{loss.text[1:]}.", ""]
        lines += [f"- Policies of the job: {policies}.", f"- Counted at the source: {counted}.", ""]
    return lines


def _conversions() -> list[str]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for old, new in RULES:
        kinds[old].append(new)
    return _table(("from", "to"), [(old, ", ".join(news)) for old, news in kinds.items()])


def text() -> str:
    """The whole page."""
    rule = (names.__doc__ or "").partition("\n\n")[2].strip()
    parts = [
        ["<!-- Written by tools/type_map.py from the tables in the code. Do not edit. -->", ""],
        ["# Types, names and what is not carried over: MySQL and MariaDB into PostgreSQL", ""],
        ["## Types", ""],
        _map(),
        ["", "`longest`: characters of the longest value. A logical type is what the column means, whatever the"],
        ["source calls it. Text arrives as UTF-8 from every character set; it is compared byte by byte, where the"],
        ["source's collation may take different texts for equal.", ""],
        ["## Losses", ""],
        ["What cannot arrive as it is. Prechecks count it before the job begins.", ""],
        _losses(),
        ["## Names", "", rule, ""],
        ["## Reports", ""],
        ["What is not carried over as it is comes with one of these words.", ""],
        _table(("word", "meaning"), [(_code(word), meaning) for word, meaning in REASONS.items()]),
        ["", "## Changes of a column's type while the job runs", ""],
        ["Rows that are there are converted as the source converts them, between these kinds of types. For any"],
        [f"other pair the target stops with SQLSTATE `{GUARD}`, unless the table is empty; so it does for new columns"],
        [
            "whose values only the source knows (AUTO_INCREMENT, UUID(), RAND()). The table must then be loaded again.",
            "",
        ],
        _conversions(),
        [""],
    ]
    return "\n".join(line for part in parts for line in part)


def main() -> int:
    wanted = text()
    if "--check" in sys.argv[1:]:
        if TARGET.is_file() and TARGET.read_text() == wanted:
            return 0
        print(f"{TARGET} is stale: python -m tools.type_map", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
