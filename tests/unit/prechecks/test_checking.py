"""Putting both sides of a check together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from opendrs.engines.mysql import prechecks as mysql
from opendrs.engines.postgres import prechecks as postgres
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Policy, Task, replica_id
from opendrs.model.precheck import ALL, LOAD, LOG, Precheck, Unseen, Verdict, alarm, failed, passed
from opendrs.model.selection import Selection
from opendrs.worker import checking
from opendrs.worker.checking import Options, check, demand
from opendrs.worker.flows import checks_postgres
from opendrs.worker.looking import look
from tests.unit.prechecks import mysql_fakes, postgres_fakes

SOURCE = Endpoint.parse("mysql://u:secret@db:3306")
TARGET = Endpoint.parse("postgresql://u:secret@pg:5432/d")


def row(make: Any, **facts: Any) -> Precheck[str]:
    given: dict[str, Any] = {"item": "srcThing", "group": "db_params", "side": "source", "looks_at": "it", "why": "so"}
    return Precheck(**{**given, **facts, "look": make})


def raising(error: Exception) -> Any:
    def raised(seen: str) -> Verdict:
        raise error

    return raised


# --- one look ---


def test_a_look_gives_one_verdict_or_several() -> None:
    assert look(row(passed), "fine") == [passed("fine")]
    assert look(row(lambda seen: [alarm("a"), failed("b", "c")]), "") == [alarm("a"), failed("b", "c")]


@pytest.mark.parametrize("unseen", ["ALARM", "FAILED"])
def test_a_missing_privilege_is_a_finding(unseen: Any) -> None:
    one = row(raising(Unseen("cannot be seen", "GRANT IT;")), unseen=unseen)
    assert look(one, "") == [Verdict(unseen, "cannot be seen", "GRANT IT;")]
    for error in (mysql_fakes.denied(), mysql_fakes.not_let()):
        assert [verdict.result for verdict in look(row(raising(error), unseen=unseen), "")] == [unseen]


def test_another_error_is_a_finding_too() -> None:
    (verdict,) = look(row(raising(mysql_fakes.refused(1146, "no such table"))), "")
    assert verdict.result == "FAILED" and "no such table" in verdict.message and verdict.remedy


def test_a_mistake_of_ours_is_a_finding_too(caplog: pytest.LogCaptureFixture) -> None:
    (verdict,) = look(row(raising(KeyError("oops"))), "")
    assert verdict.result == "FAILED" and "KeyError" in verdict.message
    assert "a precheck broke" in caplog.text


@pytest.mark.parametrize(
    ("tasks", "task", "concerned"),
    [(ALL, "incremental", True), (LOAD, "full", True), (LOAD, "incremental", False), (LOG, "full", False)],
)
def test_tasks(tasks: frozenset[Task], task: Task, concerned: bool) -> None:
    assert row(lambda seen: passed(""), tasks=tasks).concerns(task) is concerned


# --- a whole check ---


class FakeSession:
    """In the place of both engines' sessions."""

    def __init__(self, asked: Any) -> None:
        self.endpoint = asked.endpoint
        self.query = asked.query
        self.execute = asked.query

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Precheck[Any]]]:
    """The tables of prechecks, empty but for what a test puts in; sessions that answer nothing."""
    rows: dict[str, list[Precheck[Any]]] = {
        name: []
        for name in ("mysql.SERVER", "mysql.OBJECTS", "postgres.SERVER", "postgres.IN_DATABASE", "postgres.OBJECTS")
    }
    for name, listed in rows.items():
        engine, _, table = name.partition(".")
        monkeypatch.setattr(mysql if engine == "mysql" else postgres, table, listed)
    monkeypatch.setattr(postgres, "ARRIVAL", [])
    monkeypatch.setattr(mysql, "clock_offset_s", lambda server: 0.0)
    sessions(monkeypatch)
    return rows


def sessions(
    monkeypatch: pytest.MonkeyPatch,
    source: DrsError | None = None,
    target: DrsError | None = None,
) -> None:
    def open_source(endpoint: Endpoint) -> FakeSession:
        if source is not None:
            raise source
        return FakeSession(mysql_fakes.Asked([(r"SELECT version\(\)", [{"VERSION": "9.7.4"}]), (".", [])]))

    def open_target(endpoint: Endpoint, application: str) -> FakeSession:
        if target is not None and endpoint.database != "postgres":
            raise target
        return FakeSession(postgres_fakes.Asked([(".", [("x",)])], {}))

    monkeypatch.setattr(checking, "Session", open_source)
    monkeypatch.setattr(checks_postgres, "Session", open_target)


def made(task: Task = "full+incremental", target: Endpoint | None = TARGET, **options: Any) -> list[Finding]:
    return check(SOURCE, target, Selection(), Policy(), task, Options(**options))


def told(found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.item, finding.result) for finding in found]


def test_no_finding_hides_another(tables: dict[str, list[Precheck[Any]]]) -> None:
    tables["mysql.SERVER"] += [
        row(raising(KeyError("oops")), item="srcA"),
        row(lambda seen: failed("no", "do"), item="srcB"),
        row(raising(mysql_fakes.refused(1)), item="srcC"),
    ]
    tables["mysql.OBJECTS"] += [
        row(raising(Unseen("no", "GRANT;")), item="srcD"),
        row(lambda seen: passed(""), item="srcE"),
    ]
    tables["postgres.OBJECTS"] += [row(lambda seen: alarm("hm"), item="dstF")]
    assert told(made()) == [
        ("srcA", "FAILED"), ("srcB", "FAILED"), ("srcC", "FAILED"), ("srcD", "ALARM"), ("srcE", "PASSED"), ("dstF", "ALARM"),
    ]  # fmt: skip


def test_only_what_concerns_the_task_is_looked_at(tables: dict[str, list[Precheck[Any]]]) -> None:
    tables["mysql.SERVER"] += [
        row(lambda seen: passed(""), item="srcLog", tasks=LOG),
        row(lambda seen: passed(""), tasks=LOAD),
    ]
    assert told(made("full")) == [("srcThing", "PASSED")]
    assert told(made("incremental")) == [("srcLog", "PASSED")]


def test_without_a_target_its_state_is_not_looked_at(tables: dict[str, list[Precheck[Any]]]) -> None:
    tables["postgres.SERVER"] += [row(lambda seen: passed(""), item="dstThing")]
    assert told(made(target=None)) == []
    assert told(made()) == [("dstThing", "PASSED")]


def test_a_source_that_cannot_be_reached_does_not_hide_the_target(
    tables: dict[str, list[Precheck[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables["mysql.SERVER"] += [mysql.CONNECTION, row(lambda seen: passed(""), item="srcB")]
    tables["postgres.SERVER"] += [row(lambda seen: passed(""), item="dstA")]
    tables["postgres.OBJECTS"] += [row(lambda seen: passed(""), item="dstB")]
    sessions(monkeypatch, source=DrsError(Fault.SOURCE_UNREACHABLE, endpoint=SOURCE, reason="refused"))
    found = made()
    assert told(found) == [("srcDbConnection", "FAILED"), ("dstA", "PASSED")]
    assert "secret" not in found[0].message and "further checks need it" in found[0].message


def test_a_catalog_that_cannot_be_read(tables: dict[str, list[Precheck[Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    tables["mysql.SERVER"] += [row(lambda seen: passed(""), item="srcA")]
    tables["postgres.SERVER"] += [row(lambda seen: passed(""), item="dstA")]
    tables["mysql.OBJECTS"] += [mysql.CATALOG, row(passed, item="srcB"), row(passed, item="srcLoad", tasks=LOAD)]
    tables["postgres.OBJECTS"] += [row(passed, item="dstB")]
    monkeypatch.setattr(checking, "read_catalog", raising_catalog)
    found = made("incremental")
    assert told(found) == [("srcA", "PASSED"), ("userSelectObjectsCheck", "FAILED"), ("dstA", "PASSED")]
    assert "a type nobody knows" in found[1].message
    # What could not be looked at for want of it is named.
    assert found[1].message.endswith("Not looked at for want of it: srcB, dstB")


def raising_catalog(*_: object) -> Any:
    raise DrsError(Fault.UNSUPPORTED, what="a type nobody knows")


def test_a_database_that_is_not_there_does_not_hide_the_server(
    tables: dict[str, list[Precheck[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables["postgres.SERVER"] += [row(lambda seen: passed(""), item="dstA")]
    tables["postgres.IN_DATABASE"] += [row(lambda seen: passed(""), item="dstB")]
    absent = DrsError(Fault.ENDPOINT_INVALID, endpoint=TARGET, reason="no database; SQLSTATE 3D000")
    sessions(monkeypatch, target=absent)
    assert told(made()) == [("dstDbNameCheck", "FAILED"), ("dstA", "PASSED")]
    unnamed = Endpoint.parse("postgresql://u@pg:5432")
    assert told(made(target=unnamed)) == [("dstDbNameCheck", "FAILED"), ("dstA", "PASSED")]


def test_what_can_be_accepted(tables: dict[str, list[Precheck[Any]]]) -> None:
    tables["mysql.SERVER"] += [
        row(lambda seen: failed("lost", "mend"), item="srcLoss", acceptable=True),
        row(lambda seen: failed("broken", "mend"), item="srcBroken"),
    ]
    loss, _ = made()
    assert loss.result == "FAILED" and loss.remedy.splitlines()[-1] == "Or accept it: --accept srcLoss"
    loss, other = made(accepted=["srcLoss", "srcBroken"])
    assert (loss.result, other.result) == ("ALARM", "FAILED")
    assert loss.message == "Accepted: lost"


def test_only_what_can_be_accepted_may_be_named() -> None:
    assert checking.acceptable(["dstDbDiskSize"]) == {"dstDbDiskSize"}
    for item in ("srcDbConnection", "nothing"):
        with pytest.raises(DrsError) as error:
            checking.acceptable([item])
        assert error.value.fault is Fault.SETTING_INVALID


def finding(item: str, result: Any, group: str = "db_params") -> Finding:
    return Finding(item=item, group=group, result=result, message="")


def test_failures_stop_a_job_and_alarms_do_not() -> None:
    demand([finding("a", "PASSED"), finding("b", "ALARM")])
    with pytest.raises(DrsError) as error:
        demand([finding("a", "FAILED"), finding("b", "ALARM"), finding("c", "FAILED"), finding("a", "FAILED")])
    assert error.value.fault is Fault.PRECHECK_FAILED
    assert error.value.details == {"count": "3", "names": "a, c"}


def test_people_read_failures_first() -> None:
    found = [
        finding("a", "PASSED", "network"),
        finding("b", "PASSED", "db_params"),
        finding("c", "FAILED", "db_params"),
        finding("d", "ALARM", "db_version"),
        finding("e", "ALARM", "db_params"),
    ]
    assert [one.item for one in checking.by_weight(found)] == ["c", "e", "b", "d", "a"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("postgresql://u@a:1/d", "postgresql://u@b:1/d"),
        ("mysql://u@a:1", "mysql://u@b:1"),
        ("postgresql://u@a:1/d", None),
    ],
)
def test_pairs_that_are_not_supported(source: str, target: str | None) -> None:
    with pytest.raises(DrsError) as error:
        check(Endpoint.parse(source), Endpoint.parse(target) if target else None, Selection(), Policy(), "full")
    assert error.value.fault is Fault.UNSUPPORTED


def test_our_id_as_a_replica() -> None:
    assert replica_id(Policy(server_id=7), "ffffffff00") == 7
    assert 1 << 16 <= replica_id(Policy(), "00000000aa") < 1 << 32
    assert 1 << 16 <= replica_id(Policy(), "ffffffffaa") < 1 << 32
