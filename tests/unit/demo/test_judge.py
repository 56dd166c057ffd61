"""The demo's judge of what is published: it believes nothing that is not so."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.kafka_client import Message
from tools.demo.judge import Verdict, judge, table
from tools.demo.texts import Row, double, signed, single

NAME = ("shop", "cups")
SOURCE: list[Row] = [{"id": "1", "colour": "red"}, {"id": "2", "colour": None}, {"id": "4", "colour": "blue"}]
LOOSE = [{"at": "now"}, {"at": "now"}, {"at": "then"}]


def message(
    offset: int, kind: str, data: Any, old: Any = None, *, table: str = "cups", key: tuple[str, ...] = ("id",)
) -> Message:
    record = {
        "id": offset, "es": 0, "database": "shop", "table": table, "type": kind, "isDdl": False, "pkNames": list(key),
        "data": [data], "old": None if old is None else [old],
    }  # fmt: skip
    name = data[key[0]].encode() if key else b"shop.visits"
    return Message(f"shop-{table}", 0, offset, name, json.dumps(record).encode(), 0, ())


PUBLISHED = [
    message(0, "INIT", {"id": "1", "colour": "grey"}),
    message(1, "INIT", {"id": "2", "colour": None}),
    message(2, "INSERT", {"id": "3", "colour": "white"}),
    message(3, "UPDATE", {"id": "1", "colour": "red"}, {"id": "1", "colour": "grey"}),
    message(4, "DELETE", {"id": "3", "colour": "white"}),
    message(5, "INSERT", {"id": "4", "colour": "blue"}),
]


def without(*offsets: int) -> list[Message]:
    return [one for one in PUBLISHED if one.offset not in offsets]


def verdict(messages: Sequence[Message], source: Sequence[Row] = SOURCE, added: Row | None = None) -> Verdict:
    return judge(NAME, source, messages, "json_c", added)


def test_what_is_equal_is_found_equal() -> None:
    found = verdict(PUBLISHED)
    assert found == Verdict(table="cups", at_source=3, folded=3, messages=6, problem="")


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        pytest.param(without(1), "1 rows missing, such as {'colour': None, 'id': '2'}", id="a row of the load is lost"),
        pytest.param(without(3), "1 rows missing", id="an update is lost"),
        pytest.param(without(4), "1 rows too many", id="a deletion is lost"),
        pytest.param(without(2), "contradict", id="an insertion is lost"),
        pytest.param([*PUBLISHED, PUBLISHED[1]], "contradict", id="a message comes twice"),
        pytest.param([*PUBLISHED[:2], PUBLISHED[4], PUBLISHED[2], *PUBLISHED[3:]], "contradict", id="out of order"),
        pytest.param([*PUBLISHED, message(6, "INSERT", {"id": "9", "colour": "x"})], "1 rows too many", id="too many"),
        pytest.param([*PUBLISHED, replace(PUBLISHED[3], partition=1)], "contradict", id="twice in two partitions"),
        pytest.param(
            [*without(3), replace(PUBLISHED[3], partition=1)], "1 keys are in several partitions", id="scattered"
        ),
        pytest.param([*PUBLISHED, message(6, "INIT", {"id": "1"}, table="jugs")], "its topic has messages", id="other"),
    ],
)
def test_what_is_wrong_with_the_messages_is_found(messages: Sequence[Message], problem: str) -> None:
    assert problem in verdict(messages).problem


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows[0].update(colour="Red"), id="a value differs"),
        pytest.param(lambda rows: rows[1].update(colour=""), id="NULL is not the empty text"),
        pytest.param(lambda rows: rows[2].update(size="1"), id="the source has a column more"),
        pytest.param(lambda rows: rows[2].pop("colour"), id="the source has a column less"),
        pytest.param(lambda rows: rows.pop(), id="the source has a row less"),
        pytest.param(lambda rows: rows.append({"id": "5", "colour": None}), id="the source has a row more"),
    ],
)
def test_a_difference_at_the_source_is_found(change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = [dict(row) for row in SOURCE]
    change(rows)
    assert verdict(PUBLISHED, rows).problem


def test_a_column_that_came_meanwhile_has_its_default_in_rows_told_before() -> None:
    told = [*PUBLISHED[:5], message(5, "INSERT", {"id": "4", "colour": "blue", "size": "L"})]
    rows = [{**row, "size": "M"} for row in SOURCE[:2]] + [{**SOURCE[2], "size": "L"}]
    assert not verdict(told, rows, {"size": "M"}).problem
    assert verdict(told, rows).problem
    assert verdict(told, [{**row, "size": "S"} for row in SOURCE], {"size": "M"}).problem


def test_rows_without_a_key_are_counted() -> None:
    told = [message(number, "INIT", row, table="visits", key=()) for number, row in enumerate(LOOSE)]
    assert not judge(("shop", "visits"), LOOSE, told, "json_c").problem
    assert judge(("shop", "visits"), LOOSE, told[1:], "json_c").problem
    assert judge(("shop", "visits"), LOOSE[1:], told, "json_c").problem


def test_the_table_names_what_differs() -> None:
    lines = list(table([verdict(PUBLISHED), verdict(without(1))]))
    assert lines[1].endswith("yes") and lines[2].endswith("NO")
    assert lines[3].startswith("cups: 1 rows missing")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0.0"), (5.0, "5.0"), (-0.25, "-0.25"), (0.001, "0.001"), (0.0001, "1.0E-4"), (9999999.0, "9999999.0"),
     (1e7, "1.0E7"), (1.25e-7, "1.25E-7"), (-1.2510357e7, "-1.2510357E7"), (1e23, "1.0E23")],
)  # fmt: skip
def test_numbers_are_as_java_prints_them(number: float, text: str) -> None:
    assert double(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.10000000149011612, "0.1"), (16777216.0, "1.6777216E7"), (3.4028234663852886e38, "3.4028235E38"), (0.5, "0.5"),
     (0.1428571492433548, "0.14285715")],
)  # fmt: skip
def test_a_single_has_the_digits_that_it_needs(number: float, text: str) -> None:
    assert single(number) == text


def test_bytes_have_a_sign() -> None:
    assert signed(b"\x00\x7f\x80\xff") == "[0, 127, -128, -1]"
    assert signed(b"") == "[]"
