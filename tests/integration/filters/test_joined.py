"""Filters that another table decides become lists when they are saved."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.filters import compiled
from opendrs.engines.mysql.joined import VALUES_MAX, resolved
from opendrs.model.catalog import TableName
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.filters.rows import make, said_by_server, said_by_us, session_at

CONFIG = [
    "CREATE TABLE cfg (n INT, w VARCHAR(40), at DATE, big JSON) CHARACTER SET utf8mb4",
    "INSERT INTO cfg VALUES (1, 'open', '2024-02-29', '1'), (7, 'a\\\\c', NULL, '2'), (2, 'it''s', '2024-03-01', '3')",
]
ASKED = [
    "i IN (SELECT n FROM cfg)",
    "i NOT IN (SELECT cfg.n FROM {db}.cfg WHERE w = 'open' OR n % 2 = 0)",
    "v IN (SELECT w FROM cfg) AND NOT day IN (SELECT DISTINCT at FROM cfg WHERE at IS NOT NULL)",
    "u = 0 OR i IN (SELECT n FROM cfg WHERE n > 100)",
    "NOT i IN (SELECT n FROM cfg WHERE n > 100)",
    "v IN (SELECT w FROM cfg WHERE n = 7)",
]
REFUSED = {
    "i IN (SELECT n, w FROM cfg)": "must be SELECT column FROM",
    "i IN (SELECT n FROM cfg ORDER BY n LIMIT 1)": "and nothing else",
    "i IN (SELECT n + 1 FROM cfg)": "must be SELECT column FROM",
    "i IN (SELECT n FROM nowhere)": "does not have the table",
    "i IN (SELECT m FROM cfg)": "has no column m",
    "i IN (SELECT n FROM cfg WHERE n > SLEEP(1))": "its filter",
    "i IN (SELECT n FROM cfg WHERE n IN (SELECT n FROM cfg))": "its filter",
    "i IN (SELECT seq FROM many)": f"more than {VALUES_MAX} values",
    "v IN (SELECT big FROM cfg)": "cannot be in a list",
}


def resolved_filter(server: FamilyServer, database: str, text: str) -> tuple[str, str]:
    """The filter with lists; and what is wrong with it."""
    name = TableName(database, "t")
    selection = Selection(tables=frozenset({name}), rules={name: TableRule(filter=text)})
    with session_at(server) as session:
        found, problems = resolved(session, selection)
    return found.rule(name).filter, "; ".join(reason for _, reason in problems)


def test_lists_mean_what_the_subqueries_mean(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make(source, name, 400)
    for statement in CONFIG:
        source.execute(statement, database=name)
    for asked in ASKED:
        text = asked.format(db=f"`{name}`")
        listed, wrong = resolved_filter(source, name, text)
        assert not wrong and "SELECT" not in listed
        found = compiled(listed, table)
        with session_at(source) as session:
            expected = {int(row[0]) for row in source.execute(f"SELECT id FROM t WHERE {text}", database=name)}
            assert said_by_server(session, table, found) == said_by_us(session, table, found) == expected, text


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_what_no_list_can_be_made_of(source: FamilyServer, database: NewDatabase, text: str, words: str) -> None:
    name = database(source)
    make(source, name, 1)
    source.execute(CONFIG[0], database=name)
    if "many" in text:
        source.execute("CREATE TABLE many (seq INT PRIMARY KEY)", database=name)
        digits = (
            "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 "
        )
        digits += "UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
        powers = " + ".join(f"{10**power} * d{power}.d" for power in range(5))
        tables = ", ".join(f"{digits} d{power}" for power in range(5))
        source.execute(f"INSERT INTO many SELECT {powers} AS n FROM {tables} HAVING n <= {VALUES_MAX}", database=name)
    assert words in resolved_filter(source, name, text)[1]


def test_a_filter_without_subqueries_stays_as_it_was_written(source: FamilyServer, database: NewDatabase) -> None:
    assert resolved_filter(source, database(source), "i  =  1") == ("i  =  1", "")
    assert resolved_filter(source, database(source), "i = (") == ("i = (", "")
