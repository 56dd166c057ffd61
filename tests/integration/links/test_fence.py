"""A worker that was overtaken changes nothing more, whatever it was about to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.errors import DrsError, Fault
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story


def test_overtaken_before_the_indexes(
    mariadb: FamilyServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    story = Story(
        source=mariadb, target=postgres_18, name=database(mariadb), there=database(postgres_18), folder=tmp_path
    )
    story.at_source(
        "CREATE TABLE p (id INT PRIMARY KEY);\n"
        "CREATE TABLE c (id INT AUTO_INCREMENT PRIMARY KEY, p INT, v INT, KEY (v), FOREIGN KEY (p) REFERENCES p (id));\n"
        "CREATE VIEW w AS SELECT id FROM p"
    )

    def overtake() -> None:
        postgres_18.execute("UPDATE _opendrs.job SET epoch = epoch + 1", database=story.there)

    with pytest.raises(DrsError) as met:
        story.play({"checkpoint.saved": overtake})
    assert met.value.fault is Fault.FENCED
    made = story.in_target(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = "
        f"'\"{story.name}\".c'::regclass AND NOT indisprimary"
        " UNION ALL SELECT conname::text FROM pg_constraint WHERE contype = 'f'"
        f" UNION ALL SELECT viewname::text FROM pg_views WHERE schemaname = '{story.name}'"
        " UNION ALL SELECT attname::text FROM pg_attribute WHERE attidentity <> ''"
    )
    assert made == []
    story.epoch += 1
    story.ends_equal()
