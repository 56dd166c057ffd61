"""What the prechecks say of the place in the log that a job is to begin at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.engines.mysql import prechecks_log, prechecks_start
from opendrs.engines.mysql.history import Since
from opendrs.engines.mysql.position import LogPosition
from opendrs.engines.mysql.prechecks import Server
from opendrs.engines.mysql.starting import Start
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import CreateTable, DropTable
from opendrs.model.catalog import Catalog, Table, TableName
from opendrs.model.event import SchemaChange
from opendrs.model.job import Policy, Task
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition
from tests.unit.prechecks.mysql_fakes import MARIADB, objects, server

AT = LogPosition('{"version":1,"kind":"mariadb-gtid","server":"s","gtid":"0-1-2","file":{"file":"b.000001","pos":805}}')
FOUND = Start(position=AT, place="b.000001:805", gtid_set="0-1-2", moment_us=1_796_000_000_000_000)
T = TableName("s", "t")


def beginning(found: Start | DrsError, *, task: Task = "incremental", since: Any = None) -> Server:
    """A server for a job that is to begin somewhere."""

    def place(*_: object) -> Start:
        if isinstance(found, DrsError):
            raise found
        return found

    made = server(
        ("XA RECOVER", [{"data": "'x'"}]), version=MARIADB, task=task,
        policy=Policy(start=StartPosition(file_and_position="b.000001:805")),
    )  # fmt: skip
    return replace(made, place=place, since=lambda *_: since)


def test_a_place_where_a_job_can_begin() -> None:
    found = prechecks_start.begin(beginning(FOUND))
    assert found.result == "PASSED"
    assert found.message == "The job begins at b.000001:805, in front of a transaction of 2026-11-30T00:53:20Z"
    behind = prechecks_start.begin(beginning(replace(FOUND, place="", moment_us=None)))
    assert behind.message == "The job begins behind 0-1-2"
    assert prechecks_start.begin(beginning(replace(FOUND, moment_us=None))).message.endswith("where the log ends now")
    held = LogPosition(AT.text[:-1] + ',"restart":{"gtid":"0-1-1"}}')
    assert "XA transactions" in prechecks_start.begin(beginning(replace(FOUND, position=held))).message


@pytest.mark.parametrize("fault", ["TIME_BEFORE_LOG", "POSITION_INVALID", "POSITION_AHEAD", "LOG_PURGED"])
def test_a_place_where_none_can(fault: str) -> None:
    details = {"position": "p", "reason": "r", "file": "f", "begin": "b", "time": "t"}
    error = DrsError(Fault[fault], **details)
    found = prechecks_start.begin(beginning(error))
    assert (found.result, found.message, found.remedy) == ("FAILED", error.message, error.hint)
    assert prechecks_start.look_through(beginning(error), Catalog()) is None


def test_what_cannot_be_looked_at() -> None:
    error = DrsError(Fault.PRIVILEGE_MISSING, endpoint="e", what="do this", reason="r")
    with pytest.raises(DrsError) as raised:
        prechecks_start.begin(beginning(error))
    assert raised.value is error


def test_no_place_in_particular() -> None:
    for made in (server(task="incremental"), beginning(FOUND, task="full+incremental")):
        assert made.begin is None
        assert "where the log ends" in prechecks_start.begin(made).message
        assert prechecks_start.definitions(objects(made)) == []


def looked(*alterations: Any, whole: bool = True) -> Since:
    found = Since(Selection(databases=frozenset({"s"})))
    for alteration in alterations:
        found.take(SchemaChange(alterations=(alteration,), statement="DDL", position=AT))
    found.reach(AT)
    found.whole = whole
    return found


def test_tables_that_are_as_they_were() -> None:
    made = beginning(FOUND, since=looked(CreateTable(Table(name=T, columns=()))))
    since = prechecks_start.look_through(made, Catalog())
    assert prechecks_start.made(since) == {T}
    (found,) = prechecks_start.definitions(replace(objects(made), since=since))
    assert found.result == "PASSED" and "the log makes 1 table that came since: s.t" in found.message


def test_tables_that_are_not() -> None:
    (found,) = prechecks_start.definitions(replace(objects(beginning(FOUND)), since=looked(DropTable(T))))
    assert found.result == "FAILED" and "s.t" in found.message and "b.000001:805" in found.message


def test_a_log_that_is_longer_than_a_precheck() -> None:
    (found,) = prechecks_start.definitions(replace(objects(beginning(FOUND)), since=looked(whole=False)))
    assert found.result == "ALARM" and "up to b.000001:805" in found.message


def test_a_log_that_cannot_be_looked_through() -> None:
    error = DrsError(Fault.STATEMENT_LOGGED, table="s.t", position="p")

    def since(*_: object) -> Since:
        raise error

    made = replace(beginning(FOUND), since=since)
    assert prechecks_start.look_through(made, Catalog()) is error and prechecks_start.made(error) == frozenset()
    with pytest.raises(DrsError) as raised:
        prechecks_start.definitions(replace(objects(made), since=error))
    assert raised.value is error


def test_prepared_transactions_are_no_obstacle_to_such_a_job() -> None:
    """It reads them; only one from long before is not seen."""
    assert prechecks_log.prepared(beginning(FOUND)).result == "ALARM"
    assert prechecks_log.prepared(beginning(FOUND, task="full+incremental")).result == "FAILED"
