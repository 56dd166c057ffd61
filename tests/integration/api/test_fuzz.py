"""The service against its own description: whatever is made of it, fitting or not, no answer is one of 500 or more, every
error has the published shape, and every good answer is as declared. `OPENDRS_EXAMPLES=1000` asks more of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from opendrs.api.v5.execute_job_action import ACTIONS
from opendrs.api.v5.update_job import KINDS
from opendrs.model.lifecycle import State
from opendrs.spec import openapi
from tests.harness.service import PROJECT, Sdk
from tests.harness.shapes import deviations
from tests.integration.api.conftest import SECRETS
from tests.integration.api.raw import Raw, listening
from tests.integration.api.test_bad_input import creation
from tests.integration.api.test_orders import brought_to
from tests.integration.api.world import World, open_world

DOCUMENT = schemathesis.openapi
EXAMPLES = int(os.environ.get("OPENDRS_EXAMPLES", "0"))
STATES = (
    State.CREATING,
    State.CONFIGURATION,
    State.STARTING,
    State.FULL,
    State.INCREMENTAL,
    State.PAUSED,
    State.RELEASED,
)
IDENTITY = "iam."
SIMPLE = settings(
    deadline=None, database=None, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck)
)  # fmt: skip


@dataclass
class Played:
    """A service with jobs in several states, and ids that hit."""

    world: World
    raw: Raw
    jobs: list[str]
    queries: list[str]
    schema: Any


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with open_world(tmp_path_factory.mktemp("fuzz")) as world, listening() as log:
        raw = Raw(world.url, log)
        sdk = world.sdk()
        jobs, queries = zip(*(_job(world, sdk, state) for state in STATES), strict=True)
        schema = DOCUMENT.from_dict(httpx.get(f"{world.url}/openapi.json").json())
        yield Played(world, raw, list(jobs), [one for row in queries for one in row], schema)
        raw.end(SECRETS)


def _job(world: World, sdk: Sdk, state: State) -> tuple[str, list[str]]:
    job = brought_to(world, sdk, state, f"in-{state.name.lower().replace('_', '-')}")
    queries = []
    if state in (State.CONFIGURATION, State.FULL):
        collected = sdk.call("collect_db_objects_async", job_id=job, type="source", is_refresh=True).id
        queries = [str(collected), sdk.act(job, "network")] if state is State.CONFIGURATION else [str(collected)]
        world.run_errands()
    return job, queries


def _operations() -> list[Any]:
    schema = DOCUMENT.from_dict(openapi.document("/"))
    return [result.ok() for result in schema.get_all_operations()]


OPERATIONS = {one.definition.raw["operationId"]: one.definition.raw["x-opendrs-state"] for one in _operations()}
DONE = sorted(name for name, state in OPERATIONS.items() if state == "done")
OTHERS = sorted(name for name, state in OPERATIONS.items() if state != "done")


def _play(played: Played, name: str, mode: GenerationMode, examples: int) -> None:
    operation = played.schema.find_operation_by_id(name)

    @settings(SIMPLE, max_examples=EXAMPLES or examples)
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def play(case: Any, data: st.DataObject) -> None:
        _aim(played, case, data)
        case.headers = {**(case.headers or {}), "X-Auth-Token": played.raw.token}
        answer = case.call(base_url=played.world.url)
        file = answer.headers.get("content-type") == ["application/octet-stream"]
        played.raw.seen.append("" if file else answer.text)
        body = answer.content if file else json.loads(answer.text) if answer.text else None
        assert answer.headers.get("x-request-id"), answer.text
        if answer.status_code >= 400:
            _judge(name, answer.status_code, body)
        elif not name.startswith(IDENTITY):
            version, _, method = name.partition(".")
            assert deviations(version, method, answer.status_code, body) == [], body
            if method == "create_job":
                played.jobs.append(body["id"])
                detail = played.raw.good("GET", f"jobs/{body['id']}", type="detail")
                assert deviations(version, "show_job_detail", 200, detail) == [], detail
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    play()


def _aim(played: Played, case: Any, data: st.DataObject) -> None:
    """Ids that hit, mostly: what is behind them is to be tried, not only that they are unknown."""
    path = dict(case.path_parameters or {})
    if data.draw(st.integers(0, 9)):
        path["project_id"] = PROJECT
    if "job_id" in path and data.draw(st.integers(0, 4)):
        path["job_id"] = data.draw(st.sampled_from(played.jobs))
    if path:
        case.path_parameters = path
    if isinstance(case.body, dict) and data.draw(st.integers(0, 3)):
        _mend(case.operation.definition.raw["operationId"], case.body, data)
        for row in case.body.get("jobs") or () if isinstance(case.body.get("jobs"), list) else ():
            if isinstance(row, dict) and data.draw(st.integers(0, 4)):
                row["job_id"] = data.draw(st.sampled_from(played.jobs))
    query = dict(case.query or {})
    if "query_id" in query and data.draw(st.booleans()):
        query["query_id"] = data.draw(st.sampled_from([*played.queries, *played.jobs]))
        case.query = query


def _mend(name: str, body: dict[str, Any], data: st.DataObject) -> None:
    """The words that decide what a body means are known ones; the rest of it stays as it was made."""
    job = body.get("job")
    if name == "v5.validate_job_name" or not isinstance(job, dict):
        return
    if name == "v5.execute_job_action":
        job["action_name"] = data.draw(st.sampled_from(sorted(ACTIONS)))
    elif name == "v5.update_job":
        job["type"] = data.draw(st.sampled_from(sorted(KINDS)))
    elif name == "v5.create_job":
        good = creation()["job"]
        base = job.get("base_info")
        job["base_info"] = {**(base if isinstance(base, dict) else {}), **good["base_info"]}
        job["base_info"] |= {"expired_days": "14", "start_time": "", "description": "", "task_type": "FULL_TRANS"}
        job["base_info"] |= {"job_direction": "up", "net_type": "eip"}
        for side in ("source_endpoint", "target_endpoint"):
            given = job.get(side)
            first = given[0] if isinstance(given, list) and given and isinstance(given[0], dict) else {}
            job[side] = [{**first, "ssl": {}, **good[side][0]}]


def _judge(name: str, status: int, body: Any) -> None:
    assert status < 500, body
    if name.startswith(IDENTITY):
        assert body["error_code"] and body["error_msg"]
        return
    assert deviations("v5", "list_jobs", status, body) == [], body
    assert status in (400, 401, 403, 404, 415, 422), status


@pytest.mark.parametrize("name", DONE)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "not_fitting"])
def test_operations_that_are_done(played: Played, name: str, mode: GenerationMode) -> None:
    operation = played.schema.find_operation_by_id(name)
    if mode is GenerationMode.NEGATIVE and not operation.body and not operation.query:
        return  # nothing of it can be wrong but ids, and they are texts
    _play(played, name, mode, 10 if name == "v5.create_job" else 25)


@pytest.mark.parametrize("part", range(4))
def test_operations_that_are_not(played: Played, part: int) -> None:
    for name in OTHERS[part::4]:
        _play(played, name, GenerationMode.POSITIVE, 1)
