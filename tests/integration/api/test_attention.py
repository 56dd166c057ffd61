"""What workers report of single objects, rows and statements, asked for through the SDK: the test writes it as they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import pytest

from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Phase, TableProgress
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.dirty import DirtyPhase, DirtyRow, Resolved
from opendrs.model.lifecycle import Intent, State
from opendrs.store import ddls, dirty, jobs, progress
from opendrs.worker.report import Report
from tests.harness.service import Sdk
from tests.integration.api.test_kafka_policy import created as created_to_kafka
from tests.integration.api.test_orders import brought_to, created
from tests.integration.api.world import World

UNKNOWN = "00000000-0000-0000-0000-0000000jb20p"
INVALID, NO_INFO, NO_JOB = "DRS.M00202", "DRS.M05003", "DRS.10000010"
AT = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


# rows


def rows(*numbers: int, phase: DirtyPhase = "incremental", resolved: Resolved = "ignored") -> list[DirtyRow]:
    return [
        DirtyRow(
            key=f"{phase} {number}", table=TableName("shop", "orders"), op="insert", kind="conflict",
            reason=f'the key is there already: Key (id)=({number})', resolved=resolved, phase=phase,
            statement=f"INSERT INTO \"shop\".\"orders\" (\"id\", \"v\") VALUES ({number}, 'Anna')", at=AT + number * SECOND,
        )
        for number in numbers
    ]  # fmt: skip


def record(world: World, job: str, found: Sequence[DirtyRow]) -> None:
    with world.store.write() as connection:
        dirty.save(connection, job, found)


def times(sdk: Sdk, job: str, **query: Any) -> tuple[int, list[str]]:
    found = sdk.call("show_dirty_data", job_id=job, **query)
    return found.count, [row.error_time for row in found.dirty_data_list]


def test_dirty_data_as_it_is_told(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    assert times(sdk, job) == (0, [])
    record(world, job, rows(1))
    (row,) = sdk.call("show_dirty_data", job_id=job).dirty_data_list
    assert (row.db_name, row.schema_name, row.table_name) == ("shop", None, "orders")
    assert row.error_sql == 'INSERT INTO "shop"."orders" ("id", "v") VALUES (1, \'Anna\')'
    assert (row.error_time, row.error_msg) == ("2026-11-30T12:00:01Z", "the key is there already: Key (id)=(1)")
    raw = sdk.seen[-1].json()["dirty_data_list"][0]
    assert (raw["operation"], raw["kind"], raw["resolved"]) == ("insert", "conflict", "ignored")
    (row,) = sdk.call("show_dirty_data", job_id=job, anonymize_mode=True).dirty_data_list
    assert row.error_sql == 'INSERT INTO "shop"."orders" ("id", "v") VALUES (***, ***)'
    assert row.error_msg == "the key is there already: Key (id)=(***)" and row.table_name == "orders"
    (row,) = sdk.call("show_dirty_data", job_id=job, anonymize_mode=False).dirty_data_list
    assert "Anna" in row.error_sql


def test_dirty_data_by_phase_time_and_page(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    record(world, job, rows(*range(30)))
    record(world, job, rows(41, 42, phase="full"))
    count, found = times(sdk, job)
    assert count == 30 and found[0] == "2026-11-30T12:00:29Z" and len(found) == 10, "the newest first"
    assert times(sdk, job, task_mode="FULL_TRANSFER") == (2, ["2026-11-30T12:00:42Z", "2026-11-30T12:00:41Z"])
    assert times(sdk, job, limit=1, offset=29) == (30, ["2026-11-30T12:00:00Z"])
    assert times(sdk, job, limit=1, offset=30) == (30, [])
    within = {"begin_time": "2026-11-30T12:00:05Z", "end_time": "2026-11-30T12:00:07Z"}
    assert times(sdk, job, **within)[0] == 3
    assert times(sdk, job, begin_time="2026-11-30T12:00:28Z")[1] == ["2026-11-30T12:00:29Z", "2026-11-30T12:00:28Z"]
    assert times(sdk, job, end_time="2026-11-29T12:00:00Z") == (0, [])
    for bad in (
        {"task_mode": "nonsense"}, {"begin_time": "yesterday"}, {"limit": 0}, {"limit": 1001}, {"offset": -1},
        {"begin_time": "2026-11-30T12:00:05Z", "end_time": "2026-11-30T12:00:04Z"},
    ):  # fmt: skip
        assert sdk.refused("show_dirty_data", job_id=job, **bad) == INVALID, bad
    assert sdk.refused("show_dirty_data", job_id=UNKNOWN) == NO_JOB


def test_dirty_data_of_another_job_is_another_s(world: World) -> None:
    sdk = world.sdk()
    one, two = (
        brought_to(world, sdk, State.INCREMENTAL, "job-one"),
        brought_to(world, sdk, State.INCREMENTAL, "job-two"),
    )
    record(world, one, rows(1))
    record(world, two, rows(1, 2))
    assert (times(sdk, one)[0], times(sdk, two)[0]) == (1, 2)
    world.forget(two)
    assert times(sdk, one)[0] == 1


# statements


def note(world: World, job: str, *numbers: int, **more: Any) -> None:
    facts: dict[str, Any] = {"outcome": "executed", "at": AT, **more}
    with world.store.write() as connection:
        for number in numbers:
            ddls.note(
                connection, job, DdlRecord(
                    key=f"key {number}", before=f"at {number - 1}", point=f"binlog.000001:{number}",
                    statement=f"ALTER TABLE shop.orders ADD c{number} INT", **facts,
                ),
            )  # fmt: skip


def stands(world: World, job: str, number: int) -> None:
    with world.store.write() as connection:
        ddls.durable(connection, job, position=f"at {number}")


def ddl_numbers(sdk: Sdk, job: str, **query: Any) -> tuple[int, list[int]]:
    found = sdk.call("list_job_ddls", job_id=job, **query)
    return found.count, [row.seqno for row in found.ddl_list]


def test_statements_and_their_alarms(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    assert ddl_numbers(sdk, job) == (0, [])
    note(world, job, 1)
    (row,) = sdk.call("list_job_ddls", job_id=job).ddl_list
    assert (row.seqno, row.checkpoint, row.exe_result, row.status) == (1, "binlog.000001:1", False, 0)
    assert sdk.seen[-1].json()["ddl_list"][0]["outcome"] == "running"
    stands(world, job, 1)
    note(world, job, 2, outcome="left_out", reason="drop_index")
    note(world, job, 3, outcome="failed", reason="it is odd", at=None)
    stands(world, job, 2)
    one, two, three = sdk.call("list_job_ddls", job_id=job).ddl_list
    raw = sdk.seen[-1].json()["ddl_list"]
    assert (one.exe_result, two.exe_result, three.exe_result) == (True, False, False)
    assert (one.status, two.status, three.status) == (0, 1, 1)
    assert [row["outcome"] for row in raw] == ["executed", "left_out", "failed"]
    assert [row.get("reason") for row in raw] == [None, "drop_index", "it is odd"]
    assert one.ddl_timestamp == int(AT.timestamp() * 1000) and three.ddl_timestamp == three.record_time
    assert one.ddl_text == "ALTER TABLE shop.orders ADD c1 INT" and one.clean_time is None
    assert ddl_numbers(sdk, job, status=1) == (2, [2, 3])
    sdk.call("clean_alarms", job_id=job, alarm_id="2")
    sdk.call("clean_alarms", job_id=job, alarm_id="2")
    sdk.call("clean_alarms", job_id=job, alarm_id="1")
    assert (ddl_numbers(sdk, job, status=1), ddl_numbers(sdk, job, status=0)) == ((1, [3]), (2, [1, 2]))
    two = sdk.call("list_job_ddls", job_id=job, start_seq_no=2, end_seq_no=2).ddl_list[0]
    assert two.status == 0 and two.clean_time >= two.record_time
    names = [row.name for row in sdk.call("show_timeline", job_id=job, x_language="en-us").timelines]
    assert names[:3] == ["clean_alarm"] * 3


def test_pages_of_statements(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    note(world, job, *range(1, 26))
    assert ddl_numbers(sdk, job) == (25, list(range(1, 11)))
    assert ddl_numbers(sdk, job, limit=3, offset=23) == (25, [24, 25])
    assert ddl_numbers(sdk, job, offset=25) == (25, [])
    assert ddl_numbers(sdk, job, start_seq_no=24) == (2, [24, 25])
    assert ddl_numbers(sdk, job, end_seq_no=2) == (2, [1, 2])
    assert ddl_numbers(sdk, job, start_seq_no=5, end_seq_no=4) == (0, [])
    for bad in ({"status": 2}, {"status": -1}, {"start_seq_no": -1}, {"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert sdk.refused("list_job_ddls", job_id=job, **bad) == INVALID, bad


@pytest.mark.parametrize("alarm", ["0", "2", "x", "-1", "1.0", "%00", "9" * 40, "٣"])
def test_alarms_that_there_are_not(world: World, alarm: str) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    note(world, job, 1, outcome="failed")
    assert sdk.refused("clean_alarms", job_id=job, alarm_id=alarm) == INVALID
    assert sdk.refused("clean_alarms", job_id=UNKNOWN, alarm_id="1") == NO_JOB
    assert ddl_numbers(sdk, job, status=1) == (1, [1])


# progress


def a_table(name: str, *, rows: int = 1000) -> Table:
    return Table(name=TableName("shop", name), columns=(), rows_estimate=rows, bytes_estimate=rows * 100)


def reported(world: World, job: str, report: Report) -> None:
    """As the heart does it."""
    update = report.fetch()
    with world.store.write() as connection:
        if update.planned is not None:
            progress.plan_views(connection, job, update.planned)
        progress.save_views(connection, job, update.views)
        progress.save_tables(connection, job, update.tables)
        progress.save(connection, job, update.counters)


def shares(sdk: Sdk, job: str, kind: str, **query: Any) -> list[tuple[str | None, int]]:
    found = sdk.call("show_progress_data", job_id=job, type=kind, **query)
    assert found.create_time.isdecimal() and len(found.create_time) == 13
    return [(row.src_tb or row.src_db, row.progress) for row in found.flow_compare_data]


def test_objects_from_nothing_to_all(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.FULL)
    report = Report()
    a, b = a_table("a"), a_table("b", rows=10)
    report.planned([TableName("shop", "newest")])
    for table in (a, b):
        report.table(TableProgress(table=table))  # about to be made
    reported(world, job, report)
    assert shares(sdk, job, "table") == shares(sdk, job, "table_structure") == [("a", 0), ("b", 0)]
    assert shares(sdk, job, "view") == [("newest", 0)] and shares(sdk, job, "database") == [("shop", 0)]
    report.phase(Phase.LOADING)
    report.copied(a.name, 500, 1)
    report.copied(b.name, 5000, 1)
    reported(world, job, report)
    assert shares(sdk, job, "table") == [("a", 50), ("b", 99)], "more than was estimated is no end"
    assert shares(sdk, job, "table_structure") == [("a", 100), ("b", 100)]
    assert shares(sdk, job, "table_indexs") == [("a", 0), ("b", 0)]
    for table in (a, b):
        report.indexes(table.name, 1, 4)
        report.table(TableProgress(table=table, loaded=True))
    report.phase(Phase.CATCHING_UP)
    report.indexes(a.name, 2, 4)
    report.indexes(b.name, 4, 4)
    reported(world, job, report)
    assert shares(sdk, job, "table") == [("a", 100), ("b", 100)] and shares(sdk, job, "database") == [("shop", 100)]
    assert shares(sdk, job, "table_indexs") == shares(sdk, job, "TABLE_INDEXES") == [("a", 50), ("b", 100)]
    overview = {
        row.type: row for row in sdk.detail(job, "progress").migration_object_progress_info.migration_object_overview
    }
    assert (overview["TABLE_INDEX"].dst_count, overview["VIEW"].dst_count) == ("1", "0")
    info = sdk.detail(job, "progress").progress_info
    assert (info.progress, info.progress_map["index"].completed) == ("99", "75%")
    report.phase(Phase.FOLLOWING)
    report.views([TableName("shop", "newest")], {TableName("shop", "odd"): "it does not translate"})
    reported(world, job, report)
    assert shares(sdk, job, "view") == [("newest", 100), ("odd", 0)]
    assert shares(sdk, job, "table_indexs") == [("a", 100), ("b", 100)]
    overview = {
        row.type: row for row in sdk.detail(job, "progress").migration_object_progress_info.migration_object_overview
    }
    assert (overview["VIEW"].src_count, overview["VIEW"].dst_count, overview["VIEW"].status) == ("2", "1", "FAILED")
    assert sdk.detail(job, "progress").progress_info.progress == "100"


@pytest.mark.parametrize("kind", ["event", "procedure", "function", "trigger", "EVENT"])
def test_what_no_flow_carries_has_an_empty_page(world: World, kind: str) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    found = sdk.call("show_progress_data", job_id=job, type=kind, limit=1000, offset=5, search_name="x")
    assert (found.count, found.flow_compare_data) == (0, [])


@pytest.mark.parametrize("kind", ["view", "table_indexs"])
def test_topics_have_neither_views_nor_indexes(world: World, kind: str) -> None:
    sdk = world.sdk()
    job = created_to_kafka(world, sdk, "to-kafka")
    report = Report()
    report.phase(Phase.FOLLOWING)
    report.planned([TableName("shop", "newest")])
    report.table(TableProgress(table=a_table("a"), loaded=True))
    reported(world, job, report)
    found = sdk.call("show_progress_data", job_id=job, type=kind)
    assert (found.count, found.flow_compare_data) == (0, [])
    assert shares(sdk, job, "table") == [("a", 100)]
    kinds = [row.type for row in sdk.detail(job, "progress").migration_object_progress_info.migration_object_overview]
    assert not {"VIEW", "TABLE_INDEX"} & set(kinds)


def test_pages_and_searches_of_views(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    report = Report()
    report.planned([TableName(db, f"v{number:02}") for db in ("shop", "store") for number in range(8)])
    reported(world, job, report)
    found = sdk.call("show_progress_data", job_id=job, type="view")
    assert found.count == 16 and len(found.flow_compare_data) == 10
    assert shares(sdk, job, "view", limit=1, offset=8) == [("v00", 0)] and shares(sdk, job, "view", offset=16) == []
    assert [name for name, _ in shares(sdk, job, "view", search_name="V07")] == ["v07", "v07"]
    assert len(shares(sdk, job, "view", search_name="STOR", limit=100)) == 8
    assert shares(sdk, job, "view", search_name="%") == []
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert sdk.refused("show_progress_data", job_id=job, type="view", **bad) == INVALID
    assert sdk.refused("show_progress_data", job_id=UNKNOWN, type="view") == NO_INFO
    assert sdk.refused("show_progress_data", job_id=job, type="sequence") == INVALID


# several jobs at once


def batch(sdk: Sdk, *ids: str) -> list[Any]:
    answer = sdk.call("batch_list_progresses", version="v3", body=v3.BatchQueryProgressReq(list(ids)))
    assert answer.count == len(answer.results) == len(ids) and sdk.seen[-1].status_code == 202
    assert [row.job_id for row in answer.results] == list(ids)
    return list(answer.results)


def test_progress_of_several_jobs(world: World) -> None:
    sdk = world.sdk()
    loading, following = (
        brought_to(world, sdk, State.FULL, "loads"),
        brought_to(world, sdk, State.INCREMENTAL, "follows"),
    )
    new, failed = created(world, sdk, "just-made"), brought_to(world, sdk, State.FULL_FAILED, "has-failed")
    clock = Clock()
    report = Report(clock=clock, now=clock)
    report.phase(Phase.LOADING)
    report.table(TableProgress(table=a_table("a")))
    report.fetch()
    clock.at += 10
    report.copied(TableName("shop", "a"), 250, 1000)
    reported(world, loading, report)
    report = Report(clock=clock, now=clock)
    report.phase(Phase.FOLLOWING)
    report.table(TableProgress(table=a_table("a"), loaded=True))
    report.applied(_window(clock.at - 2.5))
    reported(world, following, report)
    one, two, three, four, five = batch(sdk, loading, following, new, failed, UNKNOWN)
    assert (one.progress, one.task_mode, one.transfer_status) == ("25", "FULL_INCR_TRANS", "FULL_TRANSFER_STARTED")
    assert (one.incre_trans_delay, one.incre_trans_delay_millis) == ("-1", "-1")
    assert (one.apply_rows_rate, one.apply_bytes_rate, one.remaining_time) == (-1, -1, "30")
    assert {name: part.completed for name, part in one.progress_map.items()} == {
        "struct": "100%",
        "data": "25%",
        "index": "0%",
    }
    assert one.progress_map["data"].remaining_time == "30" and one.progress_map["struct"].remaining_time is None
    assert (two.progress, two.incre_trans_delay, two.incre_trans_delay_millis) == ("100", "2", "2500")
    assert two.apply_rows_rate >= 0 and two.remaining_time == "0" and two.process_time.isdecimal()
    assert (three.progress, three.transfer_status, three.error_code) == ("0", "CONFIGURATION", None)
    assert three.remaining_time is None and three.progress_map["data"].completed == "0%"
    assert (four.transfer_status, four.error_code) == ("FULL_TRANSFER_FAILED", "DRS.10050001") and four.error_msg
    assert (five.error_code, five.progress, five.progress_map) == (NO_INFO, None, None)
    empty = v3.BatchQueryProgressReq([])
    assert sdk.refused("batch_list_progresses", version="v3", body=empty) == "DRS.M00201"
    many = v3.BatchQueryProgressReq([loading] * 101)
    assert sdk.refused("batch_list_progresses", version="v3", body=many) == INVALID


class Clock:
    def __init__(self) -> None:
        self.at = 1_790_000_000.0

    def __call__(self) -> float:
        return self.at


def _window(committed_s: float) -> Any:
    from tests.unit.worker.test_report import a_window

    return a_window(committed_s=committed_s)


# capture and apply


def halves(sdk: Sdk, job: str) -> dict[str, Any]:
    found = sdk.call("show_increment_components_detail", job_id=job)
    assert found.update_time
    return {one.type: one for one in found.increment_components_list}


def told(world: World, job: str, *names: str, **more: Any) -> None:
    facts = {
        "began_at": "2026-11-30T12:00:00.500+00:00", "start": "binlog.000001:4", "point": "binlog.000002:77",
        "resolved_at": "2026-11-30T12:00:05.000+00:00", "delay_s": 1.75,
    }  # fmt: skip
    counters = Report().fetch().counters
    with world.store.write() as connection:
        progress.save(connection, job, {**counters, "components": dict.fromkeys(names, facts), **more})


def test_capture_and_apply(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    told(world, job, "capture", "apply")
    found = halves(sdk, job)
    assert list(found) == ["capture", "apply"]
    for one in found.values():
        assert (one.status, one.start_time, one.start_point) == ("STARTED", "2026-11-30T12:00:00Z", "binlog.000001:4")
        assert (one.current_point, one.resolution_time, one.delay) == ("binlog.000002:77", "2026-11-30T12:00:05Z", "1")
    told(world, job, "capture", "apply", trouble={"message": "gone"})
    assert {one.status for one in halves(sdk, job).values()} == {"STARTING"}, "they try to reach a server again"
    told(world, job, "capture", "apply")
    sdk.act(job, "stop")
    assert {one.status for one in halves(sdk, job).values()} == {"STOPPING"}
    world.step()
    from opendrs.worker.outcome import Exit, Outcome

    world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
    world.step()
    found = halves(sdk, job)
    assert {one.status for one in found.values()} == {"STOPPED"}
    assert found["apply"].current_point == "binlog.000002:77", "where it stopped"
    sdk.act(job, "restart")
    assert {one.status for one in halves(sdk, job).values()} == {"STARTING"}


def test_while_tables_are_loaded_the_log_is_pulled_and_not_applied(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.FULL)
    told(world, job, "capture")
    found = halves(sdk, job)
    assert (found["capture"].status, found["apply"].status) == ("STARTED", "STOPPED")
    assert (found["apply"].current_point, found["apply"].delay) == (None, None)


@pytest.mark.parametrize("state", [State.CONFIGURATION, State.STARTING, State.RELEASED])
def test_what_is_not_worked_at(world: World, state: State) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, state)
    wanted = "STARTING" if state is State.STARTING else "STOPPED"
    assert {one.status for one in halves(sdk, job).values()} == {wanted}
    with world.store.read() as connection:
        found = jobs.find(connection, job)
    assert found is not None and (found.intent is Intent.RUN) == (state is State.STARTING)


def test_a_job_that_only_loads_has_no_increment(world: World) -> None:
    sdk = world.sdk()
    from tests.integration.api.jobs import creation

    job = str(sdk.call("create_job", body=creation("only-loads", task_type="FULL_TRANS")).id)
    assert halves(sdk, job) == {}
    assert sdk.refused("show_increment_components_detail", job_id=UNKNOWN) == NO_JOB
