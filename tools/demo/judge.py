"""Judges whether what is published comes to the rows that the source has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.harness.fold import FoldError, fold
from tests.harness.kafka_client import Message
from tools.demo.texts import Row

SHOWN: Final = 300  # characters of a row that is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Of one table; `problem` is empty if both sides are equal."""

    table: str
    at_source: int
    folded: int
    messages: int
    problem: str


def judge(
    name: tuple[str, str], source: Sequence[Row], messages: Sequence[Message], form: str, added: Row | None = None
) -> Verdict:
    """A table's rows against its messages, which are by partition and offset.

    added   columns that were added meanwhile, with their default: rows told before that do not name them
    """
    rows: list[Row] = []
    try:
        folded = fold((message.value or b"" for message in messages), form)
        rows = [{**(added or {}), **row} for row in folded.rows(name)]
        problems = [*_strangers(folded.keys, name), *_scattered(messages), *_differences(source, rows)]
    except FoldError as error:
        problems = [f"the messages contradict each other: {_short(str(error))}"]
    return Verdict(
        table=name[1], at_source=len(source), folded=len(rows), messages=len(messages), problem="; ".join(problems)
    )


def _strangers(found: Iterable[tuple[str, str]], name: tuple[str, str]) -> Iterator[str]:
    if others := sorted(set(found) - {name}):
        yield f"its topic has messages of {others}"


def _scattered(messages: Iterable[Message]) -> Iterator[str]:
    """Order is kept within a partition only, so all of a key must be in one."""
    places: dict[bytes | None, set[int]] = defaultdict(set)
    for message in messages:
        places[message.key].add(message.partition)
    scattered = [key for key, partitions in places.items() if len(partitions) > 1]
    if scattered:
        yield f"{len(scattered)} keys are in several partitions, such as {scattered[0]!r}"


def _differences(source: Iterable[Row], folded: Iterable[Row]) -> Iterator[str]:
    here, there = (Counter(frozenset(row.items()) for row in rows) for rows in (source, folded))
    for what, rows in (("missing", here - there), ("too many", there - here)):
        if rows:
            example = min(str(dict(sorted(row))) for row in rows)
            yield f"{rows.total()} rows {what}, such as {_short(example)}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Lines of a table for people."""
    head = ("table", "rows at the source", "rows folded", "messages", "equal")
    cells = [
        (one.table, f"{one.at_source:,}", f"{one.folded:,}", f"{one.messages:,}", "NO" if one.problem else "yes")
        for one in verdicts
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    for row in (head, *cells):
        first, *others = (
            text.rjust(width) if number else text.ljust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others])
    yield from (f"{one.table}: {one.problem}" for one in verdicts if one.problem)
