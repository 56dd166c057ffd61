"""What the source may forget is on the target's disk, whatever the target's settings say."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from opendrs.errors import DrsError, Fault
from tests.harness import Options
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story


def test_acknowledged_is_durable(
    mariadb: FamilyServer, start_server: StartServer, database: NewDatabase, tmp_path: Path
) -> None:
    """The target does not wait for its disk, and is killed as soon as the source was told to forget."""
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
    target = cast(Postgres, start_server("postgres18", Options(settings=settings, durable=True)))
    story = Story(source=mariadb, target=target, name=database(mariadb), there=database(target), folder=tmp_path)
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)")
    story.play()
    story.at_source("INSERT INTO t VALUES (2)")
    with pytest.raises(DrsError) as met:
        story.play({"source.acknowledged": target.kill})
    assert met.value.fault is Fault.TARGET_UNREACHABLE
    target.start()
    assert story.in_target(f'SELECT id FROM "{story.name}".t ORDER BY id') == [(1,), (2,)]
    story.ends_equal()
