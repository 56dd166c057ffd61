"""How commands print: columns, facts and JSON. On a terminal it may be cut to fit; anywhere else it never is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

GAP = "  "


def print_json(document: Mapping[str, Any]) -> None:
    """Every document says what version of our words it is in."""
    sys.stdout.write(json.dumps({"version": 1, **document}, ensure_ascii=False, indent=2) + "\n")


def print_json_line(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_columns(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table. On a terminal, lines are cut where it ends: what is needed most stands first."""
    from rich.console import Console
    from rich.text import Text

    cells = [[clean(cell) for cell in row] for row in rows]
    console = Console(file=sys.stdout, highlight=False)
    for number, line in enumerate(lines(titles, cells)):
        if console.is_terminal:
            console.print(Text(line, style="" if number else "bold"), no_wrap=True, overflow="ellipsis", crop=True)
        else:
            sys.stdout.write(f"{line}\n")


def lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The same as plain lines, as wide as they need to be."""
    from rich.cells import cell_len

    table = [titles, *rows]
    widths = [max(cell_len(row[column]) for row in table) for column in range(len(titles))]
    return [
        GAP.join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """One fact a line, what is empty left out."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        inner = f"\n{' ' * (width + len(GAP))}".join(clean(value).splitlines())
        if value:
            sys.stdout.write(f"{name:<{width}}{GAP}{inner}\n")


def clean(text: str) -> str:
    """Without what a terminal would obey: much of what is printed was written by others."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
