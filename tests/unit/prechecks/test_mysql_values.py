"""Counting values at a source that the target cannot hold."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql import prechecks_values as looks
from opendrs.engines.mysql.prechecks import INDEX_ENTRY, Counting, Suspect
from opendrs.model.catalog import TableName
from tests.unit.prechecks.mysql_fakes import MARIADB, asked, column, denied, objects, refused, server, table

ORDERS = table("orders", column("day", "date"), column("note", "text"), rows=5000)
NAME = TableName("shop", "orders")
DAY = Suspect(place="day", loss="impossible-date", meaning="dates", remedy="Say --invalid-dates.")
NOTE = Suspect(place="note", loss="nul-in-text", meaning="NUL", tolerated="it is removed")
CASE = Suspect(place="note", loss="case-insensitive", meaning="case")
LONG = Suspect(
    place="note_key", loss=INDEX_ENTRY, meaning="long entries", parts=(("note", None), ("day", 5)), bytes_max=2700
)


def counts(*numbers: int) -> tuple[str, list[dict[str, str]]]:
    return ("COUNT", [{f"c{n}": str(number) for n, number in enumerate(numbers)}])


def test_one_scan_counts_all_losses_of_a_table() -> None:
    source = server(counts(3, 2))
    verdicts = looks.losses(objects(source, ORDERS, suspects={NAME: [DAY, NOTE, CASE]}))
    assert [one.result for one in verdicts] == ["FAILED", "ALARM"]
    assert "shop.orders.day: 3 rows with dates" in verdicts[0].message
    assert verdicts[0].remedy.startswith("Say --invalid-dates.")
    assert "shop.orders.note: 2 rows with NUL" in verdicts[1].message and "it is removed" in verdicts[1].message
    assert len([sql for sql in asked(source) if "COUNT" in sql]) == 1


def test_the_remedy_shows_the_rows() -> None:
    (verdict,) = looks.losses(objects(server(counts(1)), ORDERS, suspects={NAME: [DAY]}))
    last = verdict.remedy.splitlines()[-1]
    assert last.startswith("SELECT * FROM `shop`.`orders` WHERE (`day` IS NOT NULL") and last.endswith("LIMIT 10;")


def test_entries_of_indexes_are_counted_by_the_same_scan() -> None:
    source = server(counts(0, 4))
    seen = objects(source, ORDERS, suspects={NAME: [DAY, LONG]})
    assert [one.result for one in looks.losses(seen)] == ["PASSED"]
    (verdict,) = looks.entries(seen)
    assert verdict.result == "FAILED"
    assert "shop.orders.note_key: 4 rows with long entries" in verdict.message
    assert len([sql for sql in asked(source) if "COUNT" in sql]) == 1
    size = "(COALESCE(LENGTH(CONVERT(`note` USING utf8mb4)), 0) + COALESCE(LENGTH(LEFT(`day`, 5)), 0) > 2700)"
    assert size in verdict.remedy


def test_nothing_is_found() -> None:
    (verdict,) = looks.losses(objects(server(counts(0, 0)), ORDERS, suspects={NAME: [DAY, NOTE]}))
    assert verdict.result == "PASSED"
    assert "2 columns of 1 table without" in verdict.message


def test_nothing_is_to_be_counted() -> None:
    source = server()
    assert [one.result for one in looks.losses(objects(source, ORDERS, suspects={NAME: [CASE]}))] == ["PASSED"]
    assert asked(source) == []


@pytest.mark.parametrize(("rows_max", "counted"), [(None, True), (5000, True), (4999, False)])
def test_big_tables_may_be_left_out(rows_max: int | None, counted: bool) -> None:
    source = server(counts(0))
    seen = objects(source, ORDERS, suspects={NAME: [DAY]}, counting=Counting(rows_max=rows_max))
    assert [one.result for one in looks.losses(seen)] == ["PASSED" if counted else "ALARM"]
    assert bool(asked(source)) is counted


@pytest.mark.parametrize(
    ("version", "code", "limit"),
    [
        ("9.7.4", 3024, "/*+ MAX_EXECUTION_TIME(1500) */"),
        (MARIADB, 1969, "SET STATEMENT max_statement_time = 1.500 FOR"),
    ],
)
def test_counting_takes_no_longer_than_allowed(version: str, code: int, limit: str) -> None:
    source = server(("COUNT", refused(code)), version=version)
    seen = objects(source, ORDERS, suspects={NAME: [DAY]}, counting=Counting(timeout_s=1.5))
    (verdict,) = looks.losses(seen)
    assert verdict.result == "ALARM"
    assert "not done within 2 s" in verdict.message
    assert any(limit in sql for sql in asked(source))


def test_a_table_that_cannot_be_counted_does_not_hide_the_others() -> None:
    other = TableName("shop", "other")
    source = server(("`other`", denied("SELECT")), counts(1))
    tables = (table("other", column("day", "date")), ORDERS)
    verdicts = looks.losses(objects(source, *tables, suspects={other: [DAY], NAME: [DAY]}))
    assert [one.result for one in verdicts] == ["FAILED", "ALARM"]
    assert "shop.other.day (" in verdicts[1].message
