"""How jobs publish to Kafka, said through both versions of the official SDK; nobody works at them."""

from __future__ import annotations

from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import State
from opendrs.model.publishing import Publishing
from opendrs.store import checkpoints, jobs
from tests.harness.service import PROJECT, Sdk
from tests.harness.shapes import deviations
from tests.integration.api.conftest import SECRETS
from tests.integration.api.jobs import creation, kafka
from tests.integration.api.raw import Raw, listening
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import World

UNKNOWN = "00000000-0000-0000-0000-0000000jb20k"
EMPTY, INVALID, UNSUPPORTED, NO_JOB = "DRS.M00201", "DRS.M00202", "DRS.10050044", "DRS.M05003"


def created(world: World, sdk: Sdk, name: str, engine: str = "mysql-to-kafka", **inner: Any) -> str:
    made = str(sdk.call("create_job", body=creation(name, target=kafka(**inner), engine_type=engine)).id)
    world.step()
    return made


def set_policies(sdk: Sdk, *asked: v3.SyncPolicyReq, **more: Any) -> list[Any]:
    body = v3.BatchSetupSyncPolicyReq(jobs=list(asked))
    answer = sdk.call("batch_set_policy", version="v3", body=body, **more)
    assert answer.count == len(answer.results) == len(asked)
    assert [row.id for row in answer.results] == [one.job_id for one in asked]
    return list(answer.results)


def publishing(world: World, job: str) -> Publishing:
    with world.store.read() as connection:
        return jobs.policy_of(connection, job).publishing


def shown(sdk: Sdk, job: str) -> dict[str, Any]:
    """The policy in the detail, as it came: the SDK's model knows nothing of Kafka."""
    sdk.detail(job)
    found: dict[str, Any] = sdk.seen[-1].json()["job"]["policy_config"]
    return found


def test_flows_are_offered(world: World) -> None:
    sdk = world.sdk()
    rows = sdk.call("list_links", job_type="sync", limit=100).job_links
    assert {row.engine_type for row in rows} >= {"mysql-to-kafka", "taurus-to-kafka"}
    (found,) = sdk.call("list_support_links", job_type="sync", limit=100).body
    assert {row.engine_type for row in found.support_links} >= {"mysql-to-kafka", "taurus-to-kafka"}
    for engine, suffix in (("mysql-to-kafka", "jb20k"), ("mariadb-to-kafka", "jb20k"), ("taurus-to-kafka", "jb20t")):
        job = created(world, sdk, f"a-{engine}", engine, ip="one:9093,two:9094")
        assert job.endswith(suffix) and len(job) == 36
        assert sdk.detail(job).base_info.engine_type == engine.replace("mariadb", "mysql")
    assert sdk.call("list_jobs", job_type="sync", engine_type="mariadb-to-kafka").total_count == 2
    assert sdk.call("list_jobs", job_type="sync", instance_ip="two").total_count == 3
    targets = {row["target"] for row in sdk.seen[-1].json()["jobs"]}
    assert targets == {"kafka://one:9093,two:9094"}


def test_every_field_of_version_3(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk, "publishes")
    (row,) = set_policies(
        sdk,
        v3.SyncPolicyReq(
            job_id=job, conflict_policy="stop", filter_ddl_policy="drop_database", ddl_trans=True, index_trans=True,
            topic_policy="1", topic_name_format="db.$database$.$tablename$", partition_policy="2", partitions_num="3",
            replication_factor="2", kafka_data_format="json_c", ddl_topic="ddl", is_fill_materialized_view=False,
            export_snapshot=False, slot_name="",
        ),
    )  # fmt: skip
    assert (row.status, row.error_code, row.error_msg) == ("success", None, None)
    assert publishing(world, job) == Publishing(
        format="json_c", topic_policy=1, topic_name_format="db.$database$.$tablename$", partition_policy=2,
        partitions=3, replication_factor=2, ddl_topic="ddl",
    )  # fmt: skip
    found = shown(sdk, job)
    assert found["kafka_data_format"] == "json_c" and found["partitions_num"] == "3" and found["ddl_trans"] is True
    assert found["filter_ddl_policy"] == "drop_database" and "index_trans" not in found
    sdk.update(job, "policy", policy_config=v5.PolicyConfig(ddl_trans=False))
    assert shown(sdk, job)["ddl_trans"] is False
    assert publishing(world, job).ddl_topic == "ddl"


def test_one_job_s_failure_is_not_another_s(world: World) -> None:
    sdk = world.sdk()
    first, second = (created(world, sdk, f"job-{n}") for n in (1, 2))
    runs = brought_to(world, sdk, State.FULL, "runs")
    table = str(sdk.call("create_job", body=creation("to-tables")).id)
    world.step()
    rows = set_policies(
        sdk,
        v3.SyncPolicyReq(job_id=first, topic_policy="0", topic="all", partition_policy="3"),
        v3.SyncPolicyReq(job_id=UNKNOWN, topic_policy="0", topic="all"),
        v3.SyncPolicyReq(job_id=second, topic_policy="1", partition_policy="3"),
        v3.SyncPolicyReq(job_id=runs, conflict_policy="stop"),
        v3.SyncPolicyReq(job_id=table, kafka_data_format="json"),
        v3.SyncPolicyReq(job_id=table, ddl_trans=False),
        v3.SyncPolicyReq(job_id=second, ddl_trans=True),
        v3.SyncPolicyReq(job_id=second, gtid_set="0-1-1"),
        v3.SyncPolicyReq(job_id=second, partition_policy="4"),
        v3.SyncPolicyReq(job_id=second, kafka_data_format="avro", partitions_num="5"),
    )
    assert [(row.status, row.error_code) for row in rows] == [
        ("success", None), ("failed", NO_JOB), ("failed", INVALID), ("failed", "DRS.M00304"), ("failed", INVALID),
        ("success", None), ("failed", EMPTY), ("failed", INVALID), ("failed", INVALID), ("success", None),
    ]  # fmt: skip
    words = [row.error_msg or "" for row in rows]
    assert UNKNOWN in words[1] and "partition_policy" in words[2] and "kafka_data_format" in words[4]
    assert "ddl_topic" in words[6] and "INCR_TRANS" in words[7] and "no published meaning" in words[8]
    assert publishing(world, first) == Publishing(topic_policy=0, topic="all", partition_policy=3)
    assert publishing(world, second) == Publishing(format="avro", partitions=5)
    with world.store.read() as connection:
        assert jobs.policy_of(connection, table).ddl == "refuse"


def test_messages_of_rows_are_in_the_language_that_is_asked_for(world: World) -> None:
    (row,) = set_policies(world.sdk(), v3.SyncPolicyReq(job_id=UNKNOWN), x_language="zh-cn")
    assert row.error_msg == f"找不到任务 {UNKNOWN} 的信息。list_jobs 会列出存在的任务。"


def test_bodies_that_are_none(world: World) -> None:
    with listening() as log:
        raw = Raw(world.url, log)
        where = f"/v3/{PROJECT}/jobs/batch-sync-policy"
        raw.refused(EMPTY, "POST", where, {})
        raw.refused(EMPTY, "POST", where, {"jobs": []})
        raw.refused(INVALID, "POST", where, {"jobs": {}})
        raw.refused(INVALID, "POST", where, {"jobs": [1]})
        raw.refused(INVALID, "POST", where, {"jobs": [{"job_id": UNKNOWN}] * 101})
        assert "jobs.1.job_id" in raw.refused(EMPTY, "POST", where, {"jobs": [{"job_id": "x"}, {"topic": "x"}]})
        assert "jobs.0.job_id" in raw.refused(INVALID, "POST", where, {"jobs": [{"job_id": []}]})
        found = raw.good("POST", where, {"jobs": [{"job_id": UNKNOWN, "topic": []}, {"job_id": 7}, {"job_id": ""}]})
        assert deviations("v3", "batch_set_policy", 200, found) == []
        assert [row["error_code"] for row in found["results"]] == [INVALID, NO_JOB, NO_JOB]
        assert "topic" in found["results"][0]["error_msg"]
        raw.refused("DRS.M00261", "POST", f"/v3/{'0' * 32}/jobs/batch-sync-policy", {"jobs": []}, status=403)
        raw.end(SECRETS)


def test_our_own_fields_are_taken_by_both(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk, "our-own")
    ours = {"delivery": "at-least-once", "compression": "zstd", "checkpoint_topic": "mine", "transaction_bytes": "1000"}
    with listening() as log:
        raw = Raw(world.url, log)
        body = {"jobs": [{"job_id": job, **ours, "kafka_data_format": "debezium-json", "topic_policy": 2}]}
        found = raw.good("POST", f"/v3/{PROJECT}/jobs/batch-sync-policy", body)
        assert found["results"][0] == {"id": job, "status": "success"}
        assert publishing(world, job) == Publishing(
            delivery="at-least-once", compression="zstd", checkpoint_topic="mine", transaction_bytes=1000,
            format="debezium-json", topic_policy=2,
        )  # fmt: skip
        kept = shown(sdk, job)
        policy = {**kept, "delivery": "exactly-once", "transaction_bytes": 2000}
        raw.good("PUT", f"jobs/{job}", {"job": {"type": "policy", "params": {"policy_config": policy}}})
        assert shown(sdk, job) == policy
        policy = {"topic_policy": "7", "compression": "rar"}
        told = raw.refused(
            INVALID, "PUT", f"jobs/{job}", {"job": {"type": "policy", "params": {"policy_config": policy}}}
        )
        assert "policy_config.topic_policy" in told and "policy_config.compression" in told
        raw.end(SECRETS)


def test_a_job_that_has_begun_keeps_the_topic_of_its_checkpoint(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk, "has-begun")
    with world.store.write() as connection:
        jobs.change(connection, job, state=State.PAUSED.value)
        checkpoints.save(connection, job, epoch=1, phase=Phase.FOLLOWING, position=None)
    with listening() as log:
        raw = Raw(world.url, log)

        def asked(**policy: Any) -> dict[str, Any]:
            return {"job": {"type": "policy", "params": {"policy_config": policy}}}

        assert "checkpoint_topic" in raw.refused(INVALID, "PUT", f"jobs/{job}", asked(checkpoint_topic="other"))
        raw.good("PUT", f"jobs/{job}", asked(checkpoint_topic="", compression="none"))
        raw.end(SECRETS)


def test_topics_of_objects(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk, "mapped")
    tables = {
        "orders": v5.TableObject(name="all-orders", type="table"),
        "lines": v5.TableObject(name="lines", type="table"),
    }
    info = {
        "shop": v5.DatabaseObject(name="of-shop", all=False, tables=tables),
        "log": v5.DatabaseObject(name="log", all=True),
    }
    sdk.update(job, "db_object", db_object=v5.DbObject(object_scope="table", object_info=info))
    world.run_errands()
    with world.store.read() as connection:
        found = jobs.selection_of(connection, job)
    assert found.topics == {TableName("shop", ""): "of-shop", TableName("shop", "orders"): "all-orders"}
    assert found.schemas == {}
    chosen = sdk.call("show_db_objects_list", job_id=job, type="modified")
    assert chosen.object_info["shop"].name == "of-shop"
    assert chosen.object_info["shop"].tables["orders"].name == "all-orders"
    bad = v5.DbObject(object_scope="database", object_info={"shop": v5.DatabaseObject(name="a b", all=True)})
    assert sdk.refusal(lambda: sdk.update(job, "db_object", db_object=bad)) == INVALID


@pytest.mark.parametrize("state", [State.CONFIGURATION, State.FULL, State.PAUSED, State.RELEASED])
def test_views_of_a_job_to_kafka(world: World, state: State) -> None:
    sdk = world.sdk()
    job = created(world, sdk, "viewed")
    with world.store.write() as connection:
        jobs.change(connection, job, state=state.value)
    for view in ("overview", "detail", "progress", "log"):
        sdk.detail(job, view)
    progress = sdk.detail(job, "progress")
    assert set(progress.progress_info.progress_map) == {"struct", "data"}
    overview = progress.migration_object_progress_info.migration_object_overview
    assert "TABLE_INDEX" not in {row.type for row in overview}
    for kind in ("table", "database", "table_structure", "table_indexs"):
        assert sdk.call("show_progress_data", job_id=job, type=kind).count == 0
    sdk.call("show_actions", job_id=job)
    sdk.call("list_jobs", job_type="sync")
