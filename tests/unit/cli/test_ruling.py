"""What a command line says of single tables."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.cli.ends import demand_sense
from opendrs.cli.ruling import Words, rules
from opendrs.cli.run import selected
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.job import Policy
from opendrs.model.rules import ExtraColumn, TableRule

ORDERS = TableName("shop", "orders")


def test_words() -> None:
    found = rules(
        Words(
            rename=["shop.orders=crm.all_orders", "shop.lines=rows"],
            filter=["shop.orders: state = 'open' AND note <> 'a:b'"],
            columns=["shop.orders:a=b, -secret ,c = d"],
            add_column=["shop.orders:origin server_database_table varchar(256) here and there", "shop.orders:n  default_value int 7"],
            dml=["shop.orders:iu", "shop.log:-"],
        )
    )  # fmt: skip
    assert found == {
        ORDERS: TableRule(
            schema="crm",
            table="all_orders",
            filter="state = 'open' AND note <> 'a:b'",
            columns={"a": "b", "secret": None, "c": "d"},
            extras=(
                ExtraColumn(name="origin", kind="server_database_table", type="varchar(256)", value="here and there"),
                ExtraColumn(name="n", kind="default_value", type="int", value="7"),
            ),
            dml=frozenset("iu"),
        ),
        TableName("shop", "lines"): TableRule(table="rows"),
        TableName("shop", "log"): TableRule(dml=frozenset()),
    }
    assert rules(Words(filter=["a.b.c:x = 1"])) == {TableName("a", "b.c"): TableRule(filter="x = 1")}
    assert rules(Words()) == {}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("rename", ["shop.orders"]),
        ("rename", ["shop=crm"]),
        ("rename", ["shop.orders="]),
        ("rename", ["shop.orders=.x"]),
        ("rename", ["shop.orders=x."]),
        ("rename", ["shop.*=x"]),
        ("rename", ["shop.o=x", "shop.o=y"]),
        ("filter", ["shop.orders"]),
        ("filter", ["shop.orders: "]),
        ("filter", ["shop.o?:id = 1"]),
        ("filter", ["shop.o:id = 1", "shop.o:id = 2"]),
        ("columns", ["shop.orders:a"]),
        ("columns", ["shop.orders:a=b,"]),
        ("columns", ["shop.orders:a="]),
        ("columns", ["shop.orders:-"]),
        ("columns", ["shop.orders:a=b,-A"]),
        ("add_column", ["shop.orders:a"]),
        ("add_column", ["shop.orders:a expression"]),
        ("add_column", ["shop.orders:a other int"]),
        ("add_column", ["shop.orders:a expression text"]),
        ("dml", ["shop.orders"]),
        ("dml", ["shop.orders:x"]),
        ("dml", ["shop.orders:i-"]),
    ],
)
def test_words_that_are_none(option: str, words: list[str]) -> None:
    with pytest.raises(DrsError) as caught:
        rules(Words(**{option: words}))
    assert caught.value.fault is Fault.SETTING_INVALID
    assert caught.value.details["name"] == f"--{option.replace('_', '-')}"


def run_with(*tables: str, target: Any = "postgresql", exclude: list[str] | None = None, **words: list[str]) -> None:
    selection = selected(list(tables), exclude, None, None, Words(**words))
    demand_sense(target, selection, Policy())


def test_a_job_of_the_command_line_has_filters_that_mean_the_same_whenever_it_is_given() -> None:
    run_with("shop.*", filter=["shop.orders:id IN (1, 2)"])
    run_with("shop.*", filter=["shop.orders:this is no condition ("])  # the prechecks say what is wrong with it
    for condition in (
        "id IN (SELECT id FROM t)",
        "id = 1 OR NOT id IN (SELECT id FROM t WHERE x = 2)",
        "EXISTS (SELECT 1)",
    ):
        with pytest.raises(DrsError, match="what a subquery finds may be something else"):
            run_with("shop.*", filter=[f"shop.orders:{condition}"])


def test_what_does_not_fit() -> None:
    for bad in (
        lambda: run_with("shop.lines", dml=["shop.orders:i"]),
        lambda: run_with("shop.*", exclude=["shop.o*"], dml=["shop.orders:i"]),
        lambda: run_with("shop.*", exclude=["shop"]),
        lambda: run_with("shop.*", target="kafka", rename=["shop.orders=x"]),
        lambda: run_with("shop.*", target="kafka", add_column=["shop.orders:at create_time datetime"]),
        lambda: run_with("shop.*", add_column=["shop.orders:n default_value int seven"]),
        lambda: run_with("shop.*", columns=["shop.orders:a=x,b=X"]),
    ):
        with pytest.raises(DrsError) as caught:
            bad()
        assert caught.value.fault is Fault.SETTING_INVALID
    run_with("shop.*", target="kafka", add_column=["shop.orders:n default_value int 7"], dml=["shop.orders:iu"])
    with pytest.raises(DrsError, match="--many-to-one"):
        demand_sense("kafka", selected(None, None, None, None, Words()), Policy(topology="many2one"))
