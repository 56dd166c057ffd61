"""A whole job through the official SDK, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huaweicloudsdkdrs.v5 as v5
import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import USER, Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint


@pytest.fixture(params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres, database: NewDatabase
) -> Iterator[Service]:
    """Its state in either store."""
    state = None if request.param == "sqlite" else postgres.url(database(postgres))
    with Service(tmp_path, state=state) as service:
        yield service


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

    assert sdk.refused("list_db_objects", job_id=job, type="source") == "DRS.10030014"
    asked = sdk.call("collect_db_objects_async", job_id=job, type="source", db_names=[source])
    found = eventually(
        lambda: (
            (one := sdk.call("show_db_object_collection_status", job_id=job, query_id=asked.id)).status == "success"
            and one
        )
    )
    assert found.object_info[source].tables["t"].type == "table" and found.object_info[source].total_table_num == 1
    body = v5.QuerySelectObjectInfoReq(type="source", is_refresh="true")
    asked = sdk.call("collect_db_objects_info", job_id=job, body=body)
    eventually(lambda: sdk.call("show_db_object_collection_status", job_id=job, query_id=asked.id).status == "success")
    assert source in sdk.call("list_db_objects", job_id=job, type="source").object_info

    saved = sdk.update(job, "db_object", db_object=chosen(source))
    eventually(lambda: sdk.call("show_update_object_saving_status", job_id=job, query_id=saved.id).status == "success")
    chosen_ = sdk.call("show_db_objects_list", job_id=job, type="modified")
    assert chosen_.object_scope == "database" and chosen_.object_info[source].all
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
    for kind in ("table", "database", "table_structure", "table_indexs"):
        progress = sdk.call("show_progress_data", job_id=job, type=kind)
        assert (progress.count, progress.flow_compare_data[0].progress) == (1, 100), kind
    synced = sdk.call("list_db_objects", job_id=job, type="synchronized")
    assert synced.object_info[source].tables["t"].is_synchronized
    sdk.act(job, "stop")
    sdk.until(job, "PAUSING")
    mariadb.execute(f"DELETE FROM `{source}`.t WHERE id = 1")
    sdk.act(job, "restart")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    eventually(lambda: len(postgres.execute(f'SELECT * FROM "{source}".t', database=target)) == 2)
    history = sdk.call("show_timeline", job_id=job, x_language="en-us", limit=100)
    names = [row.name for row in reversed(history.timelines)]
    assert names[0] == "create" and names[-3:] == ["start", "stop", "restart"]
    assert {(row.status, row.user_name) for row in history.timelines} == {("success", USER)}
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")
    sdk.call("delete_job", job_id=job)
    assert sdk.refused("show_job_detail", job_id=job, type="overview") == "DRS.10000010"
