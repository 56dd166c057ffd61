"""A source that comes back as another server of the same history: a failover behind one address."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from opendrs.errors import DrsError
from tests.harness.fixtures import NewDatabase, StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story


def become_another(source: FamilyServer) -> None:
    """The stopped server starts as another one."""
    (source.data / "auto.cnf").unlink(missing_ok=True)
    source.start()
    if source.name.startswith("mariadb"):
        source.execute("SET GLOBAL server_id = 4242")


@pytest.mark.parametrize("product", ["mariadb", "mysql"])
def test_the_job_goes_on(
    start_server: StartServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path, product: str
) -> None:
    """MariaDB's number and MySQL's UUID are others now, the log begins anew, and the GTIDs go on."""
    source = cast(FamilyServer, start_server(product))
    story = Story(
        source=source, target=postgres_18, name=database(source), there=database(postgres_18), folder=tmp_path
    )
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)")
    story.play()
    source.stop()
    become_another(source)
    story.at_source("INSERT INTO t VALUES (2)")
    story.ends_equal()


@pytest.mark.parametrize("product", ["mariadb", "mysql"])
def test_the_job_goes_on_in_the_middle(
    start_server: StartServer, postgres_18: Postgres, database: NewDatabase, tmp_path: Path, product: str
) -> None:
    """The other server answers while the job catches up: as long as nobody does, it is a network that is away."""
    source = cast(FamilyServer, start_server(product))
    story = Story(
        source=source, target=postgres_18, name=database(source), there=database(postgres_18), folder=tmp_path
    )
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)")

    def fail_over() -> None:
        source.stop()
        become_another(source)
        story.at_source("INSERT INTO t VALUES (2)")

    try:
        story.play({"load.loaded": fail_over})
    except DrsError as error:
        assert error.retry == "network"
    story.ends_equal()
