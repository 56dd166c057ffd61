"""A source that is set up wrongly, and set right by what the findings say."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from opendrs.worker.checking import Options
from tests.harness import Options as ServerOptions
from tests.harness import Server
from tests.harness.fixtures import StartServer
from tests.harness.mysql_family import FamilyServer
from tests.integration.prechecks.findings import carry_out, findings, items, of

# A log that nothing could be replicated from; each of these has a finding of its own.
WRONG = {
    "binlog_format": "STATEMENT",
    "binlog_row_image": "MINIMAL",
    "binlog_row_metadata": "MINIMAL",
    "binlog_expire_logs_seconds": 3600,
    "max_allowed_packet": "1M",
    "sql_mode": "",
}
ITEMS = {
    "srcBinlogFormatCheck": "FAILED",
    "srcBinlogRowImageCheck": "FAILED",
    "srcBinlogRowMetadataCheck": "ALARM",
    "srcDbBinlogExpireLogsDays": "ALARM",
    "MysqlSourceMaxAllowedPacketActionChecker": "ALARM",
    "srcSqlModeCheck": "ALARM",
}
MYSQL_WRONG = {**WRONG, "gtid_mode": "OFF", "enforce_gtid_consistency": "OFF", "binlog_order_commits": "OFF"}
MYSQL_ITEMS = {**ITEMS, "srcGtidStatusCheck": "ALARM", "srcBinlogOrderCommitsCheck": "ALARM"}
# What only an application can mend.
STAYS = {"srcSqlModeCheck"}

SERVERS = [("mariadb", WRONG, ITEMS), ("mariadb11", WRONG, ITEMS), ("mysql", MYSQL_WRONG, MYSQL_ITEMS)]


@pytest.mark.parametrize(("name", "settings", "expected"), SERVERS, ids=[name for name, *_ in SERVERS])
def test_everything_that_is_wrong_is_found_at_once_and_can_be_mended(
    start_server: StartServer, name: str, settings: dict[str, str | int], expected: dict[str, str]
) -> None:
    server = start_server(name, ServerOptions(settings=settings))
    server.create_database("shop")
    server.execute("CREATE TABLE shop.days (id INT PRIMARY KEY, day DATE)")
    found = findings(server)
    for item, result in expected.items():
        assert of(found, item).result == result, item
    carry_out(server, *(of(found, item) for item in expected))
    again = findings(server)
    left = {item for item in expected if of(again, item).result != "PASSED"}
    assert left == STAYS


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_the_log_is_off(start_server: StartServer, name: str) -> None:
    server = start_server(name, ServerOptions(settings={"skip_log_bin": "ON", **off(name)}))
    server.create_database("shop")
    server.execute("CREATE TABLE shop.t (id INT PRIMARY KEY)")
    found = findings(server)
    assert of(found, "srcDbBinlogIsOff").result == "FAILED"
    assert of(found, "srcBinlogFilterCheck").result == "PASSED"
    # A load alone needs no log.
    assert items(findings(server, task="full"), "FAILED") == set()


def off(name: str) -> dict[str, str | int]:
    """What else a server without a log wants."""
    return {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"} if name == "mysql" else {"log_slave_updates": "OFF"}


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_databases_that_are_not_logged(start_server: StartServer, name: str) -> None:
    server = start_server(name, ServerOptions(settings={"binlog_ignore_db": "shop"}))
    server.create_database("shop")
    server.create_database("other")
    for database in ("shop", "other"):
        server.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)")
    finding = of(findings(server), "srcBinlogFilterCheck")
    assert finding.result == "FAILED" and "shop" in finding.message
    assert of(findings(server, None, "other.*"), "srcBinlogFilterCheck").result == "PASSED"


def test_server_ids(start_server: StartServer) -> None:
    server = start_server("mysql", ServerOptions(settings={"server_id": 0}))
    finding = of(findings(server), "srcDbServerIdCheck")
    assert finding.result == "FAILED"
    carry_out(server, finding)
    assert of(findings(server), "srcDbServerIdCheck").result == "PASSED"
    taken = of(findings(server, options=Options(server_id=1)), "srcDbServerIdCheck")
    assert taken.result == "FAILED" and "that of the source" in taken.message
    assert of(findings(server, options=Options(server_id=99)), "srcDbServerIdCheck").result == "PASSED"


@pytest.mark.parametrize("name", ["mariadb", "mariadb11", "mysql"])
def test_a_server_as_it_should_be(request: pytest.FixtureRequest, name: str) -> None:
    server: Server = request.getfixturevalue({"mariadb11": "mariadb_11"}.get(name, name))
    found = findings(server, None, "nothing.*")
    # Nothing is selected, and that is all.
    assert items(found, "FAILED") == {"userSelectObjectsCheck"}
    server.create_user("everything", "Secret-1-everything", privileges="ALL PRIVILEGES")  # type: ignore[attr-defined]
    alarms = items(findings(server, None, "nothing.*", user="everything"), "ALARM")
    assert alarms <= {"srcDbBinlogExpireLogsDays", "srcDbVersionSupport"}


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_our_id_is_that_of_another_replica(request: pytest.FixtureRequest, name: str) -> None:
    server: FamilyServer = request.getfixturevalue(name)
    server.create_user("replica", "Secret-1-replica", privileges="ALL PRIVILEGES")
    with server.connect(user="replica") as connection:
        register(connection, 4711, "elsewhere")
        found = findings(server, None, "nothing.*", user="replica", options=Options(server_id=4711))
        finding = of(found, "srcDbServerIdCheck")
        assert finding.result == "FAILED" and "elsewhere" in finding.message
    found = findings(server, None, "nothing.*", user="replica", options=Options(server_id=4712))
    assert of(found, "srcDbServerIdCheck").result == "PASSED"


def register(connection: Any, server_id: int, host: str) -> None:
    """COM_REGISTER_SLAVE: id, host, user, password, port, rank, id of the source."""
    name = host.encode()
    body = struct.pack("<I", server_id) + bytes([len(name)]) + name + b"\0\0" + struct.pack("<HII", 3306, 0, 0)
    connection._execute_command(0x15, body)
    connection._read_ok_packet()


@pytest.mark.parametrize(
    ("name", "become"),
    [
        ("mariadb", "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'nobody'"),
        ("mysql", "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1, SOURCE_USER = 'nobody'"),
    ],
)
def test_a_replica_that_does_not_log_what_it_receives(start_server: StartServer, name: str, become: str) -> None:
    server = start_server(name, ServerOptions(settings={"log_slave_updates": "OFF"}))
    server.create_user("everything", "Secret-1-everything", privileges="ALL PRIVILEGES")  # type: ignore[attr-defined]
    assert of(findings(server, None, "no.*", user="everything"), "srclogSlaveUpdatesCheck").result == "PASSED"
    server.execute(become)
    assert of(findings(server, None, "no.*", user="everything"), "srclogSlaveUpdatesCheck").result == "FAILED"
    server.restart({"log_slave_updates": "ON"})
    assert of(findings(server, None, "no.*", user="everything"), "srclogSlaveUpdatesCheck").result == "PASSED"
