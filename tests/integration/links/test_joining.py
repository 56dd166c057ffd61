"""Tables that come to a job that follows, and tables that leave it."""

from __future__ import annotations

from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.edits import Editing, named
from tests.integration.links.story import Story


def story_of(source: FamilyServer, target: Postgres, database: NewDatabase, folder: Path, *tables: str) -> Story:
    name = database(source)
    return Story(
        source=source, target=target, name=name, there=database(target), folder=folder,
        selection=named(name, *tables), identity=f"{abs(hash(name)):032x}"[-32:],
    )  # fmt: skip


MADE = """
CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, KEY (v), FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
CREATE TABLE alone (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE);
CREATE TABLE keyless (v INT);
INSERT INTO p VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3);
INSERT INTO alone (v) VALUES (1), (2), (3);
INSERT INTO keyless VALUES (1), (1), (2);
"""
CHANGES = """
INSERT INTO p VALUES (4, 'four');
INSERT INTO c VALUES (4, 4, 4);
DELETE FROM p WHERE id = 1;
UPDATE alone SET v = v + 10;
INSERT INTO keyless VALUES (2), (3);
DELETE FROM keyless WHERE v = 1 LIMIT 1;
"""


def test_tables_join_a_job_that_follows(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    story = story_of(source, target, database, tmp_path, "p")
    editing = Editing(story.job, story.folder)
    story.at_source(MADE)
    story.play()
    wanted = named(story.name, "p", "c", "alone", "keyless")
    key = editing.ask(wanted)
    story.at_source("INSERT INTO p VALUES (9, 'nine')")
    # What happens while they come: at the begin of their load, and before it is told to the target.
    story.play({"load.begun": CHANGES, "tables.exchanged": "INSERT INTO alone (v) VALUES (77)"})
    assert editing.outcome(key).status == "success"
    story.selection = wanted
    story.at_source("UPDATE c SET v = 9;\nINSERT INTO alone (v) VALUES (99);\nDELETE FROM p WHERE id = 4")
    story.ends_equal()


def test_tables_leave_a_job_that_follows(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    story = story_of(source, target, database, tmp_path, "p", "alone", "keyless")
    editing = Editing(story.job, story.folder)
    story.at_source(MADE)
    story.play()
    key = editing.ask(named(story.name, "p", "keyless"), narrows=True)
    story.play()
    assert editing.outcome(key).status == "success"
    story.at_source("INSERT INTO alone (v) VALUES (50);\nINSERT INTO p VALUES (5, 'five')")
    story.selection = named(story.name, "p", "keyless")
    story.play()
    assert not story.unproven()
    assert (5, "five") in story.in_target(f'SELECT * FROM "{story.name}".p')
    assert story.in_target(f'SELECT v FROM "{story.name}".alone ORDER BY v') == [(1,), (2,), (3,)]
