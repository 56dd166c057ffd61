"""Keys for comparison: what was imported last is there, and nothing else."""

from __future__ import annotations

from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.failure import Failure
from opendrs.model.job import Job
from opendrs.store import actions, compare_keys, jobs
from opendrs.store.database import Store
from opendrs.store.leases import Holder
from tests.integration.state_fixtures import a_job

T, U = TableName("shop", "t"), TableName("ünï", "表")
RUNNER = Holder(owner="worker", pid=1, started_at=1.0, host="here")


def test_keys_take_the_place_of_those_before(store: Store, job: Job) -> None:
    other = a_job("other")
    with store.write() as connection:
        jobs.create(connection, other, name="other")
        assert compare_keys.load(connection, job.id) == {}
        compare_keys.replace(connection, job.id, {U: ["b", "a"], T: ["id"]})
        compare_keys.replace(connection, other.id, {T: ["x"]})
    with store.write() as connection:
        assert list(compare_keys.load(connection, job.id).items()) == [(T, ("id",)), (U, ("b", "a"))]
        compare_keys.replace(connection, job.id, {U: ["c"]})
        assert compare_keys.load(connection, job.id) == {U: ("c",)}
        compare_keys.replace(connection, job.id, {})
        assert compare_keys.load(connection, job.id) == {}
        jobs.remove(connection, other.id)
        assert compare_keys.load(connection, other.id) == {}


def test_what_was_noted_of_an_errand_that_fails_stays(store: Store, job: Job) -> None:
    failure = Failure(fault="X", code="DRS.1", message="m", hint="h")
    with store.write() as connection:
        for noted, result in ((True, {"rows": 7}), (False, None)):
            key = actions.ask(connection, job.id, Kind.IMPORT, "me", revision=0, status="waiting")
            actions.take(connection, RUNNER)
            if noted:
                actions.keep_result(connection, key, {"rows": 7})
            actions.finish(connection, key, RUNNER, failure=failure)
            found = actions.find(connection, job.id, key)
            assert found is not None and (found.status, found.result) == ("failed", result)
        actions.ask(connection, job.id, Kind.IMPORT, "me", revision=0, status="waiting")
        taken = actions.take(connection, RUNNER)
        assert taken is not None
        actions.keep_result(connection, taken.id, {"rows": 7})
        actions.finish(connection, taken.id, RUNNER, result={"rows": 9})
        found = actions.find(connection, job.id, taken.id)
        assert found is not None and (found.status, found.result) == ("success", {"rows": 9})
