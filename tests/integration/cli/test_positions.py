"""Beginning at a place in the log, from the shell: with and without a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.engines.mysql.locating import time_of
from tests.harness.binlog_text import logged_begins, next_second
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import USER as ACCOUNT
from tests.harness.service import eventually
from tests.integration.cli.shell import Shell
from tests.integration.cli.test_life import source_url, target_url, until


@pytest.fixture(params=["mariadb", "mysql"])
def server(request: pytest.FixtureRequest) -> FamilyServer:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, FamilyServer)
    return found


@pytest.fixture
def name(server: FamilyServer, database: NewDatabase) -> str:
    """A database with a table, in which a row has been."""
    name = database(server)
    server.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v VARCHAR(20))")
    server.execute(f"INSERT INTO {name}.t VALUES (1, 'before')")
    next_second(server)
    return name


@pytest.fixture
def there(postgres: Postgres, database: NewDatabase, name: str) -> str:
    """A database of the target that has the table, empty."""
    there = database(postgres)
    for statement in (f'CREATE SCHEMA "{name}"', f'CREATE TABLE "{name}".t (id INTEGER PRIMARY KEY, v VARCHAR(20))'):
        postgres.execute(f"SET ROLE {ACCOUNT}; {statement}", database=there)
    return there


def keys(postgres: Postgres, there: str, name: str) -> list[int]:
    return [row[0] for row in postgres.execute(f'SELECT id FROM "{name}".t ORDER BY 1', database=there)]


def moment(server: FamilyServer) -> str:
    """Of the last transaction."""
    *_, last = logged_begins(server)
    return time_of(last.moment_us)


def test_without_a_service(
    stranger: Shell, tmp_path: Path, server: FamilyServer, postgres: Postgres, name: str, there: str
) -> None:
    shell, state = stranger, str(tmp_path / "state.db")
    server.execute(f"INSERT INTO {name}.t VALUES (2, 'there')")
    at = moment(server)
    server.execute("FLUSH BINARY LOGS")
    server.execute(f"INSERT INTO {name}.t VALUES (3, 'behind')")
    found = shell.done("position", source_url(server), "--time", at, "--json").json()
    assert found["time"] == at and found["version"] == 1
    said = shell.done("position", source_url(server), "--time", at).out
    assert f"Position      {found['position']}\n" in said and found["gtid_set"][:36] in said
    assert "the log ends there" in shell.done("position", source_url(server), "--time", "2200-01-01").out
    assert "[DRS.10050080]" in shell.failed("position", source_url(server), "--time", "2001-01-01T00:00:00Z")
    assert "is no time" in shell.failed("position", source_url(server), "--time", "soon", code=2)

    run = ("run", source_url(server), target_url(postgres, there), "--tables", f"{name}.*", "--state", state, "--plain")
    assert "--from-time: a job that loads" in shell.failed(*run, "--from-time", at, code=2)
    log_only = (*run, "--task", "incremental", "--until", "caught-up")
    assert "and so does --from-position" in shell.failed(
        *log_only, "--from-time", at, "--from-position", "a.001:4", code=2
    )
    wrong = shell.failed(*log_only, "--from-position", "binlog.999999:4")
    assert "[DRS.10050041]" in wrong and "srcStartPositionCheck" in wrong
    assert keys(postgres, there, name) == []
    shell.done(*log_only, "--from-time", at)
    assert keys(postgres, there, name) == [2, 3]
    # The same command goes on; so does one that does not say where it began, and one that says it otherwise does not.
    server.execute(f"INSERT INTO {name}.t VALUES (4, 'later')")
    shell.done(*log_only, "--from-time", at)
    assert keys(postgres, there, name) == [2, 3, 4]
    server.execute(f"INSERT INTO {name}.t VALUES (5, 'later')")
    told = shell.failed(*log_only, "--from-position", found["position"])
    assert "[DRS.10050042]" in told and at in told
    shell.done(*log_only)
    assert keys(postgres, there, name) == [2, 3, 4, 5]
    check = ("check", *run[1:5], "--task", "incremental", "--name", "another")
    assert "srcStartPositionCheck" in shell.run(*check, "--from-position", found["position"]).out


def test_by_gtids(
    stranger: Shell, tmp_path: Path, server: FamilyServer, postgres: Postgres, name: str, there: str
) -> None:
    column = "gtid_binlog_pos" if server.name.startswith("mariadb") else "gtid_executed"
    gtids = str(server.execute(f"SELECT @@global.{column}")[0][0])
    server.execute(f"INSERT INTO {name}.t VALUES (2, 'there')")
    stranger.done(
        "run", source_url(server), target_url(postgres, there), "--tables", f"{name}.*", "--plain",
        "--state", str(tmp_path / "state.db"), "--task", "incremental", "--until", "caught-up",
        "--from-position", gtids,
    )  # fmt: skip
    assert keys(postgres, there, name) == [2]


def test_with_a_service(shell: Shell, server: FamilyServer, postgres: Postgres, name: str, there: str) -> None:
    server.execute(f"INSERT INTO {name}.t VALUES (2, 'there')")
    at, job = moment(server), f"from-{server.name}"[:50].replace(".", "-")
    create = ("job", "create", job, source_url(server), target_url(postgres, there), "--databases", name)
    assert "a job that loads" in shell.failed(*create, "--from-time", at, code=2)
    made = shell.done(*create, "--task", "incremental", "--from-time", at, "--start").out
    assert f"in front of a transaction of {at}" in made
    until(shell, job, "following")
    server.execute(f"INSERT INTO {name}.t VALUES (3, 'live')")
    eventually(lambda: keys(postgres, there, name) == [2, 3])
    assert "begins at " in shell.done("job", "show", job).out
    shell.done("job", "end", job, "--yes")
    shell.done("job", "delete", job, "--yes")
