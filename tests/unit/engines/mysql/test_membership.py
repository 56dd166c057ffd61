"""Which changes of the log belong to chunks that are there: as the server would decide it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import pyarrow as pa
import pytest

from opendrs._core import RecordBatch
from opendrs.engines.mysql import membership
from opendrs.engines.mysql.keyset import to_key
from opendrs.engines.mysql.membership import _sign, joined, within
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.checkpoint import Chunk, Key
from opendrs.model.types import Logical

T = TableName("s", "t")
INSERT, BEFORE, AFTER, DELETE = 1, 2, 3, 4


def column(name: str, kind: str, **facts: Any) -> Column:
    text = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci"} if kind == "text" else {}
    return Column(name=name, type=Logical(kind=kind, **facts), native=kind, **text)


def table(*columns: Column, key: Sequence[str] | None = None) -> Table:
    names = [one.name for one in columns] if key is None else key
    primary = Index(name="PRIMARY", parts=tuple(IndexPart(column=name) for name in names), unique=True)
    return Table(name=T, columns=columns, primary=primary if names else None)


def batch(rows: Sequence[tuple[int, Sequence[Any]]], *kinds: tuple[str, pa.DataType]) -> RecordBatch:
    """(op, values of the columns) a row; an image after an update has the ordinal of the one before."""
    seqs: list[int] = []
    for op, _ in rows:
        seqs.append((seqs[-1] if op == AFTER else seqs[-1] + 1) if seqs else 0)
    leading = [
        pa.array([op for op, _ in rows], pa.int8()), pa.array(seqs, pa.uint32()),
        pa.array([0] * len(rows), pa.uint32()), pa.array([0] * len(rows), pa.uint8()),
    ]  # fmt: skip
    own = [pa.array([values[number] for _, values in rows], kind) for number, (_, kind) in enumerate(kinds)]
    names = ["op", "seq", "txn", "flags", *(name for name, _ in kinds)]
    return RecordBatch.from_arrow(pa.record_batch([*leading, *own], names=names))


def chunk(ordinal: int, lower: Sequence[Any] | None, upper: Sequence[Any] | None) -> Chunk:
    """Bounds as parameters: [{"int": 5}]."""
    return Chunk(table=T, ordinal=ordinal, lower=key(lower), upper=key(upper))


def key(params: Sequence[Any] | None) -> Key | None:
    return None if params is None else to_key(json.dumps(params))


@dataclass
class Server:
    """Compares texts without case and without spaces at the end, as many collations do. `asked`: how often, and which
    pairs."""

    asked: list[list[tuple[str, str]]] = field(default_factory=list)
    opened: int = 0

    @contextmanager
    def session(self) -> Iterator[Server]:
        self.opened += 1
        yield self

    def query(self, sql: str) -> list[dict[str, str]]:
        text = r"CONVERT\(_utf8mb4 x'([0-9a-f]*)' USING utf8mb4\) COLLATE utf8mb4_general_ci"
        found = re.findall(rf"STRCMP\({text}, {text}\) AS (c\d+)", sql)
        assert sql == "SELECT " + ", ".join(
            f"STRCMP(CONVERT(_utf8mb4 x'{a}' USING utf8mb4) COLLATE utf8mb4_general_ci, "
            f"CONVERT(_utf8mb4 x'{b}' USING utf8mb4) COLLATE utf8mb4_general_ci) AS {name}"
            for a, b, name in found
        )
        pairs = [(bytes.fromhex(a).decode(), bytes.fromhex(b).decode()) for a, b, _ in found]
        self.asked.append(pairs)
        folded = [(a.lower().rstrip(), b.lower().rstrip()) for a, b in pairs]
        return [{name: str((a > b) - (a < b)) for (_, _, name), (a, b) in zip(found, folded, strict=True)}]


def nobody() -> Any:
    raise AssertionError("the server is asked about texts only")


def left(made: RecordBatch, name: str = "k") -> list[tuple[int, Any]]:
    return [(row["op"], row[name]) for row in pa.record_batch(made).to_pylist()]


# --- ranges ---


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([], []),
        ([(None, None)], [(None, None)]),
        ([(None, "5")], [(None, "5")]),
        ([(None, "5"), ("5", "9"), ("9", None)], [(None, None)]),
        ([("3", "5"), ("5", "9")], [("3", "9")]),
        ([(None, "5"), ("7", "9")], [(None, "5"), ("7", "9")]),
        ([("3", "5"), ("7", None)], [("3", "5"), ("7", None)]),
        ([("3", "5"), ("5", "6"), ("8", "9"), ("9", None)], [("3", "6"), ("8", None)]),
    ],
)
def test_chunks_that_touch_each_other_are_one_range(
    bounds: list[tuple[str | None, str | None]], expected: list[tuple[str | None, str | None]]
) -> None:
    def of(text: str | None) -> Key | None:
        return None if text is None else (text,)

    chunks = [
        Chunk(table=T, ordinal=number, lower=of(lower), upper=of(upper)) for number, (lower, upper) in enumerate(bounds)
    ]
    assert list(joined(chunks)) == [(of(lower), of(upper)) for lower, upper in expected]


# --- every kind of key, values in the server's order ---

KINDS: dict[str, tuple[Column, pa.DataType, list[Any], list[Any]]] = {
    "int": (
        column("k", "int", bits=64), pa.int64(), [-(2**63), -10, -9, 0, 9, 10, 2**63 - 1],
        [{"int": n} for n in (-(2**63), -10, -9, 0, 9, 10, 2**63 - 1)],
    ),
    "uint": (
        column("k", "int", bits=64, unsigned=True), pa.uint64(), [0, 9, 10, 2**63 - 1, 2**63, 2**64 - 1],
        # The optimizer's estimates make bounds whose sort tells nothing.
        [{"int": 0}, {"uint": 9}, {"int": 10}, {"int": 2**63 - 1}, {"uint": 2**63}, {"uint": 2**64 - 1}],
    ),
    "tiny": (column("k", "int", bits=8), pa.int8(), [-128, -1, 3, 127], [{"int": n} for n in (-128, -1, 3, 127)]),
    "year": (column("k", "year"), pa.uint16(), [0, 1901, 2155], [{"uint": n} for n in (0, 1901, 2155)]),
    "bits": (
        column("k", "bits", length=64), pa.uint64(), [0, 9, 10, 2**64 - 1],
        [{"uint": n} for n in (0, 9, 10, 2**64 - 1)],
    ),
    "decimal": (
        column("k", "decimal", precision=10, scale=2), pa.decimal128(10, 2),
        [Decimal(text) for text in ("-10.50", "-9.99", "-0.05", "0.00", "0.50", "9.90", "10.00")],
        [{"decimal": text} for text in ("-10.50", "-9.99", "-0.05", "0.00", "0.50", "9.90", "10.00")],
    ),
    "wide decimal": (
        column("k", "decimal", precision=60, scale=0), pa.decimal256(60, 0),
        [Decimal(-(10**50)), Decimal(9), Decimal(10), Decimal(10**50)],
        [{"decimal": str(n)} for n in (-(10**50), 9, 10, 10**50)],
    ),
    "bytes": (
        column("k", "binary"), pa.binary(), [b"", b"\x00", b"\x00\x00", b"\x7f", b"\x80", b"\x80\x00", b"\xff"],
        [{"bytes": text} for text in ("", "00", "0000", "7f", "80", "8000", "ff")],
    ),
    "date": (
        column("k", "date"), pa.date32(), [date(1, 1, 1), date(999, 12, 31), date(1000, 1, 1), date(2024, 2, 29)],
        [{"date": text} for text in ("0001-01-01", "0999-12-31", "1000-01-01", "2024-02-29")],
    ),
    "datetime": (
        column("k", "datetime", fraction=6), pa.timestamp("us"),
        [datetime(9, 1, 1), datetime(2024, 1, 1, 9), datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 10, 0, 0, 5)],
        [
            {"datetime": text} for text in (
                "0009-01-01 00:00:00.000000", "2024-01-01 09:00:00.000000", "2024-01-01 10:00:00.000000",
                "2024-01-01 10:00:00.000005",
            )
        ],
    ),
    "timestamp": (
        column("k", "timestamp", fraction=0), pa.timestamp("us"), [datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 1)],
        [{"datetime": text} for text in ("1970-01-01 00:00:01.000000", "2038-01-01 00:00:00.000000")],
    ),
    "time": (
        column("k", "time", fraction=6), pa.duration("us"),
        [
            -timedelta(hours=838, minutes=59, seconds=59), -timedelta(hours=10), -timedelta(hours=9),
            -timedelta(microseconds=5), timedelta(0), timedelta(hours=9), timedelta(hours=10), timedelta(hours=100),
        ],
        [
            {"time": text} for text in (
                "-838:59:59.000000", "-10:00:00.000000", "-09:00:00.000000", "-00:00:00.000005", "00:00:00.000000",
                "09:00:00.000000", "10:00:00.000000", "100:00:00.000000",
            )
        ],
    ),
    "text": (
        column("k", "text"), pa.string(), ["", "A", "ab", "Z", "ß", "日本"],
        [{"text": text} for text in ("", "a", "AB", "z ", "ß", "日本")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_keys_are_compared_as_the_server_does(kind: str) -> None:
    own, arrow, values, params = KINDS[kind]
    server, last = Server(), len(values)
    rows = batch([(INSERT, [value]) for value in values], ("k", arrow))
    for lower, upper in product([None, *range(last)], repeat=2):
        if (lower, upper) == (None, None):
            continue
        chunks = [
            chunk(0, None if lower is None else [params[lower]], None if upper is None else [params[upper]])
        ]  # fmt: skip
        found = [
            value for _, value in left(within(server.session if kind == "text" else nobody, table(own), rows, chunks))
        ]
        first, end = 0 if lower is None else lower + 1, last if upper is None else upper + 1
        assert found == values[first:end], f"above {lower} up to {upper}"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_two_bounds_are_one_before_the_other(kind: str) -> None:
    """What the log has comes in the same form as what a chunk ends with."""
    _, _, _, params = KINDS[kind]
    if kind == "text":
        return  # the server's business
    for mine, its in product(range(len(params)), repeat=2):
        assert _sign([params[mine]], [params[its]], {}) == (mine > its) - (mine < its)


def test_dates_that_no_calendar_has_come_where_the_server_has_them() -> None:
    days = ["0000-00-00", "0000-01-00", "2023-12-31", "2024-00-00", "2024-00-10", "2024-01-00", "2024-01-01"]
    for mine, its in product(range(len(days)), repeat=2):
        assert _sign([{"date": days[mine]}], [{"date": days[its]}], {}) == (mine > its) - (mine < its)


# --- several columns ---

PAIR = table(column("a", "int", bits=32), column("b", "int", bits=32))
PAIRS = (("a", pa.int32()), ("b", pa.int32()))


def params(*numbers: int) -> list[dict[str, int]]:
    return [{"int": number} for number in numbers]


def test_keys_of_several_columns_and_bounds_that_are_shorter() -> None:
    """A bound that is shorter than the key stands for all keys that begin so: above it is behind all of them."""
    keys = list(product((1, 2, 3), repeat=2))
    rows = batch([(INSERT, pair) for pair in keys], *PAIRS)
    for lower, upper in product([None, (1,), (2,), (1, 2), (2, 1), (2, 3)], repeat=2):
        if (lower, upper) == (None, None):
            continue
        chunks = [chunk(0, None if lower is None else params(*lower), None if upper is None else params(*upper))]
        found = [(row["a"], row["b"]) for row in pa.record_batch(within(nobody, PAIR, rows, chunks)).to_pylist()]
        assert found == [
            pair for pair in keys
            if (lower is None or pair[: len(lower)] > lower) and (upper is None or pair[: len(upper)] <= upper)
        ], f"above {lower} up to {upper}"  # fmt: skip


def test_random_keys_and_chunks_with_gaps() -> None:
    chance = random.Random(7)
    for _ in range(60):
        cuts = sorted({(chance.randint(0, 5), chance.randint(0, 5)) for _ in range(chance.randint(1, 6))})
        bounds = [None, *cuts, None]
        chunks = [
            chunk(number, None if lower is None else params(*lower), None if upper is None else params(*upper))
            for number, (lower, upper) in enumerate(pairwise(bounds))
            if chance.random() < 0.6
        ]  # fmt: skip
        keys = [(chance.randint(0, 5), chance.randint(0, 5)) for _ in range(12)]
        found = pa.record_batch(
            within(nobody, PAIR, batch([(INSERT, one) for one in keys], *PAIRS), chunks)
        ).to_pylist()

        def inside(one: tuple[int, int], kept: Sequence[Chunk] = chunks) -> bool:
            return any(
                (c.lower is None or one > numbers(c.lower)) and (c.upper is None or one <= numbers(c.upper))
                for c in kept
            )

        assert [(row["a"], row["b"]) for row in found] == [one for one in keys if inside(one)]


def numbers(bound: Key) -> tuple[int, ...]:
    return tuple(json.loads(part or "")["int"] for part in bound)


def test_only_the_leading_columns_that_can_be_compared_count() -> None:
    """ENUM sorts by number and compares as text: chunks end before such a column."""
    own = table(column("a", "int", bits=32), column("e", "enum"), column("b", "int", bits=32))
    rows = batch(
        [(INSERT, (1, "x", 5)), (INSERT, (2, "y", 5))], ("a", pa.int32()), ("e", pa.string()), ("b", pa.int32())
    )
    assert left(within(nobody, own, rows, [chunk(0, None, params(1))]), "a") == [(INSERT, 1)]


def test_a_key_that_is_not_the_first_columns() -> None:
    own = table(column("v", "text"), column("k", "int", bits=32), key=["k"])
    rows = batch([(INSERT, ("x", 1)), (INSERT, ("y", 2))], ("v", pa.string()), ("k", pa.int32()))
    assert left(within(nobody, own, rows, [chunk(0, params(1), None)])) == [(INSERT, 2)]


# --- what needs no comparison ---


@pytest.mark.parametrize(
    ("own", "chunks"),
    [
        (table(column("k", "int", bits=32)), [chunk(0, None, None)]),
        (table(column("k", "int", bits=32)), [chunk(0, None, params(1)), chunk(1, params(1), None)]),
        (table(column("k", "int", bits=32), key=()), [chunk(0, None, None)]),
        (table(column("k", "float64")), [chunk(0, None, None)]),
        (table(column("k", "float64")), [chunk(0, None, [])]),
    ],
)
def test_where_everything_is_there_nothing_is_looked_at(own: Table, chunks: list[Chunk]) -> None:
    rows = batch([(INSERT, [1])], ("k", pa.int32()))
    assert within(nobody, own, rows, chunks) is rows


def test_where_nothing_is_there_nothing_is_left() -> None:
    rows = batch([(INSERT, [1]), (DELETE, [2])], ("k", pa.int32()))
    assert within(nobody, table(column("k", "int", bits=32)), rows, []).num_rows == 0


# --- updates ---


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 2, [(BEFORE, 1), (AFTER, 2)]),
        (1, 9, [(DELETE, 1)]),
        (9, 1, [(INSERT, 1)]),
        (8, 9, []),
    ],
)
def test_an_update_across_the_border(before: int, after: int, expected: list[tuple[int, int]]) -> None:
    """Of which one image is there: the row comes, or goes."""
    rows = batch(
        [(INSERT, [5]), (BEFORE, [before]), (AFTER, [after]), (DELETE, [7])], ("k", pa.int32())
    )  # fmt: skip
    made = within(nobody, table(column("k", "int", bits=32)), rows, [chunk(0, None, params(5))])
    assert left(made) == [(INSERT, 5), *expected]
    # Ordinals are those of the log: they count changes that are left out as well.
    assert [row["seq"] for row in pa.record_batch(made).to_pylist()] == [0, *[1] * len(expected)]


# --- texts ---


def test_the_server_is_asked_once_for_all_texts() -> None:
    own = table(column("n", "int", bits=32), column("k", "text"))
    kinds = (("n", pa.int32()), ("k", pa.string()))
    rows = batch([(INSERT, (1, text)) for text in ("b", "B", "c", "b")], *kinds)
    server = Server()
    made = within(server.session, own, rows, [chunk(0, None, [{"int": 1}, {"text": "b"}])])
    assert left(made) == [(INSERT, "b"), (INSERT, "B"), (INSERT, "b")]
    assert (server.opened, server.asked) == (1, [[("B", "b"), ("c", "b")]])


def test_nobody_is_asked_where_every_text_is_the_bound() -> None:
    rows = batch([(INSERT, ["b"])], ("k", pa.string()))
    assert left(within(nobody, table(column("k", "text")), rows, [chunk(0, None, [{"text": "b"}])])) == [(INSERT, "b")]


def test_a_bound_that_ends_before_the_text_needs_no_comparison() -> None:
    own = table(column("n", "int", bits=32), column("k", "text"))
    rows = batch([(INSERT, (1, "x")), (INSERT, (2, "x"))], ("n", pa.int32()), ("k", pa.string()))
    assert left(within(nobody, own, rows, [chunk(0, None, params(1))]), "n") == [(INSERT, 1)]


def test_many_texts_are_asked_for_in_several_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "ASKED_AT_ONCE", 4)
    texts = [f"t{number:02}" for number in range(10)]
    server, rows = Server(), batch([(INSERT, [text]) for text in texts], ("k", pa.string()))
    made = within(server.session, table(column("k", "text")), rows, [chunk(0, [{"text": "T03"}], [{"text": "t07 "}])])
    assert [text for _, text in left(made)] == ["t04", "t05", "t06", "t07"]
    assert server.opened == 1 and [len(pairs) for pairs in server.asked] == [4, 4, 4, 4, 4]


def test_a_text_is_told_in_hexadecimal_digits() -> None:
    """Whatever it holds, it is a value and never a word of the statement."""
    server = Server()
    rows = batch([(INSERT, ["'; DROP TABLE t -- \\ \0 é"])], ("k", pa.string()))
    within(server.session, table(column("k", "text")), rows, [chunk(0, None, [{"text": "\U0001f600'"}])])
    assert server.asked == [[("'; DROP TABLE t -- \\ \0 é", "\U0001f600'")]]
