"""Rows of keys for comparison against what the source has."""

from __future__ import annotations

import pytest

from opendrs.model.catalog import TableName
from opendrs.templates.keying import KeyFacts, keys
from opendrs.templates.sheets import Row

T = TableName("shop", "t")
FACTS = KeyFacts(
    columns={"id": "int", "a": "varchar", "b": "date", "f": "float", "note": "text", "j": "json"},
    unique=[("id",), ("a", "b"), ("f",)],
)


def found(
    *texts: str, table: TableName = T, wanted: bool = True
) -> tuple[dict[TableName, tuple[str, ...]], dict[int, str]]:
    rows = [
        Row(number, {"source_database": table.schema, "source_table": table.table, "key_columns": text})
        for number, text in enumerate(texts, 2)
    ]
    return keys(rows, {T: FACTS}, lambda name: wanted)


def test_keys_in_the_order_that_was_asked_for() -> None:
    assert found("id") == ({T: ("id",)}, {})
    assert found("b, a") == ({T: ("b", "a")}, {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "shop.t has no column x"),
        ("ID", "shop.t has no column ID (it has id)"),
        ("a", "a is no primary key and no unique index without NULLs of shop.t: there are id; a, b; f"),
        ("id, a", "id, a is no primary key and no unique index without NULLs of shop.t: there are id; a, b; f"),
        ("f", "f is a float: such values cannot be compared as keys"),
        ("note", "note is a text: such values cannot be compared as keys"),
        ("j", "j is a json: such values cannot be compared as keys"),
    ],
)
def test_what_is_no_key(text: str, why: str) -> None:
    assert found(text) == ({}, {2: why})


def test_tables_that_have_none() -> None:
    assert found("id", "id")[1] == {3: "row 2 names the same table"}
    assert found("id", table=TableName("shop", "u"))[1] == {2: "the source has no table shop.u"}
    assert found("id", wanted=False)[1] == {2: "shop.t is not replicated by this job"}
    row = Row(2, {"source_database": "shop", "source_table": "t", "key_columns": "id", "source_schema": "x"})
    assert keys([row], {T: FACTS}, lambda name: True)[1][2].startswith("the source has no schemas")
    bare = {T: KeyFacts({"id": "int"}, [])}
    assert keys([Row(2, {**row.values, "source_schema": ""})], bare, lambda name: True)[1][2].endswith("it has none")
