"""The examples run as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import ACCESS_KEY, PROJECT, SECRET_KEY, Service

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_first_job(service: Service, mysql: FamilyServer, postgres: Postgres, database: NewDatabase) -> None:
    source, target = database(mysql), database(postgres)
    mysql.execute(f"CREATE TABLE `{source}`.t (id INT PRIMARY KEY)")
    mysql.execute(f"INSERT INTO `{source}`.t VALUES (1), (2)")
    environment = {
        "OPENDRS_URL": service.url,
        "OPENDRS_ACCESS_KEY": ACCESS_KEY,
        "OPENDRS_SECRET_KEY": SECRET_KEY,
        "OPENDRS_PROJECT_ID": PROJECT,
        "SOURCE": mysql.url(),
        "TARGET": postgres.url(target),
        "DATABASE": source,
    }
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "first_job.py")],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("the target follows the source\n")
    assert postgres.execute(f'SELECT count(*) FROM "{source}".t', database=target) == [(2,)]
