"""What is there when a job has ended in order: the target is ready for whoever writes to it next."""

from __future__ import annotations

from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
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
