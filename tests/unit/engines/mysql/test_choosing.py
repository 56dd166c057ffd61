"""Rules that do not fit their tables, and what is said of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs.engines.mysql.choosing import filtered_actions, rule_problems
from opendrs.model.catalog import Action, Column, ForeignKey, Index, IndexPart, Table, TableName
from opendrs.model.rules import ExtraColumn, TableRule
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

ORDERS, LINES = TableName("shop", "orders"), TableName("shop", "lines")
WHOLE = Logical(kind="int", bits=32)
APART = ExtraColumn(name="of", kind="expression", type="varchar(256)")


def table(name: TableName, *columns: str) -> Table:
    made = tuple(Column(name=column, type=WHOLE, native="int") for column in columns)
    return Table(name=name, columns=made, primary=Index(name="PRIMARY", parts=(IndexPart(column="id"),), unique=True))


def child(action: Action = "CASCADE") -> Table:
    key = ForeignKey(name="by", columns=("order_id",), referenced=ORDERS, referenced_columns=("id",), on_delete=action)
    return replace(table(LINES, "id", "order_id", "State"), foreign_keys=(key,))


def problems(*tables: Table, **rules: TableRule) -> list[str]:
    chosen = Selection(
        databases=frozenset({"shop"}), rules={TableName("shop", name): rule for name, rule in rules.items()}
    )
    return [f"{name.table}: {reason}" for name, reason in rule_problems(chosen, tables, {TableName("shop", "view")})]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (TableRule(columns={"ID": "Id", "state": None}), []),
        (TableRule(columns={"nope": "x"}), ["lines: it has no column nope"]),
        (TableRule(columns={"state": "Order_ID"}), ["lines: two columns would arrive as order_id"]),
        (TableRule(extras=(replace(APART, name="STATE"),)), ["lines: two columns would arrive as state"]),
        (TableRule(columns={"id": None}), ["lines: the column id of the key of shop.lines is left out"]),
        (TableRule(columns={"order_id": "state", "state": "order_id"}), []),  # they change names
    ],
)
def test_columns(rule: TableRule, expected: list[str]) -> None:
    assert problems(table(LINES, "id", "order_id", "State"), lines=rule) == expected


def test_all_that_is_wrong_is_said_at_once() -> None:
    gone = TableRule(columns={"id": None, "v": None, "w": None}, filter="w > 1")
    found = problems(
        table(ORDERS, "id", "v"), orders=gone, nobody=TableRule(filter="id = 1"), view=TableRule(table="w")
    )
    assert found[0] == "nobody: something is said of it, and it is not there or not selected"
    assert found[1:4] == [
        "orders: it has no column w", "orders: no column of it is left",
        "orders: the column id of the key of shop.orders is left out",
    ]  # fmt: skip
    assert len(found) == 5 and "w" in found[4]


def test_what_a_foreign_key_acts_by_has_to_arrive() -> None:
    parent = table(ORDERS, "id", "v")
    without = TableRule(columns={"order_id": None})
    assert problems(parent, child(), lines=without) == [
        "lines: the column order_id is left out, and the foreign key by acts by it"
    ]
    assert problems(parent, child("NO ACTION"), lines=without) == []
    assert problems(child(), lines=without) == [], "the parent is not replicated: nothing acts in the target"
    (found,) = problems(parent, child(), lines=TableRule(extras=(APART,)))
    assert "rows of other sources" in found
    (found,) = problems(parent, child(), orders=TableRule(extras=(APART,)), lines=TableRule(table="l"))
    assert "rows of other sources" in found


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, []),
        ({LINES: TableRule(filter="state = 1")}, []),
        ({LINES: TableRule(filter="ORDER_ID = 1")}, ["it changes what the filter of the table is about"]),
        ({ORDERS: TableRule(filter="v = 1")}, ["rows of shop.orders that its filter leaves out take theirs along"]),
    ],
)
def test_actions_that_would_not_reach_the_same_rows(rules: dict[TableName, TableRule], expected: list[str]) -> None:
    chosen = Selection(databases=frozenset({"shop"}), rules=rules)
    found = [reason for _, _, reason in filtered_actions(chosen, [table(ORDERS, "id", "v"), child()])]
    assert len(found) == len(expected)
    assert all(reason.startswith(words) for reason, words in zip(found, expected, strict=True)), found
    assert not list(filtered_actions(chosen, [table(ORDERS, "id", "v"), child("NO ACTION")]))
