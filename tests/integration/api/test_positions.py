"""Positions through the official SDK: collected by time, set, looked at; in whatever order, and by whomever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.engines.mysql.locating import time_of
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import State
from opendrs.store import checkpoints
from tests.harness.binlog_text import logged_begins, next_second
from tests.harness.fixtures import NewDatabase
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.server import USER as ACCOUNT
from tests.harness.service import Sdk, Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint
from tests.integration.api.raw import Raw
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import World

PLACE = "mysql-bin.000277:805"
INVALID, EMPTY, WRONG_STATE, UNKNOWN, NO_JOB = (
    "DRS.M00202", "DRS.M00201", "DRS.M00304", "DRS.10030014", "DRS.10000010",
)  # fmt: skip


def collect(sdk: Sdk, job: str, at: str) -> Any:
    body = v5.QueryDbPositionReq(reset_position_time=at)
    return sdk.call("collect_position_async", job_id=job, body=body)


def begin(sdk: Sdk, job: str, place: str | None, gtids: str | None = None) -> str:
    """Sets where a job begins; the id of the look at it."""
    body = v5.ModifyStartPositionReq(file_and_position=place, gtid_set=gtids)
    sdk.call("update_start_position", job_id=job, body=body)
    return str(sdk.seen[-1].json()["query_id"])


def result(sdk: Sdk, job: str, query: str) -> dict[str, Any]:
    """The answer as it came: the SDK's model leaves out what is ours."""
    sdk.call("show_position_result", job_id=job, query_id=query)
    return dict(sdk.seen[-1].json())


def over(sdk: Sdk, job: str, query: str) -> dict[str, Any]:
    return eventually(lambda: (found := result(sdk, job, query))["status"] != "pending" and found)  # type: ignore[return-value]


def created(world: World, sdk: Sdk, name: str, task: str = "INCR_TRANS") -> str:
    job = str(sdk.call("create_job", body=creation(name, task_type=task)).id)
    world.step()
    return job


@pytest.fixture
def sdk(world: World) -> Sdk:
    return world.sdk()


# what is asked, in a world whose workers the test plays


def test_a_position_is_there_when_it_was_found_and_not_before(world: World, sdk: Sdk) -> None:
    job = created(world, sdk, "found-late")
    asked = collect(sdk, job, "2023-09-19T07:00:00Z")
    assert (asked.job_id, asked.status) == (job, "pending")
    assert result(sdk, job, asked.id) == {"job_id": job, "status": "pending"}
    assert collect(sdk, job, "2023-09-19T07:00:00+00:00").id == asked.id, "the same is asked for once"
    world.run_errands()
    found = sdk.call("show_position_result", job_id=job, query_id=asked.id)
    assert (found.job_id, found.status, found.position) == (job, "success", PLACE)
    failed = collect(sdk, job, "1695106800000")
    assert failed.id != asked.id
    world.run_errands(well=False)
    told = result(sdk, job, failed.id)
    assert told["status"] == "failed" and "position" not in told
    assert told["error_code"] == "DRS.10050001" and "there" in told["error_msg"]


def test_both_paths_collect(shared_world: World, raw: Raw) -> None:
    """The vendor's text has one, its example the other."""
    job = created(shared_world, shared_world.sdk(), f"both-paths-{shared_world.store.engine.dialect.name}")
    body = {"reset_position_time": "2023-09-19T07:00:00Z"}
    one, other = (raw.ask("POST", f"jobs/{job}/{path}", body) for path in ("collect-db-position", "collect-position"))
    assert one.status_code == other.status_code == 202
    assert one.json() == other.json()


def test_what_is_no_time(world: World, sdk: Sdk) -> None:
    job = created(world, sdk, "no-time")
    for wrong in ("yesterday", "2023-13-01T00:00:00Z", "20230919", "-5", "2023-09-19T25:00:00Z"):
        assert sdk.refusal(lambda wrong=wrong: collect(sdk, job, wrong)) == INVALID  # type: ignore[misc]
    assert sdk.refusal(lambda: collect(sdk, job, "")) == EMPTY


def test_ids_of_nobody_and_of_something_else(world: World, sdk: Sdk) -> None:
    job, other = created(world, sdk, "ids-mine"), created(world, sdk, "ids-other")
    of_other = collect(sdk, other, "2023-09-19T07:00:00Z").id
    precheck = sdk.act(job, "precheck")
    for query in ("nobody", "0" * 36, of_other, precheck, job):
        assert sdk.refused("show_position_result", job_id=job, query_id=query) == UNKNOWN, query
    assert sdk.refused("show_position_result", job_id="nobody", query_id=of_other) == NO_JOB
    assert sdk.refusal(lambda: collect(sdk, "nobody", "2023-09-19T07:00:00Z")) == NO_JOB
    assert sdk.refusal(lambda: begin(sdk, "nobody", PLACE)) == NO_JOB


@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_when_one_may(world: World, sdk: Sdk, state: State) -> None:
    """A position is collected as objects are. Where a job begins is said while it rests, and has not begun."""
    job = brought_to(world, sdk, state, "when-one-may")
    collects = state not in (State.CREATING, State.CREATE_FAILED, State.RELEASING, State.RELEASE_FAILED, State.RELEASED)
    if collects:
        collect(sdk, job, "2023-09-19T07:00:00Z")
    else:
        assert sdk.refusal(lambda: collect(sdk, job, "2023-09-19T07:00:00Z")) == WRONG_STATE
    # These jobs load, so that no state is a good one.
    rests = state in (
        State.CONFIGURATION, State.START_FAILED, State.FULL_FAILED, State.INCREMENTAL_FAILED, State.PAUSED,
    )  # fmt: skip
    assert sdk.refusal(lambda: begin(sdk, job, PLACE)) == (INVALID if rests else WRONG_STATE)


def test_jobs_that_load_begin_where_their_load_does(world: World, sdk: Sdk) -> None:
    for task in ("FULL_TRANS", "FULL_INCR_TRANS"):
        job = created(world, sdk, f"loads-{task.lower().replace('_', '-')}", task)
        assert sdk.refusal(lambda job=job: begin(sdk, job, PLACE)) == INVALID  # type: ignore[misc]
        config = v5.PolicyConfig()
        body = {"job": {"type": "policy", "params": {"policy_config": {"file_and_position": PLACE}}}}
        assert sdk.refused("update_job", job_id=job, body=body) == INVALID
        del config
        row = sdk.call(
            "batch_set_policy", version="v3",
            body=v3.BatchSetupSyncPolicyReq([v3.SyncPolicyReq(job_id=job, file_and_position=PLACE)]),
        ).results[0]  # fmt: skip
        assert (row.status, row.error_code) == ("failed", INVALID)


def test_a_place_is_kept_shown_looked_at_and_a_reason_to_check_again(world: World, sdk: Sdk) -> None:
    job = created(world, sdk, "kept")
    sdk.act(job, "precheck")
    world.run_errands()
    look = begin(sdk, job, PLACE, "0-1-2")
    assert result(sdk, job, look)["status"] == "pending"
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050", "it was not checked for this place"
    shown = sdk.detail(job).policy_config
    assert sdk.seen[-1].json()["job"]["policy_config"]["file_and_position"] == PLACE, shown
    world.run_errands()
    assert result(sdk, job, look) == {
        "job_id": job, "status": "success", "position": PLACE, "gtid_set": "0-1-2", "time": "2026-11-30T07:00:00Z",
    }  # fmt: skip
    again = begin(sdk, job, PLACE, "0-1-2")
    assert again != look, "the log may be another by now"
    names = [row.name for row in sdk.call("show_timeline", job_id=job, x_language="en-us").timelines]
    assert names.count("update_start_position") == 2
    # The same by the other two calls; nothing, in the end.
    body = {"job": {"type": "policy", "params": {"policy_config": {"gtid_set": "0-1-3"}}}}
    sdk.call("update_job", job_id=job, body=body)
    assert "file_and_position" not in (config := _policy(sdk, job)) and config["gtid_set"] == "0-1-3"
    sdk.call(
        "batch_set_policy", version="v3",
        body=v3.BatchSetupSyncPolicyReq([v3.SyncPolicyReq(job_id=job, file_and_position="", gtid_set="")]),
    )  # fmt: skip
    assert not {"file_and_position", "gtid_set"} & set(_policy(sdk, job))


def _policy(sdk: Sdk, job: str) -> dict[str, Any]:
    sdk.detail(job)
    return dict(sdk.seen[-1].json()["job"]["policy_config"])


def test_a_job_that_has_begun_goes_on_from_where_it_is(world: World, sdk: Sdk) -> None:
    job = created(world, sdk, "has-begun")
    begin(sdk, job, PLACE)
    with world.store.write() as connection:
        checkpoints.save(connection, job, epoch=1, phase=Phase.FOLLOWING, position=None)
    assert sdk.refusal(lambda: begin(sdk, job, "mysql-bin.000278:4")) == WRONG_STATE
    assert sdk.refusal(lambda: begin(sdk, job, PLACE)) == WRONG_STATE
    # Whoever sends the whole policy back changes nothing of it.
    body = {"job": {"type": "policy", "params": {"policy_config": {"file_and_position": PLACE, "ddl_trans": False}}}}
    sdk.call("update_job", job_id=job, body=body)


def test_what_is_neither_place_nor_gtids(world: World, sdk: Sdk) -> None:
    job = created(world, sdk, "neither")
    for place, gtids, code in (
        ("mysql-bin:805", None, INVALID), ("mysql-bin.01:805", None, INVALID), ("a.001:3", None, INVALID),
        (f"{'n' * 61}.000001:4", None, INVALID), ("a'.000001:4", None, INVALID), (PLACE, "位点", INVALID),
        (PLACE, "x" * 2049, INVALID), ("1700000000:1", None, INVALID), ("", None, EMPTY), ("", "", EMPTY),
    ):  # fmt: skip
        refusal = sdk.refusal(lambda place=place, gtids=gtids: begin(sdk, job, place, gtids))  # type: ignore[misc]
        assert refusal == code, (place, gtids)


# on real servers


@pytest.fixture(params=["mariadb", "mysql"])
def source(request: pytest.FixtureRequest) -> FamilyServer:
    server = request.getfixturevalue(request.param)
    assert isinstance(server, FamilyServer)
    return server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as service:
        yield service


def moment_of_last(source: FamilyServer) -> str:
    """When the last transaction was committed."""
    *_, last = logged_begins(source)
    return time_of(last.moment_us)


def prechecked(sdk: Sdk, job: str) -> dict[str, tuple[str, str]]:
    """Result and reason of each item."""
    query = sdk.act(job, "precheck", precheck_mode="forStartJob")
    done = eventually(
        lambda: (found := sdk.detail(job, "precheck", query_id=query).precheck_result).process == "100%" and found
    )
    return {row.item: (row.result, row.failed_reason or "") for row in done.precheck_results}


def test_the_whole_way(running: Service, source: FamilyServer, postgres: Postgres, database: NewDatabase) -> None:
    """Create, collect, set, check, start: the target holds exactly what was committed from there on."""
    name, there = database(source), database(postgres)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v VARCHAR(20))")
    for statement in (f'CREATE SCHEMA "{name}"', f'CREATE TABLE "{name}".t (id INTEGER PRIMARY KEY, v VARCHAR(20))'):
        postgres.execute(f"SET ROLE {ACCOUNT}; {statement}", database=there)
    source.execute(f"INSERT INTO {name}.t VALUES (1, 'before')")
    next_second(source)
    source.execute(f"INSERT INTO {name}.t VALUES (2, 'there')")
    moment = moment_of_last(source)
    source.execute("FLUSH BINARY LOGS")
    source.execute(f"INSERT INTO {name}.t VALUES (3, 'behind')")
    sdk = running.sdk()
    job = str(
        sdk.call(
            "create_job",
            body=creation(
                f"the-whole-way-{source.name}"[:50].replace(".", "-"), endpoint("so", source),
                endpoint("ta", postgres, database=there), task_type="INCR_TRANS",
            ),
        ).id
    )  # fmt: skip
    sdk.until(job, "CONFIGURATION")
    saved = sdk.update(job, "db_object", db_object=chosen(name))
    eventually(lambda: sdk.call("show_update_object_saving_status", job_id=job, query_id=saved.id).status == "success")

    # A time before the log is a failure with its reason; one behind it, the end of the log.
    told = over(sdk, job, collect(sdk, job, "2001-09-19T07:00:00Z").id)
    assert (told["status"], told["error_code"]) == ("failed", "DRS.10050080") and "position" not in told
    behind = over(sdk, job, collect(sdk, job, "2201-09-19T07:00:00Z").id)
    assert behind["status"] == "success" and "time" not in behind
    found = over(sdk, job, collect(sdk, job, moment).id)
    assert found["status"] == "success" and found["time"] == moment, found

    # What is not there, or disagrees, is told of the look, and fails the prechecks.
    for place, gtids, code in (
        ("binlog.999999:4", None, "DRS.10050082"), ("another.000001:4", None, "DRS.10050081"),
        (found["position"], behind["gtid_set"], "DRS.10050081"),
    ):  # fmt: skip
        look = over(sdk, job, begin(sdk, job, place, gtids))
        assert (look["status"], look["error_code"]) == ("failed", code), look
    result_, reason = prechecked(sdk, job)["srcStartPositionCheck"]
    assert result_ == "FAILED" and "disagree" in reason
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"

    look = over(sdk, job, begin(sdk, job, found["position"], found["gtid_set"]))
    assert (look["status"], look["position"]) == ("success", found["position"])
    found_now = prechecked(sdk, job)
    assert found_now["srcStartPositionCheck"][0] == "PASSED"
    assert [item for item, (result_, _) in found_now.items() if result_ == "FAILED"] == []
    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    read = f'SELECT * FROM "{name}".t ORDER BY 1'
    source.execute(f"INSERT INTO {name}.t VALUES (4, 'live')")
    rows = eventually(lambda: len(rows := postgres.execute(read, database=there)) == 3 and rows)
    assert rows == [(2, "there"), (3, "behind"), (4, "live")]
    assert sdk.refusal(lambda: begin(sdk, job, found["position"])) == WRONG_STATE, "it runs"
    sdk.act(job, "stop")
    sdk.until(job, "PAUSING")
    assert sdk.refusal(lambda: begin(sdk, job, found["position"])) == WRONG_STATE, "it has begun"
    # The place where it began need not be there any more: prechecks look at what it needs now.
    assert prechecked(sdk, job)["srcStartPositionCheck"][0] == "PASSED"
    source.execute(f"INSERT INTO {name}.t VALUES (5, 'again')")
    sdk.act(job, "restart")
    eventually(lambda: (5, "again") in postgres.execute(read, database=there))
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")


def test_taurus_to_kafka(running: Service, mysql: FamilyServer, kafka: Kafka, database: NewDatabase) -> None:
    """By GTIDs alone, set by version 3; a table has been altered since, and one begins behind that."""
    name = database(mysql)
    mysql.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY)")
    before = mysql.execute("SELECT @@gtid_executed")[0][0].replace("\n", "")
    mysql.execute(f"INSERT INTO {name}.t VALUES (1)")
    mysql.execute(f"ALTER TABLE {name}.t ADD COLUMN v INT")
    after = mysql.execute("SELECT @@gtid_executed")[0][0].replace("\n", "")
    mysql.execute(f"INSERT INTO {name}.t VALUES (2, 20)")
    sdk = running.sdk()
    broker = {
        "db_type": "kafka", "endpoint_type": "offline", "endpoint_role": "ta",
        "endpoint": {"endpoint_name": "kafka", "ip": f"127.0.0.1:{kafka.port}", "db_user": "", "db_password": ""},
    }  # fmt: skip
    body = creation("taurus-from-there", endpoint("so", mysql), engine_type="taurus-to-kafka", task_type="INCR_TRANS")
    request = body.to_dict()
    request["job"]["target_endpoint"] = [broker]
    job = str(sdk.call("create_job", body=request).id)
    sdk.until(job, "CONFIGURATION")
    saved = sdk.update(job, "db_object", db_object=chosen(name))
    eventually(lambda: sdk.call("show_update_object_saving_status", job_id=job, query_id=saved.id).status == "success")

    def set_gtids(gtids: str) -> None:
        row = sdk.call(
            "batch_set_policy", version="v3",
            body=v3.BatchSetupSyncPolicyReq(
                [v3.SyncPolicyReq(job_id=job, gtid_set=gtids, topic_policy="0", topic=name, partition_policy="1")]
            ),
        ).results[0]  # fmt: skip
        assert row.status == "success", row

    set_gtids(before)
    result_, reason = prechecked(sdk, job)["srcDefinitionSinceStartCheck"]
    assert result_ == "FAILED" and f"{name}.t" in reason and "ALTER TABLE" in reason
    set_gtids(after)
    found = prechecked(sdk, job)
    assert [item for item, (result_, _) in found.items() if result_ == "FAILED"] == [], found
    sdk.act(job, "start")
    sdk.until(job, "INCRE_TRANSFER_STARTED")
    values = eventually(lambda: name in kafka.topics() and [m.value for m in kafka.consume([name])])
    assert len(values) == 1 and b'"id":"2"' in (values[0] or b"").replace(b" ", b"")
    sdk.act(job, "terminate")
    sdk.until(job, "RELEASE_RESOURCE_COMPLETE")


def test_an_account_that_may_not_read_the_log(
    running: Service, tmp_path: Path, source: FamilyServer, database: NewDatabase
) -> None:
    """The reason is kept and told."""
    name = database(source)
    account = f"u{name[-12:]}".replace("-", "_")
    source.create_user(account, "x-Pass-1", privileges="SELECT")
    sdk = running.sdk()
    end = endpoint("so", source, db_user=account, db_password="x-Pass-1")
    body = creation(f"may-not-{source.name}"[:50].replace(".", "-"), end, task_type="INCR_TRANS")
    job = str(sdk.call("create_job", body=body).id)
    sdk.until(job, "CONFIGURATION")
    told = over(sdk, job, collect(sdk, job, "2201-09-19T07:00:00Z").id)
    assert (told["status"], told["error_code"]) == ("failed", "DRS.10050003"), told
    assert "x-Pass-1" not in str(told)
