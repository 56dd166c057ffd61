"""Statements without their values: no value of a row is left, and what it is about still is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.api.wire.masking import masked, masked_message


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO shop.orders (id, v) VALUES (1, 'Anna')", "INSERT INTO shop.orders (id, v) VALUES (***, ***)"),
        ('UPDATE "a1"."t2" SET "c3" = 4 WHERE x5 = -6.5e+7', 'UPDATE "a1"."t2" SET "c3" = *** WHERE x5 = ***'),
        ("DELETE FROM `t9` WHERE `1` = 0xFF", "DELETE FROM `t9` WHERE `1` = ***"),
        ("VALUES ('O''Brien', '''', '')", "VALUES (***, ***, ***)"),
        ("VALUES (1, 'a\\', 'secret', 'c')", "VALUES (***, ***)"),  # whatever the backslash means there
        ("VALUES (E'x', x'00ff', B'01', N'ü', _utf8mb4'x')", "VALUES (***, ***, ***, ***, ***)"),
        ("VALUES (NULL, DEFAULT, true, FALSE)", "VALUES (NULL, DEFAULT, ***, ***)"),
        ("VALUES ($$it's$$, $tag$a 1 $$ b$tag$)", "VALUES (***, ***)"),
        ("VALUES ('cut off in the midd", "VALUES (***"),
        ('SELECT "a""1", `b``2`', 'SELECT "a""1", `b``2`'),
        ("VALUES (1,2,-3)", "VALUES (***,***,***)"),
        ("t1.c2", "t1.c2"),
    ],
)
def test_statements(statement: str, expected: str) -> None:
    assert masked(statement) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'duplicate key value violates unique constraint "orders_pkey" (Key (id, v)=(5, Anna) already exists.)',
            'duplicate key value violates unique constraint "orders_pkey" (Key (id, v)=(***) already exists.)',
        ),
        ("the row of the key 17 is not there", "the row of the key *** is not there"),
        ("invalid input syntax for type date: '2024-00-10'", "invalid input syntax for type date: ***"),
    ],
)
def test_messages(message: str, expected: str) -> None:
    assert masked_message(message) == expected


texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30)
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False)
)


@given(st.lists(st.one_of(texts, numbers), min_size=1, max_size=6))
def test_no_value_is_left(values: list[object]) -> None:
    """Whatever is in a row, written as SQL of either side."""

    def quoted(value: object) -> str:
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value}"

    statement = f"INSERT INTO shop.orders (a, b) VALUES ({', '.join(map(quoted, values))})"
    found = masked(statement)
    assert re.fullmatch(r"INSERT INTO shop\.orders \(a, b\) VALUES \((\*\*\*(, )?)+\)", found), found
