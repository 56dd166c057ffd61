"""What we take for granted of collations is what servers say."""

from __future__ import annotations

import itertools
import random

from opendrs.engines.mysql.filters import local, pads
from opendrs.model.catalog import Column
from opendrs.model.types import Logical
from tests.harness.mysql_family import FamilyServer
from tests.integration.filters.rows import session_at

PRINTABLE = [chr(code) for code in range(32, 127)]
AT_ONCE = 400


def test_printable_ascii_is_equal_as_we_say(source: FamilyServer) -> None:
    """Every pair of characters, and words in which one character could stand for two."""
    chance = random.Random(3)
    words = [
        "".join(chance.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ -_'", k=4)) for _ in range(60)
    ]
    pairs = [*itertools.combinations(PRINTABLE, 2), *itertools.combinations(words, 2)]
    pairs += [(word, word.swapcase()) for word in words] + [("aa", "AA"), ("ch", "CH"), ("lj", "LJ"), ("ss", "sS")]
    known = 0
    with session_at(source) as session:
        rows = session.query(
            "SELECT COLLATION_NAME AS name, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS"
        )
        for row in rows:
            column = Column(
                name="c", type=Logical(kind="text"), native="varchar(9)", charset=row["charset"], collation=row["name"]
            )
            rule = local(column)
            if rule == "nothing" or row["charset"] is None:
                continue
            known += 1
            for start in range(0, len(pairs), AT_ONCE):
                some = pairs[start : start + AT_ONCE]
                looks = ", ".join(
                    f"{_value(column, one)} = {_value(column, other)} AS c{place}"
                    for place, (one, other) in enumerate(some)
                )
                (found,) = session.query(f"SELECT {looks}")
                for place, (one, other) in enumerate(some):
                    assert (found[f"c{place}"] == "1") == _equal(column, rule, one, other), (row["name"], one, other)
    assert known > 5


def test_blanks_at_the_end_count_as_we_say(source: FamilyServer) -> None:
    with session_at(source) as session:
        rows = session.query(
            "SELECT COLLATION_NAME AS name, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS"
        )
        for row in rows:
            if row["charset"] in (None, "binary"):
                continue
            column = Column(
                name="c", type=Logical(kind="text"), native="varchar(9)", charset=row["charset"], collation=row["name"]
            )
            equal = session.value(f"SELECT {_value(column, 'a')} = {_value(column, 'a ')}")
            assert (equal == "1") == pads(column), row["name"]


def _value(column: Column, text: str) -> str:
    return f"CONVERT(_utf8mb4 x'{text.encode().hex()}' USING {column.charset}) COLLATE {column.collation}"


def _equal(column: Column, rule: str, one: str, other: str) -> bool:
    if pads(column):
        one, other = one.rstrip(" "), other.rstrip(" ")
    return one.lower() == other.lower() if rule == "folded" else one == other
