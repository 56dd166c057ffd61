"""A whole job through the official SDK, on real servers."""

from __future__ import annotations

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint


def test_a_job_from_creation_to_its_end(
    service: Service, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    source, target = database(mariadb), database(postgres)
    mariadb.execute(f"CREATE TABLE `{source}`.t (id INT PRIMARY KEY, v VARCHAR(20))")
    mariadb.execute(f"INSERT INTO `{source}`.t VALUES (1, 'one'), (2, 'two')")
    sdk = service.sdk()
    made = sdk.call(
        "create_job", body=creation("flow", endpoint("so", mariadb), endpoint("ta", postgres, database=target))
    )
    assert made.status == "CREATING"
    job = made.id
    sdk.until(job, "CONFIGURATION")

    query = sdk.act(job, "network", endpoints=[endpoint("so", mariadb), endpoint("ta", postgres, database=target)])
    rows = eventually(lambda: sdk.detail(job, "network", query_id=query).network_results)
    assert [row.success for row in rows] == [True, True], rows

    saved = sdk.update(job, "db_object", db_object=chosen(source))
    eventually(lambda: sdk.call("show_update_object_saving_status", job_id=job, query_id=saved.id).status == "success")
    query = sdk.act(job, "precheck", precheck_mode="forStartJob")
    result = eventually(
        lambda: (found := sdk.detail(job, "precheck", query_id=query).precheck_result).process == "100%" and found
    )
    assert result.total_passed_rate == "100%", [r for r in result.precheck_results if r.result == "FAILED"]

    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    mariadb.execute(f"INSERT INTO `{source}`.t VALUES (3, 'three')")
    rows = eventually(
        lambda: len(found := postgres.execute(f'SELECT * FROM "{source}".t ORDER BY 1', database=target)) == 3 and found
    )
    assert rows[2][1] == "three"
    sdk.act(job, "stop")
    sdk.until(job, "PAUSING")
    mariadb.execute(f"DELETE FROM `{source}`.t WHERE id = 1")
    sdk.act(job, "restart")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    eventually(lambda: len(postgres.execute(f'SELECT * FROM "{source}".t', database=target)) == 2)
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")
    sdk.call("delete_job", job_id=job)
    assert sdk.refused("show_job_detail", job_id=job, type="overview") == "DRS.10000010"
