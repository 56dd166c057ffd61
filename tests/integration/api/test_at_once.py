"""Many callers at a time, of two API processes' worth of threads: what is to be done once is done once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from opendrs.api.gateway import Gateway
from opendrs.model.action import Kind
from opendrs.signature import Call as Request
from opendrs.store import actions
from opendrs.store.database import open_store
from opendrs.store.tables import actions as actions_table
from opendrs.store.tables import jobs as jobs_table
from tests.harness.service import PROJECT
from tests.integration.api.raw import Raw
from tests.integration.api.test_bad_input import creation
from tests.integration.api.world import World

MANY = 16


@pytest.fixture(scope="module")
def ask(shared_world: World, raw: Raw) -> Any:
    """Requests, in turn, to two gateways, each with a store of its own, as two processes have."""
    import json

    stores = [open_store(shared_world.store.url) for _ in range(2)]
    gateways = [Gateway(store, shared_world.seal, folder=shared_world.attendant.place.folder) for store in stores]

    def ask(number: int, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = (("X-Auth-Token", raw.token), ("Content-Type", "application/json"))
        content = b"" if body is None else json.dumps(body).encode()
        answer = gateways[number % 2].answer(
            Request(method=method, path=f"/v5/{PROJECT}/{path}", query="", headers=headers, body=content)
        )
        return answer.status, json.loads(answer.body)

    yield ask
    for store in stores:
        store.close()


def at_once(act: Callable[[int], tuple[int, Any]]) -> tuple[Counter[str], list[Any]]:
    """What came of so many at the same moment: codes, empty for good answers; and the good answers."""
    gate = threading.Barrier(MANY, timeout=60)

    def go(number: int) -> tuple[int, Any]:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(MANY) as threads:
        found = list(threads.map(go, range(MANY)))
    return Counter(body.get("error_code", "") for _, body in found), [body for status, body in found if status < 300]


def test_one_name_is_given_once(shared_world: World, ask: Any) -> None:
    codes, made = at_once(lambda n: ask(n, "POST", "jobs", creation("Wanted-By-All" if n % 3 else "wanted-by-all")))
    assert codes == {"": 1, "DRS.M00277": MANY - 1}
    with shared_world.store.read() as connection:
        query = select(func.count()).where(jobs_table.c.name_key == "wanted-by-all")
        assert connection.execute(query).scalar() == 1
        (job,) = [row["id"] for row in made]
        found, total = actions.page(connection, job, limit=10, offset=0)
    assert [action.kind for action in found] == [Kind.CREATE] and total == 1


def test_many_names_are_all_given(ask: Any) -> None:
    codes, made = at_once(lambda n: ask(n, "POST", "jobs", creation(f"one-of-many-{n}")))
    assert codes == {"": MANY} and len({row["id"] for row in made}) == MANY


def test_one_new_name_is_given_once(shared_world: World, ask: Any) -> None:
    ids = [ask(n, "POST", "jobs", creation(f"to-rename-{n}"))[1]["id"] for n in range(MANY)]
    body = {"job": {"type": "name", "params": {"base_info": {"name": "new-name-of-all"}}}}
    codes, _ = at_once(lambda n: ask(n, "PUT", f"jobs/{ids[n]}", body))
    assert codes == {"": 1, "DRS.M00277": MANY - 1}


def ready(world: World, ask: Any, name: str) -> str:
    job = str(ask(0, "POST", "jobs", creation(name))[1]["id"])
    world.step()
    ask(0, "POST", f"jobs/{job}/action", {"job": {"action_name": "precheck"}})
    world.run_errands()
    return job


@pytest.mark.parametrize("word", ["start", "terminate"])
def test_one_job_is_moved_once(shared_world: World, ask: Any, word: str) -> None:
    job = ready(shared_world, ask, f"to-{word}")
    codes, _ = at_once(lambda n: ask(n, "POST", f"jobs/{job}/action", {"job": {"action_name": word}}))
    assert codes == {"": 1, "DRS.M00304": MANY - 1}
    with shared_world.store.read() as connection:
        query = select(func.count()).where(actions_table.c.job_id == job, actions_table.c.kind == word)
        assert connection.execute(query).scalar() == 1


@pytest.mark.parametrize("word", ["precheck", "network"])
def test_one_errand_is_asked_for_once(shared_world: World, ask: Any, word: str) -> None:
    job = ready(shared_world, ask, f"errand-{word}")
    codes, made = at_once(lambda n: ask(n, "POST", f"jobs/{job}/action", {"job": {"action_name": word}}))
    assert codes == {"": 1, "DRS.M00304": MANY - 1} and made[0]["query_id"]
    shared_world.run_errands()


def test_what_contradicts_leaves_one_order(shared_world: World, ask: Any) -> None:
    job = ready(shared_world, ask, "pulled-about")
    words = ("start", "terminate", "stop", "reset")
    codes, _ = at_once(lambda n: ask(n, "POST", f"jobs/{job}/action", {"job": {"action_name": words[n % 4]}}))
    assert set(codes) <= {"", "DRS.M00304", "DRS.10050050"} and codes[""] >= 1
    status = ask(0, "GET", f"jobs/{job}/actions", None)
    assert status[0] == 200


def test_one_job_is_forgotten_once(shared_world: World, ask: Any) -> None:
    job = ready(shared_world, ask, "to-delete")
    ask(0, "POST", f"jobs/{job}/action", {"job": {"action_name": "terminate"}})
    for _ in range(4):
        shared_world.step()
        shared_world.run_errands()
    codes, _ = at_once(lambda n: ask(n, "DELETE", f"jobs/{job}", None))
    assert codes == {"": 1, "DRS.10000010": MANY - 1}
