"""Rows of columns against what is chosen and what the source has."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.model.catalog import TableName
from opendrs.templates.columning import SourceColumn, rule
from opendrs.templates.sheets import Row

ORDERS = TableName("shop", "orders")
THERE = {
    ORDERS: {"id": SourceColumn("int(11)", primary=True), "v": SourceColumn("varchar(20)"), "w": SourceColumn("text")},
    TableName("log", "t"): {"id": SourceColumn("int(11)", primary=True)},
}
CHOSEN = {
    "object_scope": "table",
    "object_info": {
        "shop": {"name": "store", "all": False, "tables": {"orders": {"name": "bought", "type": "table"}}},
        "log": {"name": "log", "all": True},
    },
}


def row(number: int, column: str = "", table: TableName = ORDERS, **values: str) -> Row:
    found = {"source_database": table.schema, "source_table": table.table, "source_column": column, **values}
    return Row(number, {name: value for name, value in found.items() if value})


def ruled(*rows: Row) -> dict[str, Any]:
    tree, problems = rule(rows, CHOSEN, THERE, "ware")
    assert problems == {}
    return tree


def problem(*rows: Row) -> str:
    _, problems = rule(rows, CHOSEN, THERE, "ware")
    assert list(problems) == [rows[-1].number], problems
    return problems[rows[-1].number]


def test_every_kind_of_row() -> None:
    tree = ruled(
        row(2, "v", target_column="value"), row(3, "w", replicated="no"), row(4, "id", replicated="yes"),
        row(5, target_column="since", extra_kind="create_time", extra_type="datetime"),
        row(6, target_column="from", extra_kind="default_value", extra_type="varchar(256)", extra_value="here"),
    )  # fmt: skip
    table = tree["object_info"]["shop"]["tables"]["orders"]
    assert table["all"] is False and table["name"] == "bought"
    assert table["columns"] == {
        "id": {"name": "id", "type": "int(11)", "filtered": True, "primary_key_for_column_filtering": "PRI"},
        "v": {"name": "value", "type": "varchar(20)", "filtered": True},
        "w": {"name": "w", "type": "text", "filtered": False},
        "since": {
            "name": "since", "type": "datetime", "additional": True, "operation_type": "ADDITIONALCOLUMN,create_time",
        },
        "from": {
            "name": "from", "type": "varchar(256)", "additional": True, "value": "here",
            "operation_type": "ADDITIONALCOLUMN,default_value",
        },
    }  # fmt: skip


def test_an_additional_column_alone_leaves_the_table_whole() -> None:
    since = row(2, table=TableName("log", "t"), target_column="since", extra_kind="update_time", extra_type="long")
    tree = ruled(since)
    assert tree["object_info"]["log"]["all"] is True
    table = tree["object_info"]["log"]["tables"]["t"]
    assert table["all"] is True and list(table["columns"]) == ["since"]


def test_what_is_not_named_has_no_columns_any_more() -> None:
    before = ruled(row(2, "v", target_column="value"))
    tree, problems = rule(
        [row(2, table=TableName("log", "t"), target_column="x", extra_kind="create_time", extra_type="long")],
        before,
        THERE,
        "ware",
    )
    assert not problems and "columns" not in tree["object_info"]["shop"]["tables"]["orders"]
    assert "columns" in before["object_info"]["shop"]["tables"]["orders"]  # what was there is not changed


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"column": "x"}, "shop.orders has no column x"),
        ({"column": "V"}, "shop.orders has no column V (it has v)"),
        ({"column": ""}, "Source column is empty"),
        ({"column": "v", "extra_type": "int"}, "only additional columns have a type and a value"),
        (
            {"column": "v", "replicated": "no", "target_column": "x"},
            "a column that is left out has no name at the target",
        ),
        ({"column": "v", "target_column": "ID"}, "id arrives as ID already"),
        (
            {"column": "v", "target_table": "orders"},
            "shop.orders was chosen as bought, and not orders: leave this cell empty",
        ),
        (
            {"column": "v", "target_schema": "shop"},
            "shop.orders was chosen as store, and not shop: leave this cell empty",
        ),
        ({"column": "v", "target_database": "x"}, "shop.orders was chosen as ware, and not x: leave this cell empty"),
        ({"column": "v", "source_schema": "x"}, "the source has no schemas: Source schema stays empty"),
        (
            {"column": "v", "table": TableName("shop", "other")},
            "shop.other is not chosen: choose it first, with a file of the level table",
        ),
        ({"column": "v", "table": TableName("log", "none")}, "the source has no table log.none"),
        ({"extra_kind": "create_time", "extra_type": "long"}, "Target column is empty: it names the additional column"),
        (
            {"column": "v", "target_column": "x", "extra_kind": "create_time", "extra_type": "long"},
            "an additional column has no column at the source, and is replicated",
        ),
        (
            {"target_column": "x", "extra_kind": "create_time", "extra_type": "int"},
            "Type: a column of create_time is one of datetime, long, timestamp",
        ),
        (
            {"target_column": "x", "extra_kind": "create_time"},
            "Type: a column of create_time is one of datetime, long, timestamp",
        ),
        (
            {"target_column": "x", "extra_kind": "default_value", "extra_type": "int"},
            "Value is empty: it is what stands in every row",
        ),
        (
            {"target_column": "x", "extra_kind": "expression", "extra_type": "varchar(256)", "extra_value": "v"},
            "Value: a column of expression makes its own",
        ),
        ({"target_column": "w", "extra_kind": "create_time", "extra_type": "long"}, "w arrives as w already"),
    ],
)
def test_what_is_wrong(values: dict[str, Any], why: str) -> None:
    assert problem(row(2, **values)) == why


def test_rows_that_are_wrong_together() -> None:
    assert problem(row(2, "v"), row(3, "v")) == "row 2 names the same"
    extra = {"target_column": "X", "extra_kind": "create_time", "extra_type": "long"}
    assert problem(row(2, **{**extra, "target_column": "x"}), row(3, **extra)) == "row 2 names the same"
    assert problem(row(2, "v", target_column="x"), row(3, "w", target_column="X")) == "v arrives as X already"
    rows = [row(number, column, replicated="no") for number, column in enumerate(("id", "v", "w"), 2)]
    _, problems = rule(rows, CHOSEN, THERE, "ware")
    assert set(problems) == {2, 3, 4} and set(problems.values()) == {"all columns of the table are left out"}
    assert ruled(row(2, "v", target_column="w"), row(3, "w", target_column="v"))  # they change places
