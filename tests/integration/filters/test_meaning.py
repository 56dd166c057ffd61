"""A condition means the same to a server and to us."""

from __future__ import annotations

import random

from opendrs.engines.mysql.filters import compiled
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.filters.random_conditions import condition
from tests.integration.filters.rows import make, said_by_server, said_by_us, session_at

ROWS = 400
SOME = [
    "i = 1", "i <> 1", "NOT i = 1", "i <= -1", "2 > i", "i = 1.0", "i > 0.5", "i >= -0.5", "i IN (1, 2.0, NULL)",
    "i NOT IN (1, NULL)", "i % 2 = 1", "i MOD 3 <> -1", "MOD(i, -2) = 1", "i IS NULL", "i IS NOT NULL", "i <=> NULL",
    "NOT i <=> 1", "i BETWEEN 0 AND 7", "i NOT BETWEEN 0 AND 7", "i = TRUE", "u = 18446744073709551615", "u > -1",
    "u = 9007199254740992", "u % 2 = 1", "d = 1.5", "d = 1.50000001", "d < 1.50005", "d IN (0.0001, 1.5)",
    "w > 1234567890123456789012345678901234567890", "w = 1.5", "f > 0.1", "f = 0.5", "f = 0", "f = 1e-1", "g = 0.1", "g = 0",
    "g < 1e300", "g IN (0.1, 0.5)", "y = 1999", "y > 1999", "y = 0", "b = 5", "b = b'101'", "b >= 255",
    "day = '2024-02-29'", "day > '2024-02-29'", "day = '0000-00-00'", "day < DATE '2024-03-01'", "at >= '2024-02-29'",
    "at = '2024-02-29 23:59:59.5'", "at < '2024-03-01'", "at = '0000-00-00 00:00:00'", "ts > '2024-02-29 00:00'",
    "ts = '2024-02-29T23:59:59.500'", "ts <> '0000-00-00'", "t < '00:00:00'", "t = '-00:00:00.50'", "t >= '99:00'",
    "v = 'open'", "v = 'OPEN '", "v <> 'open'", "v = 'öpen'", "v IN ('abc', 'STRASSE', NULL)", "v NOT IN ('open', 'x')",
    "v LIKE 'o%'", "v LIKE '100\\%'", "v LIKE '100|%' ESCAPE '|'", "v LIKE 'a\\_c'", "v LIKE 'a_c'", "v LIKE '_pen%'",
    "v LIKE '%'", "v NOT LIKE 'O%'", "v LIKE ''", "v > 'm'", "v BETWEEN 'a' AND 'p'", "v = ''", "v = 'straße'",
    "c = 'open'", "c LIKE '%EN'", "c >= 'o'", "k = 'open'", "k LIKE 'o%'", "k > 'open'", "k < 'open '", "k = '日本'", "k LIKE '_本'",
    "e = 'open'", "e IN ('OPEN', 'shut')", "e <> 'öffen'", "e LIKE 'Ö%'", "s = 'a'", "s = 'a,c'", "s LIKE '%c'", "s = ''",
    "x = x'ff'", "x > x'00'", "x = x''", "x IN (x'ff00', x'00')", "z = x'ff0000'", "z >= x'ff'",
    "i < u", "day = day", "at <= at", "i = b", "(i = 1 OR v = 'open') AND NOT (u = 0)", "i = 1 XOR u = 1", "i = 1 AND TRUE OR FALSE",
]  # fmt: skip


def test_conditions_of_every_kind(source: FamilyServer, database: NewDatabase) -> None:
    table = make(source, database(source), ROWS)
    differ = []
    with session_at(source) as session:
        for text in SOME:
            found = compiled(text, table)
            theirs, ours = said_by_server(session, table, found), said_by_us(session, table, found)
            if theirs != ours:
                differ.append((text, sorted(theirs ^ ours)[:5]))
    assert not differ


def test_random_conditions(source: FamilyServer, database: NewDatabase) -> None:
    table = make(source, database(source), ROWS)
    chance = random.Random(4)
    kept = []
    with session_at(source) as session:
        for _ in range(150):
            text = condition(chance, depth=3)
            found = compiled(text, table)
            theirs = said_by_server(session, table, found)
            assert said_by_us(session, table, found) == theirs, text
            kept.append(len(theirs))
    assert 0 in kept or ROWS in kept
    assert sum(0 < count < ROWS for count in kept) > 50, "most conditions are trivial"
