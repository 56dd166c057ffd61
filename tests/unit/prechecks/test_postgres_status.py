"""The looks at a target as a whole, and at what the account may do there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from opendrs.engines.postgres import prechecks_privileges as privileges
from opendrs.engines.postgres import prechecks_status as looks
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy
from opendrs.model.precheck import Unseen
from tests.unit.prechecks.mysql_fakes import table
from tests.unit.prechecks.postgres_fakes import denied, objects, server

LOCAL = Endpoint(engine="postgresql", host="127.0.0.1", port=5432, user="u", database="d")


def test_the_connection_and_the_database() -> None:
    assert looks.connection(server()).message == "Logged in at postgresql://u@pg:5432/ as u"
    assert looks.database(server()).result == "PASSED"
    assert looks.database_missing(LOCAL).result == "FAILED"
    assert looks.database_absent(LOCAL).remedy == "CREATE DATABASE \"d\" ENCODING 'UTF8' TEMPLATE template0;"


@pytest.mark.parametrize(
    ("number", "result"), [("130014", "FAILED"), ("140000", "PASSED"), ("180004", "PASSED"), ("190000", "ALARM")]
)
def test_version(number: str, result: str) -> None:
    assert looks.version(server(settings={"server_version_num": number})).result == result


@pytest.mark.parametrize(("value", "result"), [("UTF8", "PASSED"), ("LATIN1", "FAILED"), ("SQL_ASCII", "FAILED")])
def test_encoding(value: str, result: str) -> None:
    assert looks.encoding(server(settings={"server_encoding": value})).result == result


def test_whether_it_takes_writes() -> None:
    assert looks.takes_writes(server()).result == "PASSED"
    assert looks.takes_writes(server(("pg_is_in_recovery", [("t",)]))).result == "FAILED"
    verdict = looks.takes_writes(server(settings={"default_transaction_read_only": "on"}))
    assert verdict.result == "FAILED"
    assert verdict.remedy == 'ALTER ROLE "u" IN DATABASE "d" SET default_transaction_read_only = off;'


@pytest.mark.parametrize(("value", "result"), [("on", "PASSED"), ("local", "PASSED"), ("off", "ALARM")])
def test_durability(value: str, result: str) -> None:
    assert looks.durability(server(settings={"synchronous_commit": value})).result == result


@pytest.mark.parametrize(
    ("there", "version", "result"),
    [([], [], "PASSED"), ([()], [("1",)], "PASSED"), ([()], [("2",)], "FAILED"), ([()], [], "FAILED")],
)
def test_the_control_schema(there: list[tuple[str]], version: list[tuple[str]], result: str) -> None:
    source = server(("FROM pg_class", there), ("SELECT version FROM _opendrs", version))  # type: ignore[arg-type]
    assert looks.control_schema(source).result == result


def test_the_control_schema_of_somebody_else() -> None:
    with pytest.raises(Unseen) as unseen:
        looks.control_schema(server(("FROM pg_class", [()]), ("SELECT version", denied())))
    assert 'GRANT USAGE, CREATE ON SCHEMA _opendrs TO "u";' in unseen.value.remedy


@pytest.mark.parametrize(
    ("ahead_s", "target_ahead_s", "result"),
    [
        (0.0, 0.0, "PASSED"),
        (0.0, 61.5, "ALARM"),
        (-30.0, 40.0, "ALARM"),
        (100.0, 100.0, "PASSED"),
        (None, 1000.0, "PASSED"),
    ],
)
def test_clocks(ahead_s: float | None, target_ahead_s: float, result: str) -> None:
    now = ("clock_timestamp", lambda sql: [(str(time.time() + target_ahead_s),)])
    assert looks.clock(server(now, clock_ahead_s=ahead_s)).result == result


@pytest.mark.parametrize(
    ("left", "readers", "result"),
    [
        (("90", None, None), 2, "PASSED"),
        (("8", None, None), 2, "PASSED"),
        (("7", None, None), 2, "FAILED"),
        (("90", "3", None), 2, "FAILED"),
        (("90", None, "3"), 2, "FAILED"),
        (("30", None, None), 20, "FAILED"),
    ],
)
def test_sessions(left: tuple[str | None, ...], readers: int, result: str) -> None:
    verdict = looks.sessions(server(("max_connections", [left]), policy=Policy(readers=readers)))
    assert verdict.result == result
    assert ("CONNECTION LIMIT -1;" in verdict.remedy) == (left[1:] != (None, None) and result == "FAILED")


# --- the disk ---


def data_folder(tmp_path: Path, started: str = "1700000000") -> Path:
    (tmp_path / "postmaster.pid").write_text(f"17\n{tmp_path}\n{started}\n5432\n/tmp\nlocalhost\n 1 2\nready\n")
    return tmp_path


def placed(
    folder: Path, tablespace: str = "pg_default", started: str = "1700000000"
) -> tuple[str, list[tuple[str, ...]]]:
    return ("data_directory", [(str(folder), tablespace, started)])


@pytest.mark.parametrize(("nbytes", "result"), [(1, "PASSED"), (1 << 62, "FAILED")])
def test_the_disk_of_this_machine(tmp_path: Path, nbytes: int, result: str) -> None:
    folder = data_folder(tmp_path)
    assert looks.disk(server(placed(folder), source_bytes=nbytes, endpoint=LOCAL)).result == result


@pytest.mark.parametrize(
    ("endpoint", "rows"),
    [
        (Endpoint(engine="postgresql", host="elsewhere", port=5432), "here"),  # another machine
        (LOCAL, "other start"),  # a port of this machine that leads to another server
        (LOCAL, "tablespace"),
        (LOCAL, "hidden"),  # the account may not see data_directory
        (LOCAL, "default_tablespace"),
    ],
)
def test_a_disk_that_cannot_be_seen_is_not_made_up(tmp_path: Path, endpoint: Endpoint, rows: str) -> None:
    folder = data_folder(tmp_path)
    answers = {
        "here": placed(folder),
        "other start": placed(folder, started="1700009999"),
        "tablespace": placed(folder, "fast"),
        "hidden": ("data_directory", [(None, "pg_default", "1700000000")]),
        "default_tablespace": ("data_directory", []),
    }
    with pytest.raises(Unseen, match="cannot be seen"):
        looks.disk(server(answers[rows], source_bytes=1000, endpoint=endpoint))  # type: ignore[arg-type]


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(Unseen):
        looks.disk(server(placed(tmp_path / "nowhere"), source_bytes=1000, endpoint=LOCAL))


def test_the_size_of_the_source_is_not_known() -> None:
    with pytest.raises(Unseen, match="size"):
        looks.disk(server())


def test_half_as_much_again_is_wanted(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    verdict = looks.disk(server(placed(folder), source_bytes=int(free / 1.2), endpoint=LOCAL))
    assert verdict.result == "FAILED" and "1.5 times" in verdict.message


# --- privileges ---


@pytest.mark.parametrize(
    ("schemas", "create", "remedies"),
    [
        ([], "t", []),
        ([], "f", ['GRANT CREATE ON DATABASE "d" TO "u";']),
        ([("shop", "t"), ("_opendrs", "t")], "f", []),
        ([("shop", "f")], "t", ['GRANT USAGE, CREATE ON SCHEMA "shop" TO "u";']),
        (
            [("shop", "f")],
            "f",
            ['GRANT CREATE ON DATABASE "d" TO "u";', 'GRANT USAGE, CREATE ON SCHEMA "shop" TO "u";'],
        ),
    ],
)
def test_privileges(schemas: list[tuple[str, str]], create: str, remedies: list[str]) -> None:
    source = server(("pg_namespace", schemas), ("has_database_privilege", [(create,)]))  # type: ignore[arg-type]
    verdict = privileges.write(objects(source, table()))
    assert verdict.result == ("FAILED" if remedies else "PASSED")
    assert verdict.remedy.splitlines() == remedies
