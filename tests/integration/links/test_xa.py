"""XA transactions that are prepared when a job begins: their rows lie before its position, and their end behind it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pymysql
import pytest

from opendrs.engines.mysql import xa
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story

PREPARE = ("XA START 'open'", "INSERT INTO t VALUES (2)", "XA END 'open'", "XA PREPARE 'open'")


def begun(source: FamilyServer, target: Postgres, database: NewDatabase, folder: Path) -> Story:
    """A table, and a transaction in it that is prepared; its session is gone."""
    story = Story(source=source, target=target, name=database(source), there=database(target), folder=folder)
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)")
    if not source.name.startswith("mariadb"):
        source.execute("GRANT XA_RECOVER_ADMIN ON *.* TO opendrs")
    story.at_source(PREPARE)
    return story


def ended(source: FamilyServer, decision: str) -> None:
    """Whoever prepared it may not have left yet."""
    for _ in range(200):
        try:
            source.execute(f"XA {decision} 'open'")
        except pymysql.err.MySQLError:  # nobody but its own session may, as long as that is there
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the transaction cannot be ended")


def test_a_moment_without_any_is_waited_for(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    story = begun(source, target, database, tmp_path)
    later = threading.Timer(1.0, ended, (source, "COMMIT"))
    later.start()
    try:
        story.ends_equal()
    finally:
        later.join()
    assert story.in_target(f'SELECT id FROM "{story.name}".t ORDER BY id') == [(1,), (2,)]


def test_one_that_stays_is_named(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xa, "PATIENCE_S", 0.5)
    story = begun(source, target, database, tmp_path)
    try:
        story.fails("'open'" if source.name.startswith("mariadb") else f"0x{b'open'.hex().upper()}")
    finally:
        ended(source, "ROLLBACK")
    story.ends_equal()
