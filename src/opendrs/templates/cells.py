"""Cells and rows of a sheet, whatever file they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# A row has at most a dozen columns; people have remarks beside them.
COLUMNS_MAX: Final = 64
ROWS_MAX: Final = 200_000
TEXT_MAX: Final = 32_767  # of a cell, in Excel as well


@dataclass(frozen=True, slots=True)
class Unfit:
    """A cell that cannot be taken: what stands there, as far as it is a text, and why."""

    text: str
    reason: str


Cell = str | Unfit
"""The text of a cell; empty: there is nothing."""

Rows = Iterator[tuple[int, Sequence[Cell]]]
"""Rows as they come, each with its number in the sheet, from 1. Rows that a file leaves out are left out."""


def shown(cell: Cell) -> str:
    """What stands there."""
    return cell if isinstance(cell, str) else cell.text


def number_text(value: float) -> str:
    """A number as a person has typed it: names may be digits, and sheets make numbers of them."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def place(row: int, column: int) -> str:
    """`C5`, as people call a cell. `column` from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


FORMULA: Final = "it holds a formula: write the value itself"
TRUTH: Final = "it holds a truth value: format the cell as text, and write the name again"
FAILED: Final = "it holds an error of the sheet"
DATE: Final = "it holds a date: format the cell as text, and write the name again"
