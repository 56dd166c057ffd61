"""The witness of a tortured job into Kafka: what it makes of statements, and when two values are the same."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.harness.binlog_text import LoggedChange
from tests.harness.fold import FoldError
from tests.harness.mysql_family import FamilyServer
from tests.torture.live import witness
from tests.torture.live.witness import folded_in_order, same


def message(
    kind: str, data: Any = None, old: Any = None, *, table: str = "t", sql: str = "", ddl: bool = False
) -> bytes:
    record = {
        "database": "shop", "table": table, "type": kind, "isDdl": ddl, "sql": sql, "pkNames": ["id"], "id": 1, "es": 0,
        "data": None if data is None else [data], "old": None if old is None else [old],
    }  # fmt: skip
    return json.dumps(record).encode()


def statement(sql: str, kind: str = "DDL") -> bytes:
    return message(kind, sql=sql, ddl=True)


def rows(*values: bytes, table: str = "t") -> list[Any]:
    return folded_in_order("shop", values).rows(("shop", table))


ROW = {"id": "1", "v": "a"}
INSERT = message("INSERT", ROW)


@pytest.mark.parametrize("sql", ["TRUNCATE TABLE t", "truncate `t`", "DROP TABLE `t`", "  TRUNCATE t"])
def test_what_a_statement_takes_away_may_come_again(sql: str) -> None:
    with pytest.raises(FoldError):
        rows(INSERT, INSERT)
    assert rows(INSERT, statement(sql), INSERT) == [ROW]
    assert rows(INSERT, statement(sql)) == []


def test_a_table_that_was_renamed_keeps_its_rows() -> None:
    renamed = [INSERT, statement("RENAME TABLE `t` TO `u`")]
    assert rows(*renamed) == [] and rows(*renamed, table="u") == [ROW]
    with pytest.raises(FoldError):
        rows(*renamed, message("INSERT", ROW, table="u"))


def test_behind_an_alteration_only_the_key_is_certain() -> None:
    altered = [INSERT, statement("ALTER TABLE t MODIFY v INT")]
    changed = message("UPDATE", {"id": "1", "v": "8"}, {"id": "1", "v": "7"})
    assert rows(*altered, changed) == [{"id": "1", "v": "8"}]
    with pytest.raises(FoldError):
        rows(INSERT, changed)
    with pytest.raises(FoldError):
        rows(*altered, INSERT)


def test_a_statement_that_was_made_for_the_load_takes_nothing_away() -> None:
    assert rows(INSERT, statement("DROP TABLE t", "INIT_DDL")) == [ROW]


@pytest.mark.parametrize(
    ("value", "text", "equal"),
    [
        (None, None, True), (None, "", False), ("", None, False), (7, "7", True), (7, "8", False),
        (Decimal("1.50"), "1.5", True), (Decimal("1.50"), "1.51", False), (0.1, "0.1", True), (0.1, "0.2", False),
        (datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02 03:04:05.000006", True),
        (datetime(2024, 1, 2), "2024-01-03 00:00:00", False),
        (date(2024, 1, 2), "2024-01-02", True), (date(2024, 1, 2), "2024-01-03", False),
        (timedelta(hours=-1, microseconds=-5), "-01:00:00.000005", True), (timedelta(hours=1), "-01:00:00", False),
        (timedelta(hours=838), "838:00:00", True),
        (b"\x00\xff", "[0, -1]", True), (b"\x00\xff", "[0, 1]", False), (b"\x01\x02", "258", True),
        ({"a", "b"}, "b,a", True), ({"a"}, "a,b", False), (set(), "", True),
        ("x", "x", True), ("x", "y", False), ('{"a": 1}', '{"a":1}', True), ('{"a": 1}', '{"a":2}', False),
    ],
)  # fmt: skip
def test_when_a_value_of_the_driver_is_what_a_message_says(value: Any, text: str | None, equal: bool) -> None:
    assert same(value, text) is equal


def test_what_consumers_heard_is_the_last_part_of_what_was_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each key: what came before the load is in its rows."""

    def logged(*ops: Any) -> list[LoggedChange]:
        return [LoggedChange(("shop", "accounts"), op, {1: "1 (x)"}, {} if op == "delete" else {1: "1"}) for op in ops]

    def doubts(log: list[LoggedChange], *values: bytes) -> list[str]:
        monkeypatch.setattr(witness, "logged_changes", lambda source: iter(log))
        return witness._not_in_the_log(cast(FamilyServer, SimpleNamespace()), "shop", values)

    told = {
        kind: message(kind, ROW, ROW if kind == "UPDATE" else None, table="accounts")
        for kind in ("INIT", "INSERT", "UPDATE", "DELETE")
    }
    log = logged("insert", "update", "delete")
    assert doubts(log, told["INIT"], told["UPDATE"], told["DELETE"]) == []
    assert doubts(log, told["INSERT"], told["UPDATE"], told["DELETE"]) == []
    assert doubts(log, told["INIT"]) == []
    for wrong in (["UPDATE"], ["UPDATE", "UPDATE", "DELETE"], ["DELETE", "UPDATE"], ["INSERT", "DELETE"]):
        (doubt,) = doubts(log, *(told[kind] for kind in wrong))
        assert "accounts 1" in doubt
    # Other databases, and tables whose key is no number, are other witnesses' business.
    assert doubts([], message("INSERT", ROW, table="carts")) == []
