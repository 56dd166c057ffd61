"""Jobs of another project are as if they did not exist: in lists, names, details, actions, changes and deletes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import insert

from opendrs.store import identity, jobs
from opendrs.store.tables import access_keys, projects, users
from tests.integration.api.raw import DONE, Raw
from tests.integration.api.test_bad_input import creation, missing, query, sent
from tests.integration.api.world import World

OTHER, USER, PASSWORD = "fedcba9876543210fedcba9876543210", "stranger", "a-password-of-a-stranger"
ACCESS_KEY, SECRET_KEY = "STRANGERSACCESSKEY01", "a-secret-key-of-a-stranger-0123456"

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stranger(shared_world: World, raw: Raw) -> str:
    """A token of a user in another project."""
    sealed = shared_world.seal.seal(SECRET_KEY, identity.about_key(ACCESS_KEY))
    password = identity.hash_password(PASSWORD)
    user = {"id": "f" * 32, "name": USER, "domain": identity.DOMAIN, "password": password, "project_id": OTHER}
    with shared_world.store.write() as connection:
        connection.execute(insert(projects).values(id=OTHER, name="another"))
        connection.execute(insert(users).values(**user))
        connection.execute(insert(access_keys).values(id=ACCESS_KEY, user_id="f" * 32, sealed=sealed))
    return raw.log_in(USER, PASSWORD)


@pytest.fixture
def name() -> str:
    return f"project-{next(_numbers)}"


@pytest.fixture
def job(shared_world: World, raw: Raw, name: str) -> str:
    found = raw.good("POST", "jobs", creation(name))["id"]
    shared_world.step()
    return str(found)


def test_a_name_is_taken_in_its_own_project_only(raw: Raw, job: str, name: str, stranger: str) -> None:
    theirs: dict[str, Any] = {"token": stranger, "project": OTHER}
    assert raw.good("POST", "jobs/name-validation", {"name": name}, **theirs)["is_valid"]
    other = raw.good("POST", "jobs", creation(name), **theirs)["id"]
    raw.refused("DRS.M00277", "POST", "jobs", creation(name), status=422, **theirs)
    rename = {"job": {"type": "name", "params": {"base_info": {"name": f"{name}-new"}}}}
    raw.good("PUT", f"jobs/{job}", rename)
    raw.good("PUT", f"jobs/{other}", rename, **theirs)


def test_lists_are_of_one_project(raw: Raw, job: str, name: str, stranger: str) -> None:
    theirs: dict[str, Any] = {"token": stranger, "project": OTHER}
    other = raw.good("POST", "jobs", creation(name), **theirs)["id"]
    for mine, its, who in ((job, other, {}), (other, job, theirs)):
        for words in (f"limit=1000&name={name}", "limit=1000", f"name={its}", "instance_ip=127.0.0.1&limit=1000"):
            found = raw.good("GET", f"jobs?job_type=sync&{words}", **who)
            ids = {row["id"] for row in found["jobs"]}
            assert its not in ids
            assert mine in ids or words == f"name={its}"
            assert found["total_count"] == len(ids)


@pytest.mark.parametrize("operation", [one for one in DONE if "{job_id}" in one.path], ids=lambda one: one.name)
def test_no_operation_finds_it(
    shared_world: World, raw: Raw, job: str, name: str, stranger: str, operation: Any
) -> None:
    queried = raw.good("POST", f"jobs/{job}/action", {"job": {"action_name": "precheck"}})["query_id"]
    shared_world.run_errands()
    with shared_world.store.read() as connection:
        before = jobs.find(connection, job)
    code = missing(operation)
    asked = [sent(operation)]
    if operation.name == "execute_job_action":
        words = ("start", "stop", "restart", "reset", "terminate", "network", "precheck", "create_compare")
        asked = [{"body": {"job": {"action_name": word}}} for word in words]
    if operation.name == "update_job":
        params = {
            "base_info": {"name": f"{name}-theirs", "description": "theirs"},
            "policy_config": {"ddl_trans": False},
            "db_object": {"object_scope": "all"},
        }
        asked = [
            {"body": {"job": {"type": kind, "params": params}}}
            for kind in ("name", "description", "policy", "db_object", "notify")
        ]
    words_of_path = {"job_id": job, "type": "table", "alarm_id": "1"}
    path = operation.path.format(project_id=OTHER, **words_of_path)
    words = query(operation)
    if "query_id" in words:
        words = {**words, "query_id": queried}
    for one in asked:
        raw.refused(code, operation.method, path, **one, token=stranger, **words)
        # And not by naming the project that it is in, either.
        there = operation.path.format(project_id="0123456789abcdef0123456789abcdef", **words_of_path)
        raw.refused("DRS.M00261", operation.method, there, **one, token=stranger, status=403, **words)
    with shared_world.store.read() as connection:
        assert jobs.find(connection, job) == before


def test_the_official_sdk_with_the_keys_of_a_stranger(shared_world: World, job: str, stranger: str) -> None:
    sdk = shared_world.sdk(project=OTHER, access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    assert sdk.refused("show_job_detail", job_id=job, type="overview") == "DRS.10000010"
    assert sdk.refused("delete_job", job_id=job) == "DRS.10000010"
    assert sdk.refusal(lambda: sdk.act(job, "terminate")) == "DRS.10000010"
    assert all(row.id != job for row in sdk.call("list_jobs", job_type="sync", limit=100).jobs)
    posing = shared_world.sdk(access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    assert posing.refused("show_job_detail", job_id=job, type="overview") == "DRS.M00261"
