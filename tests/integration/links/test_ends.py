"""What is there when a job has ended in order: the target is ready for whoever writes to it next."""

from __future__ import annotations

from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.runner import Job
from tests.integration.links.story import Story


def test_numbering_goes_on_behind_the_log(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    story = Story(source=source, target=target, name=database(source), there=database(target), folder=tmp_path)
    story.at_source("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT);\nINSERT INTO t (v) VALUES (1), (2)")
    story.play()
    story.at_source("INSERT INTO t (v) VALUES (3);\nINSERT INTO t VALUES (41, 4)")
    story.play()
    assert story.in_target(f'INSERT INTO "{story.name}".t (v) VALUES (5) RETURNING id') == [(42,)]


def test_a_job_that_ends_when_it_has_caught_up_leaves_a_proof(
    mariadb: FamilyServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    name, there = database(mariadb), database(postgres_18)
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", database=name)
    mariadb.execute("INSERT INTO t VALUES (1), (2)", database=name)
    job = Job(
        source=mariadb.url(), target=postgres_18.url(there), state=str(tmp_path / "state.db"),
        selected=("--tables", f"{name}.*"),
    )  # fmt: skip
    assert job.run() == 0, job.words()
    assert job.prove("--stored") == 0, job.words()
    assert "1 of 1 tables are proven equal, 2 rows at the source" in job.words()
