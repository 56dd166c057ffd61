"""What a selection covers, and how it is persisted."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from opendrs.engines.mysql.stream import core_selection
from opendrs.errors import DrsError
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import job_id
from opendrs.model.rules import NO_RULE, ExtraColumn, TableRule
from opendrs.model.selection import Selection

EXACT = Selection(
    patterns=("log.*",),
    databases=frozenset({"a*b", "[x]"}),
    tables=frozenset({TableName("sh?p", "t*"), TableName("sh?p", "[t]")}),
    schemas={"a*b": "ab"},
)


@pytest.mark.parametrize(
    ("schema", "table", "wanted"),
    [
        ("a*b", "anything", True),
        ("axb", "anything", False),
        ("[x]", "t", True),
        ("x", "t", False),
        ("sh?p", "t*", True),
        ("sh?p", "tt", False),
        ("shop", "t*", False),
        ("sh?p", "[t]", True),
        ("sh?p", "t", False),
        ("log", "t", True),
        ("A*B", "anything", False),
    ],
)
def test_a_name_is_never_read_as_a_pattern(schema: str, table: str, wanted: bool) -> None:
    assert EXACT.wants(TableName(schema, table)) is wanted


def test_databases_of_single_tables_may_have_some() -> None:
    wanted = {name: EXACT.wants_database(name) for name in ("a*b", "axb", "sh?p", "shop", "log", "x")}
    assert wanted == {"a*b": True, "axb": False, "sh?p": True, "shop": False, "log": True, "x": False}


def test_nothing_named_is_everything() -> None:
    assert Selection().everything and Selection().wants(TableName("a", "b")) and Selection().wants_database("a")
    assert not Selection(databases=frozenset("a")).everything
    assert not Selection(tables=frozenset({TableName("a", "b")})).wants(TableName("a", "c"))


def test_a_selection_comes_through_whole() -> None:
    assert Selection.from_json(EXACT.to_json()) == EXACT
    assert EXACT.to_json()["tables"] == [["sh?p", "[t]"], ["sh?p", "t*"]]
    assert Selection.from_json(Selection(patterns=("a.*",)).to_json()) == Selection(patterns=("a.*",))


def test_patterns_alone_are_written_as_ever() -> None:
    """The ids of jobs are made from it: such a job must be found again."""
    old = {"version": 1, "patterns": ["shop.*"], "schemas": {"shop": "store"}}
    selection = Selection(patterns=("shop.*",), schemas={"shop": "store"})
    assert selection.to_json() == old and Selection.from_json(old) == selection
    source, target = Endpoint.parse("mysql://a@b:1"), Endpoint.parse("postgresql://a@b:2/c")
    assert job_id(source, target, selection) == "7e5aab3891d576e2bc4a035a69dd4c75"


def test_names_without_topics_are_written_as_ever() -> None:
    old = {
        "version": 2, "patterns": ["log.*"], "schemas": {"a*b": "ab"}, "databases": ["[x]", "a*b"],
        "tables": [["sh?p", "[t]"], ["sh?p", "t*"]],
    }  # fmt: skip
    assert EXACT.to_json() == old and Selection.from_json(old) == EXACT


def test_topics_are_written_as_they_will_be_read_for_ever() -> None:
    text = """{"version": 3, "patterns": ["shop.*"], "schemas": {}, "databases": [], "tables": [],
        "topics": [["crm", "", "customers"], ["shop", "orders", "o.1"]]}"""
    topics = {TableName("shop", "orders"): "o.1", TableName("crm", ""): "customers"}
    selection = Selection(patterns=("shop.*",), topics=topics)
    assert Selection.from_json(json.loads(text)) == selection
    assert selection.to_json() == json.loads(text)
    assert Selection.from_json({**EXACT.to_json(), "version": 3, "topics": []}) == EXACT


@pytest.mark.parametrize(
    ("schema", "table", "topic"),
    [
        ("shop", "orders", "of the table"),
        ("shop", "carts", "of the database"),
        ("crm", "orders", None),
        ("", "orders", None),
        ("log", "lines", "of log.lines"),
        ("log", "others", None),
    ],
)
def test_a_table_goes_to_its_own_topic_before_that_of_its_database(schema: str, table: str, topic: str | None) -> None:
    topics = {
        TableName("shop", ""): "of the database",
        TableName("shop", "orders"): "of the table",
        TableName("log", "lines"): "of log.lines",
    }
    assert Selection(topics=topics).topic(TableName(schema, table)) == topic


def test_a_topic_selects_nothing() -> None:
    assert Selection(topics={TableName("shop", "orders"): "o"}).everything
    assert not Selection(databases=frozenset("a"), topics={TableName("b", "c"): "o"}).wants(TableName("b", "c"))


def test_a_selection_of_a_newer_release_is_refused() -> None:
    with pytest.raises(ValueError, match="version 5"):
        Selection.from_json({**EXACT.to_json(), "version": 5})
    with pytest.raises(DrsError):
        Selection(patterns=("shop",))


def test_the_log_is_told_of_names_and_not_of_patterns() -> None:
    known = [TableName("sh?p", "t*"), TableName("[x]", "one"), TableName("log", "two")]
    told = core_selection(EXACT, {name: TableProgress(table=Table(name=name, columns=())) for name in known})
    assert told["databases"] == ["[x]", "a*b", "log"]
    assert told["tables"] == [{"schema": "sh?p", "table": "t*"}]
    assert "all" not in told


def test_many_single_tables_are_asked_for_quickly() -> None:
    """By a look into a table: going through 100,000 names for each of 10,000 questions would take minutes."""
    names = [TableName(f"db{n % 7}", f"t{n}") for n in range(100_000)]
    selection = Selection(tables=frozenset(names))
    began = time.monotonic()
    assert all(selection.wants(name) for name in names[:10_000])
    assert not any(selection.wants_database(f"db{n}") for n in range(7, 10_007))
    assert time.monotonic() - began < 10


def test_excluded_patterns_win() -> None:
    chosen = Selection(databases=frozenset({"shop"}), excluded=("shop.tmp_*",))
    assert chosen.wants(TableName("shop", "orders"))
    assert not chosen.wants(TableName("shop", "tmp_orders"))
    assert Selection.from_json(chosen.to_json()) == chosen


def test_what_is_anothers_is_left_out() -> None:
    wider, narrower = Selection(databases=frozenset({"shop"})), Selection(tables=frozenset({TableName("shop", "a")}))
    new = replace(wider, apart=narrower)
    assert new.wants(TableName("shop", "b"))
    assert not new.wants(TableName("shop", "a"))


def test_a_rule_decides_where_a_table_arrives() -> None:
    a, b = TableName("shop", "a"), TableName("shop", "b")
    chosen = Selection(
        tables=frozenset({a, b}),
        schemas={"shop": "store"},
        rules={a: TableRule(table="first", filter="id > 3", columns={"secret": None}), b: TableRule(schema="other")},
    )
    assert chosen.target(a) == TableName("store", "first")
    assert chosen.target(b) == TableName("other", "b")
    assert chosen.to_json()["version"] == 4
    assert Selection.from_json(chosen.to_json()) == chosen


def test_what_takes_a_tables_place_has_its_rows_and_a_name_of_its_own() -> None:
    """Columns that are left out must not arrive by way of an online change of the table."""
    a = TableName("shop", "a")
    rule = TableRule(table="first", filter="id > 3", columns={"secret": None})
    ghost = TableName("shop", "_a_gho")
    chosen = Selection(tables=frozenset({a}), rules={a: rule})
    assert chosen.rule(ghost).of_rows == rule.of_rows
    assert chosen.target(ghost) == ghost


def test_rules_keep_everything_they_say() -> None:
    rule = TableRule(
        columns={"A": "x", "b": None},
        extras=(ExtraColumn(name="e", kind="default_value", type="int", value="7"),),
        dml=frozenset(),
    )
    assert TableRule.from_json(rule.to_json()) == rule
    assert rule.arrives("a") == "x"
    assert rule.arrives("B") is None
    assert rule.arrives("c") == "c"
    assert NO_RULE.to_json() == {}
    with pytest.raises(ValueError, match="the same column"):
        TableRule(columns={"a": "x", "A": None})
