"""Batches of windows as Python sees them: what is kept of them, and the keys of their rows."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from opendrs._core import MysqlError, RecordBatch, mysql_keys

INSERT, BEFORE, AFTER, DELETE = 1, 2, 3, 4
FIELDS = {"kind": "int", "bits": 32}


def batch(ops: Sequence[int], **columns: tuple[Sequence[Any], pa.DataType]) -> RecordBatch:
    seqs: list[int] = []
    for op in ops:
        seqs.append(seqs[-1] if op == AFTER and seqs else len(set(seqs)))
    arrays = [
        pa.array(ops, pa.int8()), pa.array(seqs, pa.uint32()), pa.array([7] * len(ops), pa.uint32()),
        pa.array(range(len(ops)), pa.uint8()), *(pa.array(values, kind) for values, kind in columns.values()),
    ]  # fmt: skip
    names = ["op", "seq", "txn", "flags", *columns]
    return RecordBatch.from_arrow(pa.record_batch(arrays, names=names))


def numbered(ops: Sequence[int]) -> RecordBatch:
    return batch(ops, n=(list(range(len(ops))), pa.int64()), t=([f"t{n}" for n in range(len(ops))], pa.string()))


def listed(made: RecordBatch) -> list[tuple[int, int]]:
    return [(row["op"], row["n"]) for row in pa.record_batch(made).to_pylist()]


# --- keep ---


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ((1, 1, 1, 1, 1), [(INSERT, 0), (BEFORE, 1), (AFTER, 2), (DELETE, 3), (INSERT, 4)]),
        ((0, 0, 0, 0, 0), []),
        ((1, 0, 0, 0, 1), [(INSERT, 0), (INSERT, 4)]),
        ((0, 1, 0, 0, 0), [(DELETE, 1)]),
        ((0, 0, 1, 0, 0), [(INSERT, 2)]),
        ((0, 1, 1, 0, 0), [(BEFORE, 1), (AFTER, 2)]),
        ((1, 0, 1, 1, 0), [(INSERT, 0), (INSERT, 2), (DELETE, 3)]),
    ],
)
def test_what_is_kept_of_a_batch(kept: Sequence[int], expected: list[tuple[int, int]]) -> None:
    made = numbered([INSERT, BEFORE, AFTER, DELETE, INSERT]).keep([bool(one) for one in kept])
    assert listed(made) == expected


def test_everything_else_of_a_row_is_as_it_was() -> None:
    whole = numbered([BEFORE, AFTER, INSERT, DELETE])
    before = pa.record_batch(whole)
    made = pa.record_batch(whole.keep([False, True, True, True]))
    assert made.schema == before.schema
    for name in before.schema.names[1:]:
        assert made.column(name).to_pylist() == before.column(name).to_pylist()[1:]
    assert made.column("op").to_pylist() == [INSERT, INSERT, DELETE]
    # The batch itself is another matter.
    assert listed(whole) == [(BEFORE, 0), (AFTER, 1), (INSERT, 2), (DELETE, 3)]


def test_updates_side_by_side_are_not_taken_for_each_other() -> None:
    made = numbered([BEFORE, AFTER, BEFORE, AFTER]).keep([True, False, False, True])
    assert listed(made) == [(DELETE, 0), (INSERT, 3)]
    made = numbered([BEFORE, AFTER, BEFORE, AFTER]).keep([False, True, True, False])
    assert listed(made) == [(INSERT, 1), (DELETE, 2)]


def test_random_batches_against_a_model() -> None:
    chance = random.Random(3)
    for _ in range(300):
        changes = [chance.choice([(INSERT,), (DELETE,), (BEFORE, AFTER)]) for _ in range(chance.randint(0, 6))]
        ops = [op for change in changes for op in change]
        kept = [chance.random() < 0.5 for _ in ops]
        expected, row = [], 0
        for change in changes:
            here = list(range(row, row + len(change)))
            left = [number for number in here if kept[number]]
            if len(left) == 1 and len(change) == 2:
                expected.append((DELETE if left == here[:1] else INSERT, left[0]))
            else:
                expected += [(ops[number], number) for number in left]
            row += len(change)
        assert listed(numbered(ops).keep(kept)) == expected


def test_a_slice_keeps_its_own_rows() -> None:
    part = numbered([INSERT, BEFORE, AFTER, DELETE]).slice(1, 3)
    assert listed(part.keep([True, False, True])) == [(DELETE, 1), (DELETE, 3)]
    assert part.keep([True, False, True]).rows_below(2) == 1


@pytest.mark.parametrize("words", [[], [True], [True] * 3])
def test_there_is_a_word_for_each_row(words: list[bool]) -> None:
    with pytest.raises(ValueError, match=f"{len(words)} words for 2 rows"):
        numbered([BEFORE, AFTER]).keep(words)


def test_a_batch_that_is_not_of_a_window() -> None:
    plain = RecordBatch.from_arrow(pa.record_batch([pa.array([1])], names=["a"]))
    with pytest.raises(ValueError, match="not one of a window"):
        plain.keep([True])


# --- keys ---


def keys(made: RecordBatch, columns: Sequence[tuple[str, dict[str, Any]]], key: Sequence[str]) -> list[Any]:
    listed = [{"name": name, "type": kind} for name, kind in columns]
    facts = {"name": {"schema": "s", "table": "t"}, "columns": listed, "key": list(key)}
    return [json.loads(text) for text in mysql_keys(made, json.dumps(facts))]


def test_keys_are_parameters_in_the_order_of_the_key() -> None:
    made = batch(
        [INSERT, DELETE],
        a=([5, -6], pa.int32()), b=(["x", "ü'"], pa.string()), c=([b"\x00\xff", b""], pa.binary()),
    )  # fmt: skip
    columns = [("a", FIELDS), ("b", {"kind": "text"}), ("c", {"kind": "binary"})]
    assert keys(made, columns, ["b", "a"]) == [[{"text": "x"}, {"int": 5}], [{"text": "ü'"}, {"int": -6}]]
    assert keys(made, columns, ["c"]) == [[{"bytes": "00ff"}], [{"bytes": ""}]]
    assert keys(made, columns, []) == [[], []]


def test_each_image_of_an_update_has_a_key() -> None:
    made = batch([BEFORE, AFTER], a=([1, 2], pa.int32()))
    assert keys(made, [("a", FIELDS)], ["a"]) == [[{"int": 1}], [{"int": 2}]]


@pytest.mark.parametrize(
    ("kind", "arrow", "value", "expected"),
    [
        ({"kind": "int", "bits": 8}, pa.int8(), -128, {"int": -128}),
        ({"kind": "int", "bits": 24}, pa.int32(), -(2**23), {"int": -(2**23)}),
        ({"kind": "int", "bits": 64}, pa.int64(), -(2**63), {"int": -(2**63)}),
        ({"kind": "int", "bits": 16, "unsigned": True}, pa.uint16(), 65535, {"uint": 65535}),
        ({"kind": "int", "bits": 64, "unsigned": True}, pa.uint64(), 2**64 - 1, {"uint": 2**64 - 1}),
        ({"kind": "year"}, pa.uint16(), 2155, {"uint": 2155}),
        ({"kind": "bits", "length": 64}, pa.uint64(), 2**64 - 1, {"uint": 2**64 - 1}),
        ({"kind": "decimal", "precision": 10, "scale": 2}, pa.decimal128(10, 2), Decimal("-0.05"), {"decimal": "-0.05"}),
        ({"kind": "decimal", "precision": 60, "scale": 1}, pa.decimal256(60, 1), Decimal("12.3"), {"decimal": "12.3"}),
        ({"kind": "date"}, pa.date32(), 0, {"date": "1970-01-01"}),
        ({"kind": "date"}, pa.date32(), -(2**31), {"date": "0000-00-00"}),
        ({"kind": "datetime", "fraction": 0}, pa.timestamp("us"), 1, {"datetime": "1970-01-01 00:00:00.000001"}),
        ({"kind": "timestamp", "fraction": 3}, pa.timestamp("us"), -(2**63), {"datetime": "0000-00-00 00:00:00.000000"}),
        ({"kind": "time", "fraction": 0}, pa.duration("us"), -1, {"time": "-00:00:00.000001"}),
        ({"kind": "time", "fraction": 0}, pa.duration("us"), 838 * 3_600_000_000, {"time": "838:00:00.000000"}),
        ({"kind": "enum"}, pa.string(), "a", {"text": "a"}),
        ({"kind": "text"}, pa.string(), "日本", {"text": "日本"}),
        ({"kind": "binary", "fixed": 2}, pa.binary(), b"\x01\x00", {"bytes": "0100"}),
    ],
)  # fmt: skip
def test_every_kind_of_key(kind: dict[str, Any], arrow: pa.DataType, value: Any, expected: dict[str, Any]) -> None:
    plain = pa.array([value], pa.int64()) if isinstance(value, int) and not pa.types.is_integer(arrow) else None
    column = pa.array([value], arrow) if plain is None else plain.cast(pa.int32()).view(arrow) if arrow == pa.date32() else plain.view(arrow)  # fmt: skip
    leading = pa.record_batch(batch([INSERT]))
    made = pa.record_batch([*leading.columns, column], names=[*leading.schema.names, "k"])
    assert keys(RecordBatch.from_arrow(made), [("k", kind)], ["k"]) == [[expected]]


def test_a_key_of_a_column_that_is_not_there() -> None:
    with pytest.raises(MysqlError, match="no column z"):
        keys(batch([INSERT], a=([1], pa.int32())), [("a", FIELDS)], ["z"])


def test_a_table_that_cannot_be_read() -> None:
    with pytest.raises(MysqlError):
        mysql_keys(batch([INSERT], a=([1], pa.int32())), "{}")


def test_other_libraries_batches_are_read_as_well() -> None:
    own = pa.record_batch(batch([INSERT], a=([1], pa.int32())))
    assert keys(own, [("a", FIELDS)], ["a"]) == [[{"int": 1}]]  # type: ignore[arg-type]
