"""What is replicated is edited while it is replicated: tables come and go under load, whoever is killed meanwhile."""

from __future__ import annotations

import itertools
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import huaweicloudsdkdrs.v5 as v5
import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import OPENDRS, eventually
from tests.integration.api.jobs import chosen
from tests.integration.api.meanwhile import meanwhile
from tests.integration.api.play import FOLLOWS, Play, play

MANY = 50
ROWS = 40
NAMES = tuple(f"n{number:02}" for number in range(MANY))
# The first worker dies in the middle of loading what came, the second when the tables are about to change hands.
KILLS = {"OPENDRS_FAULT": "chunk.committed:25,tables.exchanged"}


def make(stage: Play) -> None:
    """Fifty tables with rows."""
    for name in NAMES:
        stage.source.execute(f"CREATE TABLE `{stage.database}`.{name} (id INT PRIMARY KEY, v VARCHAR(500))")
        stage.source.execute(f"INSERT INTO {name} SELECT id, v FROM t WHERE id <= {ROWS}", database=stage.database)


def load(stage: Play) -> AbstractContextManager[None]:
    """Somebody writes to all of them, some tables in one transaction."""
    steps = itertools.count(1)

    def write() -> None:
        step = next(steps)
        names = [NAMES[(step * 7 + other) % MANY] for other in range(3)]
        words = ["BEGIN", f"UPDATE t SET v = 's{step}' WHERE id = {1 + step % 900}"]
        for name in names:
            words += [
                f"INSERT INTO {name} VALUES ({1000 + step}, 'new')",
                f"UPDATE {name} SET v = CONCAT('u{step}-', id) WHERE id % {ROWS} = {step % ROWS}",
                f"DELETE FROM {name} WHERE id = {1000 + step - MANY}",
            ]
        stage.source.execute(";\n".join([*words, "COMMIT"]), database=stage.database)

    return meanwhile(write)


def save(stage: Play, objects: v5.DbObject) -> str:
    """The objects that the job is to have; how it went."""
    query = stage.sdk.update(stage.job, "db_object", db_object=objects).id

    def over() -> Any:
        found = stage.sdk.call("show_update_object_saving_status", job_id=stage.job, query_id=query)
        return found if found.status in ("success", "failed") else None

    found = eventually(over)
    return "" if found.status == "success" else str(found.error_message)


def edit(stage: Play, objects: v5.DbObject) -> None:
    assert save(stage, objects) == ""
    stage.check("forStartJob")
    stage.sdk.act(stage.job, "start", is_sync_re_edit=True)


def replicated(stage: Play) -> set[str]:
    info = stage.sdk.call("list_db_objects", job_id=stage.job, type="synchronized").object_info
    return set(info[stage.database].tables) if stage.database in info else set()


def proven(stage: Play, tables: int) -> None:
    words = [OPENDRS, "proof", "--data", stage.service.folder / "data", "--job", stage.job, "--timeout", "100"]
    found = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, f"{found.stdout}{found.stderr}"
    assert f"{tables} of {tables} tables are proven equal" in found.stdout


def following(stage: Play, *tables: str) -> None:
    """A job of these tables that follows."""
    stage.create()
    stage.sdk.until(stage.job, "CONFIGURATION")
    assert save(stage, chosen(stage.database, *tables)) == ""
    stage.check()
    stage.sdk.act(stage.job, "start")
    stage.sdk.until(stage.job, FOLLOWS)


def started(stage: Play) -> int:
    """How many workers were."""
    return stage.service.log.read_text().count("a worker was started")


@pytest.mark.parametrize("kills", [{}, KILLS], ids=["nobody dies", "workers die"])
def test_fifty_tables_come_under_load(
    tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, kills: dict[str, str]
) -> None:
    names = (database(mariadb), database(postgres))
    with play(tmp_path, mariadb, postgres, names, environment=kills) as stage:
        make(stage)
        following(stage, "t")
        first = stage.worker()
        with load(stage):
            edit(stage, chosen(stage.database, "t", *NAMES))
            if kills:
                eventually(lambda: started(stage) == 2, 60)
                stage.crash()  # the service, too
            eventually(lambda: replicated(stage) == {"t", *NAMES}, 120)
            stage.pass_time(1)
        assert stage.status() == FOLLOWS
        assert (stage.worker().pid == first.pid) == (not kills)
        assert started(stage) >= 3 if kills else started(stage) == 1
        proven(stage, 1 + MANY)


def test_tables_leave_and_come_back(
    tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    names = (database(mariadb), database(postgres))
    with play(tmp_path, mariadb, postgres, names) as stage:
        make(stage)
        following(stage, "t", "n00", "n01")
        here = f"`{stage.database}`"
        edit(stage, chosen(stage.database, "t", "n00"))
        eventually(lambda: replicated(stage) == {"t", "n00"})
        stage.source.execute(f"INSERT INTO {here}.n01 VALUES (-1, 'nobody sees it')")
        stage.source.execute(f"INSERT INTO {here}.n00 VALUES (-1, 'followed')")
        proven(stage, 2)
        stage.target.execute(f'DROP TABLE "{stage.database}".n01', database=stage.target_database)
        edit(stage, chosen(stage.database, "t", "n00", "n01"))
        eventually(lambda: replicated(stage) == {"t", "n00", "n01"})
        proven(stage, 3)


def shares(stage: Play, kind: str) -> dict[str, int]:
    found = stage.sdk.call("show_progress_data", job_id=stage.job, type=kind).flow_compare_data
    return {row.src_tb: row.progress for row in found}


def executed(stage: Play) -> list[str]:
    found = stage.sdk.call("list_job_ddls", job_id=stage.job).ddl_list
    return [row.ddl_text for row in found if row.exe_result]


def test_what_comes_is_told_of_with_its_views_and_indexes(
    tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    names = (database(mariadb), database(postgres))
    with play(tmp_path, mariadb, postgres, names) as stage:
        stage.source.execute(
            "CREATE TABLE other (id INT PRIMARY KEY, v INT, KEY (v)); INSERT INTO other VALUES (1, 1), (2, 2);"
            "CREATE VIEW seen AS SELECT id FROM other WHERE v > 1",
            database=stage.database,
        )
        following(stage, "t")
        assert (shares(stage, "table"), shares(stage, "view")) == ({"t": 100}, {})
        edit(stage, chosen(stage.database))
        eventually(lambda: shares(stage, "table") == {"t": 100, "other": 100} and replicated(stage) == {"t", "other"})
        eventually(lambda: shares(stage, "view") == {"seen": 100} and shares(stage, "table_indexs")["other"] == 100)
        stage.source.execute("ALTER TABLE other ADD COLUMN w INT", database=stage.database)
        eventually(lambda: executed(stage) == ["ALTER TABLE other ADD COLUMN w INT"])
        edit(stage, chosen(stage.database, "t"))
        eventually(lambda: shares(stage, "table") == {"t": 100} and shares(stage, "view") == {})
