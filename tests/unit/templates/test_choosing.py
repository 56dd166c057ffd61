"""Rows of databases and tables against what the source has."""

from __future__ import annotations

from opendrs.model.catalog import TableName
from opendrs.templates.choosing import Chooser, Rules, Target
from opendrs.templates.sheets import Row

THERE = {"shop": {"orders": "table", "lines": "table", "seen": "view"}, "log": {"t": "table"}}
SCHEMAS = Target(shape="schemas", database="ware", own="ware")
TOPICS = Target(shape="topics")


def row(number: int, database: str, table: str = "", **values: str) -> Row:
    found = {"source_database": database, "source_table": table, **values}
    return Row(number, {name: value for name, value in found.items() if value})


def test_names_that_stay_and_names_that_change() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS))
    rows = [
        row(2, "shop", "orders", target_schema="store", target_table="bought", target_database="ware"),
        row(3, "shop", "seen", target_schema="store"), row(4, "log", "t", target_table="u"),
        row(5, "shop", "lines", target_schema="other"),
    ]  # fmt: skip
    assert [chooser.take(one) for one in rows] == [""] * 4
    assert chooser.tree() == {
        "object_scope": "table",
        "object_info": {
            "shop": {
                "name": "shop", "all": False,
                "tables": {
                    "orders": {"name": "bought", "type": "table", "schema_alias_name": "store"},
                    "seen": {"name": "seen", "type": "view", "schema_alias_name": "store"},
                    "lines": {"name": "lines", "type": "table", "schema_alias_name": "other"},
                },
            },
            "log": {"name": "log", "all": False, "tables": {"t": {"name": "u", "type": "table"}}},
        },
    }  # fmt: skip
    assert chooser.row_of(TableName("log", "t")) == 4 and chooser.row_of(TableName("log", "x")) is None


def test_where_all_tables_of_a_database_go_the_database_goes() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS))
    for number, table in enumerate(("orders", "lines"), 2):
        assert not chooser.take(row(number, "shop", table, target_schema="store"))
    database = chooser.tree()["object_info"]["shop"]
    assert database["name"] == "store" and not any("schema_alias_name" in one for one in database["tables"].values())


def test_databases() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS))
    assert not chooser.take(row(2, "shop", target_schema="store")) and not chooser.take(row(3, "log"))
    info = {"shop": {"name": "store", "all": True}, "log": {"name": "log", "all": True}}
    assert chooser.tree() == {"object_scope": "database", "object_info": info}
    assert chooser.take(row(4, "log")) == "row 3 names the same"
    assert chooser.row_of(TableName("shop", "whatever")) == 2


def test_what_is_wrong() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS))
    assert chooser.take(row(2, "Shop", "orders")) == "the source has no database Shop (it has shop)"
    assert chooser.take(row(3, "shop", "Orders")) == "the source has no table shop.Orders (it has orders)"
    assert chooser.take(row(4, "shop", "none")) == "the source has no table shop.none"
    assert chooser.take(row(5, "shop", "orders", source_schema="x")).startswith("the source has no schemas")
    assert not chooser.take(row(6, "shop", "orders"))
    assert chooser.take(row(7, "shop", "orders")) == "row 6 names the same"


def test_another_database_of_the_target() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS))
    assert not chooser.take(row(2, "shop", "orders")) and not chooser.take(
        row(3, "shop", "seen", target_database="lake")
    )
    assert chooser.take(row(4, "log", "t", target_database="sea")) == (
        "row 3 names the target database lake, and all arrive in one"
    )
    assert chooser.tree()["target_root_db"] == {"db_name": "lake"}
    kept = {TableName("shop", "orders"): TableName("shop", "orders")}
    chooser = Chooser(THERE, Rules(target=SCHEMAS, kept=kept))
    assert (
        chooser.take(row(2, "shop", "orders", target_database="lake"))
        == "the job replicates into ware, and stays there"
    )
    moved = Target(shape="schemas", database="lake", own="ware")
    chooser = Chooser(THERE, Rules(target=moved, kept=kept))
    assert not chooser.take(row(2, "shop", "orders"))
    assert chooser.tree()["target_root_db"] == {"db_name": "lake"}


def test_what_was_said_of_columns_and_rows_stays_of_what_is_chosen_again() -> None:
    columns = {"v": {"name": "w", "filtered": True}}
    before = {
        "object_info": {
            "shop": {
                "name": "shop", "all": False,
                "tables": {
                    "orders": {"name": "bought", "type": "table", "all": False, "columns": columns, "dml": "iu"},
                    "lines": {"name": "lines", "filtered": True, "filter_conditions": ["id > 5"]},
                },
            },
            "log": {"name": "log", "all": True, "tables": {"t": {"name": "t", "all": True, "columns": columns}, "u": {"name": "u"}}},
        }
    }  # fmt: skip
    chooser = Chooser(THERE, Rules(target=SCHEMAS, chosen=before))
    assert not chooser.take(row(2, "shop", "orders", target_table="o")) and not chooser.take(row(3, "shop", "seen"))
    assert chooser.tree()["object_info"]["shop"]["tables"] == {
        "orders": {"name": "o", "type": "table", "columns": columns, "dml": "iu", "all": False},
        "seen": {"name": "seen", "type": "view"},
    }
    chooser = Chooser(THERE, Rules(target=SCHEMAS, chosen=before))
    assert not chooser.take(row(2, "log"))
    assert chooser.tree()["object_info"]["log"]["tables"] == {"t": {"name": "t", "all": True, "columns": columns}}


def test_a_file_with_other_names_needs_them() -> None:
    chooser = Chooser(THERE, Rules(target=SCHEMAS, mapped=True))
    assert "is missing" in chooser.take(row(2, "shop", "orders", target_schema="store"))
    assert not chooser.take(row(3, "shop", "orders", target_table="orders"))
    assert "is missing" in Chooser(THERE, Rules(target=SCHEMAS, mapped=True)).take(row(2, "shop"))
    topics = Rules(target=TOPICS, mapping="topic_mapping", mapped=True)
    assert "is missing" in Chooser(THERE, topics).take(row(2, "shop", "orders"))


def test_what_is_replicated_keeps_its_name() -> None:
    kept = {TableName("shop", "orders"): TableName("store", "bought")}
    chooser = Chooser(THERE, Rules(target=SCHEMAS, kept=kept))
    assert chooser.take(row(2, "shop", "orders", target_table="orders")) == (
        "it is replicated already, as store.bought, and keeps that name"
    )
    assert not chooser.take(row(3, "shop", "orders"))
    assert not chooser.take(row(4, "shop", "lines"))
    tables = chooser.tree()["object_info"]["shop"]["tables"]
    assert tables["orders"] == {"name": "bought", "type": "table", "schema_alias_name": "store"}
    assert tables["lines"] == {"name": "lines", "type": "table"}


def test_topics() -> None:
    kept = {TableName("shop", "seen"): TableName("", "old-topic")}
    chooser = Chooser(THERE, Rules(target=TOPICS, mapping="topic_mapping", kept=kept))
    assert not chooser.take(row(2, "shop", "orders", topic="a-topic")) and not chooser.take(row(3, "shop", "lines"))
    assert "as old-topic" in chooser.take(row(4, "shop", "seen", topic="new-topic"))
    assert not chooser.take(row(5, "shop", "seen"))
    assert {name: one["name"] for name, one in chooser.tree()["object_info"]["shop"]["tables"].items()} == {
        "orders": "a-topic", "lines": "lines", "seen": "old-topic",
    }  # fmt: skip
    chooser = Chooser(THERE, Rules(target=TOPICS, mapping="topic_mapping"))
    assert not chooser.take(row(2, "shop", topic="a-topic"))
    assert chooser.tree()["object_info"] == {"shop": {"name": "a-topic", "all": True}}
