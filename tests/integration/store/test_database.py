"""Opening the store: many at once, on strange places, of other releases."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text

from opendrs.errors import DrsError, Fault
from opendrs.model.job import Job
from opendrs.store import events, jobs
from opendrs.store.database import Store, open_store
from opendrs.store.events import Event
from opendrs.store.tables import REVISION, metadata

OPEN = """
import sys
from opendrs.store.database import open_store
sys.stdin.readline()
open_store(sys.argv[1]).close()
"""


def test_processes_that_start_together_do_not_collide(url: str) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in starters:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    failed = [error for process in starters if (error := process.communicate()[1]) or process.returncode]
    assert failed == []


def test_threads_that_start_together_do_not_collide(url: str) -> None:
    barrier = threading.Barrier(6, timeout=60)

    def start(_: int) -> Store:
        barrier.wait()
        return open_store(url)

    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(start, range(6)))
    for store in stores:
        with store.read() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [REVISION]
        store.close()


def test_a_new_store_that_another_makes_just_now(tmp_path: Path) -> None:
    """To change the mode of its file one must be alone, and SQLite lets nobody wait for that who reads."""
    path = tmp_path / "state.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA user_version=1")
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, other.close).start()
    open_store(f"sqlite:///{path}").close()


def test_opening_again_changes_nothing(url: str, store: Store, job: Job) -> None:
    again = open_store(url)
    with again.read() as connection:
        assert jobs.find(connection, job.id) is not None
    again.close()


def test_a_store_of_a_newer_release_is_left_alone(url: str, store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DrsError, match="newer release") as raised:
        open_store(url)
    assert raised.value.fault is Fault.SETTING_INVALID


def test_whoever_reads_first_and_writes_later_is_not_refused(store: Store, job: Job) -> None:
    """The trap of SQLite's deferred transactions: read, another one commits, write: locked at once."""
    behind = threading.Event()
    rounds = 20

    def append() -> None:
        for _ in range(rounds):
            with store.write() as connection:
                connection.execute(select(metadata.tables["jobs"])).all()
                behind.wait(0.001)
                events.append(connection, job.id, [Event(name="e", message="m")])

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert len(events.after(connection, job.id, limit=1000)) == 4 * rounds


def test_readers_do_not_wait_for_a_writer(store: Store, job: Job) -> None:
    with store.write() as writing:
        events.append(writing, job.id, [Event(name="e", message="m")])
        with store.read() as reading:
            assert events.after(reading, job.id) == []


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state of #1? 100%.db"
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{path}")
        with store.write() as connection:
            connection.execute(text("CREATE TABLE x (y)"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert path.name in modes
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all/state.db",
        "postgresql://nobody@127.0.0.1:1/nothing",
        "postgresql://nobody@127.0.0.1:what/nothing",
    ],
)
def test_a_store_that_cannot_be_had_says_why(url: str) -> None:
    with pytest.raises(DrsError) as raised:
        open_store(url)
    assert raised.value.fault is Fault.SETTING_INVALID
    assert "--state" in raised.value.message and len(raised.value.details["reason"]) > 5


def test_a_file_that_is_no_store_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, and no database\n" * 50)
    before = path.read_bytes()
    with pytest.raises(DrsError, match="not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_sqlite_keeps_what_it_said(store: Store, url: str) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("SQLite's settings")
    with store.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_postgresql_keeps_to_a_schema_of_its_own(store: Store, url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("PostgreSQL's schemas")
    with store.read() as connection:
        query = "SELECT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
        schemas = set(connection.execute(text(query)).scalars())
    assert schemas == {"opendrs_state"}
