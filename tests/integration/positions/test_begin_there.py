"""Jobs without a load that begin at a place in the log: nothing before it arrives, and nothing behind it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.locating import time_of
from opendrs.engines.mysql.starting import Start, resolve
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.job import Policy
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition
from tests.harness.binlog_text import next_second
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import USER
from tests.integration.links.story import Story

Begun = Callable[..., Story]
T = "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)"
THERE = 'CREATE TABLE "{schema}".t (id INTEGER PRIMARY KEY, v TEXT)'


@pytest.fixture(params=["mariadb", "mariadb_11", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


@pytest.fixture
def begun(source: FamilyServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path) -> Begun:
    """`begun(at_source, in_target)`: a job whose tables are on both sides, and which is to begin nowhere yet."""

    def make(at_source: str | Sequence[str] = T, in_target: Sequence[str] = (THERE,), **more: object) -> Story:
        story = Story(
            source=source, target=postgres_18, name=database(source), there=database(postgres_18), folder=tmp_path,
            task="incremental", **more,  # type: ignore[arg-type]
        )  # fmt: skip
        story.at_source(at_source)
        for statement in ('CREATE SCHEMA "{schema}"', *in_target):
            story.in_target(f"SET ROLE {USER}; {statement.format(schema=story.name)}")
        return story

    return make


def here(story: Story) -> Start:
    """Where the log of the source ends now."""
    with Session(story.job.source) as session:
        return resolve(session, StartPosition(time="2200-01-01T00:00:00Z"))


def begins(story: Story, **start: str) -> None:
    story.policy = replace(story.policy, start=StartPosition(**start))


def rows(story: Story, table: str = "t") -> list[tuple[object, ...]]:
    return story.in_target(f'SELECT * FROM "{story.name}".{table} ORDER BY 1')


@pytest.mark.parametrize("how", ["place", "gtids", "both"])
def test_exactly_from_there_on(begun: Begun, source: FamilyServer, how: str) -> None:
    story = begun()
    story.at_source("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    there = here(story)
    place, gtids = {"file_and_position": there.place}, {"gtid_set": there.gtid_set}
    begins(story, **{"place": place, "gtids": gtids, "both": place | gtids}[how])
    story.at_source("INSERT INTO t VALUES (3, 'c'), (4, 'd');\nFLUSH BINARY LOGS;\nUPDATE t SET v = 'e' WHERE id = 3")
    story.at_source("DELETE FROM t WHERE id = 4;\nINSERT INTO t VALUES (5, 'f')")
    story.play(check=True)
    assert rows(story) == [(3, "e"), (5, "f")]
    # Whoever goes on does so from there, wherever the job was to begin.
    begins(story, file_and_position="binlog.999999:4")
    story.at_source("INSERT INTO t VALUES (6, 'g')")
    story.play(check=True)
    assert rows(story) == [(3, "e"), (5, "f"), (6, "g")]


def test_from_a_time_on(begun: Begun, source: FamilyServer) -> None:
    story = begun()
    story.at_source("INSERT INTO t VALUES (1, 'a')")
    next_second(source)
    there = here(story)
    story.at_source("INSERT INTO t VALUES (2, 'b')")
    source.execute("FLUSH BINARY LOGS")
    story.at_source("INSERT INTO t VALUES (3, 'c')")
    with Session(story.job.source) as session:
        found = resolve(session, StartPosition(file_and_position=there.place))
    assert found.moment_us is not None
    begins(story, time=time_of(found.moment_us))
    story.play(check=True)
    assert rows(story) == [(2, "b"), (3, "c")]


def test_prepared_there_and_committed_behind(begun: Begun, source: FamilyServer) -> None:
    """Its rows lie before the place, and its end behind: it belongs to what comes from there on."""
    story = begun()
    story.at_source("XA START 'p';\nINSERT INTO t VALUES (1, 'held');\nXA END 'p';\nXA PREPARE 'p'")
    story.at_source("INSERT INTO t VALUES (2, 'before')")
    begins(story, file_and_position=here(story).place)
    ended(source, "COMMIT", "p")
    story.at_source("INSERT INTO t VALUES (3, 'behind')")
    story.play()
    assert rows(story) == [(1, "held"), (3, "behind")]


def test_prepared_before_the_log_was_rotated(begun: Begun, source: FamilyServer) -> None:
    story = begun()
    story.at_source("XA START 'r';\nINSERT INTO t VALUES (1, 'held');\nXA END 'r';\nXA PREPARE 'r'")
    source.execute("FLUSH BINARY LOGS")
    story.at_source("INSERT INTO t VALUES (2, 'before')")
    begins(story, file_and_position=here(story).place)
    ended(source, "COMMIT", "r")
    story.play()
    assert rows(story) == [(1, "held")]


def test_prepared_long_before_is_a_stop_and_no_loss(begun: Begun, source: FamilyServer) -> None:
    story = begun()
    story.at_source("XA START 's';\nINSERT INTO t VALUES (1, 'held');\nXA END 's';\nXA PREPARE 's'")
    for _ in range(3):
        source.execute("FLUSH BINARY LOGS")
    begins(story, file_and_position=here(story).place)
    ended(source, "COMMIT", "s")
    error = story.fails("XA COMMIT of a transaction that was prepared before the position")
    assert error.fault is Fault.LOG_UNSUPPORTED
    assert rows(story) == []


def ended(source: FamilyServer, decision: str, name: str) -> None:
    """Whoever prepared it may not have left yet."""
    for _ in range(400):
        try:
            source.execute(f"XA {decision} '{name}'")
        except Exception:  # noqa: BLE001  nobody but its own session may, as long as that is there
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the transaction cannot be ended")


# What has changed of the tables since. What is made again is not there before.
CHANGED = {
    "altered": ("ALTER TABLE t ADD COLUMN w INT",),
    "columns of one type change places": ("ALTER TABLE t MODIFY b TEXT FIRST",),
    "renamed": ("RENAME TABLE t TO u",),
    "renamed and back": ("RENAME TABLE t TO u", "RENAME TABLE u TO t"),
    "dropped": ("DROP TABLE t",),
    "dropped and made again": ("DROP TABLE t", "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b TEXT)"),
    "a key more": ("CREATE UNIQUE INDEX k ON t (a(9))",),
}
AB = "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b TEXT)"
AB_THERE = 'CREATE TABLE "{schema}".t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)'


@pytest.mark.parametrize("what", CHANGED)
def test_definitions_of_that_time_that_nobody_knows_any_more(begun: Begun, what: str) -> None:
    """Rows of then would be read as rows of now. Nothing is written, and where one could begin is told."""
    story = begun(AB, (AB_THERE,))
    begins(story, file_and_position=here(story).place)
    story.at_source("INSERT INTO t VALUES (1, 'a', 'b')")
    story.at_source(CHANGED[what])
    finding = next(one for one in story.checked() if one.item == "srcDefinitionSinceStartCheck")
    assert finding.result == "FAILED"
    error = story.fails(f"{story.name}.t")
    assert error.fault is Fault.DEFINITION_CHANGED
    last = next(one for one in reversed(CHANGED[what]) if not one.startswith("CREATE TABLE"))
    assert error.details["statement"].startswith(last[:10])
    assert story.in_target(f'SELECT * FROM "{story.name}".t') == []
    # Behind the change one can begin.
    begins(story, file_and_position=error.details["position"])
    assert next(one for one in story.checked() if one.item == "srcDefinitionSinceStartCheck").result == "PASSED"


HARMLESS = {
    "emptied": ("TRUNCATE TABLE t",),
    "a comment": ("ALTER TABLE t COMMENT = 'of no matter to rows'",),
    "numbering": ("ALTER TABLE t AUTO_INCREMENT = 1000",),
    "made if it is not there": (f"{AB.replace('TABLE', 'TABLE IF NOT EXISTS')}",),
    "another table": ("CREATE TABLE other (id INT PRIMARY KEY)", "ALTER TABLE other ADD x INT", "DROP TABLE other"),
    "a view": ("CREATE VIEW v AS SELECT id FROM t", "DROP VIEW v"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_leaves_definitions_as_they_are(begun: Begun, what: str) -> None:
    story = begun(AB, (AB_THERE,))
    story.at_source("INSERT INTO t VALUES (1, 'before', 'it')")
    begins(story, file_and_position=here(story).place)
    story.at_source("INSERT INTO t VALUES (2, 'a', 'b')")
    story.at_source(HARMLESS[what])
    story.at_source("INSERT INTO t VALUES (3, 'c', 'd')")
    story.play(check=True)
    emptied = what == "emptied"
    assert rows(story) == ([] if emptied else [(2, "a", "b")]) + [(3, "c", "d")]


def test_tables_that_came_since_are_made_by_the_log(begun: Begun) -> None:
    """Also those that were altered and renamed after they were made, and those that trade names."""
    story = begun()
    begins(story, file_and_position=here(story).place)
    story.at_source(
        "CREATE TABLE fresh (id INT PRIMARY KEY, a INT, b INT);\nINSERT INTO fresh VALUES (1, 10, 20);\n"
        "ALTER TABLE fresh MODIFY b INT FIRST;\nINSERT INTO fresh VALUES (200, 2, 100);\n"
        "CREATE TABLE draft (id INT PRIMARY KEY);\nINSERT INTO draft VALUES (7);\nRENAME TABLE draft TO final;\n"
        "INSERT INTO final VALUES (8);\nINSERT INTO t VALUES (1, 'x')"
    )
    assert [one for one in story.checked() if one.result == "FAILED"] == []
    story.play(check=True)
    assert story.in_target(f'SELECT id, a, b FROM "{story.name}".fresh ORDER BY 1') == [(1, 10, 20), (2, 100, 200)]
    assert rows(story, "final") == [(7,), (8,)] and rows(story) == [(1, "x")]


def test_tables_of_other_databases_may_change(begun: Begun, source: FamilyServer, database: NewDatabase) -> None:
    story, other = begun(), database(source)
    begins(story, file_and_position=here(story).place)
    source.execute(f"CREATE TABLE {other}.t (id INT PRIMARY KEY)")
    source.execute(f"ALTER TABLE {other}.t ADD w INT")
    story.at_source("INSERT INTO t VALUES (1, 'x')")
    story.play()
    assert rows(story) == [(1, "x")]


def test_one_table_selected_by_name_was_dropped(begun: Begun) -> None:
    """It is not in the catalog any more, and its rows would be passed over in silence."""
    story = begun((T, "CREATE TABLE gone (id INT PRIMARY KEY)"))
    story.selection = Selection(tables=frozenset({TableName(story.name, "t"), TableName(story.name, "gone")}))
    begins(story, file_and_position=here(story).place)
    story.at_source("INSERT INTO gone VALUES (1);\nDROP TABLE gone;\nINSERT INTO t VALUES (1, 'x')")
    assert story.fails(f"{story.name}.gone").fault is Fault.DEFINITION_CHANGED


def test_places_that_no_job_can_begin_at(begun: Begun, source: FamilyServer) -> None:
    """They are found out before anything is written, by the prechecks and by the job."""
    story = begun()
    story.at_source("INSERT INTO t VALUES (1, 'a')")
    place = here(story).place
    story.at_source("INSERT INTO t VALUES (2, 'b')")
    file, _, pos = place.partition(":")
    for wrong, fault in {
        f"{file}:{int(pos) + 1}": Fault.POSITION_INVALID,
        "binlog.999999:4": Fault.POSITION_AHEAD,
        "other.000001:4": Fault.POSITION_INVALID,
    }.items():
        begins(story, file_and_position=wrong)
        finding = next(one for one in story.checked() if one.item == "srcStartPositionCheck")
        assert finding.result == "FAILED" and wrong in finding.message
        with pytest.raises(DrsError) as raised:
            story.play()
        assert raised.value.fault is fault
        with pytest.raises(DrsError) as raised:
            story.play(check=True)
        assert raised.value.fault is Fault.PRECHECK_FAILED and "srcStartPositionCheck" in raised.value.message
    assert rows(story) == []
    begins(story, file_and_position=place)
    story.play(check=True)
    assert rows(story) == [(2, "b")]


def test_a_job_with_a_load_begins_where_its_load_does(begun: Begun) -> None:
    """Whatever stands in its policy."""
    story = begun((T,), ())
    begins(story, file_and_position="other.000001:4")
    story.task = "full+incremental"
    story.at_source("INSERT INTO t VALUES (1, 'a')")
    story.ends_equal()
    assert Policy(start=StartPosition(time="2026-11-30T07:00:00Z")).start is not None
