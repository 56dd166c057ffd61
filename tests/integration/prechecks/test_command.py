"""`opendrs check` as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.harness import Server
from tests.harness.fixtures import NewDatabase
from tests.harness.server import PASSWORD


def opendrs(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "opendrs.cli.main", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert PASSWORD not in done.stdout + done.stderr
    return done


def test_from_failure_to_success(mariadb: Server, postgres: Server, database: NewDatabase) -> None:
    shop, target = database(mariadb), database(postgres)
    mariadb.execute("SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, d DATE)", database=shop)
    mariadb.execute("SET sql_mode = ''; INSERT INTO t VALUES (1, '0000-00-00')", database=shop)
    words = ("check", mariadb.url(), postgres.url(target), "--tables", f"{shop}.*")
    done = opendrs(*words)
    assert done.returncode == 1, done.stderr
    assert "FAILED  srcColumnValueCheck" in done.stdout and "--invalid-dates null" in done.stdout
    assert done.stdout.strip().splitlines()[-1].endswith("PASSED")
    done = opendrs(*words, "--invalid-dates", "null", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["counts"]["FAILED"] == 0
    (counted,) = [f for f in document["findings"] if f["item"] == "srcColumnValueCheck" and f["result"] == "ALARM"]
    assert "1 row with" in counted["message"] and "they become NULL" in counted["message"]


def test_the_source_alone(mysql: Server, database: NewDatabase) -> None:
    shop = database(mysql)
    mysql.execute("CREATE TABLE t (id INT PRIMARY KEY)", database=shop)
    done = opendrs("check", mysql.url(), "--tables", f"{shop}.*")
    assert done.returncode == 0, done.stdout
    assert "srcDbConnection" in done.stdout and "dstDbConnection" not in done.stdout


def test_a_server_that_is_not_there(postgres: Server, database: NewDatabase) -> None:
    """Both sides are told, and a check that cannot be made is a finding."""
    done = opendrs("check", "mysql://nobody:nothing@127.0.0.1:1", postgres.url(database(postgres)))
    assert done.returncode == 1
    assert "FAILED  srcDbConnection" in done.stdout and "PASSED  dstDbConnection" in done.stdout
