"""The life of a job from the shell, on real servers; and no secret anywhere."""

from __future__ import annotations

import signal
import stat
from urllib.parse import quote

import pytest

from tests.harness import server as databases
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import ACCESS_KEY, PASSWORD, SECRET_KEY, USER, Service, eventually
from tests.integration.cli.shell import Shell


@pytest.fixture
def source(mariadb: FamilyServer, database: NewDatabase) -> str:
    """A database with two tables."""
    name = database(mariadb)
    for table in ("t", "other"):
        mariadb.execute(f"CREATE TABLE `{name}`.`{table}` (id INT PRIMARY KEY, v VARCHAR(20))")
        mariadb.execute(f"INSERT INTO `{name}`.`{table}` VALUES (1, 'one'), (2, 'two')")
    return name


def source_url(server: FamilyServer) -> str:
    return f"mysql://{databases.USER}:{quote(databases.PASSWORD)}@127.0.0.1:{server.port}"


def target_url(server: Postgres, database: str) -> str:
    return f"postgresql://{databases.USER}:{quote(databases.PASSWORD)}@127.0.0.1:{server.port}/{database}"


def until(shell: Shell, job: str, state: str) -> None:
    """Waits for a state as `show` tells it."""
    eventually(lambda: shell.done("job", "show", job, "--json").json()["job"]["state"] == state)


def test_a_job_from_creation_to_its_end(
    shell: Shell, service: Service, source: str, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    target = database(postgres)
    made = shell.done(
        "job", "create", "Shop-1", source_url(mariadb), target_url(postgres, target),
        "--tables", f"{source}.t*", "--map", f"{source}=store", "--no-index", "--start",
    )  # fmt: skip
    steps = [line.split()[0] for line in made.out.splitlines() if line and line[0].islower()]
    assert steps == ["created", "built", "network", "network", "policy", "note", "objects", "prechecks", "started"]
    assert "srcBinlogFormatCheck" in made.out and f"objects    {source}.t -> store\n" in made.out
    assert f"{source}.t*: 1 tables that there are now" in made.out
    job_id = made.out.splitlines()[0].split()[2]
    until(shell, "shop-1", "following")

    listed = shell.done("job", "list").out.splitlines()
    row = next(line for line in listed if "Shop-1" in line)
    assert job_id in row and "following" in row and "full+incremental" in row
    assert row.endswith(f"mysql://127.0.0.1:{mariadb.port} -> postgresql://127.0.0.1:{postgres.port}")
    assert shell.done("job", "list", "--state", "paused", "--json").json() == {"version": 1, "jobs": [], "total": 0}
    assert shell.done("job", "list", "--state", "following", "--name", "hop", "--json").json()["total"] == 1

    shown = shell.done("job", "show", job_id).out
    assert "Name         Shop-1\n" in shown and "State        following (INCRE_TRANSFER_STARTED)\n" in shown
    assert f"Source       mysql://{databases.USER}@127.0.0.1:{mariadb.port}\n" in shown
    assert "no indexes but keys" in shown and "Tables       1 of 1 loaded\n" in shown and "Delay" in shown
    assert "May now      precheck, stop, restart, end\n" in shown
    mariadb.execute(f"INSERT INTO `{source}`.t VALUES (3, 'three')")
    eventually(lambda: len(postgres.execute("SELECT * FROM store.t", database=target)) == 3)

    mariadb.execute(f"CREATE TABLE `{source}`.later (id INT PRIMARY KEY); INSERT INTO `{source}`.later VALUES (7)")
    both = ("--tables", f"{source}.t", "--tables", f"{source}.later", "--map", f"{source}=store")
    chosen = shell.done("job", "select", "Shop-1", *both).out
    assert chosen.endswith("Next: opendrs job precheck Shop-1, then opendrs job edit Shop-1\n")
    shell.done("job", "precheck", "Shop-1")
    assert shell.done("job", "edit", "Shop-1").out == "Shop-1 replicates what was chosen.\n"
    assert list(postgres.execute("SELECT * FROM store.later", database=target)) == [(7,)]

    with shell.popen("job", "watch", "Shop-1") as watching:
        assert watching.stdout is not None
        assert any("phase=following state=INCRE_TRANSFER_STARTED" in line for line in watching.stdout)
        with shell.popen("job", "logs", "Shop-1", "--follow", "--json") as following:
            assert following.stdout is not None and following.stdout.readline().startswith('{"id": ')
            assert shell.done("job", "stop", "shop-1").out.startswith("Shop-1 is paused.")
            following.send_signal(signal.SIGINT)
            assert following.wait(30) == 130
        assert any("state=PAUSING" in line for line in watching.stdout)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
    until(shell, "Shop-1", "paused")
    assert shell.done("job", "restart", "Shop-1", "--wait").out == "Shop-1 runs: following.\n"
    assert shell.done("job", "restart", "Shop-1", "--wait").out == "Shop-1 runs: following.\n"
    shell.done("job", "stop", "Shop-1")
    shell.done("job", "precheck", "Shop-1")
    assert shell.failed("job", "reset", "Shop-1", code=2).startswith("opendrs: --yes: ")
    assert shell.done("job", "reset", "Shop-1", "--yes", "--wait").out.startswith("Shop-1 runs: ")
    logs = shell.done("job", "logs", "Shop-1", "-n", "500").out
    assert logs.count("\n") > 5 and " INFO  " in logs

    assert "DRS.M00304" in shell.failed("job", "delete", "Shop-1", "--yes")
    assert shell.done("job", "end", "Shop-1", "--yes").out.startswith("Shop-1 has ended.")
    assert shell.done("job", "delete", "Shop-1", "-y").out == "Shop-1 is deleted.\n"
    assert "There is no job 'Shop-1'" in shell.failed("job", "show", "Shop-1")
    assert "DRS.10000010" in shell.failed("job", "show", job_id)
    assert_no_secret(shell, service)
    assert stat.S_IMODE(shell.login_file.stat().st_mode) == 0o600


def assert_no_secret(shell: Shell, service: Service) -> None:
    places = {
        "output": "".join(shell.history),
        "login": shell.login_file.read_text(),
        "log": service.log.read_text(),
    }
    for secret in (PASSWORD, SECRET_KEY, databases.PASSWORD, quote(databases.PASSWORD)):
        for place, text in places.items():
            assert secret not in text, place


def test_a_step_that_fails_leaves_a_job_to_go_on_with(
    shell: Shell, service: Service, source: str, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    target = database(postgres)
    ends = (source_url(mariadb), target_url(postgres, target))
    wrong = ("job", "create", "shop-2", ends[0].replace(quote(databases.PASSWORD), "not-the-password"), ends[1])
    told = shell.failed(*wrong, "--tables", f"{source}.t")
    assert "DRS.KE0002" in told and "The job shop-2 is kept as far as it is: " in told
    assert "not-the-password" not in "".join(shell.history)
    assert "DRS.M00277" in shell.failed(*wrong)

    told = shell.failed("job", "create", "shop-3", *ends, "--tables", f"{source}.nothing")
    assert "DRS.10030015" in told and f"{source}.nothing" in told
    assert shell.failed("job", "create", "shop-4", *ends, "--tables", "nothing-like-it*.t", code=2)
    assert "DRS.10050050" in shell.failed("job", "start", "shop-3")
    assert f"shop-3 replicates {source}.*." in shell.done("job", "select", "shop-3", "--databases", source).out
    assert "no connection" not in shell.done("job", "network", "shop-3").out
    checked = shell.done("job", "precheck", "shop-3", "--json").json()
    assert checked["counts"]["FAILED"] == 0 and checked["findings"]
    assert shell.done("job", "start", "shop-3", "--wait").out.startswith("shop-3 runs: ")
    until(shell, "shop-3", "following")
    assert len(postgres.execute(f'SELECT * FROM "{source}".other', database=target)) == 2
    assert "shop-2 (" in shell.failed("job", "show", "shop")  # one of several
    assert "there is shop-3 (" in shell.failed("job", "stop", "op-3")  # enough for looking, not for this
    assert "shop-3" in shell.done("job", "show", "op-3").out
    for job in ("shop-2", "shop-3", "shop-4"):
        shell.done("job", "end", job, "--yes")
    assert_no_secret(shell, service)


def test_a_whole_load_is_watched_to_its_end(
    shell: Shell, service: Service, source: str, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    made = shell.done(
        "job", "create", "load", source_url(mariadb), target_url(postgres, database(postgres)),
        "--databases", source, "--task", "full", "--start", "--json",
    )  # fmt: skip
    assert made.json()["job"]["name"] == "load" and made.json()["findings"]
    assert shell.done("job", "watch", "load").out.splitlines()[-1] == "load is loaded."
    assert '"state": "loaded"' in shell.done("job", "watch", "load", "--json").out.splitlines()[-1]


def test_the_keys_of_the_environment_need_no_login(stranger: Shell, service: Service) -> None:
    keys = {"OPENDRS_URL": service.url, "OPENDRS_ACCESS_KEY": ACCESS_KEY, "OPENDRS_SECRET_KEY": SECRET_KEY}
    assert "jobs" in stranger.done("job", "list", "--json", **keys).json()
    assert not stranger.login_file.exists()
    assert "DRS.M00261" in stranger.failed("job", "list", OPENDRS_PROJECT_ID="0" * 32, **keys)
    assert "APIGW.0301" in stranger.failed("job", "list", **{**keys, "OPENDRS_SECRET_KEY": "not-the-secret"})
    assert USER not in "".join(stranger.history) and "not-the-secret" not in "".join(stranger.history)
