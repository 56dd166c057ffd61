"""Columns of 64 unsigned bits follow the foreign keys: numeric(20,0), or bigint where a column numbers rows."""

from __future__ import annotations

import psycopg
import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.postgres.alterations import Schema, render
from opendrs.engines.postgres.layout import Layout
from opendrs.model.catalog import Table, TableName
from opendrs.model.evolution import applied
from tests.golden.ddl.reading import scope, session
from tests.integration.ddl.targets import Target, placed

TREE = """
CREATE TABLE a (id BIGINT UNSIGNED PRIMARY KEY);
CREATE TABLE b (id BIGINT UNSIGNED PRIMARY KEY, up BIGINT UNSIGNED, FOREIGN KEY (id) REFERENCES a (id), FOREIGN KEY (up) REFERENCES b (id));
CREATE TABLE c (id INT PRIMARY KEY, b BIGINT UNSIGNED, other BIGINT UNSIGNED, CONSTRAINT cb FOREIGN KEY (b) REFERENCES b (id));
CREATE TABLE d (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)
"""
ROWS = """
INSERT INTO "shop"."a" VALUES (1), (9223372036854775807);
INSERT INTO "shop"."b" VALUES (1, NULL), (9223372036854775807, 1);
INSERT INTO "shop"."c" VALUES (1, 1, 18446744073709551615);
INSERT INTO "shop"."d" VALUES (7)
"""


class Job:
    """Statements of a source that nobody needs, carried out in a target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.tables: dict[TableName, Table] = {}
        self.layouts: dict[TableName, Layout] = {}

    def run(self, statement: str) -> None:
        found = parse(statement, session("mysql"), scope(self.tables))
        for alteration in [] if isinstance(found, Ignored) else found:
            after = applied(self.tables, alteration)
            there = placed(after.values())
            self.target.run(render(alteration, Schema(self.tables, self.layouts), Schema(after, there)))
            self.tables, self.layouts = after, there
        self.check()

    def check(self) -> None:
        """The target has the types that the layouts say."""
        for layout in self.layouts.values():
            found = self.target.columns(layout)
            assert {place.name: found[place.name][0] for place in layout.columns} == {
                place.name: place.type for place in layout.columns
            }

    def types(self) -> set[str]:
        """Columns that are bigint."""
        return {
            f"{layout.table}.{place.name}"
            for layout in self.layouts.values()
            for place in layout.columns
            if place.type == "bigint"
        }


@pytest.fixture
def job(target: Target) -> Job:
    job = Job(target)
    for statement in TREE.split(";\n"):
        job.run(statement)
    target.run(ROWS.split(";\n"))
    return job


def test_a_column_takes_along_what_refers_to_it(job: Job) -> None:
    assert job.types() == {"d.id"}
    job.run("ALTER TABLE a MODIFY id BIGINT UNSIGNED AUTO_INCREMENT")
    assert job.types() == {"d.id", "a.id", "b.id", "b.up", "c.b"}
    job.run("ALTER TABLE c DROP FOREIGN KEY cb")
    assert job.types() == {"d.id", "a.id", "b.id", "b.up"}
    job.run("ALTER TABLE a MODIFY id BIGINT UNSIGNED")
    assert job.types() == {"d.id"}


def test_a_new_foreign_key_makes_both_sides_alike(job: Job) -> None:
    job.target.run(['INSERT INTO "shop"."d" VALUES (1)'])
    job.run("ALTER TABLE c ADD e BIGINT UNSIGNED DEFAULT 1, ADD CONSTRAINT ce FOREIGN KEY (e) REFERENCES d (id)")
    assert job.types() == {"d.id", "c.e"}
    job.run("ALTER TABLE c ADD CONSTRAINT cbd FOREIGN KEY (b) REFERENCES d (id)")
    assert job.types() == {"d.id", "c.e", "a.id", "b.id", "b.up", "c.b"}


def test_a_table_that_comes_with_a_foreign_key(job: Job) -> None:
    job.run("CREATE TABLE e (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, FOREIGN KEY (id) REFERENCES a (id))")
    assert job.types() == {"d.id", "e.id", "a.id", "b.id", "b.up", "c.b"}


def test_a_number_that_is_too_large_stops(job: Job) -> None:
    with pytest.raises(AssertionError) as caught:
        job.run("ALTER TABLE c MODIFY other BIGINT UNSIGNED AUTO_INCREMENT")
    assert isinstance(caught.value.__cause__, psycopg.errors.NumericValueOutOfRange)
