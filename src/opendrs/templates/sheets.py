"""From the rows of a sheet to what they say: below which heading each text stands, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from opendrs.templates.cells import Cell, Rows, Unfit, place, shown
from opendrs.templates.layout import CHANGE, ERROR, OBJECT_TITLES, Heading, Level, columns, heading
from opendrs.templates.layout import Mapping as MappingType
from opendrs.templates.names import problem
from opendrs.templates.unreadable import Unreadable

# Columns of ours in files that we have made, which may come back.
_PASSED_OVER: Final = frozenset({ERROR.lower(), CHANGE.lower()})
_TRUTHS: Final = {"true": "yes", "false": "no"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of objects. `values`: by the names of the layout, what is filled. `problem`: empty, or what is wrong."""

    number: int
    values: Mapping[str, str]
    problem: str = ""

    def __getitem__(self, name: str) -> str:
        """The text below a heading; empty: there is none."""
        return self.values.get(name, "")


def read(rows: Rows, level: Level, mapping: MappingType) -> Iterator[Row]:
    """The rows below the titles. Raises Unreadable if the titles are not those of the level."""
    wanted = columns(level, mapping)
    first = next(rows, None)
    if first is None:
        raise Unreadable("there is nothing on its first sheet")
    number, cells = first
    found = _titles(cells, wanted)
    if found is None and level == "table" and _two_columns(cells):
        if not _words(cells):
            yield _of_objects(number, cells, mapping)
        yield from (_of_objects(number, cells, mapping) for number, cells in rows if _filled(cells[:2]))
        return
    if found is None:
        raise Unreadable(_no_titles(number, cells, wanted))
    yield from (_row(number, cells, found, wanted) for number, cells in rows if _filled(cells))


def is_title(cells: Sequence[Cell], level: Level, mapping: MappingType) -> bool:
    """Whether the first row of a sheet that has been read names its columns."""
    return _titles(cells, columns(level, mapping)) is not None or _words(cells)


def _words(cells: Sequence[Cell]) -> bool:
    """Of two columns: an object has a dot, a title has none."""
    return "." not in shown(cells[0])


def _filled(cells: Sequence[Cell]) -> bool:
    return any(shown(cell).strip() or isinstance(cell, Unfit) for cell in cells)


def _titles(cells: Sequence[Cell], wanted: Sequence[Heading]) -> dict[int, Heading] | None:
    """By column, the heading; None: these are no titles. Raises Unreadable if some are, and not all that must be."""
    known = {one.title.lower(): one for one in wanted}
    texts = [" ".join(shown(cell).split()).lower() for cell in cells]
    if not any(text in known for text in texts):
        return None
    found: dict[int, Heading] = {}
    for column, text in enumerate(texts):
        if not text or text in _PASSED_OVER:
            continue
        if text not in known:
            raise Unreadable(f"no column is called {shown(cells[column])[:64]!r}; there are {_named(wanted)}")
        if known[text] in found.values():
            raise Unreadable(f"two columns are called {known[text].title}")
        found[column] = known[text]
    missing = [one.title for one in wanted if one.needed and one not in found.values()]
    if missing:
        raise Unreadable(f"there is no column {', '.join(missing)}")
    return found


def _no_titles(number: int, cells: Sequence[Cell], wanted: Sequence[Heading]) -> str:
    beginning = shown(cells[0])[:64] if cells else ""
    return f"row {number} begins with {beginning!r}, and has to name the columns: {_named(wanted)}"


def _named(wanted: Sequence[Heading]) -> str:
    return ", ".join(one.title for one in wanted)


def _row(number: int, cells: Sequence[Cell], found: Mapping[int, Heading], wanted: Sequence[Heading]) -> Row:
    values: dict[str, str] = {}
    problems: list[str] = []
    for column, one in found.items():
        cell = cells[column] if column < len(cells) else ""
        if one.name == "replicated" and shown(cell).strip().lower() in _TRUTHS:
            cell = _TRUTHS[shown(cell).strip().lower()]  # sheets make truth values of these
        if isinstance(cell, Unfit):
            problems.append(f"{place(number, column)}: {cell.reason}")
        elif cell:
            values[one.name] = cell
            if why := problem(one.name, cell):
                problems.append(f"{one.title}: {why}")
    problems += [f"{one.title} is empty" for one in wanted if one.needed and not _there(one, found, cells)]
    return Row(number, values, "; ".join(problems))


def _there(one: Heading, found: Mapping[int, Heading], cells: Sequence[Cell]) -> bool:
    return any(known is one and column < len(cells) and cells[column] != "" for column, known in found.items())


def _two_columns(cells: Sequence[Cell]) -> bool:
    """Whether a row begins with an object of the source and perhaps one of the target, and has no more; or has their
    titles, in whatever language."""
    filled = [shown(cell) for cell in cells]
    return bool(filled) and bool(filled[0]) and not any(text and text != ERROR for text in filled[2:])


def _of_objects(number: int, cells: Sequence[Cell], mapping: MappingType) -> Row:
    """A row of `database.table` and `schema.table`, or a topic."""
    values: dict[str, str] = {}
    problems: list[str] = []
    pairs = (
        ("source_database", "source_table"),
        ("topic",) if mapping == "topic_mapping" else ("target_schema", "target_table"),
    )
    for column, (names, title) in enumerate(zip(pairs, OBJECT_TITLES, strict=True)):
        cell = cells[column] if column < len(cells) else ""
        if isinstance(cell, Unfit):
            problems.append(f"{place(number, column)}: {cell.reason}")
            continue
        if not cell:
            problems += [f"{title} is empty"] if not column else []
            continue
        parts = [cell] if len(names) == 1 else cell.split(".")
        if len(parts) != len(names) or not all(parts):
            problems.append(f"{title}: write it as name.name")
            continue
        for name, text in zip(names, parts, strict=True):
            values[name] = text
            if why := problem(name, text):
                problems.append(f"{title}, {heading(name).title.lower()}: {why}")
    return Row(number, values, "; ".join(problems))
