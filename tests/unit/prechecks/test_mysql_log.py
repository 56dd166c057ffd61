"""The looks at a source's binary log."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.engines.mysql import prechecks_log as looks
from opendrs.model.precheck import Unseen
from opendrs.model.selection import Selection
from tests.unit.prechecks.mysql_fakes import MARIADB, MYSQL, STATUS, asked, denied, refused, server


@pytest.mark.parametrize(("value", "result"), [("ON", "PASSED"), ("OFF", "FAILED")])
def test_log_is_on(value: str, result: str) -> None:
    assert looks.log_is_on(server(settings={"log_bin": value})).result == result


@pytest.mark.parametrize(("value", "result"), [("ROW", "PASSED"), ("MIXED", "FAILED"), ("STATEMENT", "FAILED")])
def test_format(value: str, result: str) -> None:
    verdict = looks.row_format(server(settings={"binlog_format": value}))
    assert verdict.result == result
    assert ("SET PERSIST binlog_format = 'ROW';" in verdict.remedy) == (result == "FAILED")


@pytest.mark.parametrize(
    ("value", "result"), [("FULL", "PASSED"), ("MINIMAL", "FAILED"), ("NOBLOB", "FAILED"), ("FULL_NODUP", "FAILED")]
)
def test_image(value: str, result: str) -> None:
    assert looks.row_image(server(settings={"binlog_row_image": value})).result == result


@pytest.mark.parametrize(
    ("value", "result"), [("FULL", "PASSED"), ("MINIMAL", "ALARM"), ("NO_LOG", "ALARM"), (None, "ALARM")]
)
def test_metadata(value: str | None, result: str) -> None:
    assert looks.row_metadata(server(settings={"binlog_row_metadata": value})).result == result


@pytest.mark.parametrize(
    ("only", "without", "pattern", "result"),
    [
        ("", "", "shop.*", "PASSED"),
        ("shop", "", "shop.*", "PASSED"),
        ("other", "", "shop.*", "FAILED"),
        ("", "shop", "shop.*", "FAILED"),
        ("", "other", "shop.*", "PASSED"),
        ("shop", "", "*.*", "FAILED"),
        ("", "mysql", "*.*", "PASSED"),
    ],
)
def test_filters(only: str, without: str, pattern: str, result: str) -> None:
    source = server(
        ("STATUS", [{**STATUS, "Binlog_Do_DB": only, "Binlog_Ignore_DB": without}]),
        ("SCHEMATA", [{"SCHEMA_NAME": name} for name in ("shop", "other", "mysql")]),
        selection=Selection(patterns=(pattern,)),
    )
    assert looks.filters(source).result == result


def test_filters_cannot_be_seen_without_replication_client() -> None:
    with pytest.raises(Unseen, match="REPLICATION CLIENT"):
        looks.filters(server(("STATUS", denied())))


def test_no_filters_are_looked_for_in_a_log_that_is_off() -> None:
    assert looks.filters(server(("STATUS", []))).result == "PASSED"


def test_storage() -> None:
    assert looks.storage(server(version=MARIADB)).result == "PASSED"
    assert looks.storage(server(version=MARIADB, settings={"binlog_storage_engine": "innodb"})).result == "FAILED"


DAYS = {"binlog_expire_logs_seconds": None, "binlog_expire_logs_auto_purge": None}


@pytest.mark.parametrize(
    ("version", "settings", "result", "remedy"),
    [
        (MYSQL, {}, "PASSED", ""),
        (MYSQL, {"binlog_expire_logs_seconds": "0"}, "ALARM", "SET PERSIST binlog_expire_logs_seconds = 604800;"),
        (MYSQL, {"binlog_expire_logs_seconds": "3600"}, "ALARM", "SET PERSIST binlog_expire_logs_seconds = 604800;"),
        (MYSQL, {"binlog_expire_logs_auto_purge": "OFF"}, "ALARM", "SET PERSIST binlog_expire_logs_auto_purge = ON;"),
        # Of the two settings, the one that is not 0 holds.
        ("8.0.36", {"expire_logs_days": "0"}, "PASSED", ""),
        ("8.0.36", {"expire_logs_days": "10", "binlog_expire_logs_seconds": "0"}, "PASSED", ""),
        ("5.7.44", {**DAYS, "expire_logs_days": "0"}, "ALARM", "SET GLOBAL expire_logs_days = 7;"),
        ("5.7.44", {**DAYS, "expire_logs_days": "2"}, "ALARM", "SET GLOBAL expire_logs_days = 7;"),
        ("5.7.44", {**DAYS, "expire_logs_days": "3"}, "PASSED", ""),
        (
            MARIADB,
            {"binlog_expire_logs_seconds": "0", "expire_logs_days": "0.000000"},
            "ALARM",
            "SET GLOBAL binlog_expire",
        ),
        (MARIADB, {"binlog_expire_logs_seconds": None, "expire_logs_days": "3.5"}, "PASSED", ""),
        (MARIADB, {"max_binlog_total_size": "1073741824"}, "ALARM", "SET GLOBAL max_binlog_total_size = 0;"),
    ],
)
def test_retention(version: str, settings: dict[str, str | None], result: str, remedy: str) -> None:
    verdict = looks.retention(server(version=version, settings=settings))
    assert verdict.result == result
    assert remedy in verdict.remedy
    assert bool(verdict.remedy) == (result != "PASSED")


def replicas(*ids: int) -> tuple[str, list[dict[str, Any]]]:
    return ("SHOW (REPLICAS|SLAVE HOSTS)", [{"Server_Id": str(one), "Host": "r"} for one in ids])


@pytest.mark.parametrize(
    ("own", "ours", "taken", "result"),
    [
        ("0", 0, (), "FAILED"),
        ("7", 0, (), "PASSED"),
        ("7", 7, (), "FAILED"),
        ("7", 9, (), "PASSED"),
        ("7", 9, (8,), "PASSED"),
        ("7", 9, (8, 9), "FAILED"),
    ],
)
@pytest.mark.parametrize("version", [MYSQL, MARIADB, "5.7.44"])
def test_identity(version: str, own: str, ours: int, taken: tuple[int, ...], result: str) -> None:
    source = server(replicas(*taken), version=version, settings={"server_id": own}, server_id=ours)
    assert looks.identity(source).result == result


@pytest.mark.parametrize(
    ("version", "privilege"),
    [(MYSQL, "REPLICATION SLAVE"), (MARIADB, "REPLICATION MASTER ADMIN"), ("10.4.34-MariaDB", "REPLICATION SLAVE")],
)
def test_other_replicas_cannot_be_seen_without_a_privilege(version: str, privilege: str) -> None:
    with pytest.raises(Unseen) as unseen:
        looks.identity(server(("REPLICAS|HOSTS", denied()), version=version, server_id=9))
    assert unseen.value.remedy == f"GRANT {privilege} ON *.* TO 'u'@'%';"


OFF = {"log_slave_updates": "OFF"}
REPLICA_STATUS = r"SHOW (REPLICA|SLAVE|ALL SLAVES) STATUS"


@pytest.mark.parametrize(
    ("version", "statement"),
    [(MYSQL, "SHOW REPLICA STATUS"), ("8.0.20", "SHOW SLAVE STATUS"), (MARIADB, "SHOW ALL SLAVES STATUS")],
)
def test_replica_updates(version: str, statement: str) -> None:
    assert looks.replica_updates(server(version=version)).result == "PASSED"
    alone = server((REPLICA_STATUS, []), version=version, settings=OFF)
    assert looks.replica_updates(alone).result == "PASSED"
    assert statement in asked(alone)
    replica = server((REPLICA_STATUS, [{"Source_Host": "m"}]), version=version, settings=OFF)
    assert looks.replica_updates(replica).result == "FAILED"


def test_whether_it_is_a_replica_cannot_be_seen_without_a_privilege() -> None:
    for version, privilege in ((MYSQL, "REPLICATION CLIENT"), (MARIADB, "SLAVE MONITOR")):
        with pytest.raises(Unseen, match=privilege):
            looks.replica_updates(server((REPLICA_STATUS, denied()), version=version, settings=OFF))


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("OFF", ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"]),
        ("OFF_PERMISSIVE", ["ON_PERMISSIVE", "ON"]),
        ("ON_PERMISSIVE", ["ON"]),
    ],
)
def test_gtids_are_turned_on_step_by_step(mode: str, left: list[str]) -> None:
    verdict = looks.gtids(server(settings={"gtid_mode": mode}))
    assert verdict.result == "ALARM"
    steps = [line for line in verdict.remedy.splitlines() if "gtid_mode" in line]
    assert steps == [f"SET PERSIST gtid_mode = {step};" for step in left]


def test_gtids_are_there() -> None:
    assert looks.gtids(server()).result == "PASSED"
    assert looks.gtids(server(version=MARIADB)).result == "PASSED"


@pytest.mark.parametrize(("value", "result"), [("ON", "PASSED"), ("OFF", "ALARM"), (None, "PASSED")])
def test_order_of_commits(value: str | None, result: str) -> None:
    assert looks.order_of_commits(server(settings={"binlog_order_commits": value})).result == result


XA = {"formatID": "1", "gtrid_length": "2", "bqual_length": "1", "data": "0x61620a"}


def test_a_prepared_transaction_that_stays() -> None:
    verdict = looks.prepared(server(("XA RECOVER", [XA])))
    assert verdict.result == "FAILED"
    assert "XA COMMIT x'6162', x'0a', 1;" in verdict.remedy
    verdict = looks.prepared(server(("XA RECOVER FORMAT='SQL'", [{"data": "'ab',X'0a',7"}]), version=MARIADB))
    assert "XA COMMIT 'ab',X'0a',7;" in verdict.remedy


def test_prepared_transactions_that_come_and_go() -> None:
    """Applications that use XA always have some; a new one is not waited for."""
    looked = 0

    def busy(sql: str) -> list[dict[str, str]]:
        nonlocal looked
        looked += 1
        return [{**XA, "data": f"0x61620{looked % 10}"}]

    assert looks.prepared(server(("XA RECOVER", busy))).result == "PASSED"
    assert looks.prepared(server(("XA RECOVER", []))).result == "PASSED"


def test_prepared_transactions_cannot_be_seen_without_a_privilege() -> None:
    with pytest.raises(Unseen) as unseen:
        looks.prepared(server(("XA RECOVER", refused(1401, "XAER_RMERR"))))
    assert unseen.value.remedy == "GRANT XA_RECOVER_ADMIN ON *.* TO 'u'@'%';"
