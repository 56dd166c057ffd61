"""Values that no target can hold: found before the job, refused by the load and by the log."""

from __future__ import annotations

from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.runner import Job

# A Shift JIS code that Unicode has no character for: the server would convert it to a question mark.
CODE = "_sjis x'618540'"


def new_job(source: FamilyServer, target: Postgres, database: NewDatabase, name: str, state: Path) -> tuple[Job, str]:
    """A job into a database of its own, and the name of that."""
    there = database(target)
    selected = ("--tables", f"{name}.*")
    return Job(source=source.url(), target=target.url(there), state=str(state), selected=selected), there


def test_codes_beyond_unicode(source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path) -> None:
    name = database(source)
    job, _ = new_job(source, target, database, name, tmp_path / "refused.db")
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET sjis)", database=name)
    source.execute(f"INSERT INTO t VALUES (1, 'a?'), (2, {CODE})", database=name)
    assert job.run() == 1
    assert "srcColumnValueCheck" in job.words()
    assert job.run("--no-check") == 1
    assert "DRS.10050020" in job.words() and "618540 are not valid in character set sjis" in job.words()
    source.execute("DELETE FROM t WHERE id = 2", database=name)
    # The log since the first job has the row; a job that begins now never meets it.
    job, there = new_job(source, target, database, name, tmp_path / "corrected.db")
    assert job.run() == 0, job.words()
    assert job.prove() == 0, job.words()
    # From the log.
    source.execute(f"INSERT INTO t VALUES (3, {CODE})", database=name)
    assert job.run() == 1
    assert "618540 are not valid in character set sjis" in job.words()
    assert target.execute(f'SELECT id, v FROM "{name}".t', database=there) == [(1, "a?")]
