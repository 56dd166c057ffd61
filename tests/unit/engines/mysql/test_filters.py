"""Which conditions are read, what they become, and which are refused with which reason."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.filters import compiled, local, pads
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Generated, Table, TableName
from opendrs.model.types import Logical


def column(name: str, native: str, **facts: object) -> Column:
    kinds = {
        "int": Logical(kind="int", bits=32),
        "decimal": Logical(kind="decimal", precision=10, scale=2),
        "double": Logical(kind="float64"),
        "date": Logical(kind="date"),
        "datetime": Logical(kind="datetime"),
        "time": Logical(kind="time"),
        "year": Logical(kind="year"),
        "varchar": Logical(kind="text"),
        "text": Logical(kind="text"),
        "varbinary": Logical(kind="binary"),
        "json": Logical(kind="json"),
    }
    return Column(name=name, type=kinds[native.split("(", maxsplit=1)[0]], native=native, **facts)  # type: ignore[arg-type]


UTF8 = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci"}
TABLE = Table(
    name=TableName("shop", "orders"),
    columns=(
        column("id", "int"),
        column("total", "decimal(10,2)"),
        column("share", "double"),
        column("Day", "date"),
        column("at", "datetime"),
        column("took", "time"),
        column("born", "year"),
        column("state", "varchar(20)", **UTF8),
        column("old", "varchar(20)", charset="latin1", collation="latin1_swedish_ci"),
        column("bmp", "varchar(20)", charset="utf8mb3", collation="utf8mb3_general_ci"),
        column("note", "text", **UTF8),
        column("hash", "varbinary(16)"),
        column("facts", "json"),
        column("made", "int", generated=Generated("id + 1", stored=False, logged=False)),
        column("unseen", "int", hidden=True),
        column("group", "int"),
    ),
)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("id > 3 and state like \"G %\"", r"((`id` > 3) AND (`state` LIKE 'G %' ESCAPE '\\'))"),
        ("`group` = 1 or not (day <> '2024-02-29')", "((`group` = 1) OR (NOT (`Day` <> '2024-02-29')))"),
        ("3 < ID", "(`id` > 3)"),
        ("orders.id = 1 && shop.orders.id != 2", "((`id` = 1) AND (`id` <> 2))"),
        ("at >= '2024-02-29'", "(`at` >= '2024-02-29 00:00:00')"),
        ("state in ('a''b', 'c')", "(`state` IN ('a''b', 'c'))"),
        ("id <=> 5", "((`id` IS NOT NULL) AND (`id` = 5))"),
        ("id between -1 and +1", "((`id` >= -1) AND (`id` <= 1))"),
        ("hash = x'0F'", "(`hash` = x'0f')"),
    ],
)  # fmt: skip
def test_what_the_server_is_given_is_our_own(text: str, sql: str) -> None:
    assert compiled(text, TABLE).sql == sql


def test_the_columns_that_are_named() -> None:
    assert compiled("ID = 1 AND (day > '2024-01-01' OR id IS NULL)", TABLE).columns == {"id", "Day"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("id = 1; DROP TABLE orders", "not allowed"),
        ("id = 1 -- all", "comments"),
        ("id = 1 /*!50000 OR 1=1 */", "comments"),
        ("id = 1 OR", "cannot be read"),
        ("id", "not allowed"),
        ("nothing = 1", "no column nothing"),
        ("customers.id = 1", "not a column of the table"),
        ("id = '5'", "without quotes: write 5"),
        ("id = 1e3", "without an exponent"),
        ("id = NULL", "write IS NULL"),
        ("id = @x", "a number"),
        ("id + 1 = 3", "compares no column"),
        ("abs(id) = 3", "compares no column"),
        ("id = abs(3)", "a number"),
        ("id IN (SELECT 1)", "subquery"),
        ("EXISTS (SELECT 1)", "not allowed"),
        ("(id, total) = (1, 2)", "compares no column"),
        ("id % 0 = 1", "other than 0"),
        ("total % 2 = 1", "whole numbers"),
        ("id IS TRUE", "IS NULL and IS NOT NULL"),
        ("state = 5", "write 5 in quotes"),
        ("state REGEXP 'a'", "not allowed"),
        ("state LIKE 'a' ESCAPE 'xy'", "one ordinary character"),
        ("id LIKE '1%'", "for texts"),
        ("state = old", "not compared alike"),
        ("id = total", "not compared alike"),
        ("born = 99", "a year"),
        ("day = '2024-2-1'", "a constant like"),
        ("day = '2024-02-30'", "no date"),
        ("day = '2024-02-01 00:00:00'", "a constant like"),
        ("at = '2024-02-01 25:00:00'", "no time"),
        ("at > now()", "a constant like"),
        ("took = '839:00:00'", "a constant like"),
        ("hash = 'abc'", "x'...'"),
        ("note = 'x'", "large objects"),
        ("facts = '{}'", "not compared"),
        ("made = 1", "the log does not carry"),
        ("unseen = 1", "no query can name"),
        ("old = 'ö'", "only ASCII"),
        ("bmp = '😀'", "does not have every character"),
        ("state COLLATE utf8mb4_bin = 'x'", "compares no column"),
        ("id = 1\x00", "cannot be printed"),
        ("id = ?", "a number"),
        ("share = 1e999", "larger than any number"),
        ("NOT (" * 2000 + "id = 1" + ")" * 2000, ""),
    ],
)
def test_what_cannot_mean_the_same_on_both_sides_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DrsError) as raised:
        compiled(text, TABLE)
    assert raised.value.fault is Fault.FILTER_UNSUPPORTED
    assert reason in raised.value.message


@pytest.mark.parametrize(
    ("collation", "decided", "blanks"),
    [
        ("utf8mb4_general_ci", "folded", True),
        ("utf8mb4_0900_ai_ci", "folded", False),
        ("utf8mb3_unicode_520_nopad_ci", "folded", False),
        ("utf8mb4_uca1400_as_ci", "folded", True),
        ("latin1_swedish_ci", "folded", True),
        ("utf8mb4_0900_as_cs", "exact", False),
        ("latin2_bin", "exact", True),
        ("swe7_bin", "nothing", True),
        ("utf8mb4_bin", "codes", True),
        ("utf8mb4_0900_bin", "codes", False),
        ("utf8mb4_turkish_ci", "nothing", True),
        ("utf8mb4_roman_ci", "nothing", True),
        ("utf8mb4_tr_0900_ai_ci", "nothing", False),
        ("gbk_chinese_ci", "nothing", True),
    ],
)
def test_what_is_known_of_collations(collation: str, decided: str, blanks: bool) -> None:
    own = column("c", "varchar(9)", charset=collation.split("_", maxsplit=1)[0], collation=collation)
    assert (local(own), pads(own)) == (decided, blanks)
