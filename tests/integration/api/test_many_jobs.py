"""Small jobs side by side on one machine, within the memory that README states."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opendrs.model.lifecycle import State
from tests.harness.fixtures import StartServer
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import Options
from tests.harness.service import Sdk, Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint

ROWS = 200
# Of one worker that follows, memory that is its own (README, "Many jobs").
BYTES_A_JOB = 64 << 20
TARGET = "warehouse"


@pytest.fixture
def servers(start_server: StartServer) -> Iterator[tuple[FamilyServer, Postgres]]:
    source = start_server("mariadb", Options(settings={"max_connections": "500"}))
    target = start_server("postgres15", Options(settings={"max_connections": "500"}))
    assert isinstance(source, FamilyServer) and isinstance(target, Postgres)
    target.create_database(TARGET)
    yield source, target


def started(sdk: Sdk, source: FamilyServer, target: Postgres, number: int) -> str:
    database = f"shop_{number}"
    source.create_database(database)
    source.execute(f"CREATE TABLE {database}.orders (id INT PRIMARY KEY, v VARCHAR(100))")
    source.execute(f"INSERT INTO {database}.orders SELECT seq, CONCAT('value ', seq) FROM {database}.seq_1_to_{ROWS}")
    ends = endpoint("so", source), endpoint("ta", target, database=TARGET)
    job = str(sdk.call("create_job", body=creation(f"many-{number}", *ends)).id)
    sdk.until(job, "CONFIGURATION")
    query = sdk.update(job, "db_object", db_object=chosen(database)).id

    def saved() -> bool:
        return sdk.call("show_update_object_saving_status", job_id=job, query_id=query).status == "success"

    eventually(saved)
    sdk.act(job, "precheck")
    return job


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [8, pytest.param(50, marks=pytest.mark.large)])
def test_jobs_side_by_side(service: Service, servers: tuple[FamilyServer, Postgres], count: int) -> None:
    source, target = servers
    sdk = service.sdk()
    jobs = [started(sdk, source, target, number) for number in range(count)]
    for job in jobs:

        def checked(job: str = job) -> bool:
            rows = sdk.call("show_timeline", job_id=job, x_language="en-us").timelines
            return any(row.name == "precheck" and row.status == "success" for row in rows)

        eventually(checked, 300)
        sdk.act(job, "start")
    for job in jobs:
        sdk.until(job, State.INCREMENTAL, timeout_s=300)
    for number in range(count):
        source.execute(f"INSERT INTO shop_{number}.orders VALUES ({ROWS + 1}, 'the last')")
    for number in range(count):

        def there(number: int = number) -> bool:
            rows = target.execute(f"SELECT count(*) FROM shop_{number}.orders", database=TARGET)
            return bool(rows == [(ROWS + 1,)])

        eventually(there)
    workers = service.workers()
    assert sorted(workers) == sorted(jobs)
    own = sorted(worker.memory_full_info().uss for worker in workers.values())
    print(f"memory of a worker: median {own[count // 2] >> 20} MB, most {own[-1] >> 20} MB, all {sum(own) >> 20} MB")
    assert sum(own) <= count * BYTES_A_JOB, [size >> 20 for size in own]
    listed = sdk.call("list_jobs", job_type="sync", limit=100, status=State.INCREMENTAL.value)
    assert listed.total_count == count
