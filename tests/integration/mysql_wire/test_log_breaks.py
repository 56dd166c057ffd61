"""The log stream over networks and servers that break."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.proxy import Proxy
from tests.integration.mysql_wire.sources import (
    Followed,
    file_position,
    log_options,
    make_numbered,
    open_log,
    options,
    position,
    stats,
    table_rows,
)


def through(proxy: Proxy, server: FamilyServer, **changes: Any) -> dict[str, Any]:
    return {"connection": options(server, port=proxy.port, connect_timeout_s=2.0), **changes}


def write(server: FamilyServer, database: str, first: int, count: int, size: int = 20) -> None:
    with server.connect(database) as connection, connection.cursor() as cursor:
        for number in range(first, first + count):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, "x" * size))


def write_large(server: FamilyServer, database: str, first: int, count: int) -> None:
    with server.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for number in range(first, first + count):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, "y" * 5000))
        cursor.execute("COMMIT")


@pytest.mark.parametrize("way", ["gtid", "file"])
def test_a_cut_connection_is_taken_up_where_it_broke(source: FamilyServer, database: NewDatabase, way: str) -> None:
    if way == "file" and source.name != "mysql":
        pytest.skip("MariaDB is always asked by GTID")
    here = position if way == "gtid" else file_position
    name = database(source)
    table = make_numbered(source, name)
    start = here(source)
    write(source, name, 1, 300)
    write_large(source, name, 1000, 1000)  # 5 MB in one transaction
    write(source, name, 5000, 300)
    followed = Followed()
    with Proxy(source.port) as proxy:
        changes = through(proxy, source, reconnect_for_s=30.0, part_bytes=300_000, memory_bytes=300_000)
        with open_log(source, name, start, [table], **changes) as log:
            # Among the small transactions, then further and further inside the large one, which the
            # server sends from its begin each time.
            for cut in (50_000, 500_000, 1_000_000, 2_000_000):
                proxy.limit(5_000_000)
                proxy.cut_after(cut)
                before = stats(log)["reconnects"]
                deadline = time.monotonic() + 10
                while stats(log)["reconnects"] == before and time.monotonic() < deadline:
                    event = log.next(0.05)
                    if event is not None:
                        followed.take(event, log)
            proxy.forward()
            followed.until(log, here(source))
            assert stats(log)["reconnects"] >= 3
            assert stats(log)["last_error"] is None
    assert followed.rows == table_rows(source, name)


def test_a_cut_connection_is_reported_when_nobody_reconnects(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    followed = Followed()
    with Proxy(source.port) as proxy:
        with open_log(source, name, start, [table], **through(proxy, source)) as log:
            write(source, name, 1, 20)
            followed.until(log, position(source))
            write(source, name, 100, 20)
            time.sleep(0.5)
            proxy.cut()
            with pytest.raises(_core.MysqlError) as raised:
                while True:  # what had come is handed over before the error
                    event = log.next(5)
                    if event is not None:
                        followed.take(event, log)
            assert raised.value.kind == "net.closed"
            assert followed.rows == table_rows(source, name)
        # The caller begins anew where he stands.
        write(source, name, 200, 20)
        assert followed.position is not None
        with open_log(source, name, followed.position, [table], **through(proxy, source)) as log:
            followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


def test_silence_is_a_dead_connection(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    quick = {"heartbeat_s": 0.2, "dead_after_s": 1.0}
    followed = Followed()
    with Proxy(source.port) as proxy, open_log(source, name, start, [table], **through(proxy, source, **quick)) as log:
        write(source, name, 1, 5)
        followed.until(log, position(source))
        proxy.stall()
        with pytest.raises(_core.MysqlError) as raised:
            while True:
                log.next(5)
        assert raised.value.kind == "net.timeout"
        assert "heartbeat" in raised.value.message


def test_a_stalled_connection_goes_on_elsewhere(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    quick = {"heartbeat_s": 0.2, "dead_after_s": 1.0, "reconnect_for_s": 60.0}
    followed = Followed()
    with Proxy(source.port) as proxy, open_log(source, name, start, [table], **through(proxy, source, **quick)) as log:
        write(source, name, 1, 5)
        followed.until(log, position(source))
        proxy.stall()
        write(source, name, 100, 5)
        deadline = time.monotonic() + 30
        while stats(log)["connected"]:
            assert time.monotonic() < deadline
            log.next(0.1)
        assert "heartbeat" in stats(log)["last_error"]
        proxy.cut()
        proxy.forward()
        followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_a_server_killed_and_started_again(start_server: StartServer, name: str) -> None:
    server = start_server(name)
    assert isinstance(server, FamilyServer)
    server.create_database("d")
    table = make_numbered(server, "d")
    start = position(server)
    followed = Followed()
    with open_log(server, "d", start, [table], reconnect_for_s=120.0) as log:
        for round_ in range(2):
            write(server, "d", 1000 * round_, 200)
            if (event := log.next(0.5)) is not None:  # somewhere in the middle of it
                followed.take(event, log)
            end = server.kill if round_ == 0 else server.stop
            end()
            again = threading.Thread(target=server.start)
            again.start()
            with pytest.raises(AssertionError):
                followed.until(log, json.dumps(unreachable(start)), timeout_s=1)
            again.join()
            write(server, "d", 1000 * round_ + 500, 200)
            followed.until(log, position(server))
            assert followed.rows == table_rows(server, "d")
        assert stats(log)["reconnects"] >= 2


def unreachable(start: str) -> dict[str, Any]:
    """A position of the same kind that no log of these tests reaches."""
    form: dict[str, Any] = json.loads(start)
    form["gtid"] = "9-9-9" if form["kind"] == "mariadb-gtid" else "99999999-9999-9999-9999-999999999999:1"
    return form


def test_a_server_that_stays_away_is_reported_in_the_end(start_server: StartServer) -> None:
    server = start_server("mariadb")
    assert isinstance(server, FamilyServer)
    server.create_database("d")
    with open_log(server, "d", position(server), reconnect_for_s=1.0) as log:
        server.kill()
        with pytest.raises(_core.MysqlError) as raised:
            while True:
                log.next(5)
        assert raised.value.kind in ("net.refused", "net.closed")
        assert not stats(log)["connected"]


def test_a_killed_dump_thread_comes_back(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    followed = Followed()
    with open_log(source, name, start, [table], reconnect_for_s=30.0) as log:
        write(source, name, 1, 5)
        followed.until(log, position(source))
        for (thread,) in source.execute(
            "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%' AND user = 'opendrs'"
        ):
            source.execute(f"KILL {thread}")
        write(source, name, 100, 5)
        followed.until(log, position(source))
        assert stats(log)["reconnects"] >= 1
    assert followed.rows == table_rows(source, name)


def test_no_secret_in_what_is_shown(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    settings = log_options(source, name)
    settings["connection"]["password"] = "hunter2-Secret"
    with pytest.raises(_core.MysqlError) as raised:
        _core.MysqlLog(json.dumps(settings), position(source))
    assert raised.value.kind == "access_denied"
    assert "hunter2" not in f"{raised.value} {raised.value!r} {raised.value.message}"
