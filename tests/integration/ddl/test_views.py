"""Views: those that PostgreSQL takes answer as they do at the source; the others are named."""

from __future__ import annotations

import psycopg

from opendrs.engines.mysql.catalog import read_catalog
from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.views import candidates, create
from opendrs.model.catalog import TableName, View
from opendrs.model.selection import Selection
from tests.integration.ddl.sources import Source
from tests.integration.ddl.targets import Target, placed
from tests.integration.ddl.test_render_alterations import copy_rows, plain

SCHEMA = """
CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2), added DATE, `Odd Name` INT);
CREATE TABLE sale (id INT AUTO_INCREMENT PRIMARY KEY, item INT, n INT);
INSERT INTO item VALUES (1, 'pen', 1.50, '2024-01-02', 5), (2, 'ink', 7.25, '2024-02-03', NULL), (3, 'cap', NULL, NULL, 1);
INSERT INTO sale (item, n) VALUES (1, 10), (1, 5), (2, 1), (9, 4);
CREATE VIEW a_of_z AS SELECT name, total FROM z_totals WHERE total > 5;
"""
VIEWS = {
    "plain": "SELECT id, name FROM item",
    "renamed (one, two)": "SELECT id, `Odd Name` FROM item",
    "joined": "SELECT i.name, s.n, i.price * s.n AS amount FROM item i JOIN sale s ON s.item = i.id",
    "z_totals": "SELECT i.name, SUM(s.n) AS total, COUNT(*) AS c FROM item i LEFT JOIN sale s ON s.item = i.id GROUP BY i.name",
    "a_of_z": "SELECT name, total FROM z_totals WHERE total > 5",
    "b_of_a": "SELECT COUNT(*) AS n FROM a_of_z",
    "limited": "SELECT name FROM item ORDER BY name LIMIT 2",
    "cased": "SELECT name, CASE WHEN price > 5 THEN 'dear' ELSE 'cheap' END AS kind, IFNULL(price, 0) AS p FROM item",
    "united": "SELECT id FROM item UNION SELECT item FROM sale",
    "within": "SELECT name FROM item WHERE id IN (SELECT item FROM sale)",
    "not_translated": "SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR ';') AS names, ST_GeomFromText('POINT(1 1)') AS g FROM item",
    "elsewhere": "SELECT user FROM mysql.user",
}
TAKEN = {"plain", "renamed", "joined", "z_totals", "a_of_z", "b_of_a", "limited", "cased", "united", "within"}


def test_views(source: Source, target: Target) -> None:
    for statement in SCHEMA.split(";\n")[:4]:
        source.run(statement)
    for name, select in VIEWS.items():
        source.run(f"CREATE VIEW {name} AS {select}")
    catalog = read_catalog(source.query, Selection(patterns=(f"{source.database}.*",)), source.session.flavour)
    assert {view.name.table for view in catalog.views} == {name.partition(" ")[0] for name in VIEWS}
    tables = {table.name: table for table in catalog.tables}
    layouts = placed(tables.values())
    target.run(ddl.every_table(tables.values(), layouts))
    copy_rows(source, target, tables, layouts)
    wanted, untranslated = candidates(catalog.views, layouts, lambda name: name)
    with target.connection.transaction():
        made, refused = create(wanted, lambda sql: attempt(target, sql))
    assert {name.table for name in made} == TAKEN
    left = {report.object.rpartition(".")[2] for report in (*untranslated.reports, *refused.reports)}
    assert left == {name.partition(" ")[0] for name in VIEWS} - TAKEN
    for view in made:
        with source.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM `{view.table}`")
            theirs = cursor.fetchall()
        ours = target.rows(f'SELECT * FROM "{view.schema}"."{view.table}"')
        one, other = (sorted(repr([plain(value, "") for value in row]) for row in rows) for rows in (theirs, ours))
        assert one == other


def attempt(target: Target, sql: str) -> str | None:
    """Inside a savepoint, as the sink does it."""
    try:
        with target.connection.transaction():
            target.connection.execute(sql.encode())
    except psycopg.Error as error:
        return str(error)
    return None


def test_a_view_that_may_not_be_read_is_named() -> None:
    name = TableName("shop", "secret")
    found, reports = candidates([View(name=name, definition="")], {}, lambda name: name)
    assert found == []
    assert [(report.id, report.object) for report in reports.reports] == [("view", "shop.secret")]
