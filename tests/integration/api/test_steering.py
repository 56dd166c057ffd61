"""What is changed of jobs while they are worked at, through both versions of the SDK: parameters, speed, definers."""

from __future__ import annotations

from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest

from opendrs.model.job import Policy
from opendrs.model.lifecycle import State
from opendrs.model.parameters import PARAMETERS
from opendrs.model.speed import SpeedWindow
from opendrs.store import jobs, speeds
from opendrs.worker.assembly import order_of
from opendrs.worker.outcome import Exit, Outcome
from tests.harness.service import USER, Sdk
from tests.integration.api.test_kafka_policy import created as created_to_kafka
from tests.integration.api.test_orders import brought_to, created
from tests.integration.api.world import World

UNKNOWN = "00000000-0000-0000-0000-0000000jb20p"
EMPTY, INVALID, UNSUPPORTED, NO_INFO, NO_JOB, WRONG_STATE, UNCHECKED = (
    "DRS.M00201", "DRS.M00202", "DRS.10050044", "DRS.M05003", "DRS.10000010", "DRS.M00304", "DRS.10050050",
)  # fmt: skip


def set_values(sdk: Sdk, job: str, **values: str) -> Any:
    asked = [v5.ParameterInfo(parameter_name=name, parameter_value=value) for name, value in values.items()]
    return sdk.call("update_job_configurations", job_id=job, body=v5.ModifyParameterReq(asked))


def values_of(sdk: Sdk, job: str) -> dict[str, str]:
    found = sdk.call("list_job_parameters", job_id=job, limit=100)
    assert found.count == len(found.parameter_config_list)
    return {one.name: one.value for one in found.parameter_config_list}


def history(sdk: Sdk, job: str, **query: Any) -> list[tuple[str, str, str, bool]]:
    found = sdk.call("list_job_history_parameters", job_id=job, **query)
    rows = found.parameter_history_config_list
    assert all(row.is_update_success for row in rows)
    assert all((row.apply_time is not None) == row.is_applied for row in rows)
    return [(row.name, row.old_value, row.new_value, row.is_applied) for row in rows]


def policy_of(world: World, job: str) -> Policy:
    with world.store.read() as connection:
        return jobs.policy_of(connection, job)


# parameters


def test_the_list_says_what_there_is(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    found = sdk.call("list_job_parameters", job_id=job, limit=100).parameter_config_list
    assert [one.name for one in found] == [one.name for one in PARAMETERS]
    assert all(one.value == one.default_value and one.is_need_restart and one.description for one in found)
    lanes = next(one for one in found if one.name == "read_task_num")
    assert (lanes.value, lanes.value_range) == ("2", "1-64") and lanes.created_at == lanes.updated_at
    kafka = values_of(sdk, created_to_kafka(world, sdk, "to-kafka"))
    assert "read_task_num" in kafka and "replace_0x00" not in kafka


def test_pages_and_names(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)

    def names(**query: Any) -> tuple[int, list[str]]:
        found = sdk.call("list_job_parameters", job_id=job, **query)
        return found.count, [one.name for one in found.parameter_config_list]

    every = [one.name for one in PARAMETERS]
    assert names(limit=2, offset=1) == (len(every), every[1:3])
    assert names(offset=len(every)) == (len(every), [])
    assert names(name="DATAMOVE") == (2, ["datamove_chunk_size", "datamove_fetchsize"])
    assert names(name="nothing of the kind") == (0, [])
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert sdk.refused("list_job_parameters", job_id=job, **bad) == INVALID


def test_a_job_that_rests_has_them_at_once_and_goes_by_them_when_it_starts(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    set_values(sdk, job, read_task_num="6", skip_all_ddl="TRUE", shard_length="5000")
    assert values_of(sdk, job)["read_task_num"] == "6"
    policy = policy_of(world, job)
    assert (policy.readers, policy.ddl, policy.chunk_rows) == (6, "refuse", 5000)
    assert history(sdk, job) == [
        ("skip_all_ddl", "false", "true", False), ("shard_length", "200000", "5000", False),
        ("read_task_num", "2", "6", False),
    ]  # fmt: skip
    sdk.act(job, "precheck")
    world.run_errands()
    sdk.act(job, "start")
    world.step()
    assert world.workers.working[job].order.job.policy == policy
    assert {row[3] for row in history(sdk, job)} == {True}


def test_what_the_prechecks_looked_at_must_be_looked_at_again(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.configured(sdk, job)
    set_values(sdk, job, datamove_fetchsize="100")
    assert "START" in sdk.call("show_actions", job_id=job).job_action.available_actions
    set_values(sdk, job, replace_invalid_time="true")
    assert sdk.refusal(lambda: sdk.act(job, "start")) == UNCHECKED
    set_values(sdk, job, replace_invalid_time="true")  # it is that already
    assert len(history(sdk, job)) == 2


@pytest.mark.parametrize("state", [State.FULL, State.INCREMENTAL])
def test_a_worker_that_runs_goes_on_with_what_it_was_started_with(world: World, state: State) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, state)
    before = policy_of(world, job)
    set_values(sdk, job, read_task_num="7")
    set_values(sdk, job, read_task_num="8")
    # Whoever takes over the worker must find what it runs with, and everybody is shown what will be.
    order = order_of(world.attendant.place, job)
    assert order is not None and order.job.policy == before == policy_of(world, job)
    assert values_of(sdk, job)["read_task_num"] == "8"
    assert history(sdk, job) == [("read_task_num", "7", "8", False), ("read_task_num", "2", "7", False)]
    sdk.act(job, "restart")
    world.step()
    world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
    world.step()
    world.step()
    assert world.workers.working[job].order.job.policy.readers == 8
    assert history(sdk, job) == [("read_task_num", "7", "8", True), ("read_task_num", "2", "7", True)]


def test_what_was_changed_while_it_ran_counts_when_it_goes_on_after_a_pause(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    set_values(sdk, job, skip_all_ddl="true")
    sdk.act(job, "stop")
    world.step()
    world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
    world.step()
    # A policy that is set by hand meanwhile comes on top of it.
    sdk.update(job, "policy", policy_config=v5.PolicyConfig(index_trans=False))
    policy = policy_of(world, job)
    assert (policy.ddl, policy.indexes) == ("refuse", "unique")
    assert history(sdk, job)[0][3] is False
    sdk.update(job, "policy", policy_config=v5.PolicyConfig(ddl_trans=True))
    sdk.act(job, "restart")
    world.step()
    assert world.workers.working[job].order.job.policy.ddl == "carry"
    assert history(sdk, job)[0][3] is True


def test_a_reset_wants_prechecks_of_what_the_job_will_be(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    set_values(sdk, job, replace_0x00="true")
    sdk.act(job, "stop")
    world.step()
    world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
    world.step()
    assert sdk.refusal(lambda: sdk.act(job, "reset")) == UNCHECKED
    sdk.act(job, "precheck", precheck_mode="forRetryJob")
    world.run_errands()
    sdk.act(job, "reset")
    world.step()
    assert world.workers.working[job].order.job.policy.nul_in_text == "replace"


def test_nothing_is_changed_if_anything_is_wrong(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    before = policy_of(world, job)
    for bad in (
        {"read_task_num": "4", "no_such": "1"},
        {"read_task_num": "0"},
        {"read_task_num": "65"},
        {"read_task_num": ""},
        {"skip_all_ddl": "perhaps"},
        {"applier_thread_num": "4"},  # published, and without a meaning here
        {"datamove_chunk_size": "999", "shard_length": "4"},
    ):
        assert sdk.refusal(lambda bad=bad: set_values(sdk, job, **bad)) == INVALID, bad
    assert sdk.refusal(lambda: set_values(sdk, job)) == EMPTY
    assert history(sdk, job) == [] and policy_of(world, job) == before
    kafka = created_to_kafka(world, sdk, "to-kafka")
    assert sdk.refusal(lambda: set_values(sdk, kafka, replace_0x00="true")) == INVALID
    assert sdk.refusal(lambda: set_values(sdk, UNKNOWN, read_task_num="4")) == NO_JOB


def test_everything_that_is_wrong_is_said_at_once(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

    with pytest.raises(ClientRequestException) as raised:
        set_values(sdk, job, shard_length="4", no_such="1", skip_all_ddl="x")
    for words in ("shard_length", "no whole number from 1000 to", "no_such", "skip_all_ddl: 'x' is neither true"):
        assert words in raised.value.error_msg


def test_a_parameter_that_is_named_twice(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    twice = [v5.ParameterInfo("read_task_num", value) for value in ("4", "5")]
    assert sdk.refused("update_job_configurations", job_id=job, body=v5.ModifyParameterReq(twice)) == INVALID
    same = [v5.ParameterInfo("read_task_num", "4")] * 2
    sdk.call("update_job_configurations", job_id=job, body=v5.ModifyParameterReq(same))
    assert history(sdk, job) == [("read_task_num", "2", "4", False)]


def test_the_history_has_pages_times_and_names(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    for number in range(3, 8):
        set_values(sdk, job, read_task_num=str(number), shard_length=str(number * 1000))
    assert [row[2] for row in history(sdk, job, name="task", limit=2, offset=1)] == ["6", "5"]
    assert sdk.call("list_job_history_parameters", job_id=job, limit=1).count == 10
    assert history(sdk, job, offset=10) == [] == history(sdk, job, name="no such")
    found = sdk.call("list_job_history_parameters", job_id=job, limit=1)
    assert sdk.seen[-1].json()["parameter_history_config_list"][0]["user_name"] == USER and found
    assert history(sdk, job, begin_time="4102444800000") == [] == history(sdk, job, end_time="1000000000000")
    assert len(history(sdk, job, begin_time="1000000000000", end_time="4102444800000")) == 10
    for bad in ({"begin_time": "soon"}, {"begin_time": "2000000000000", "end_time": "1000000000000"}):
        assert sdk.refused("list_job_history_parameters", job_id=job, **bad) == INVALID


def test_the_timeline_tells_of_it(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.INCREMENTAL)
    set_values(sdk, job, read_task_num="3")
    limit(sdk, (job, [window("01:00", "02:59", "5")]))
    found = sdk.call("show_timeline", job_id=job, x_language="en-us").timelines
    assert [(row.name, row.status, row.user_name) for row in found[:2]] == [
        ("update_speed_limit", "success", USER), ("update_parameters", "success", USER),
    ]  # fmt: skip


# the same in version 3


def tuning(answer: Any) -> dict[str, dict[str, str]]:
    groups = ("full_sync", "incre_capture", "incre_apply", "incre_relay")
    return {name: {one.param_name: one.param_value for one in getattr(answer, name)} for name in groups}


def test_tuning_parameters_are_the_same_by_phase(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    found = tuning(sdk.call("query_tuning_params", version="v3", job_id=job))
    assert found["incre_capture"] == {} == found["incre_relay"]
    assert found["full_sync"]["read_task_num"] == "2" and found["incre_apply"]["skip_all_ddl"] == "false"
    every = {name: value for group in found.values() for name, value in group.items()}
    assert every == values_of(sdk, job)
    body = v3.ModifyTuningParamsReq(
        full_sync={"read_task_num": "5"}, incre_apply={"skip_all_ddl": "true"}, recovery=True
    )
    answer = sdk.call("update_tuning_params", version="v3", job_id=job, body=body)
    assert answer.modify_result == "success" and tuning(answer)["full_sync"]["read_task_num"] == "5"
    assert {row[0] for row in history(sdk, job)} == {"read_task_num", "skip_all_ddl"}
    first = v3.ModifyTuningParamsReq(recovery=True)
    assert sdk.call("update_tuning_params", version="v3", job_id=job, body=first).modify_result == "success"
    both = v3.ModifyTuningParamsReq(full_sync={"replace_0x00": "true"}, incre_apply={"replace_0x00": "TRUE"})
    assert sdk.refused("update_tuning_params", version="v3", job_id=job, body=both) == INVALID, "spelt in two ways"
    both = v3.ModifyTuningParamsReq(full_sync={"replace_0x00": "true"}, incre_apply={"replace_0x00": "true"})
    sdk.call("update_tuning_params", version="v3", job_id=job, body=both)


def test_tuning_parameters_that_are_wrong(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    for bad in (
        {"incre_apply": {"read_task_num": "5"}},  # of another phase
        {"incre_relay": {"slotAdvanceInterval": "5"}},
        {"full_sync": {"read_task_num": "none"}},
    ):
        body = v3.ModifyTuningParamsReq(**bad)
        assert sdk.refused("update_tuning_params", version="v3", job_id=job, body=body) == INVALID, bad
    empty = v3.ModifyTuningParamsReq(full_sync={})
    assert sdk.refused("update_tuning_params", version="v3", job_id=job, body=empty) == EMPTY
    good = v3.ModifyTuningParamsReq(full_sync={"read_task_num": "4"})
    assert sdk.refused("update_tuning_params", version="v3", job_id=UNKNOWN, body=good) == NO_INFO
    assert sdk.refused("query_tuning_params", version="v3", job_id=UNKNOWN) == NO_INFO
    ended = brought_to(world, sdk, State.RELEASED, "ended")
    assert sdk.refused("update_tuning_params", version="v3", job_id=ended, body=good) == WRONG_STATE


# speed


def window(begin: str, end: str, speed: str, **more: Any) -> v3.SpeedLimitInfo:
    return v3.SpeedLimitInfo(begin=begin, end=end, speed=speed, **more)


def limit(sdk: Sdk, *asked: tuple[str, list[v3.SpeedLimitInfo]]) -> list[Any]:
    body = v3.BatchLimitSpeedReq([v3.LimitSpeedReq(job_id=job, speed_limit=windows) for job, windows in asked])
    answer = sdk.call("batch_set_speed", version="v3", body=body)
    assert answer.count == len(answer.results) == len(asked)
    assert [row.id for row in answer.results] == [job for job, _ in asked]
    return list(answer.results)


def shown(sdk: Sdk, job: str) -> list[tuple[str, str, str, bool]]:
    sdk.detail(job)
    found = sdk.seen[-1].json()["job"]["speed_limit"]
    return [(one["begin"], one["end"], one["speed"], one["is_utc"]) for one in found]


def test_windows_are_kept_and_shown(world: World) -> None:
    sdk = world.sdk()
    job = brought_to(world, sdk, State.FULL)
    assert shown(sdk, job) == []
    windows = [window("01:27", "05:59", "10"), window("22:00", "00:59", "9999", is_utc=False)]
    (row,) = limit(sdk, (job, windows))
    assert row.status == "success"
    assert shown(sdk, job) == [("01:00", "05:59", "10", True), ("22:00", "00:59", "9999", False)]
    with world.store.read() as connection:
        assert speeds.load(connection, job) == (
            SpeedWindow(begin=1, end=5, megabytes=10), SpeedWindow(begin=22, end=0, megabytes=9999, utc=False),
        )  # fmt: skip
    limit(sdk, (job, windows[:1]))
    assert shown(sdk, job) == [("01:00", "05:59", "10", True)]
    limit(sdk, (job, []))
    assert shown(sdk, job) == []


@pytest.mark.parametrize(
    ("begin", "end", "speed"),
    [
        ("1:00", "05:59", "5"), ("24:00", "05:59", "5"), ("01:60", "05:59", "5"), ("0100", "05:59", "5"),
        ("٠١:٠٠", "05:59", "5"), ("01:00", "05:58", "5"), ("01:00", "06:00", "5"), ("01:00", "5:59", "5"),
        ("01:00", "24:59", "5"), ("01:00\n", "05:59", "5"), ("01:00", "05:59", "0"), ("01:00", "05:59", "10000"),
        ("01:00", "05:59", "-1"), ("01:00", "05:59", "1.5"), ("01:00", "05:59", "fast"), ("01:00", "05:59", "９"),
    ],
)  # fmt: skip
def test_windows_that_are_none(world: World, begin: str, end: str, speed: str) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    (row,) = limit(sdk, (job, [window(begin, end, speed)]))
    assert (row.status, row.error_code) == ("failed", INVALID), row
    assert shown(sdk, job) == []


def test_rows_are_dealt_with_one_by_one(world: World) -> None:
    sdk = world.sdk()
    good, other = brought_to(world, sdk, State.FULL, "good"), brought_to(world, sdk, State.RELEASED, "ended")
    body = v3.BatchLimitSpeedReq([])
    only = str(sdk.call("create_job", body=_creation("only-the-log", "INCR_TRANS")).id)
    world.step()
    ten = [window("00:00", "23:59", "10")]
    rows = limit(
        sdk, (good, ten), (UNKNOWN, ten), (other, ten), (only, ten), (good, [window("", "05:59", "5")]),
        (good, [window("01:00", "05:59", str(n)) for n in range(1, 26)]),
    )  # fmt: skip
    assert [row.error_code for row in rows] == [None, NO_INFO, WRONG_STATE, WRONG_STATE, EMPTY, INVALID]
    assert "INCR_TRANS" in rows[3].error_msg
    assert shown(sdk, good) == [("00:00", "23:59", "10", True)]
    assert sdk.refused("batch_set_speed", version="v3", body=body) == EMPTY


def _creation(name: str, task: str) -> Any:
    from tests.integration.api.jobs import creation

    return creation(name, task_type=task)


# definers


def test_definers_are_replaced_and_nothing_else(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    asked = [(job, True), (job, False), (UNKNOWN, True), (UNKNOWN, False)]
    body = v3.BatchReplaceDefinerReq([v3.ReplaceDefinerInfo(job_id=key, replace_definer=flag) for key, flag in asked])
    answer = sdk.call("batch_set_definer", version="v3", body=body)
    assert answer.count == 4
    found = [(row.id, row.status, row.error_code) for row in answer.results]
    assert found == [
        (job, "success", None), (job, "failed", UNSUPPORTED), (UNKNOWN, "failed", NO_INFO), (UNKNOWN, "failed", NO_INFO),
    ]  # fmt: skip
    assert "belongs to the target's user" in answer.results[1].error_msg
    assert sdk.refused("batch_set_definer", version="v3", body=v3.BatchReplaceDefinerReq([])) == EMPTY
