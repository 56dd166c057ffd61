"""Which changes of the log belong to chunks that are there: decided key by key.

Numbers, dates and bytes are compared here, as the server does it. Texts are compared by the server, for only it knows
its collations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from opendrs._core import RecordBatch, mysql_keys
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.filtering import value_of
from opendrs.engines.mysql.keyset import range_columns, to_params
from opendrs.model.catalog import Column, Table
from opendrs.model.checkpoint import Chunk, Key
from opendrs.model.event import Batch

ASKED_AT_ONCE: Final = 500
Range = tuple[Key | None, Key | None]
Texts = Mapping[tuple[int, str, str], int]
"""(column, text, bound) -> which sorts first: below zero the text, above zero the bound."""


def within(session: Callable[[], Session], table: Table, batch: Batch, chunks: Sequence[Chunk]) -> RecordBatch:
    """The changes whose keys lie in one of the chunks. A session is opened if texts must be
    compared."""
    assert isinstance(batch, RecordBatch)
    columns, ranges = range_columns(table), list(joined(chunks))
    if (None, None) in ranges or not columns:
        return batch  # one chunk is all that there is
    facts = {**table.to_json(), "key": [column.name for column in columns]}
    keys = [json.loads(text) for text in mysql_keys(batch, json.dumps(facts))]
    bounds = [bound for one in ranges for bound in one if bound]
    texts = _compared(session, columns, keys, [to_params(bound) for bound in bounds])
    return batch.keep([_inside(key, ranges, texts) for key in keys])


def joined(chunks: Sequence[Chunk]) -> Iterator[Range]:
    """The ranges that chunks make, those that touch the one before them as one."""
    lower: Key | None = None
    upper: Key | None = None
    open_ = False
    for chunk in chunks:
        if open_ and (chunk.lower is None or chunk.lower != upper):
            yield lower, upper
            open_ = False
        if not open_:
            lower, open_ = chunk.lower, True
        upper = chunk.upper
    if open_:
        yield lower, upper


def _inside(key: Sequence[Any], ranges: Iterable[Range], texts: Texts) -> bool:
    return any(
        (lower is None or _sign(key, to_params(lower), texts) > 0)
        and (upper is None or _sign(key, to_params(upper), texts) <= 0)
        for lower, upper in ranges
    )


def _sign(key: Sequence[Any], bound: Sequence[Any], texts: Texts) -> int:
    """Which comes first; a bound that is shorter than the key stands for all keys that begin so."""
    for number, (value, other) in enumerate(zip(key, bound, strict=False)):
        if "text" in value:
            sign = 0 if value == other else texts[number, value["text"], other["text"]]
        else:
            mine, its = _comparable(value), _comparable(other)
            sign = (mine > its) - (mine < its)
        if sign:
            return sign
    return 0


def _comparable(param: Mapping[str, Any]) -> Any:
    ((kind, value),) = param.items()
    match kind:
        case "int" | "uint":
            return value
        case "decimal":
            return Decimal(value)
        case "bytes":
            return bytes.fromhex(value)
        case "date" | "datetime":
            return value  # of one length, with leading zeros
        case "time":
            return _micros(value)
    raise AssertionError(f"keys of kind {kind} make no ranges")


def _micros(text: str) -> int:
    hours, minutes, seconds = text.removeprefix("-").split(":")
    total = (int(hours) * 3600 + int(minutes) * 60) * 1_000_000 + int(Decimal(seconds) * 1_000_000)
    return -total if text.startswith("-") else total


def _compared(
    session: Callable[[], Session],
    columns: Sequence[Column],
    keys: Sequence[Sequence[Any]],
    bounds: Sequence[Sequence[Any]],
) -> dict[tuple[int, str, str], int]:
    pairs = {
        (number, key[number]["text"], bound[number]["text"])
        for number, column in enumerate(columns)
        if column.type.kind == "text"
        for key in keys
        for bound in bounds
        if number < len(bound) and key[number] != bound[number]
    }
    if not pairs:
        return {}
    found: dict[tuple[int, str, str], int] = {}
    asked = sorted(pairs)
    with session() as open_session:
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            looks = (
                f"STRCMP({value_of(columns[number], text)}, {value_of(columns[number], bound)}) AS c{place}"
                for place, (number, text, bound) in enumerate(some)
            )
            (row,) = open_session.query(f"SELECT {', '.join(looks)}")
            found.update((pair, int(row[f"c{place}"] or 0)) for place, pair in enumerate(some))
    return found
