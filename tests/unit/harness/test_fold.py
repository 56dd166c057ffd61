"""The judge of what is published: it reads every format, and nothing that does not fit goes by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.fold import Folded, FoldError, Told, changes, fold, told

GOLDEN = Path(__file__).parents[3] / "rust/messages/tests/golden"
FORMATS = ("json", "json_c", "canal-json", "debezium-json", "avro")
T = ("shop", "t")


def reviewed(form: str, page: str) -> list[bytes]:
    """The values of a reviewed page."""
    found = []
    for line in (GOLDEN / form / f"{page}.expected").read_text().split("\n"):
        place, _, rest = line.partition(" ")
        if not (place == "statement" or place.replace("/", "").isdecimal()):
            continue
        _, end = json.JSONDecoder().raw_decode(rest) if rest.startswith('"') else (None, len(rest.split(" ")[0]))
        value = rest[end:].strip()
        found.append(bytes.fromhex(value) if form == "avro" else value.encode())
    return found


@pytest.mark.parametrize("page", ["keys", "integers", "keyless", "times", "texts"])
def test_every_format_tells_the_same(page: str) -> None:
    """Table, what happened, and in which of the images there is a row."""
    heard = {
        form: [(one.table, one.op, one.before is not None, one.after is not None) for one in changes(reviewed(form, page), form)]
        for form in FORMATS
    }  # fmt: skip
    assert heard["json"] and all(found == heard["json"] for found in heard.values())
    initial = {
        form: [one.initial for one in changes(reviewed(form, page), form)] for form in FORMATS if form != "canal-json"
    }
    assert all(found == initial["json"] for found in initial.values())


@pytest.mark.parametrize("form", FORMATS)
def test_statements_are_no_changes(form: str) -> None:
    values = reviewed(form, "statements")
    assert values and all(told(value, form) is None for value in values)


def test_a_format_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="xml"):
        told(b"{}", "xml")


def test_keys_are_told_where_the_format_has_them() -> None:
    for form in ("json", "json_c", "canal-json", "avro"):
        first = next(changes(reviewed(form, "keys"), form))
        assert first.key == ("n", "a", "b", "m") and first.id == 1 and first.moment_ms == 1699999999999


# --- the strict fold ---


def told_of(
    op: Any, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, key: tuple[str, ...] = ("id",)
) -> Told:
    return Told(T, op, before, after, key, False, 0, 0)


def insert(**row: Any) -> Told:
    return told_of("insert", None, row)


def update(before: Mapping[str, Any], **after: Any) -> Told:
    return told_of("update", before, after)


def delete(**row: Any) -> Told:
    return told_of("delete", row, None)


def folded(*changes: Told) -> Folded:
    found = Folded()
    for change in changes:
        found.take(change)
    return found


def test_rows_that_changes_come_to() -> None:
    found = folded(
        insert(id=1, v="a"), insert(id=2, v="b"), update({"id": 1, "v": "a"}, id=1, v="c"), delete(id=2, v="b"),
        update({"id": 1, "v": "c"}, id=3, v="c"), insert(id=1, v="d"),
    )  # fmt: skip
    assert sorted(found.rows(T), key=lambda row: row["id"]) == [{"id": 1, "v": "d"}, {"id": 3, "v": "c"}]
    assert found.rows(("shop", "other")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        insert(id=1, v="a"),
        insert(id=1, v="z"),
        update({"id": 9, "v": "a"}, id=9, v="b"),
        update({"id": 1, "v": "z"}, id=1, v="b"),
        update({"id": 1, "v": None}, id=1, v="b"),
        update({"id": 1, "v": "a"}, id=2, v="a"),
        delete(id=9, v="a"),
        delete(id=1, v="z"),
    ],
    ids=[
        "told twice", "there already", "not there", "another value", "a value and not NULL", "onto another row",
        "deleted twice", "deleted as another",
    ],
)  # fmt: skip
def test_what_contradicts_what_was_told_before(wrong: Told) -> None:
    with pytest.raises(FoldError):
        folded(insert(id=1, v="a"), insert(id=2, v="b"), wrong)


def test_changes_in_another_order_contradict_each_other() -> None:
    right = [insert(id=1, v="a"), update({"id": 1, "v": "a"}, id=1, v="b"), delete(id=1, v="b"), insert(id=1, v="c")]
    folded(*right)
    for number in range(len(right) - 1):
        turned = [*right[:number], right[number + 1], right[number], *right[number + 2 :]]
        with pytest.raises(FoldError):
            folded(*turned)
    for number in range(len(right) - 1):
        with pytest.raises(FoldError):
            folded(*right[:number], *right[number + 1 :])


def test_a_column_that_was_added_since_has_a_value_that_nobody_told() -> None:
    found = folded(insert(id=1, v="a"), update({"id": 1, "v": "a", "w": "0"}, id=1, v="b", w="0"))
    assert found.rows(T) == [{"id": 1, "v": "b", "w": "0"}]


def test_a_table_without_a_key_is_a_multiset() -> None:
    def loose(op: Any, before: Any, after: Any) -> Told:
        return told_of(op, before, after, ())

    a, b = {"v": "a"}, {"v": "b"}
    found = folded(loose("insert", None, a), loose("insert", None, a), loose("update", a, b), loose("delete", a, None))
    assert found.rows(T) == [b]
    with pytest.raises(FoldError):
        found.take(loose("delete", a, None))
    with pytest.raises(FoldError):
        found.take(loose("update", a, b))


def test_keys_may_be_given_where_the_format_does_not_tell_them() -> None:
    def value(op: str, before: Any, after: Any) -> bytes:
        source = {"db": "shop", "table": "t", "ts_ms": 5}
        return json.dumps({"op": op, "before": before, "after": after, "source": source}).encode()

    row = {"id": 1, "v": 2}
    values = [value("r", None, row), value("u", row, {**row, "v": 3}), value("c", None, {**row, "id": 2})]
    found = fold(values, "debezium-json", {T: ("id",)})
    assert found.rows(T) == [{"id": 1, "v": 3}, {"id": 2, "v": 2}]
    with pytest.raises(FoldError):
        fold([*values, values[-1]], "debezium-json", {T: ("id",)})
    assert len(fold([values[0], values[0]], "debezium-json").rows(T)) == 2
