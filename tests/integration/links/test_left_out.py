"""Indexes and changes of the schema that a job leaves out because its user says so."""

from __future__ import annotations

from pathlib import Path

from opendrs.model.job import Policy
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story

TABLES = """
CREATE TABLE p (id INT PRIMARY KEY, u INT UNIQUE, v INT, w INT, KEY v (v), KEY vw (v, w) COMMENT 'both');
CREATE TABLE c (id INT PRIMARY KEY, p INT, n INT, KEY n (n), FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
INSERT INTO p VALUES (1, 1, 1, 1), (2, 2, 2, 2);
INSERT INTO c VALUES (1, 1, 1), (2, 2, 2);
"""


def indexes(story: Story) -> set[tuple[str, bool]]:
    """(table and columns, whether it is unique)"""
    rows = story.in_target(
        "SELECT c.relname || ' ' || string_agg(a.attname, ',' ORDER BY k.n), bool_and(i.indisunique)"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace s ON s.oid = c.relnamespace"
        " CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, n)"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number"
        f" WHERE s.nspname = '{story.name}' GROUP BY c.relname, i.indexrelid"
    )
    return {(str(what), bool(unique)) for what, unique in rows}


def test_only_primary_and_unique_keys_are_made(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path,
        policy=Policy(indexes="unique"),
    )  # fmt: skip
    story.at_source(TABLES)
    story.play({"load.begun": "DELETE FROM p WHERE id = 2;\nALTER TABLE c ADD KEY np (n, p)"}, check=True)
    keys = {("p id", True), ("p u", True), ("c id", True)}
    assert indexes(story) == keys
    reports = [what for what, why in story.reports if what.startswith(name) and "primary and unique keys only" in why]
    assert sorted(reports) == sorted(f"{name}.{one}" for one in ("p.v", "p.vw", "c.n", "c.p", "c.np"))
    story.reports.clear()
    story.at_source(
        "ALTER TABLE p ADD KEY w (w), ADD UNIQUE KEY vw2 (v, w), RENAME INDEX vw TO wv;\n"
        "CREATE INDEX uv ON p (u, v);\n"
        "ALTER TABLE p MODIFY v BIGINT;\n"
        "DROP INDEX wv ON p;\n"
        "ALTER TABLE p DROP KEY v, RENAME INDEX uv TO vu;\n"
        "CREATE TABLE d (id INT PRIMARY KEY, a INT, b INT, KEY a (a), UNIQUE KEY b (b));\n"
        "DELETE FROM p WHERE id = 1"
    )
    story.ends_equal()
    assert indexes(story) == keys | {("p v,w", True), ("d id", True), ("d b", True)}
    assert sorted(what for what, _ in story.reports) == sorted(f"{name}.{one}" for one in ("p.w", "p.uv", "d.a"))
    ((foreign,),) = story.in_target(
        f"SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = '{name}.c'::regclass"
    )
    assert foreign == 1


def test_schema_changes_that_are_not_carried_over(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    """What can be left out is; what the rows depend on stops the job, and comes when the user allows it."""
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path, policy=Policy(ddl="refuse")
    )
    story.at_source(TABLES)
    story.play()
    before = indexes(story)
    story.at_source(
        "DROP INDEX vw ON p;\nCREATE INDEX uw ON p (u, w);\nALTER TABLE p COMMENT 'new', ALTER w SET DEFAULT 7;\n"
        "INSERT INTO p (id, u, v) VALUES (3, 3, 3);\nCREATE VIEW sight AS SELECT id FROM p;\nDROP TABLE c"
    )
    story.play()
    assert indexes(story) == before
    assert story.in_target(f'SELECT * FROM "{name}".p ORDER BY id')[-1] == (3, 3, 3, 7)
    assert story.in_target(f'SELECT count(*) FROM "{name}".c') == [(2,)]
    assert not story.in_target(f"SELECT viewname FROM pg_views WHERE schemaname = '{name}'")
    told = [why for _, why in story.reports if "policy leaves out" in why]
    assert [why.rpartition(": ")[2] for why in told] == [
        "drop_index.", "add_index.", "modify_column, comment.", "views.", "drop_table.",
    ]  # fmt: skip
    statement = "ALTER TABLE p ADD COLUMN x INT DEFAULT 5, DROP COLUMN v"
    story.at_source(f"INSERT INTO p (id, u) VALUES (4, 4);\n{statement};\nINSERT INTO p (id, u, x) VALUES (5, 5, 6)")
    for _ in range(2):
        error = story.fails(statement, "Let the job carry schema changes over")
        assert error.code == "DRS.10050019"
        assert story.in_target(f'SELECT max(id) FROM "{name}".p') == [(4,)]
    story.policy = Policy()
    story.play()
    assert not story.unproven()
    rows = story.in_target(f'SELECT id, x FROM "{name}".p ORDER BY id')
    assert rows == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 6)]


def test_a_unique_key_that_goes_is_not_left_out(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    """It would refuse the rows that come behind it."""
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path, policy=Policy(ddl="refuse")
    )
    story.at_source(TABLES)
    story.play()
    story.at_source("ALTER TABLE p DROP KEY u;\nINSERT INTO p VALUES (3, 1, 3, 3)")
    story.fails("DROP KEY u")
    story.policy = Policy()
    story.ends_equal()
