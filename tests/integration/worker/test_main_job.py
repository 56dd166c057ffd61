"""The command with the real work, on real servers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.worker.conftest import PATIENCE_S, ROOT


def opendrs(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opendrs.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=2 * PATIENCE_S)


def test_a_load_without_the_log_ends_with_a_proof(
    mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    here, there = database(mariadb), database(postgres)
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", database=here)
    mariadb.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')", database=here)
    words = (mariadb.url(), postgres.url(there), "--tables", f"{here}.*", "--state", str(tmp_path / "state.db"))
    none = opendrs("proof", *words, "--stored")
    assert none.returncode == 1 and "knows no such job" in none.stderr
    done = opendrs("run", *words, "--task", "full")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "event=proof.ended" in done.stdout
    stored = opendrs("proof", *words, "--stored", "--json")
    (table,) = json.loads(stored.stdout)["tables"]
    assert stored.returncode == 0 and (table["verdict"], table["source_rows"], table["target_rows"]) == ("equal", 2, 2)


def test_a_target_that_forgot_the_job_is_not_filled_anew(
    mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    """Restored from a backup, or cleaned: what was changed since would be missed, and nobody told."""
    here, there = database(mariadb), database(postgres)
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", database=here)
    mariadb.execute("INSERT INTO t VALUES (1)", database=here)
    words = (mariadb.url(), postgres.url(there), "--tables", f"{here}.*", "--state", str(tmp_path / "state.db"))
    assert opendrs("run", *words, "--until", "caught-up").returncode == 0
    postgres.execute("DROP SCHEMA _opendrs CASCADE", database=there)
    mariadb.execute("DELETE FROM t", database=here)
    again = opendrs("run", *words, "--until", "caught-up")
    assert again.returncode == 1 and "DRS.10050033" in again.stdout + again.stderr
    assert postgres.execute(f"SELECT id FROM {here}.t", database=there) == [(1,)]
