"""The looks at a source's settings and state."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql import prechecks_settings as looks
from opendrs.engines.mysql.prechecks import Suspect
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.job import Policy
from opendrs.model.precheck import Unseen
from tests.unit.prechecks.mysql_fakes import MARIADB, MYSQL, denied, not_let, objects, server, table


def test_the_connection_says_who_we_are() -> None:
    assert looks.connection(server()).message == "Logged in at mysql://u@db:3306/ as 'u'@'%'"


@pytest.mark.parametrize(
    ("version", "result"),
    [
        ("5.6.51-log", "FAILED"),
        ("5.7.44", "PASSED"),
        ("8.0.36", "PASSED"),
        ("9.7.4-2", "PASSED"),
        ("10.0.38-MariaDB", "FAILED"),
        ("10.3.39-MariaDB", "FAILED"),
        ("5.5.5-10.4.34-MariaDB-log", "PASSED"),
        ("11.8.9-MariaDB", "PASSED"),
        ("12.1.2-MariaDB", "ALARM"),
        ("9.8.0", "ALARM"),
    ],
)
def test_version(version: str, result: str) -> None:
    verdict = looks.version(server(version=version))
    assert verdict.result == result
    assert bool(verdict.remedy) == (result != "PASSED")


@pytest.mark.parametrize(("nbytes", "result"), [("1048576", "ALARM"), ("16777216", "PASSED")])
def test_packet(nbytes: str, result: str) -> None:
    assert looks.packet(server(settings={"max_allowed_packet": nbytes})).result == result


@pytest.mark.parametrize(
    ("zone", "system", "result"),
    [
        ("SYSTEM", "UTC", "PASSED"),
        ("SYSTEM", "CET", "PASSED"),
        ("SYSTEM", "CEST", "ALARM"),
        ("+05:30", "CEST", "PASSED"),
        ("Europe/Berlin", "CEST", "PASSED"),
    ],
)
def test_time_zone(zone: str, system: str, result: str) -> None:
    found = looks.server_time_zone(server(settings={"time_zone": zone, "system_time_zone": system}))
    assert found.result == result


@pytest.mark.parametrize(("value", "result"), [("0", "PASSED"), ("1", "PASSED"), ("2", "ALARM")])
def test_letter_case(value: str, result: str) -> None:
    assert looks.letter_case(server(settings={"lower_case_table_names": value})).result == result


@pytest.mark.parametrize(
    ("used", "own", "result"), [("1", "0", "PASSED"), ("148", "0", "ALARM"), ("1", "3", "ALARM"), ("1", "50", "PASSED")]
)
def test_sessions(used: str, own: str, result: str) -> None:
    status = ("Threads_connected", [{"Variable_name": "Threads_connected", "Value": used}])
    assert looks.sessions(server(status, settings={"max_user_connections": own})).result == result


def test_long_transactions() -> None:
    innodb = "INNODB_TRX"
    assert looks.long_transactions(server((innodb, []))).result == "PASSED"
    verdict = looks.long_transactions(server((innodb, [{"thread": "42", "seconds": "3600"}])))
    assert verdict.result == "ALARM"
    assert "connection 42 (3600 s)" in verdict.message
    assert "KILL 42;" in verdict.remedy


@pytest.mark.parametrize("error", [denied(), not_let()])
def test_long_transactions_cannot_be_seen_without_process(error: DrsError) -> None:
    with pytest.raises(Unseen) as unseen:
        looks.long_transactions(server(("INNODB_TRX", error)))
    assert unseen.value.remedy == "GRANT PROCESS ON *.* TO 'u'@'%';"


DAY = Suspect(place="day", loss="impossible-date", meaning="a date")
LAX = {"sql_mode": "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"}


@pytest.mark.parametrize(
    ("settings", "policy", "result"),
    [
        ({}, Policy(), "PASSED"),
        (LAX, Policy(), "ALARM"),
        (LAX, Policy(invalid_dates="null"), "PASSED"),
        ({"sql_mode": "NO_ZERO_DATE,NO_ZERO_IN_DATE"}, Policy(), "ALARM"),
        ({"sql_mode": "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ALLOW_INVALID_DATES"}, Policy(), "ALARM"),
    ],
)
def test_strict_dates(settings: dict[str, str], policy: Policy, result: str) -> None:
    source = server(settings=settings, policy=policy)
    seen = objects(source, table(), suspects={TableName("shop", "orders"): [DAY]})
    assert looks.strict_dates(seen).result == result


def test_a_lax_sql_mode_does_not_matter_without_dates() -> None:
    assert looks.strict_dates(objects(server(settings=LAX), table())).result == "PASSED"


def test_clock() -> None:
    assert looks.clock_offset_s(server(("UNIX_TIMESTAMP", [{"it": "0.5"}]))) < -1e9


@pytest.mark.parametrize(
    ("version", "statement"),
    [(MYSQL, "SET PERSIST a = 1;"), ("5.7.44", "SET GLOBAL a = 1;"), (MARIADB, "SET GLOBAL a = 1;")],
)
def test_a_change_of_a_setting_outlives_a_restart(version: str, statement: str) -> None:
    remedy = server(version=version).change("a", "1")
    assert remedy.splitlines()[0] == statement
    assert "PERSIST" in remedy or "option file" in remedy
