"""The log as a stream, on servers that behave."""

from __future__ import annotations

import json
import threading
import time

import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import Options
from tests.integration.mysql_wire.sources import (
    Followed,
    file_position,
    log_options,
    make_numbered,
    open_log,
    position,
    stats,
    table_rows,
)


def write_some(server: FamilyServer, database: str, first: int, count: int, size: int = 10) -> None:
    """Single-row transactions, a multi-row one, an update and a delete."""
    with server.connect(database) as connection, connection.cursor() as cursor:
        for number in range(first, first + count):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, f"v{number}" * size))
        cursor.execute(
            "INSERT INTO t SELECT id + 1000000, CONCAT(v, '!') FROM t WHERE id BETWEEN %s AND %s",
            (first, first + count - 1),
        )
        cursor.execute("UPDATE t SET v = 'new' WHERE id = %s", (first,))
        cursor.execute("DELETE FROM t WHERE id = %s", (first + 1,))


def test_rows_arrive_by_gtid(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    write_some(source, name, 1, 3)
    before = table_rows(source, name)
    start = position(source)
    write_some(source, name, 10, 50)
    followed = Followed()
    followed.rows = dict(before)
    with open_log(source, name, start, [table]) as log:
        followed.until(log, position(source))
        assert followed.rows == table_rows(source, name)
        # And go on arriving, each as soon as it is committed.
        source.execute(f"INSERT INTO {name}.t VALUES (777, 'late')")
        followed.until(log, position(source))
        assert followed.rows[777] == "late"
        assert stats(log)["connected"] and stats(log)["silence_s"] < 10


def test_rows_arrive_by_file_and_offset(mysql: FamilyServer, database: NewDatabase) -> None:
    name = database(mysql)
    table = make_numbered(mysql, name)
    start = file_position(mysql)
    write_some(mysql, name, 1, 20)
    mysql.execute("FLUSH BINARY LOGS")
    write_some(mysql, name, 100, 20)
    followed = Followed()
    with open_log(mysql, name, start, [table]) as log:
        followed.until(log, file_position(mysql))
    assert followed.rows == table_rows(mysql, name)


@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_rows_arrive_without_checksums_and_gtids(start_server: StartServer, name: str) -> None:
    settings = {"binlog_checksum": "NONE"}
    if name == "mysql":
        settings |= {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}
    server = start_server(name, Options(settings=settings))
    assert isinstance(server, FamilyServer)
    server.create_database("plain")
    table = make_numbered(server, "plain")
    here = position if name == "mariadb" else file_position
    start = here(server)
    write_some(server, "plain", 1, 20)
    server.execute("FLUSH BINARY LOGS")
    write_some(server, "plain", 100, 20)
    followed = Followed()
    with open_log(server, "plain", start, [table]) as log:
        followed.until(log, here(server))
    assert followed.rows == table_rows(server, "plain")


def test_tagged_gtids_are_asked_for_and_skipped(mysql: FamilyServer, database: NewDatabase) -> None:
    """MySQL 8.3 and newer: the set that the dump asks with has tags."""
    name = database(mysql)
    table = make_numbered(mysql, name)
    with mysql.connect(name) as connection, connection.cursor() as cursor:
        for number in range(5):
            cursor.execute("SET gtid_next = 'AUTOMATIC:drs_test'")
            cursor.execute("INSERT INTO t VALUES (%s, 'old')", (number,))
        cursor.execute("SET gtid_next = 'AUTOMATIC'")
    start = position(mysql)
    assert ":drs_test:" in start
    with mysql.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET gtid_next = 'AUTOMATIC:drs_test'")
        cursor.execute("INSERT INTO t VALUES (10, 'new')")
        cursor.execute("SET gtid_next = 'AUTOMATIC'")
        cursor.execute("INSERT INTO t VALUES (11, 'new')")
    followed = Followed()
    with open_log(mysql, name, start, [table]) as log:
        followed.until(log, position(mysql))
    assert followed.rows == {10: "new", 11: "new"}


def test_a_lone_transaction_is_handed_over_at_once_and_a_flood_in_big_windows(
    source: FamilyServer, database: NewDatabase
) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    with source.connect(name) as connection, connection.cursor() as cursor:
        for number in range(2000):
            cursor.execute("INSERT INTO t VALUES (%s, 'x')", (number,))
    with open_log(source, name, start, [table]) as log:
        followed = Followed()
        followed.until(log, position(source))
        flood = len(followed.windows)
        source.execute(f"INSERT INTO {name}.t VALUES (5000, 'lone')")
        followed.until(log, position(source))
    assert flood < 200, "2000 transactions that were waiting come in few windows"
    assert len(followed.windows) == flood + 1
    assert followed.windows[-1].transactions == 1
    assert followed.windows[-1].changes == 1


def test_windows_are_bounded(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    with source.connect(name) as connection, connection.cursor() as cursor:
        for number in range(100):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, "x" * 10_000))
    followed = Followed()
    with open_log(source, name, start, [table], window_bytes=100_000) as log:
        followed.until(log, position(source))
    assert len(followed.rows) == 100
    assert max(window.changes for window in followed.windows) <= 11


def test_a_large_transaction_comes_in_parts(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    with source.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for number in range(300):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, "x" * 10_000))
        cursor.execute("COMMIT")
    followed = Followed()
    with open_log(source, name, start, [table], part_bytes=200_000, memory_bytes=300_000) as log:
        followed.until(log, position(source))
    assert len(followed.rows) == 300
    assert sum(window.part for window in followed.windows) > 5
    assert [window.position is not None for window in followed.windows] == [False] * (len(followed.windows) - 1) + [
        True
    ]


def test_a_window_ends_exactly_where_it_is_told(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    write_some(source, name, 1, 100)
    common = position(source)
    rows = table_rows(source, name)
    write_some(source, name, 500, 100)
    followed = Followed()
    with open_log(source, name, start, [table]) as log:
        log.stop_at(common)
        followed.until(log, common)
        assert followed.position is not None
        assert _core.BinlogPosition(followed.position).restart() == _core.BinlogPosition(common).restart()
        assert followed.rows == rows
        followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


def test_schema_changes_are_barriers(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    source.execute(f"INSERT INTO {name}.t VALUES (1, 'before')")
    source.execute(f"CREATE TABLE {name}.other (id INT)")
    source.execute(f"INSERT INTO {name}.t VALUES (2, 'behind')")
    followed = Followed()
    with open_log(source, name, start, [table]) as log:
        while not followed.statements:
            event = log.next(10)
            assert event is not None
            if isinstance(event, _core.SchemaChange):
                assert followed.rows == {1: "before"}
                with pytest.raises(_core.DecodeError) as raised:
                    log.next(1)
                assert raised.value.kind == "misuse"
            followed.take(event, log)
        followed.until(log, position(source))
    assert followed.rows == {1: "before", 2: "behind"}
    assert "other" in followed.statements[0]


def test_what_the_decoder_refuses_is_its_own_error(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    make_numbered(source, name)
    start = position(source)
    source.execute(f"INSERT INTO {name}.t VALUES (1, 'x')")
    with open_log(source, name, start) as log, pytest.raises(_core.DecodeError) as raised:
        while True:
            log.next(10)
    assert raised.value.kind == "not_registered"
    assert raised.value.table == (name, "t")


def test_the_server_shows_us_among_its_replicas(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    statement = "SHOW SLAVE HOSTS" if source.name.startswith("mariadb") else "SHOW REPLICAS"
    with open_log(source, name, position(source), server_id=4_000_000_077, host="opendrs-visible"):
        found = [row for row in source.execute(statement) if int(row[0]) == 4_000_000_077]
        assert len(found) == 1 and found[0][1] == "opendrs-visible"
        assert source.execute("SHOW STATUS LIKE 'Rpl_semi_sync%clients'") in (
            [],
            [("Rpl_semi_sync_master_clients", "0")],
        )


def test_silence_brings_heartbeats(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    start = position(source)
    with open_log(source, name, start, heartbeat_s=0.2, dead_after_s=2.0) as log:
        deadline = time.monotonic() + 30
        beats = 0
        while beats < 5:
            assert time.monotonic() < deadline
            beats += isinstance(log.next(1), _core.Heartbeat)
        assert stats(log)["connected"]


def test_stop_from_another_thread_ends_the_wait(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    with open_log(source, name, position(source), heartbeat_s=60.0, dead_after_s=200.0) as log:
        while log.next(0.1) is not None:
            pass
        timer = threading.Timer(0.3, log.stop)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(_core.MysqlError) as raised:
            while True:
                log.next(60)
        timer.join()
        assert raised.value.kind == "interrupted"
        assert time.monotonic() - begin < 30


def test_nonsense_is_refused(mysql: FamilyServer) -> None:
    good = log_options(mysql, "x")
    start = position(mysql)
    for changes in ({"heartbeat_s": 0.0}, {"dead_after_s": 1.0}, {"unknown": 1}, {"heartbeat_s": -1.0}):
        with pytest.raises(_core.MysqlError) as raised:
            _core.MysqlLog(json.dumps({**good, **changes}), start)
        assert raised.value.kind == "misuse"
    with pytest.raises(_core.MysqlError) as raised:
        _core.MysqlLog(json.dumps(good), "{}")
    assert raised.value.kind == "misuse"
