"""A job that begins anew: what it has made goes, what others have made stays, and no crash leaves half of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from opendrs.engines.postgres import control
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.comparison import TableProof
from opendrs.store import checkpoints, events, leases, proofs
from opendrs.store.database import open_store
from opendrs.store.events import Event
from opendrs.worker import process
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story

TABLES = """
CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, v INT, KEY (v));
CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
CREATE TABLE loose (a INT, b TEXT);
CREATE TABLE early (id INT PRIMARY KEY);
CREATE VIEW sight AS SELECT id, v FROM p;
CREATE VIEW far AS SELECT id FROM sight;
INSERT INTO p VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1), (2, 2);
INSERT INTO loose VALUES (1, 'x'), (1, 'x');
INSERT INTO early VALUES (1)
"""


class Died(BaseException):
    """A worker that comes no further."""


def die() -> None:
    raise Died


@dataclass(frozen=True, slots=True)
class World:
    """A job that has loaded, and somebody else's objects beside it; `early` was made before it by hand."""

    story: Story

    def others(self) -> set[str]:
        rows = self.story.in_target(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE n.nspname = '{self.story.name}' AND c.relkind IN ('r', 'v')"
        )
        return {str(name) for (name,) in rows}

    def known(self) -> dict[str, int]:
        """How many rows our own tables hold."""
        found = {}
        for table in ("tables", "chunks", "suspects", "made"):
            ((found[table],),) = self.story.in_target(f"SELECT count(*)::int FROM _opendrs.{table}")  # type: ignore[assignment]
        return found

    def phase(self) -> object:
        ((phase,),) = self.story.in_target("SELECT phase FROM _opendrs.job")
        return phase

    def run(self, sql: str) -> None:
        self.story.in_target(sql)


@pytest.fixture
def world(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> World:
    name = database(source)
    story = Story(source=source, target=target, name=name, there=database(target), folder=tmp_path)
    story.at_source(TABLES)
    found = World(story)
    found.run(f'CREATE SCHEMA "{name}" AUTHORIZATION opendrs')
    found.run(f'CREATE TABLE "{name}".early (id integer NOT NULL)')
    found.run(f'ALTER TABLE "{name}".early OWNER TO opendrs')
    found.run(f'CREATE TABLE "{name}".stranger (id integer)')
    return found


def test_a_job_begins_anew(world: World) -> None:
    story = world.story
    story.play(check=True)
    story.at_source(
        "CREATE TABLE late (id INT PRIMARY KEY);\nINSERT INTO late VALUES (1);\nRENAME TABLE loose TO tight"
    )
    story.play()
    assert not story.unproven()
    story.at_source("DROP TABLE late;\nDELETE FROM p WHERE id = 1;\nINSERT INTO tight VALUES (2, 'y')")
    # What was somebody else's before the job stays, and what it holds now is the user's to judge.
    with pytest.raises(DrsError) as raised:
        story.play(check=True, reset=True)
    assert raised.value.fault is Fault.PRECHECK_FAILED
    assert world.others() == {"early", "stranger"}
    assert world.phase() is None and world.known() == dict.fromkeys(("tables", "chunks", "suspects", "made"), 0)
    assert not story.in_target("SELECT proname FROM pg_proc WHERE pronamespace = '_opendrs'::regnamespace")
    world.run(f'TRUNCATE "{story.name}".early')
    story.play(check=True)
    assert not story.unproven()
    assert world.others() == {"p", "c", "tight", "early", "sight", "far", "stranger"}


def test_a_reset_in_the_middle_of_a_load(world: World) -> None:
    with pytest.raises(Died):
        world.story.play({"load.loaded": die})
    world.run(f'TRUNCATE "{world.story.name}".early')
    world.story.play(reset=True)
    assert not world.story.unproven()


@pytest.mark.parametrize("moment", ["reset.marked", "reset.dropped", "reset.dropped:2", "reset.forgotten"])
def test_a_worker_that_dies_in_the_middle_of_it(world: World, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PORTION", 1)
    story = world.story
    story.play()
    world.run(f'TRUNCATE "{story.name}".early')
    with pytest.raises(Died):
        story.play({moment: die}, reset=True)
    assert world.phase() == control.RESETTING
    with pytest.raises(DrsError) as raised:
        story.unproven()
    assert raised.value.fault is Fault.RESET_UNFINISHED
    story.at_source("DELETE FROM p WHERE id = 1")
    story.play(check=True)  # nobody has told this worker of a reset
    assert not story.unproven()
    assert world.others() == {"p", "c", "loose", "early", "sight", "far", "stranger"}


def test_what_the_state_store_knows_of_the_former_life_is_void(world: World) -> None:
    story = world.story
    story.play(check=True)
    store = open_store(f"sqlite:///{story.folder / 'state.db'}")
    with store.write() as connection:
        assert not events.reset_since(connection, story.job.id, 1)
        events.append(connection, story.job.id, [Event(name=events.PRECHECK_PASSED, message="")])
        proofs.save(connection, story.job.id, [TableProof(name=TableName(story.name, "p"), verdict="equal")])
        assert events.happened(connection, story.job.id, events.PRECHECK_PASSED)
    (story.folder / "spool").mkdir(exist_ok=True)
    (story.folder / "spool" / "000001").write_bytes(b"x")
    with pytest.raises(DrsError):  # the prechecks are made again, and find the rows of `early`
        story.play(check=True, reset=True)
    with store.read() as connection:
        assert not events.happened(connection, story.job.id, events.PRECHECK_PASSED)
        assert checkpoints.load(connection, story.job.id) is None and not proofs.load(connection, story.job.id)
        assert events.reset_since(connection, story.job.id, story.epoch)
        assert not events.reset_since(connection, story.job.id, story.epoch + 1)
    store.close()
    assert not (story.folder / "spool").exists()


def test_what_others_have_built_on_it_is_in_the_way(world: World) -> None:
    story, name = world.story, world.story.name
    story.play()
    world.run("CREATE SCHEMA other")
    world.run(f'CREATE VIEW other.mine AS SELECT id FROM "{name}".p')
    world.run(f'CREATE TABLE other.child (p integer REFERENCES "{name}".p (id))')
    with pytest.raises(DrsError) as raised:
        story.play(reset=True)
    assert raised.value.fault is Fault.RESET_BLOCKED
    assert "other.mine" in raised.value.message and "other.child" in raised.value.message
    assert world.phase() == "following"
    story.at_source("INSERT INTO p VALUES (9, 9)")
    story.play()  # nothing has changed, and the job goes on
    assert story.in_target(f'SELECT max(id) FROM "{name}".p') == [(9,)]
    world.run("DROP SCHEMA other CASCADE")
    world.run(f'TRUNCATE "{name}".early')
    story.play(reset=True)
    assert not story.unproven()


def test_a_table_that_was_made_anew_by_somebody_is_his(world: World) -> None:
    story, name = world.story, world.story.name
    story.play()
    world.run(f'DROP TABLE "{name}".loose')
    world.run(f'CREATE TABLE "{name}".loose (theirs integer)')
    world.run(f'TRUNCATE "{name}".early')
    with pytest.raises(DrsError):
        story.play(check=True, reset=True)
    assert world.others() == {"early", "stranger", "loose"}
    assert not story.in_target(f'SELECT theirs FROM "{name}".loose')


def test_a_table_of_two_jobs_stays(world: World) -> None:
    """Another source arrives at the same place: neither may take away what the other writes to."""
    story, name = world.story, world.story.name
    story.play()
    world.run("INSERT INTO _opendrs.job VALUES ('other', 1, 'following')")
    world.run(
        "INSERT INTO _opendrs.tables SELECT 'other', source_schema, source_table, definition, target, loaded, upper,"
        " low, rows, nbytes FROM _opendrs.tables WHERE source_table = 'loose'"
    )
    with pytest.raises(DrsError):
        story.play(check=True, reset=True)
    assert "loose" in world.others()
    assert story.in_target(f'SELECT count(*)::int FROM "{name}".loose') == [(2,)]


def test_prechecks_of_a_job_that_has_begun(world: World) -> None:
    story, name = world.story, world.story.name
    story.play()
    assert "FAILED" not in {one.result for one in story.checked()}
    (alarm,) = [one for one in story.checked() if "it does not drop them" in one.message]
    assert alarm.result == "ALARM" and f'TRUNCATE "{name}"."early";' in alarm.remedy


def test_a_newer_worker_is_not_reset_away(world: World) -> None:
    story = world.story
    story.play()

    def overtaken() -> None:
        world.run("UPDATE _opendrs.job SET epoch = epoch + 5")

    with pytest.raises(DrsError) as raised:
        story.play({"reset.marked": overtaken}, reset=True)
    assert raised.value.fault is Fault.FENCED
    assert "p" in world.others()


def test_an_overtaken_worker_does_not_forget_what_is_known_of_the_newer_one(world: World) -> None:
    story = world.story
    story.play()
    store = open_store(f"sqlite:///{story.folder / 'state.db'}")

    def overtaken() -> None:
        with store.write() as connection:
            leases.claim(connection, story.job.id, process.myself("supervisor"), {}, expected=0, above=90)
            proofs.save(connection, story.job.id, [TableProof(name=TableName(story.name, "p"), verdict="equal")])

    with pytest.raises(DrsError) as raised:
        story.play({"reset.dropped": overtaken}, reset=True)
    assert raised.value.fault is Fault.FENCED
    with store.read() as connection:
        assert proofs.load(connection, story.job.id)
    store.close()
