"""Words of the command line as a tree of objects."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.cli.job.selecting import Choice, Chosen, Listing, choose, listing_of
from opendrs.cli.job.steps import objects_line
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.rules import TableRule

THERE: Listing = {
    "shop": {"orders": "table", "lines": "table", "old[1]": "table", "report": "view"},
    "shop2": {"orders": "table"},
    "log": None,
}


def chosen(*tables: str, databases: tuple[str, ...] = (), **schemas: str) -> Chosen:
    return choose(Choice(tables=tables, databases=databases, schemas=schemas), lambda: THERE)


def line(*tables: str, databases: tuple[str, ...] = (), **schemas: str) -> str:
    return objects_line(chosen(*tables, databases=databases, **schemas).tree)


def never() -> Listing:
    raise AssertionError("nobody needs to ask the source")


def test_exact_names_need_no_listing() -> None:
    choice = Choice(tables=["shop.orders", "log.*", "a.b.c"], databases=["shop2"], schemas={"shop": "store"})
    found = choose(choice, never)
    assert found.tree == {
        "object_scope": "table",
        "object_info": {
            "shop2": {"name": "shop2", "all": True},
            "log": {"name": "log", "all": True},
            "shop": {"name": "store", "all": False, "tables": {"orders": {"name": "orders", "type": "table"}}},
            "a": {"name": "a", "all": False, "tables": {"b.c": {"name": "b.c", "type": "table"}}},
        },
    }
    assert not found.notes
    assert choose(Choice(schemas={}), never).tree == {"object_scope": "all"}


def test_patterns_are_taken_apart() -> None:
    found = chosen("shop.o*")
    assert objects_line(found.tree) == "shop.orders, shop.old[1]"
    assert found.notes == ("shop.o*: 2 tables that there are now; later ones are not taken",)
    assert line("shop.old[1]*") == "shop.old[1]"  # a bracket is a character like others
    assert line("shop*.orders") == "shop.orders, shop2.orders"
    assert line("shop.rep*") == "shop.report"
    assert chosen("shop.rep*").tree["object_info"]["shop"]["tables"]["report"]["type"] == "view"
    assert line("shop?.*") == "shop2.*"
    assert line(databases=("s*",)) == "shop.*, shop2.*"
    assert line("shop.orders", databases=("shop",)) == "shop.*"  # it is in there


def test_everything_under_another_name_is_every_database_by_name() -> None:
    found = chosen(shop="store")
    assert objects_line(found.tree) == "shop.* -> store, shop2.*, log.*"
    assert found.notes == ("*: shop, shop2, log; databases that are made later are not taken",)


def topics(*tables: str, databases: tuple[str, ...] = (), **topics: str) -> Chosen:
    """`shop` a topic of the database, `shop__orders` of a table."""
    names = {TableName(*(word.split("__") if "__" in word else (word, ""))): topic for word, topic in topics.items()}
    return choose(Choice(tables=tables, databases=databases, topics=names), lambda: THERE)


def test_topics() -> None:
    assert objects_line(topics(shop="all-of-it").tree) == "shop.* -> all-of-it, shop2.*, log.*"
    found = topics("shop.o*", databases=("log",), shop="others", shop__orders="own", log="logged")
    assert objects_line(found.tree) == "log.* -> logged, shop.orders -> own, shop.old[1] -> others"
    assert found.tree["object_info"]["shop"]["tables"]["old[1]"]["name"] == "old[1]"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: topics("shop.orders", shop__lines="own"), "nothing is chosen of shop.lines"),
        (lambda: topics("shop.orders", log="own"), "nothing is chosen of log"),
        (lambda: topics("shop.*", shop__lines="own"), "shop is chosen as a whole"),
        (lambda: topics(shop__lines="own"), "shop is chosen as a whole"),
        (lambda: chosen("shop"), "is not database.table"),
        (lambda: chosen("shop.x*"), "the source has no table shop.x"),
        (lambda: chosen("x*.y"), "the source has no database x"),
        (lambda: chosen(databases=("x*",)), "the source has no database x"),
        (lambda: chosen("log.a*"), "log has too many tables"),
        (lambda: chosen("shop.orders", other="store"), "nothing is chosen of other"),
    ],
)
def test_what_cannot_be_chosen(make: Any, words: str) -> None:
    with pytest.raises(DrsError) as raised:
        make()
    assert words in raised.value.message


def test_a_listing() -> None:
    tree = {
        "object_info": {
            "a": {"total_table_num": 1, "tables": {"t": {"name": "t", "type": "view"}}},
            "b": {"total_table_num": 20_000, "tables": {}},
            "c": {"total_table_num": 0, "tables": {}},
        }
    }
    assert listing_of(tree) == {"a": {"t": "view"}, "b": None, "c": {}}


def test_tables_that_arrive_elsewhere_are_shown_with_their_schema() -> None:
    rules = {
        TableName("shop", "orders"): TableRule(schema="crm", table="all_orders"),
        TableName("shop", "lines"): TableRule(schema="crm"),
        TableName("shop", "old[1]"): TableRule(table="old"),
    }
    one_by_one = choose(Choice(tables=("shop.o*", "shop.lines"), rules=rules), lambda: THERE)
    orders, lines = "shop.orders -> crm.all_orders, shop.old[1] -> old", "shop.lines -> crm.lines"
    assert objects_line(one_by_one.tree) == f"{orders}, {lines}"
    whole = choose(Choice(databases=("shop",), rules=rules), lambda: THERE)
    assert set(objects_line(whole.tree).split(", ")) == {"shop.*", *orders.split(", "), lines}
