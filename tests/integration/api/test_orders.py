"""Every call in every state: what the table of the life cycle allows is taken, all else is refused with its code,
and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError

from opendrs.errors import DrsError, Fault
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import ALLOWED, State, Verb
from opendrs.worker.outcome import Exit, Outcome
from tests.harness.service import Sdk
from tests.integration.api.jobs import chosen, creation
from tests.integration.api.world import World

FAILURE = Failure.of(DrsError(Fault.SOURCE_UNREACHABLE, endpoint="there", reason="gone"))
FAILED = Outcome(exit=Exit.FAILED, failure=FAILURE)


def created(world: World, sdk: Sdk, name: str = "a-job") -> str:
    return str(sdk.call("create_job", body=creation(name)).id)


def brought_to(world: World, sdk: Sdk, state: State, name: str = "a-job") -> str:
    """A new job, by the shortest way to a state."""
    job = created(world, sdk, name)
    if state is State.CREATING:
        return job
    if state is State.CREATE_FAILED:
        in_the_way = world.attendant.place.folder / "jobs"
        in_the_way.write_text("no folder")
        world.step()
        in_the_way.unlink()
        return job
    world.configured(sdk, job)
    if state is State.CONFIGURATION:
        return job
    if state is State.SCHEDULED:
        sdk.act(job, "start", start_time=_soon())
        return job
    sdk.act(job, "start")
    if state is State.STARTING:
        return job
    world.step()
    workers = world.workers
    match state:
        case State.START_FAILED:
            workers.ends(job, state, FAILED)
        case State.FULL | State.INCREMENTAL:
            workers.says(job, state)
        case State.FULL_FAILED | State.INCREMENTAL_FAILED:
            workers.says(job, State.FULL if state is State.FULL_FAILED else State.INCREMENTAL)
            workers.ends(job, state, FAILED)
        case State.FULL_DONE:
            workers.ends(job, state, Outcome(exit=Exit.DONE))
        case State.PAUSED:
            workers.says(job, State.FULL)
            sdk.act(job, "stop")
            world.step()
            workers.ends(job, state, Outcome(exit=Exit.PAUSED))
        case State.RELEASING | State.RELEASE_FAILED | State.RELEASED:
            workers.says(job, State.INCREMENTAL)
            sdk.act(job, "terminate")
            if state is not State.RELEASING:
                world.step()
                workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
                world.step()
                world.step()
                world.run_errands(well=state is State.RELEASED)
    if state not in (State.FULL, State.INCREMENTAL, State.RELEASING):
        world.step()
        world.step()
    return job


def _soon() -> str:
    return str(int((time.time() + 3600) * 1000))


def limit_speed(sdk: Sdk, job: str) -> None:
    """A refusal is a row of the answer; here it is one like others."""
    window = v3.SpeedLimitInfo(begin="01:00", end="05:59", speed="10", is_utc=True)
    body = v3.BatchLimitSpeedReq([v3.LimitSpeedReq(job_id=job, speed_limit=[window])])
    (row,) = sdk.call("batch_set_speed", version="v3", body=body).results
    if row.status != "success":
        raise ClientRequestException(400, SdkError("", row.error_code, row.error_msg))


def set_parameters(sdk: Sdk, job: str) -> None:
    values = [v5.ParameterInfo(parameter_name="read_task_num", parameter_value="4")]
    sdk.call("update_job_configurations", job_id=job, body=v5.ModifyParameterReq(values))


ASKED: dict[Verb, Callable[[Sdk, str], Any]] = {
    Verb.NETWORK: lambda sdk, job: sdk.act(job, "network"),
    Verb.PRECHECK: lambda sdk, job: sdk.act(job, "precheck"),
    Verb.OBJECTS: lambda sdk, job: sdk.update(job, "db_object", db_object=chosen("shop", "orders")),
    Verb.EDIT: lambda sdk, job: sdk.act(job, "start", is_sync_re_edit=True),
    Verb.POLICY: lambda sdk, job: sdk.update(job, "policy", policy_config=v5.PolicyConfig(ddl_trans=False)),
    Verb.PARAMETERS: set_parameters,
    Verb.SPEED: limit_speed,
    Verb.COLLECT: lambda sdk, job: sdk.call("collect_db_objects_async", job_id=job, type="source"),
    Verb.START: lambda sdk, job: sdk.act(job, "start"),
    Verb.STOP: lambda sdk, job: sdk.act(job, "stop"),
    Verb.RESTART: lambda sdk, job: sdk.act(job, "restart"),
    Verb.RESET: lambda sdk, job: sdk.act(job, "reset"),
    Verb.TERMINATE: lambda sdk, job: sdk.act(job, "terminate"),
    Verb.DELETE: lambda sdk, job: sdk.call("delete_job", job_id=job),
}


def other_objects(world: World, sdk: Sdk, job: str) -> None:
    """Of a job that has begun: they are saved, and wait for the edit."""
    sdk.update(job, "db_object", db_object=chosen("shop", "orders"))
    world.run_errands()
    sdk.act(job, "precheck", precheck_mode="forStartJob")
    world.run_errands()


@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_what_a_state_allows_is_taken_and_all_else_refused(world: World, state: State) -> None:
    sdk = world.sdk()
    for verb in Verb:
        job = brought_to(world, sdk, state)
        assert world.state(job) is state
        words = sdk.call("show_actions", job_id=job).job_action
        if state in ALLOWED[verb]:
            if verb is Verb.EDIT:
                other_objects(world, sdk, job)
            ASKED[verb](sdk, job)
        else:
            code = sdk.refusal(lambda verb=verb, job=job: ASKED[verb](sdk, job))
            assert code == "DRS.M00304", verb
            assert world.state(job) is state
        assert set(words.available_actions) | set(words.unavailable_actions) >= {"START", "PAUSE", "FREE_RESOURCE"}
        world.forget(job)


def test_start_wants_prechecks_that_have_passed_for_what_the_job_is(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    assert "START" not in sdk.call("show_actions", job_id=job).job_action.available_actions
    sdk.act(job, "precheck")
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    world.run_errands(well=False)
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    sdk.act(job, "precheck")
    world.run_errands()
    sdk.update(job, "policy", policy_config=v5.PolicyConfig(index_trans=False))
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    sdk.act(job, "precheck")
    world.run_errands()
    sdk.update(job, "db_object", db_object=chosen("shop"))
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    world.run_errands()
    assert sdk.refusal(lambda: sdk.act(job, "start")) == "DRS.10050050"
    sdk.act(job, "precheck")
    world.run_errands()
    assert "START" in sdk.call("show_actions", job_id=job).job_action.available_actions
    sdk.act(job, "start")
    assert world.state(job) is State.STARTING


def test_the_same_errand_is_not_asked_for_twice_at_a_time(world: World) -> None:
    sdk = world.sdk()
    job = created(world, sdk)
    world.step()
    sdk.act(job, "precheck")
    assert sdk.refusal(lambda: sdk.act(job, "precheck")) == "DRS.M00304"
    world.run_errands()
    sdk.act(job, "precheck")
