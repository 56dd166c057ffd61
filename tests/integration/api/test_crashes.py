"""The service and its processes are killed at every stage of a job: the job comes to where its user wanted it, one
worker writes at a time, and nothing is lost.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from opendrs.model.lifecycle import Intent
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.service import OPENDRS, Service, eventually
from tests.integration.api.play import FOLLOWS, Play, play

SLOWLY = 200_000  # bytes a second: the load takes some seconds


@pytest.fixture
def stage(tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase) -> Iterator[Play]:
    with play(tmp_path, mariadb, postgres, (database(mariadb), database(postgres))) as stage:
        yield stage


def kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def test_killed_while_a_job_is_created_checked_and_started(stage: Play) -> None:
    stage.create()
    stage.crash()
    stage.sdk.until(stage.job, "CONFIGURATION")
    stage.select()
    stage.to_source.stall()
    query = stage.sdk.act(stage.job, "precheck", precheck_mode="forStartJob")
    _, holder = stage.held()
    stage.crash()
    kill(psutil.Process(holder.pid))  # the process that was at it, as well
    stage.to_source.forward()
    stage.checked(query)
    stage.sdk.act(stage.job, "start")
    stage.crash()
    stage.sdk.until(stage.job, FOLLOWS)
    stage.equal()


def test_a_killed_runner_is_followed_by_another(stage: Play) -> None:
    stage.create()
    stage.sdk.until(stage.job, "CONFIGURATION")
    stage.select()
    stage.to_source.stall()
    query = stage.sdk.act(stage.job, "precheck", precheck_mode="forStartJob")
    _, holder = stage.held()
    kill(psutil.Process(holder.pid))
    again = eventually(lambda: found if (found := stage.held())[1].pid != holder.pid else None)
    assert again[0].attempts == 2
    stage.to_source.forward()
    stage.checked(query)


@pytest.mark.parametrize("with_worker", [False, True])
def test_killed_in_the_load(stage: Play, with_worker: bool) -> None:
    stage.ready()
    stage.to_source.limit(SLOWLY)
    stage.sdk.act(stage.job, "start")
    stage.sdk.until(stage.job, "FULL_TRANSFER_STARTED")
    worker, epoch = stage.worker(), stage.epoch()
    with stage.writing():
        stage.service.kill()
        if with_worker:
            kill(worker)
        stage.service.start()
        if not with_worker:
            eventually(lambda: any("a worker is at it already" in line for line in stage.sdk.logs(stage.job)))
            assert (stage.worker().pid, stage.epoch()) == (worker.pid, epoch)
        stage.to_source.forward()
        stage.sdk.until(stage.job, FOLLOWS)
    stage.equal()
    stage.proven()


def test_killed_while_it_follows(stage: Play) -> None:
    """The service, the process that looks after the workers, the worker; and one that was only asked to end."""
    stage.follow()
    worker = stage.worker()
    with stage.writing():
        stage.crash()
        eventually(lambda: stage.logs("a worker is at it already") == 1)
        assert stage.worker().pid == worker.pid
        kill(stage.attendant())
        eventually(lambda: stage.logs("a worker is at it already") == 2)
        assert stage.worker().pid == worker.pid and worker.is_running()
        kill(worker)
        second = stage.worker(other_than=worker.pid)
        stage.seen_only(FOLLOWS, 1.0)
        second.send_signal(signal.SIGTERM)
        third = stage.worker(other_than=second.pid)
        assert third.pid != worker.pid and stage.status() == FOLLOWS
        stage.service.kill()
        kill(third)
        stage.pass_time(1)
        stage.service.start()
        stage.worker(other_than=third.pid)
    stage.equal()
    assert (stage.status(), stage.intent()) == (FOLLOWS, Intent.RUN)


def test_the_process_that_looks_after_the_workers_is_asked_to_end(stage: Play) -> None:
    stage.follow()
    worker = stage.worker()
    stage.attendant().terminate()
    stage.worker(other_than=worker.pid)
    stage.execute("INSERT INTO {t} VALUES (-1, 'behind it')")
    stage.equal()
    assert stage.status() == FOLLOWS


def test_killed_while_a_stop_and_a_restart_are_under_way(stage: Play) -> None:
    stage.follow()
    worker = stage.worker()
    worker.suspend()  # it cannot even notice
    stage.sdk.act(stage.job, "stop")
    stage.pass_time(0.5)
    stage.service.kill()
    stage.execute("INSERT INTO {t} VALUES (-1, 'while it stands still')")
    stage.service.start()
    worker.resume()
    stage.sdk.until(stage.job, "PAUSING")
    assert stage.service.workers() == {} and stage.intent() is Intent.REST
    stage.sdk.act(stage.job, "restart")
    stage.sdk.until(stage.job, FOLLOWS)
    stage.equal()
    worker = stage.worker()
    worker.suspend()
    stage.sdk.act(stage.job, "restart")
    stage.pass_time(0.5)
    stage.service.kill()
    worker.resume()
    stage.service.start()
    stage.worker(other_than=worker.pid)
    stage.sdk.until(stage.job, FOLLOWS)
    stage.execute("INSERT INTO {t} VALUES (-2, 'behind it')")
    stage.equal()


def test_killed_while_a_release_is_under_way(stage: Play) -> None:
    stage.follow()
    stage.sdk.act(stage.job, "stop")
    stage.sdk.until(stage.job, "PAUSING")
    stage.to_target.stall()
    stage.sdk.act(stage.job, "terminate")
    _, holder = stage.held()
    stage.crash()
    kill(psutil.Process(holder.pid))
    assert stage.status() == "RELEASE_RESOURCE_STARTED"
    stage.to_target.forward()
    stage.sdk.until(stage.job, "RELEASE_RESOURCE_COMPLETE")
    stage.nothing_left()
    here, there = stage.rows()
    assert here == there


def test_a_graceful_stop_pauses_workers_and_no_jobs(stage: Play) -> None:
    stage.follow()
    worker = stage.worker()
    stage.service.stop()
    assert not worker.is_running() and stage.service.workers() == {}
    assert (stage.stored_state(), stage.intent()) == (FOLLOWS, Intent.RUN)
    stage.execute("INSERT INTO {t} VALUES (-1, 'while nobody is there')")
    stage.service.start()
    stage.equal()
    assert stage.status() == FOLLOWS
    stage.sdk.act(stage.job, "stop")
    stage.sdk.until(stage.job, "PAUSING")
    stage.proven()
    stage.service.stop()
    stage.service.start()
    stage.seen_only("PAUSING", 3.0)
    assert stage.service.workers() == {}


def test_two_services_in_one_folder(stage: Play) -> None:
    words = [OPENDRS, "serve", "--listen", "127.0.0.1:0", "--data", stage.service.folder / "data"]
    second = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2
    assert "a service runs in" in second.stderr and "Traceback" not in second.stderr


def test_two_services_on_one_store(
    tmp_path: Path, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase
) -> None:
    """Two machines, as it were: whoever has the lease works, and the other one takes over."""
    state = postgres.url(database(postgres))
    names = (database(mariadb), database(postgres))
    key = {"OPENDRS_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with play(tmp_path / "one", mariadb, postgres, names, state=state, environment=key) as stage:
        with Service(tmp_path / "two", state=state, environment=key) as second:
            stage.follow()
            with stage.writing():
                epoch, worker = stage.epoch(), stage.worker()
                stage.pass_time(2)
                assert (stage.epoch(), stage.worker().pid) == (epoch, worker.pid)
                stage.service.kill()
                kill(worker)
                other = stage.worker(other_than=worker.pid)
                stage.service.start()
                stage.pass_time(2)
                assert stage.worker().pid == other.pid
                assert len(stage.processes_of_job()) == 1
                stage.sdk.act(stage.job, "stop")
                stage.sdk.until(stage.job, "PAUSING")
                eventually(lambda: stage.processes_of_job() == [])
                second.sdk().act(stage.job, "restart")
                stage.sdk.until(stage.job, FOLLOWS)
            stage.equal()
            stage.sdk.act(stage.job, "terminate")
            stage.sdk.until(stage.job, "RELEASE_RESOURCE_COMPLETE")
            eventually(lambda: stage.processes_of_job() == [])
            stage.nothing_left()


def test_a_service_with_another_key_is_refused(tmp_path: Path, postgres: Postgres, database: NewDatabase) -> None:
    state = postgres.url(database(postgres))
    (tmp_path / "one").mkdir()
    with Service(tmp_path / "one", state=state):
        words = [OPENDRS, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "two", "--state", state]
        second = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=os.environ)
        assert second.returncode in (1, 2) and "key" in second.stderr and "Traceback" not in second.stderr


def test_a_reset(stage: Play) -> None:
    stage.follow()
    stage.sdk.act(stage.job, "stop")
    stage.sdk.until(stage.job, "PAUSING")
    stage.target.execute(f'DELETE FROM "{stage.database}".t WHERE id % 2 = 0', database=stage.target_database)
    stage.execute("DELETE FROM {t} WHERE id % 3 = 0")
    stage.check("forRetryJob")
    stage.sdk.act(stage.job, "reset")
    stage.service.kill()
    stage.service.start()
    stage.sdk.until(stage.job, FOLLOWS)
    stage.equal()
    stage.proven()


def test_a_job_that_failed_starts_again_and_is_released(stage: Play) -> None:
    stage.follow()
    here = f'"{stage.database}".t'
    stage.target.execute(f"DELETE FROM {here} WHERE id = 7", database=stage.target_database)
    stage.execute("UPDATE {t} SET v = 'who is this' WHERE id = 7")
    stage.sdk.until(stage.job, "INCRE_TRANSFER_FAILED")
    eventually(lambda: stage.intent() is Intent.REST)
    stage.target.execute(f"INSERT INTO {here} SELECT 7, v FROM {here} WHERE id = 57", database=stage.target_database)
    stage.sdk.act(stage.job, "restart")
    stage.sdk.until(stage.job, FOLLOWS, "INCRE_TRANSFER_FAILED")
    stage.target.execute(f"DELETE FROM {here} WHERE id = 8", database=stage.target_database)
    stage.execute("UPDATE {t} SET v = 'and this' WHERE id = 8")
    stage.sdk.until(stage.job, "INCRE_TRANSFER_FAILED")
    stage.sdk.act(stage.job, "terminate")
    stage.sdk.until(stage.job, "RELEASE_RESOURCE_COMPLETE")
    stage.nothing_left()


def test_a_release_without_the_target(stage: Play) -> None:
    stage.follow()
    stage.to_target.refuse()
    stage.to_target.cut()
    stage.sdk.act(stage.job, "terminate")
    stage.sdk.until(stage.job, "RELEASE_RESOURCE_FAILED")
    reason = stage.sdk.detail(stage.job, "log", limit=50).logs
    assert any("cannot be reached" in row.message or "refused" in row.message for row in reason), reason
    stage.sdk.act(stage.job, "terminate", force_delete=True)
    stage.sdk.until(stage.job, "RELEASE_RESOURCE_COMPLETE")
    assert stage.service.workers() == {}
    stage.sdk.call("delete_job", job_id=stage.job)


@pytest.mark.parametrize("down", [False, True])
def test_a_start_at_a_time(stage: Play, down: bool) -> None:
    stage.ready()
    at = time.time() + 4
    stage.sdk.act(stage.job, "start", start_time=str(int(at * 1000)))
    assert stage.status() == "WAITING_FOR_START"
    if down:
        stage.service.stop()
        stage.pass_time(max(0.0, at - time.time()) + 0.5)
        stage.service.start()
    else:
        eventually(lambda: stage.status() != "WAITING_FOR_START")
        assert time.time() >= at - 0.1
    stage.sdk.until(stage.job, FOLLOWS)
    stage.equal()
