"""From the rows of a sheet to what they say."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.templates import sheets
from opendrs.templates.cells import Unfit
from opendrs.templates.layout import Level, Mapping, columns
from opendrs.templates.sheets import Row
from opendrs.templates.unreadable import Unreadable

TABLES = [one.title for one in columns("table", "table_mapping")]


def read(*rows: list[Any], level: Level = "table", mapping: Mapping = "table_mapping") -> list[Row]:
    numbered = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    return list(sheets.read(iter(numbered), level, mapping))


def refused(*rows: list[Any], level: Level = "table") -> str:
    with pytest.raises(Unreadable) as caught:
        read(*rows, level=level)
    return str(caught.value)


def test_titles_in_any_order_and_case() -> None:
    (row,) = read(["source TABLE ", "Source  database"], ["t", "d"])
    assert row == Row(2, {"source_table": "t", "source_database": "d"})
    assert (row["target_table"], row["source_table"]) == ("", "t")


def test_rows_that_are_empty_and_our_own_columns_are_passed_over() -> None:
    rows = read([*TABLES, "Error", "Change"], [], ["d", "", "t", "", "", "", "it was wrong", "added"], [" "])
    assert [row.number for row in rows] == [3] and not rows[0].problem


def test_titles_that_are_not_those_of_the_level() -> None:
    assert refused() == "there is nothing on its first sheet"
    assert "has to name the columns: Source database" in refused(["a", "b", "c"], ["d", "", "t"])
    assert refused([*TABLES, "Topic"], []).startswith("no column is called 'Topic'")
    assert refused([*TABLES, "Source table"], []) == "two columns are called Source table"
    assert refused(["Source database", "Target table"], []) == "there is no column Source table"
    assert refused(TABLES, [], level="compare_key").startswith("no column is called 'Target database'")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["d"], "Source table is empty"),
        (["", "", "t"], "Source database is empty"),
        (["d ", "", "t"], "Source database: it begins or ends with a blank"),
        (["d", "", "a.b"], "Source table: . is not allowed in names of such a file"),
        (["d", "", "a<b"], "Source table: < is not allowed in names of such a file"),
        (["d", "", "t", "", "", 'a"b'], 'Target table: " is not allowed in names of such a file'),
        (["d", "", "x" * 65], "Source table: it has more than 64 characters"),
        (["d", "", "a\u202eb"], "Source table: it has a character that cannot be printed"),
        (["d", "", Unfit("=A1", "it holds a formula")], "C2: it holds a formula"),
        (
            [Unfit("", "it holds a date"), "", Unfit("", "it holds a formula")],
            "A2: it holds a date; C2: it holds a formula",
        ),
    ],
)
def test_cells_that_cannot_be_taken(cells: list[Any], why: str) -> None:
    (row,) = read(TABLES, cells)
    assert row.problem == why


def test_words_of_columns() -> None:
    titles = [one.title for one in columns("column", "table_mapping")]
    good = ["d", "", "t", "", "", "", "c", "x", "NO", "", "", ""]
    truth = ["d", "", "t", "", "", "", "c", "", Unfit("TRUE", "a truth value"), "", "", ""]
    bad = ["d", "", "t", "", "", "", "", "n", "perhaps", "magic", "blob", "v" * 300]
    first, second, third = read(titles, good, truth, bad, level="column")
    assert (first.problem, second.problem, second["replicated"]) == ("", "", "yes")
    assert third.problem.split("; ") == [
        "Replicated: it is none of yes, no, true, false",
        "Additional column: it is none of default_value, create_time, update_time, expression, server_database_table",
        "Type: it is none of int, long, varchar(256), varchar(191), datetime, timestamp",
        "Value: it has more than 256 characters",
    ]


def test_keys() -> None:
    titles = [one.title for one in columns("compare_key", "table_mapping")]
    rows = read(
        titles,
        ["d", "", "t", "a, b"],
        ["d", "", "t", "a,A"],
        ["d", "", "t", "a,,b"],
        ["d", "", "t"],
        level="compare_key",
    )
    assert [row.problem for row in rows] == [
        "",
        "Key columns: a column stands there twice",
        "Key columns: a name is missing",
        "Key columns is empty",
    ]


def test_topics() -> None:
    rows = read(
        ["Source database", "Source table", "Topic"],
        ["d", "t", "a.b-c"],
        ["d", "t", "no topic"],
        mapping="topic_mapping",
    )
    assert [bool(row.problem) for row in rows] == [False, True]


@pytest.mark.parametrize("titles", [["Source object", "Target object"], ["源端对象", "目标端对象"], ["anything"]])
def test_objects_in_two_columns(titles: list[str]) -> None:
    rows = read(titles, ["d.t", "s.u"], ["d.v", ""], ["", ""], ["d", ""], ["d.t.u", ""], ["d.t", "s"], ["", "s.u"])
    assert [dict(row.values) for row in rows[:2]] == [
        {"source_database": "d", "source_table": "t", "target_schema": "s", "target_table": "u"},
        {"source_database": "d", "source_table": "v"},
    ]
    assert [row.problem for row in rows[2:]] == ["Source object: write it as name.name"] * 2 + [
        "Target object: write it as name.name", "Source object is empty",
    ]  # fmt: skip
    assert [row.number for row in rows] == [2, 3, 5, 6, 7, 8]


def test_objects_in_two_columns_without_titles() -> None:
    rows = read(["d.t", "s.u"], ["d.v"])
    assert [row.number for row in rows] == [1, 2] and not any(row.problem for row in rows)
    (row,) = read(["d.t", "a.topic"], mapping="topic_mapping")
    assert dict(row.values) == {"source_database": "d", "source_table": "t", "topic": "a.topic"}
