"""Every type from end to end: one table a type, half of its rows loaded and the other half from the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.binlog.samples import samples
from tests.integration.binlog.test_values import NEIGHBOURS, product
from tests.integration.links.conftest import EVERY
from tests.integration.links.runner import Job

SEED = 7
POLICIES = ("--invalid-dates", "minus_infinity", "--nul-in-text", "replace")


def fill(server: FamilyServer, database: str, part: int) -> None:
    with server.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        for number, (native, values) in enumerate(samples(product(server), SEED)):
            if part == 0:
                cursor.execute(f"CREATE TABLE t{number} (id INT PRIMARY KEY, v {native}, {NEIGHBOURS})")
            rows = values if "NOT NULL" in native else [*values, "NULL"]
            for id_, value in enumerate(rows):
                if id_ % 2 == part:
                    cursor.execute(f"INSERT INTO t{number} (id, v) VALUES ({id_}, {value})")
            if part == 1:
                cursor.execute(f"UPDATE t{number} SET id = id + 1000 WHERE id < 2")
                cursor.execute(f"UPDATE t{number} SET u = 7, l = 'ü' WHERE id MOD 3 = 0")
                cursor.execute(f"DELETE FROM t{number} WHERE id = 1001")


@pytest.mark.parametrize("source", EVERY, indirect=True)
def test_every_type(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> None:
    name, there = database(source), database(target)
    fill(source, name, 0)
    job = Job(
        source=source.url(), target=target.url(there), state=str(tmp_path / "state.db"),
        selected=("--tables", f"{name}.*"),
    )  # fmt: skip
    assert job.run(*POLICIES) == 0, job.words()
    assert job.prove() == 0, job.words()
    fill(source, name, 1)
    assert job.run(*POLICIES) == 0, job.words()
    assert job.prove() == 0, job.words()
