"""The backlog on disk: when the reader lags, and for the process that comes after a killed one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.integration.mysql_wire.sources import (
    Followed,
    log_options,
    make_numbered,
    open_log,
    position,
    stats,
    table_rows,
)

SIZE = 5_000


def write(server: FamilyServer, database: str, first: int, count: int) -> None:
    """Transactions whose texts do not compress."""
    with server.connect(database) as connection, connection.cursor() as cursor:
        for number in range(first, first + count):
            cursor.execute("INSERT INTO t VALUES (%s, %s)", (number, os.urandom(SIZE // 2).hex()))


def spool(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"spool": {"folder": str(folder), "after_s": 0.0, **changes}, "memory_bytes": 300_000}


def wait_for(log: _core.MysqlLog, condition: str, at_least: float = 1, timeout_s: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while (found := stats(log))[condition] < at_least:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_what_memory_does_not_hold_goes_to_disk_and_comes_back(
    source: FamilyServer, database: NewDatabase, tmp_path: Path
) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    write(source, name, 1, 1000)
    followed = Followed()
    with open_log(source, name, start, [table], **spool(tmp_path)) as log:
        found = wait_for(log, "bytes", 1000 * SIZE)
        assert found["spooling"]
        assert found["memory_bytes"] <= 400_000
        assert found["disk_bytes"] > 2_000_000
        write(source, name, 5000, 10)
        followed.until(log, position(source))
        assert followed.rows == table_rows(source, name)
        found = stats(log)
        assert not found["spooling"]
        assert found["disk_bytes"] == 0
        assert list(tmp_path.glob("*.spool")) == []
        write(source, name, 6000, 10)
        followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


def test_without_a_spool_the_server_is_held_up(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    write(source, name, 1, 2000)
    followed = Followed()
    with open_log(source, name, start, [table], memory_bytes=300_000) as log:
        wait_for(log, "memory_bytes", 1)
        time.sleep(1)
        assert stats(log)["memory_bytes"] < 2_000_000
        followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


def test_the_disk_budget_holds_the_server_up_too(source: FamilyServer, database: NewDatabase, tmp_path: Path) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    write(source, name, 1, 2000)
    budget = 4 << 20
    followed = Followed()
    with open_log(source, name, start, [table], **spool(tmp_path, bytes_max=budget)) as log:
        found = wait_for(log, "spool_full")
        assert found["disk_bytes"] <= budget
        assert found["bytes"] < 2000 * SIZE
        followed.until(log, position(source))
    assert followed.rows == table_rows(source, name)


# The one who is killed: pulls, reads a little, says how far it came, and waits.
VICTIM = """
import json, sys, time
from opendrs import _core
settings, start, table, wanted = json.loads(sys.stdin.readline())
log = _core.MysqlLog(json.dumps(settings), start)
log.register(table)
log.acknowledge(start)
while json.loads(log.stats())["bytes"] < wanted:
    time.sleep(0.05)
event = log.next(10)
while not isinstance(event, _core.Window):
    event = log.next(10)
print(event.position, flush=True)
time.sleep(1000)
"""


def pull_and_die(server: FamilyServer, database: str, start: str, table: str, wanted: int, **changes: Any) -> str:
    """A process that pulls so many bytes and is killed; the position of the first window it read."""
    settings = log_options(server, database, **changes)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as victim:
        assert victim.stdin and victim.stdout
        victim.stdin.write(json.dumps([settings, start, table, wanted]) + "\n")
        victim.stdin.flush()
        reached = victim.stdout.readline().strip()
        victim.kill()
    assert reached
    return reached


@pytest.mark.parametrize("damage", ["none", "torn", "garbage", "first", "all"])
@pytest.mark.parametrize("name", ["mariadb", "mysql"])
def test_the_spool_of_a_killed_process(start_server: StartServer, tmp_path: Path, name: str, damage: str) -> None:
    server = start_server(name)
    assert isinstance(server, FamilyServer)
    server.create_database("d")
    table = make_numbered(server, "d")
    start = position(server)
    write(server, "d", 1, 1000)
    server.execute("FLUSH BINARY LOGS")
    write(server, "d", 2000, 20)
    changes = {"window_bytes": 500_000, **spool(tmp_path, bytes_max=16 << 20)}
    reached = pull_and_die(server, "d", start, table, 1020 * SIZE, **changes)
    files = sorted(tmp_path.glob("*.spool"))
    assert len(files) > 1
    if damage == "none":
        # The server no longer has what the spool has.
        last = server.execute("SHOW BINARY LOGS")[-1][0]
        server.execute("FLUSH BINARY LOGS")
        deadline = time.monotonic() + 30
        while len(server.execute("SHOW BINARY LOGS")) > 2:  # held while the dead one's thread is there
            assert time.monotonic() < deadline
            server.execute(f"PURGE BINARY LOGS TO '{last}'")
            time.sleep(0.1)
    elif damage == "torn":
        os.truncate(files[-1], files[-1].stat().st_size - 1000)
    elif damage == "garbage":
        with files[-1].open("ab") as file:
            file.write(b"garbage" * 1000)
    elif damage == "first":
        files[0].write_bytes(b"")
    else:
        for segment in files:
            segment.write_bytes(segment.read_bytes()[:100])
    write(server, "d", 3000, 20)
    # From the position that is durable in the target: the begin, or where the first window ended.
    for begin in (start, reached):
        followed = Followed()
        with open_log(server, "d", begin, [table], **changes) as log:
            if begin == start:
                assert stats(log)["spool_recovered"] == (damage not in ("first", "all"))
            followed.until(log, position(server))
        rows = table_rows(server, "d")
        if begin == start:
            assert followed.rows == rows
        else:
            assert followed.rows.items() <= rows.items()
            assert len(followed.rows) > 500
        if damage == "none":
            break


def test_a_folder_in_use_is_left_alone(source: FamilyServer, database: NewDatabase, tmp_path: Path) -> None:
    """A stopped worker that wakes up again must not write into its successor's files."""
    name = database(source)
    start = position(source)
    with open_log(source, name, start, **spool(tmp_path)) as first:
        with open_log(source, name, start, server_id=4_000_000_055, **spool(tmp_path)) as second:
            assert stats(first)["has_spool"]
            assert not stats(second)["has_spool"]


def test_acknowledged_segments_go(source: FamilyServer, database: NewDatabase, tmp_path: Path) -> None:
    name = database(source)
    table = make_numbered(source, name)
    start = position(source)
    write(source, name, 1, 1500)
    followed = Followed()
    with open_log(source, name, start, [table], window_bytes=500_000, **spool(tmp_path, bytes_max=32 << 20)) as log:
        log.acknowledge(start)
        wait_for(log, "bytes", 1500 * SIZE)
        before = len(list(tmp_path.glob("*.spool")))
        assert before > 1
        followed.until(log, position(source))
        # Read but not yet durable: kept for a process that comes after.
        assert len(list(tmp_path.glob("*.spool"))) == before
        assert followed.position is not None
        log.acknowledge(followed.position)
        assert len(list(tmp_path.glob("*.spool"))) == 1
