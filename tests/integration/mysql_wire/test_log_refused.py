"""Logs that cannot be had: each reason is an error of its own, with what was wanted and what is there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.integration.mysql_wire.sources import (
    SERVER_ID,
    UUID,
    Followed,
    file_position,
    log_options,
    make_numbered,
    open_log,
    position,
    table_rows,
)


def refusal(server: FamilyServer, start: str, **changes: Any) -> _core.MysqlError:
    """The error of opening the log, or of reading it before any event."""
    with pytest.raises(_core.MysqlError) as raised:
        with _core.MysqlLog(json.dumps(log_options(server, "d", **changes)), start) as log:
            while True:
                log.next(10)
    return raised.value


def changed(start: str, **changes: Any) -> str:
    return json.dumps({**json.loads(start), **changes})


@pytest.fixture(params=["mariadb", "mysql"])
def own(request: pytest.FixtureRequest, start_server: StartServer) -> FamilyServer:
    """A server of the test's own."""
    server = start_server(request.param)
    assert isinstance(server, FamilyServer)
    server.create_database("d")
    make_numbered(server, "d")
    return server


def purge(server: FamilyServer) -> None:
    server.execute("FLUSH BINARY LOGS")
    last = server.execute("SHOW BINARY LOGS")[-1][0]
    deadline = time.monotonic() + 30
    while len(server.execute("SHOW BINARY LOGS")) > 1:  # MariaDB waits for the engine's checkpoint
        assert time.monotonic() < deadline
        server.execute(f"PURGE BINARY LOGS TO '{last}'")
        time.sleep(0.05)


def test_a_purged_log(own: FamilyServer) -> None:
    start = position(own)
    place = file_position(own) if own.name == "mysql" else None
    own.execute("INSERT INTO d.t VALUES (1, 'x')")
    purge(own)
    error = refusal(own, start)
    assert error.kind == "log_purged"
    if place:
        assert "gtid_purged" in error.message
        error = refusal(own, place)
        assert error.kind == "log_purged"
        assert "binlog.000001" in error.message
    # Behind the purged part everything is there.
    own.execute("INSERT INTO d.t VALUES (2, 'y')")
    with open_log(own, "d", position(own)):
        pass


def test_a_target_ahead_of_the_source(own: FamilyServer) -> None:
    start = position(own)
    form = json.loads(start)
    if own.name == "mysql":
        ahead = changed(start, gtid=form["server"] + ":1-1000000")
    else:
        domain, server, _ = form["gtid"].split("-")
        ahead = changed(start, gtid=f"{domain}-{server}-1000000")
    error = refusal(own, ahead)
    assert error.kind == "ahead_of_source"
    assert "1000000" in error.message
    if own.name == "mysql":
        place = json.loads(file_position(own))
        place["file"]["pos"] += 1_000_000
        assert refusal(own, json.dumps(place)).kind == "ahead_of_source"
        place["file"] = {"file": "binlog.000099", "pos": 4}
        assert refusal(own, json.dumps(place)).kind == "ahead_of_source"
    # A log that was begun anew.
    own.execute("RESET BINARY LOGS AND GTIDS" if own.name == "mysql" else "RESET MASTER")
    assert refusal(own, start).kind in ("ahead_of_source", "other_server")


def test_another_server(
    own: FamilyServer, mysql: FamilyServer, mariadb_11: FamilyServer, database: NewDatabase
) -> None:
    for other in (mysql, mariadb_11):
        database(other)  # so that its log is not empty
        error = refusal(own, position(other))
        assert error.kind == "other_server", error
    if own.name == "mysql":
        assert refusal(own, file_position(mysql)).kind == "other_server"
        assert refusal(own, changed(file_position(own), server="x")).kind == "other_server"


def test_the_sources_own_id(own: FamilyServer) -> None:
    for server_id in (own.port, 0):
        assert refusal(own, position(own), server_id=server_id).kind == "server_id_collision"


def test_two_replicas_with_one_id(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    other = {"uuid": "11111111-0000-4000-8000-000000000000", "host": "somebody-else"}
    with open_log(source, name, position(source)) as first:
        first.next(0.2)
        if source.name == "mysql":
            # Seen before any harm is done: the other replica is not thrown out.
            with pytest.raises(_core.MysqlError) as raised, open_log(source, name, position(source), **other):
                pass
            assert raised.value.kind == "server_id_collision"
            assert str(SERVER_ID) in raised.value.message
            first.next(2)
            return
        # MariaDB shows its replicas to administrators only; the server throws the first one out.
        try:
            with open_log(source, name, position(source), **other), pytest.raises(_core.MysqlError) as raised:
                deadline = time.monotonic() + 30
                while time.monotonic() < deadline:
                    first.next(1)
        except _core.MysqlError as error:
            assert error.kind == "server_id_collision"
        else:
            assert raised.value.kind == "server_id_collision", raised.value


def test_we_come_again_while_our_former_self_is_still_there(source: FamilyServer, database: NewDatabase) -> None:
    """A worker that was killed leaves a connection that the server holds for alive."""
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    with open_log(source, name, start, [table]) as first:
        first.next(0.2)
        followed = Followed()
        with open_log(source, name, start, [table], uuid=UUID) as second:
            source.execute(f"INSERT INTO {name}.t VALUES (1, 'x')")
            followed.until(second, position(source))
            assert followed.rows == table_rows(source, name)
        with pytest.raises(_core.MysqlError) as raised:
            while True:
                first.next(5)
        assert raised.value.kind == "server_id_collision", raised.value


def test_a_server_without_a_log(start_server: StartServer) -> None:
    from tests.harness.server import Options

    server = start_server("mariadb", Options(settings={"skip_log_bin": "ON", "log_bin": "OFF"}))
    assert isinstance(server, FamilyServer)
    form = {"version": 1, "kind": "mariadb-gtid", "server": "", "gtid": ""}
    error = refusal(server, json.dumps(form))
    assert error.kind == "unsupported"
    assert "log_bin" in error.message
