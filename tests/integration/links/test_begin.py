"""The beginning of a job that is cut short, and one of very many tables."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from opendrs.engines.postgres import control
from opendrs.engines.postgres.control import Control
from tests.harness import Options
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story


class CutShort(Exception):
    """The worker is gone."""


def test_what_was_cut_short_is_begun_anew(
    mariadb: FamilyServer,
    postgres_18: Postgres,
    database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables were made, and the checkpoint was not; at the source one is another now, and one is gone."""
    story = Story(
        source=mariadb, target=postgres_18, name=database(mariadb), there=database(postgres_18), folder=tmp_path
    )
    story.at_source(
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, v INT);\n"
        "CREATE TABLE c (id INT PRIMARY KEY);\nINSERT INTO b VALUES (1, 1)"
    )

    def cut_short(*_: object) -> None:
        raise CutShort

    with monkeypatch.context() as patch:
        patch.setattr(control, "PORTION", 1)
        patch.setattr(Control, "save", cut_short)
        with pytest.raises(CutShort):
            story.play()
    story.at_source("ALTER TABLE b DROP COLUMN v, ADD COLUMN w DATE;\nDROP TABLE c")
    story.ends_equal()


def test_more_tables_than_a_transaction_has_locks(
    mariadb: FamilyServer, start_server: StartServer, database: NewDatabase, tmp_path: Path
) -> None:
    few = {"max_locks_per_transaction": 10, "max_connections": 20}
    target = cast(Postgres, start_server("postgres15", Options(settings=few)))
    story = Story(source=mariadb, target=target, name=database(mariadb), there=database(target), folder=tmp_path)
    story.at_source([f"CREATE TABLE t{n} (id INT PRIMARY KEY, w TEXT, KEY (w(9)))" for n in range(600)])
    story.at_source("INSERT INTO t7 VALUES (1, 'one')")
    story.ends_equal()
