"""A job that is ended for good: nothing of ours is left in the target, and the user's rows are."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from opendrs.engines.mysql.position import parse_position
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control, application
from opendrs.errors import DrsError, Fault
from opendrs.model.selection import Selection
from opendrs.worker.releasing import release
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story

TABLES = """
CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
CREATE VIEW sight AS SELECT id FROM p;
INSERT INTO p VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1), (2, 2)
"""
# Of a foreign key that is taken away while the source does not heed it.
UNHEEDED = "SET foreign_key_checks = 0;\nINSERT INTO c VALUES (3, 3);\nINSERT INTO p VALUES (3, 3);\nSET foreign_key_checks = 1"


@pytest.fixture
def story(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> Story:
    name = database(source)
    made = Story(source=source, target=target, name=name, there=database(target), folder=tmp_path)
    made.at_source(TABLES)
    return made


class Left:
    """What of ours is in the target."""

    def __init__(self, story: Story) -> None:
        self.schema = story.in_target("SELECT nspname FROM pg_namespace WHERE nspname = '_opendrs'")
        self.triggers = story.in_target("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        self.functions = story.in_target("SELECT proname FROM pg_proc WHERE proname LIKE 'opendrs%'")

    def __bool__(self) -> bool:
        return bool(self.schema or self.triggers or self.functions)


def end(story: Story) -> list[tuple[str, str]]:
    """Releases the job; what could not be made as it was."""
    story.epoch += 1
    reports: list[tuple[str, str]] = []
    release(story.job, story.epoch, lambda what, why: reports.append((what, why)))
    return reports


def unvalidated(story: Story) -> list[tuple[object, ...]]:
    return story.in_target("SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND NOT convalidated")


def test_nothing_of_ours_is_left(story: Story) -> None:
    story.play()
    story.at_source(f"INSERT INTO p (v) VALUES (5);\n{UNHEEDED.replace('3', '7')};\nUPDATE p SET v = 8 WHERE id = 1")
    story.ends_equal()
    assert end(story) == []
    assert not Left(story)
    assert not story.differing() and not unvalidated(story)
    name = story.name
    assert story.in_target(f'SELECT count(*)::int FROM "{name}".sight') == [(4,)]
    # The application goes on here: numbers go on behind the rows, and the foreign key does what it says.
    assert story.in_target(f'INSERT INTO "{name}".p (v) VALUES (0) RETURNING id') == [(8,)]
    story.in_target(f'DELETE FROM "{name}".p WHERE id = 2')
    assert story.in_target(f'SELECT id FROM "{name}".c ORDER BY id') == [(1,), (7,)]
    assert end(story) == [] and not Left(story)  # once more is no error


@pytest.mark.parametrize("moment", ["load.begun", "load.loaded", "schema.constrained"])
def test_a_job_that_has_not_come_far(story: Story, moment: str) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        story.play({moment: die})
    assert Left(story)
    end(story)
    assert not Left(story)
    if moment != "load.begun":
        assert story.in_target(f'INSERT INTO "{story.name}".p (v) VALUES (0) RETURNING id') == [(3,)]


def test_a_foreign_key_that_the_rows_do_not_allow_is_told(story: Story) -> None:
    story.play()
    story.at_source("SET foreign_key_checks = 0;\nINSERT INTO c VALUES (9, 99);\nSET foreign_key_checks = 1")
    story.play()
    assert [what for what, _ in end(story)] == [f"{story.name}.c.c_p"]
    assert not Left(story)
    assert story.in_target(f'SELECT count(*)::int FROM "{story.name}".c') == [(3,)]


def test_a_table_that_is_gone_is_no_reason_to_stay(story: Story) -> None:
    story.play()
    story.in_target(f'DROP TABLE "{story.name}".p CASCADE')
    end(story)
    assert not Left(story)


def test_others_go_on(story: Story) -> None:
    """Another job in the same database keeps what it needs, until it is the last one."""
    story.play()
    other = replace(story.job, id="f" * 32)
    with Session(other.target, application(other.id, 1)) as session:
        theirs = Control(other.id, 1, parse_position)
        theirs.make(session)
        theirs.install(session)
    end(story)
    assert Left(story).schema
    assert story.in_target("SELECT job, epoch::int FROM _opendrs.job") == [(other.id, 1)]
    for table in ("tables", "chunks", "suspects", "made"):
        assert story.in_target(f"SELECT count(*)::int FROM _opendrs.{table}") == [(0,)]
    release(other, 2)
    assert not Left(story)


def test_workers_are_kept_out(story: Story) -> None:
    story.play()
    with pytest.raises(DrsError) as raised:
        release(story.job, story.epoch - 1)
    assert raised.value.fault is Fault.FENCED
    with Session(story.job.target, application(story.job.id, story.epoch)) as sleeping:
        worker = Control(story.job.id, story.epoch, parse_position)
        end(story)
        with pytest.raises(DrsError):
            worker.guard(sleeping)
    assert not Left(story)


def test_a_job_that_begins_while_the_last_one_goes(story: Story) -> None:
    """The schema goes between its look for the tables and its first row in them."""
    story.play()
    other = replace(story.job, id="f" * 32)
    with Session(other.target, application(other.id, 1)) as session:
        theirs = Control(other.id, 1, parse_position)
        theirs.make(session)
        end(story)
        assert not Left(story)
        theirs.install(session)
        assert story.in_target("SELECT job FROM _opendrs.job") == [(other.id,)]
    release(other, 2)


def test_a_job_that_is_beginning_is_waited_for(story: Story) -> None:
    """Its first row is not visible yet when the last job goes: the schema stays."""
    story.play()
    other = replace(story.job, id="f" * 32)
    done: list[list[tuple[str, str]]] = []
    with Session(other.target, application(other.id, 1)) as session:
        session.execute("BEGIN")
        session.query("INSERT INTO _opendrs.job (job, epoch) VALUES ($1, 1)", other.id)
        thread = threading.Thread(target=lambda: done.append(end(story)))
        thread.start()
        thread.join()
        session.execute("COMMIT")
    assert done and story.in_target("SELECT job FROM _opendrs.job") == [(other.id,)]
    release(other, 2)
    assert not Left(story)


def test_a_target_that_is_away(story: Story) -> None:
    away = replace(story.job, target=replace(story.job.target, port=1, host="127.0.0.1", options={}))
    with pytest.raises(DrsError) as raised:
        release(away, 1)
    assert raised.value.fault is Fault.TARGET_UNREACHABLE


def test_a_job_that_never_began(story: Story) -> None:
    end(story)
    assert not Left(story)


def test_two_jobs_bring_tables_of_one_name(story: Story, tmp_path: Path) -> None:
    """What stands in for the foreign keys of one is not that of the other: it names the tables of its own schema."""
    (tmp_path / "other").mkdir()
    elsewhere = Selection(patterns=(f"{story.name}.*",), schemas={story.name: f"{story.name}_b"})
    other = replace(story, selection=elsewhere, folder=tmp_path / "other", reports=[])

    def die() -> None:
        raise KeyboardInterrupt

    def meanwhile() -> None:
        with pytest.raises(KeyboardInterrupt):
            other.play({"load.loaded": die})
        story.at_source("DELETE FROM p WHERE id = 1")

    story.ends_equal({"load.loaded": meanwhile})
    assert story.in_target(f'SELECT id FROM "{story.name}".c') == [(2,)]
    assert story.in_target(f'SELECT id FROM "{story.name}_b".c ORDER BY id') == [(1,), (2,)]
    end(story)
    assert Left(story).functions
    other.play()
    assert not other.unproven()
    end(other)
    assert not Left(story)
