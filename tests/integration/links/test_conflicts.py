"""A target that others write to while the job follows: what becomes of both sides' rows, and what is told of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opendrs.engines.mysql import stream
from opendrs.errors import Fault
from opendrs.model.catalog import TableName
from opendrs.model.dirty import DirtyRow
from opendrs.model.job import ConflictPolicy, Policy
from opendrs.store import dirty
from opendrs.store.database import open_store
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links import runner
from tests.integration.links.story import Remembered, Story

KINDS = """
CREATE TABLE k (id INT PRIMARY KEY, v VARCHAR(20), u INT UNIQUE);
INSERT INTO k VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30), (4, 'four', 40), (5, 'five', 50);
CREATE TABLE n (a INT, b VARCHAR(20));
INSERT INTO n VALUES (1, 'x'), (1, 'x'), (2, 'y'), (3, NULL);
CREATE TABLE p (id INT PRIMARY KEY);
INSERT INTO p VALUES (1), (2), (3);
CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id));
INSERT INTO c VALUES (10, 1)
"""
THEIRS = """
INSERT INTO k VALUES (6, 'their six', NULL), (90, 'their ninety', 60), (91, 'their ninety-one', 70);
DELETE FROM k WHERE id IN (2, 3);
DELETE FROM n WHERE a IN (2, 3);
"""
# Each with what it is in conflict with.
OURS = """
INSERT INTO k VALUES (6, 'six', 6);
INSERT INTO k VALUES (7, 'seven', 60);
UPDATE k SET v = 'TWO' WHERE id = 2;
UPDATE k SET u = 70 WHERE id = 4;
UPDATE k SET id = 90 WHERE id = 5;
DELETE FROM k WHERE id = 3;
UPDATE n SET b = 'Y' WHERE a = 2;
DELETE FROM n WHERE a = 3;
"""
# Beside them, without any.
RIGHT = """
INSERT INTO k VALUES (8, 'eight', 80);
UPDATE k SET v = 'ONE' WHERE id = 1;
DELETE FROM n WHERE a = 1 LIMIT 1;
INSERT INTO n VALUES (4, 'z');
"""
MET = Counter({("k", "insert"): 2, ("k", "update"): 3, ("k", "delete"): 1, ("n", "update"): 1, ("n", "delete"): 1})


@pytest.fixture
def story(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> Story:
    return Story(source=source, target=target, name=database(source), there=database(target), folder=tmp_path)


@pytest.fixture
def near(mariadb: FamilyServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path) -> Story:
    """On one pair of servers."""
    return Story(
        source=mariadb, target=postgres_18, name=database(mariadb), there=database(postgres_18), folder=tmp_path
    )


def they(story: Story, sql: str) -> None:
    """Somebody writes to the target."""
    story.in_target(f'SET search_path TO "{story.name}"; {sql}')


def rows(story: Story, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return story.in_target(f'SELECT {columns} FROM "{story.name}"."{table}" ORDER BY 1, 2')


def told(story: Story) -> list[DirtyRow]:
    return list(story.dirty.rows.values())


def kinds(found: Sequence[DirtyRow]) -> Counter[tuple[str, str]]:
    return Counter((row.table.table, row.op) for row in found)


@pytest.mark.parametrize("apply", ["transactional", "merged"])
def test_the_target_wins(story: Story, apply: str) -> None:
    story.policy = Policy(conflict="ignore", apply=apply)  # type: ignore[arg-type]
    story.at_source(KINDS)
    story.play()
    they(story, THEIRS + "DELETE FROM c; DELETE FROM p WHERE id IN (1, 2); INSERT INTO c VALUES (99, 3);")
    story.at_source(OURS + RIGHT + "INSERT INTO c VALUES (11, 2);\nINSERT INTO c VALUES (12, 3);\nDELETE FROM c;\n")
    story.at_source("DELETE FROM p WHERE id = 3;\nINSERT INTO p VALUES (4);\nINSERT INTO c VALUES (13, 4)")
    story.play()
    assert rows(story, "k") == [
        (1, "ONE", 10), (4, "four", 40), (5, "five", 50), (6, "their six", None), (8, "eight", 80),
        (90, "their ninety", 60), (91, "their ninety-one", 70),
    ]  # fmt: skip
    assert rows(story, "n") == [(1, "x"), (4, "z")]
    assert rows(story, "p", "id, 0") == [(3, 0), (4, 0)]
    assert rows(story, "c") == [(13, 4), (99, 3)]
    met = kinds(told(story))
    assert {table: met[table] for table in met if table[0] in ("k", "n")} == MET
    # The children 10 and 11 were not there to go, the parent of 11 to come, and the parent 3 has a child.
    assert {table: met[table] for table in met if table[0] in ("p", "c")} == {
        ("c", "insert"): 1, ("c", "delete"): 2, ("p", "delete"): 1,
    }  # fmt: skip
    assert {(row.resolved, row.kind, row.phase, row.table.schema) for row in told(story)} == {
        ("ignored", "conflict", "incremental", story.name)
    }
    (insert,) = (row for row in told(story) if row.table.table == "c" and row.op == "insert")
    assert insert.statement == f"""INSERT INTO "{story.name}"."c" ("id", "p") VALUES ('11', '2')"""
    assert "foreign key" in insert.reason
    assert len(story.dirty.rows) == sum(met.values())


@pytest.mark.parametrize("apply", ["transactional", "merged"])
def test_the_source_wins(story: Story, apply: str) -> None:
    story.policy = Policy(conflict="overwrite", apply=apply)  # type: ignore[arg-type]
    story.at_source(KINDS)
    story.play()
    they(story, THEIRS)
    story.at_source(OURS + RIGHT)
    story.play()
    assert rows(story, "k") == [
        (1, "ONE", 10), (2, "TWO", 20), (4, "four", 70), (6, "six", 6), (7, "seven", 60), (8, "eight", 80),
        (90, "five", 50),
    ]  # fmt: skip
    assert rows(story, "n") == [(1, "x"), (2, "Y"), (4, "z")]
    assert story.unequal() == []
    # Three rows had to go: for 7, which took 60; for 4, which took 70. And 90 for itself, if it was there yet.
    gone = [row for row in told(story) if row.reason.startswith("it held")]
    assert [row.statement.partition(" WHERE ")[2].partition(" AND ")[0] for row in gone] == [
        """"id" = '90'""", """"id" = '91'"""
    ]  # fmt: skip
    assert kinds([row for row in told(story) if row not in gone]) == MET - Counter({("k", "update"): 1})
    assert {row.resolved for row in told(story)} == {"overwritten"}


def test_the_job_stops(near: Story) -> None:
    near.at_source(KINDS)
    near.play()
    they(near, "INSERT INTO k VALUES (6, 'theirs', NULL)")
    near.at_source("INSERT INTO k VALUES (7, 'seven', 7), (6, 'six', 6), (8, 'eight', 8)")
    for _ in range(2):
        error = near.fails("(id)=(6)")
        assert error.fault is Fault.CONFLICT
        assert (6, "theirs", None) in rows(near, "k") and len(rows(near, "k")) == 6
    (row,) = told(near)
    assert (row.table, row.op, row.resolved) == (TableName(near.name, "k"), "insert", "stopped")
    assert row.statement == f"""INSERT INTO "{near.name}"."k" ("id", "v", "u") VALUES ('6', 'six', '6')"""
    assert row.reason == "expected no other row with the same unique value, found one (constraint k__primary)"
    they(near, "DELETE FROM k WHERE id = 6")
    near.ends_equal()
    assert len(told(near)) == 1


def test_a_load_and_what_is_caught_up_with_have_none(near: Story) -> None:
    """Until the log is followed, rows may be there already: that is nobody's conflict."""
    near.policy = Policy(conflict="ignore")
    near.at_source(KINDS)
    near.play({
        "load.begun": "INSERT INTO k VALUES (6, 'six', 6);\nUPDATE k SET v = 'ONE' WHERE id = 1;\nDELETE FROM k WHERE id = 2",
        "chunk.committed": "UPDATE k SET v = 'SIX' WHERE id = 6;\nDELETE FROM k WHERE id = 3",
    })  # fmt: skip
    assert told(near) == [] and near.unequal() == []


@pytest.mark.parametrize("conflict", ["ignore", "overwrite"])
def test_a_transaction_in_parts_with_savepoints(
    near: Story, monkeypatch: pytest.MonkeyPatch, conflict: ConflictPolicy
) -> None:
    """What is rolled back at the source has had no conflict."""
    options = stream.log_options
    monkeypatch.setattr(stream, "log_options", lambda *given, **facts: {**options(*given, **facts), "part_bytes": 64})
    near.policy = Policy(conflict=conflict)
    near.at_source("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(99))")
    near.play()
    they(near, "INSERT INTO t SELECT n, 'theirs' FROM generate_series(0, 99, 10) n")
    statements = ["BEGIN"]
    for at in range(60):
        statements.append(f"INSERT INTO t VALUES ({at}, '{'ours' * 5}')")
        if at == 24:
            statements.append("SAVEPOINT a")
        if at == 34:
            statements.append("ROLLBACK TO a")  # with 25 to 34
        if at == 44:
            statements.append("SAVEPOINT b")
    near.at_source([*statements, "ROLLBACK TO b", "COMMIT"])  # with 45 to 59
    near.play()
    assert sorted(row.statement.partition("('")[2].partition("'")[0] for row in told(near)) == ["0", "10", "20", "40"]
    assert len({row.key for row in told(near)}) == 4
    theirs = {at for at, value in rows(near, "t") if value == "theirs"}
    assert theirs == ({0, 10, 20, 40} if conflict == "ignore" else set()) | {30, 50, 60, 70, 80, 90}
    ours = {at for at, value in rows(near, "t") if value != "theirs"}
    assert ours == {*range(25), *range(35, 45)} - theirs


class Died(Exception):
    """The worker is gone."""


def die() -> None:
    raise Died


@pytest.mark.parametrize("conflict", ["ignore", "overwrite"])
def test_told_once_whoever_dies(near: Story, conflict: ConflictPolicy) -> None:
    """The worker goes between the commit and the store, behind the store, and before the commit."""
    near.policy = Policy(conflict=conflict)
    near.at_source("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(99))")
    near.play()
    they(near, "INSERT INTO t SELECT n, 'theirs' FROM generate_series(1, 99) n")
    listener = Counted()
    near.dirty = listener
    places = [
        "window.written", "conflicts.durable", "conflicts.told", "window.flushed", "checkpoint.saved",
        "source.acknowledged",
    ]  # fmt: skip
    for number, place in enumerate(places, 1):
        near.at_source(f"INSERT INTO t VALUES ({number}, 'ours'), ({number + 1000}, 'ours')")
        with pytest.raises(Died):
            near.play({place: die})
    near.play()
    assert listener.new == len(places)
    expected = "theirs" if conflict == "ignore" else "ours"
    assert [v for at, v in rows(near, "t") if at <= len(places)] == [expected] * len(places)
    # Each transaction takes out what was told before it: only what was told last may still be there.
    left = [key for (key,) in near.in_target("SELECT key FROM _opendrs.conflicts")]
    assert left in ([], [[*listener.rows][-1]])
    # One more, and nothing of before comes again.
    near.at_source(f"INSERT INTO t VALUES ({len(places) + 1}, 'ours')")
    near.play()
    assert listener.new == len(places) + 1


class Counted(Remembered):
    """How many were new, and whether the same one was ever told otherwise."""

    new = 0

    def record(self, rows: Sequence[DirtyRow]) -> None:
        for row in rows:
            known = self.rows.setdefault(row.key, row)
            self.new += known is row
            assert known == row


@pytest.mark.parametrize("conflict", ["ignore", "overwrite"])
def test_kill_9(
    mariadb: FamilyServer,
    postgres_18: Postgres,
    database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    conflict: ConflictPolicy,
) -> None:
    """The command as people run it: its workers kill themselves, and the next ones go on."""
    here, there, state = database(mariadb), database(postgres_18), tmp_path / "state.db"
    job = runner.Job(
        source=mariadb.url(), target=postgres_18.url(there), state=str(state), selected=("--tables", f"{here}.*")
    )
    mariadb.execute(f"CREATE TABLE {here}.t (id INT PRIMARY KEY, v VARCHAR(20))")
    options = ("--conflict", conflict)
    assert job.run(*options) == 0, job.words()
    postgres_18.execute(f'INSERT INTO "{here}".t SELECT n, $$theirs$$ FROM generate_series(1, 99) n', database=there)
    places = ("window.written", "conflicts.durable", "conflicts.told,conflicts.durable", "window.flushed")
    for number, place in enumerate(places):
        values = ", ".join(f"({number * 10 + at}, 'ours')" for at in range(1, 11))
        mariadb.execute(f"INSERT INTO {here}.t VALUES {values}")
        monkeypatch.setenv("OPENDRS_FAULT", place)
        assert job.run(*options) == 0, job.words()
    monkeypatch.delenv("OPENDRS_FAULT")
    store = open_store(f"sqlite:///{state}")
    try:
        with store.read() as connection:
            (identity,) = connection.exec_driver_sql("SELECT id FROM jobs").scalars()
            counts = dirty.counts(connection, identity)
            found, total = dirty.page(connection, identity, "incremental", limit=100, offset=0)
    finally:
        store.close()
    word = {"ignore": "ignored", "overwrite": "overwritten"}[conflict]
    assert counts == {("incremental", word): 40}
    assert total == len({row.row.statement for row in found}) == 40
    expected = {"ignore": [("theirs", 99)], "overwrite": [("ours", 40), ("theirs", 59)]}[conflict]
    sql = f'SELECT v::text, count(*) FROM "{here}".t GROUP BY 1 ORDER BY 1'
    assert list(postgres_18.execute(sql, database=there)) == expected


def test_others_write_all_the_time(near: Story) -> None:
    """To the very rows that the source changes. At the end each value that the source has changed is as it is there."""
    near.policy = Policy(conflict="overwrite")
    near.at_source("CREATE TABLE t (id INT PRIMARY KEY, v INT, u INT UNIQUE)")
    near.at_source(f"INSERT INTO t VALUES {', '.join(f'({at}, 0, {at})' for at in range(50))}")
    near.play()
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        number = 0
        with near.target.connect(near.there) as connection, connection.cursor() as cursor:
            while not done.is_set():
                number += 1
                at = number * 7 % 60
                cursor.execute(f'DELETE FROM "{near.name}".t WHERE id = {at}')
                cursor.execute(f'INSERT INTO "{near.name}".t VALUES ({at + 1000}, 1, {at}) ON CONFLICT DO NOTHING')
                cursor.execute(f'INSERT INTO "{near.name}".t VALUES ({at}, -1, NULL) ON CONFLICT DO NOTHING')
                connection.commit()
                written.append(at)

    def change(by: int) -> str:
        return f"UPDATE t SET v = v + {by} WHERE id < 50;\nDELETE FROM t WHERE id = 7;\nINSERT INTO t VALUES (7, 7, 7)"

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for round_ in range(10):
            near.at_source(change(round_))
            near.play({"window.taken": change(1), "window.written": change(2)})
    finally:
        done.set()
        thread.join()
    assert written
    near.at_source("UPDATE t SET v = v + 1")
    near.play()
    # What the source has not changed of a row that others have put there is theirs.
    ours = set(near.source.execute(f"SELECT id, v FROM {near.name}.t"))
    assert ours <= set(near.in_target(f'SELECT id, v FROM "{near.name}".t'))
    assert told(near) and {row.resolved for row in told(near)} == {"overwritten"}
