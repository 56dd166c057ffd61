"""How commands print: columns, facts and JSON. On a terminal it may be cut to fit; anywhere else it never is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

GAP = "  "


def print_json(document: Mapping[str, Any]) -> None:
    """Every document says what version of our words it is in."""
    sys.stdout.write(json.dumps({"version": 1, **document}, ensure_ascii=False, indent=2) + "\n")


def print_json_line(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_columns(titles: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO | None = None) -> None:
    """A table. Its last column is the one that gives way on a terminal."""
    from rich.console import Console
    from rich.table import Table

    out = out or sys.stdout
    cells = [[clean(cell) for cell in row] for row in rows]
    console = Console(file=out, highlight=False)
    if not console.is_terminal:
        out.write("\n".join(lines(titles, cells)) + "\n")
        return
    grid = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    for number, title in enumerate(titles):
        last = number == len(titles) - 1
        grid.add_column(title, no_wrap=True, overflow="ellipsis" if last else "fold", min_width=None if last else 1)
    for row in cells:
        grid.add_row(*row)
    console.print(grid, markup=False)


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
