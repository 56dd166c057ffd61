"""Supervisors that die, meet and adopt; workers that sleep and are overtaken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from opendrs.errors import Fault
from opendrs.model.job import Policy
from opendrs.model.lifecycle import State
from opendrs.store import jobs, leases
from opendrs.store.database import open_store
from opendrs.worker import process
from opendrs.worker.order import Options, Order
from opendrs.worker.outcome import Exit
from opendrs.worker.supervisor import Supervisor
from tests.harness.fixtures import StartServer
from tests.integration.state_fixtures import a_job
from tests.integration.worker import fakes
from tests.integration.worker.conftest import ROOT, TIMING, Stage

SHORT = replace(TIMING, ttl_s=1.5)


def drive(stage: Stage) -> subprocess.Popen[bytes]:
    """A supervisor in another process."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.worker.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert driver.stdin is not None
    driver.stdin.write(stage.order.document(0))
    driver.stdin.close()
    driver.stdin = None
    return driver


def gone(worker: psutil.Process) -> bool:
    """Whoever started it may have fetched its exit status already."""
    return not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_a_killed_supervisor_leaves_its_worker_to_the_next(stage: Stage) -> None:
    fakes.write_script(stage.order.folder, {"do": "wait", "phase": "following"}, {"do": "done", "phase": "done"})
    driver = drive(stage)
    worker = stage.worker()
    assert worker.ppid() == driver.pid
    driver.kill()
    driver.communicate()
    lease = stage.lease()
    assert lease is not None
    stage.until(lambda: (now := stage.lease()) and now.renewed_at > lease.renewed_at)  # it works on by itself
    stage.supervisor.ensure(stage.order)
    stage.until(lambda: "worker.adopted" in stage.events())
    assert worker.is_running() and len(stage.calls()) == 1
    worker.kill()  # and the adopted is looked after like our own
    assert stage.ends().exit is Exit.DONE
    assert [epoch for epoch, _ in stage.calls()] == [1, 2]


def test_an_adopted_worker_can_be_paused(stage: Stage) -> None:
    fakes.write_script(stage.order.folder, {"do": "wait", "phase": "following"})
    driver = drive(stage)
    worker = stage.worker()
    driver.kill()
    driver.communicate()
    stage.supervisor.ensure(stage.order)
    stage.until(lambda: "worker.adopted" in stage.events())
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert gone(worker)
    assert stage.state() is State.PAUSED


def test_how_an_adopted_worker_ended_is_known(stage: Stage) -> None:
    """It is nobody's child any more, so its exit status is lost; its last word is not."""
    failing = {"do": "raise", "fault": "LOG_PURGED", "details": {"position": "p", "reason": "r"}, "for_s": 3.0}
    fakes.write_script(stage.order.folder, failing)
    driver = drive(stage)
    stage.worker()
    driver.kill()
    driver.communicate()
    stage.supervisor.ensure(stage.order)
    stage.until(lambda: "worker.adopted" in stage.events())
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.fault == "LOG_PURGED"


def test_two_supervisors_share_one_worker(stage: Stage) -> None:
    fakes.write_script(stage.order.folder, {"do": "wait", "phase": "following"})
    drivers = [drive(stage) for _ in range(2)]
    stage.supervisor.ensure(stage.order)
    stage.worker()
    # Three supervisors; whoever did not start the worker adopts it.
    stage.until(lambda: stage.events().count("worker.adopted") == 2)
    epochs = [epoch for epoch, _ in stage.calls()]
    assert epochs == [1] and stage.events().count("worker.started") == 1
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    for driver in drivers:
        out, _ = driver.communicate(timeout=60)
        assert json.loads(out)["exit"] == "PAUSED"
    assert len(stage.calls()) == 1


def test_two_supervisors_replace_a_killed_worker_once(stage: Stage) -> None:
    stage.play({"do": "wait"}, {"do": "wait"}, {"do": "done", "phase": "done"})
    other = stage.another()
    first = stage.worker()
    other.ensure(stage.order)
    stage.until(lambda: "worker.adopted" in stage.events())
    first.kill()
    stage.until(lambda: len(stage.calls()) == 2)
    second = stage.worker()
    assert second.pid != first.pid
    second.kill()
    assert stage.ends().exit is Exit.DONE
    assert stage.ends(other).exit is Exit.DONE
    assert len(stage.calls()) == 3


@pytest.mark.parametrize("by", ["policy", "until", "task"])
def test_a_worker_with_other_settings_is_not_adopted(stage: Stage, by: str) -> None:
    stage.play({"do": "wait"})
    worker = stage.worker()
    order = {
        "policy": replace(stage.order, job=replace(stage.job, policy=Policy(apply="merged", readers=9))),
        "until": replace(stage.order, options=Options(until="caught-up")),
        "task": replace(stage.order, job=replace(stage.job, task="full")),
    }[by]
    other = stage.another()
    other.ensure(order)
    outcome = stage.ends(other)
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.fault == Fault.JOB_DIFFERS.name
    words = {"policy": "apply is 'transactional', not 'merged'", "until": "until is", "task": "task is"}[by]
    assert words in outcome.failure.message
    assert worker.is_running() and stage.state() is not State.FULL_FAILED
    assert stage.record().failure is None


def test_a_sleeping_worker_is_overtaken_and_finds_out(stage: Stage) -> None:
    stage.with_order(timing=SHORT)
    stage.play({"do": "wait", "phase": "following", "position": "p"}, {"do": "wait", "phase": "following"})
    sleeper = stage.put_to_sleep()
    stage.until(lambda: len(stage.calls()) == 2)
    assert sleeper.status() == psutil.STATUS_STOPPED, "it was not to be killed"
    second = stage.worker()
    stage.until(lambda: (lease := stage.lease()) and lease.epoch == 2 and lease.holder.pid == second.pid)
    sleeper.send_signal(signal.SIGCONT)
    stage.until(lambda: gone(sleeper))
    assert '"event": "worker.fenced"' in stage.log()
    stage.until(lambda: stage.state() is State.INCREMENTAL)
    assert second.is_running()
    assert "worker.silent" in stage.events()
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert len(stage.calls()) == 2


def test_an_adopted_sleeper_is_overtaken_too(stage: Stage) -> None:
    stage.with_order(timing=SHORT)
    fakes.write_script(stage.order.folder, {"do": "wait", "phase": "following"})
    driver = drive(stage)
    stage.worker()
    driver.kill()
    driver.communicate()
    sleeper = stage.put_to_sleep()
    stage.supervisor.ensure(stage.order)
    stage.until(lambda: len(stage.calls()) == 2)
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert sleeper.status() == psutil.STATUS_STOPPED
    sleeper.send_signal(signal.SIGCONT)
    psutil.wait_procs([sleeper], timeout=60)
    assert not process.alive(
        process.Holder(owner="worker", pid=sleeper.pid, started_at=sleeper.create_time(), host=process.host())
    )


def test_a_sleeper_does_not_outlive_the_end_of_its_supervisor(stage: Stage) -> None:
    stage.with_order(timing=SHORT)
    stage.play({"do": "wait"})
    sleeper = stage.put_to_sleep()
    stage.until(lambda: len(stage.calls()) == 2)
    stage.supervisor.close()
    assert not sleeper.is_running()


def test_a_worker_stopped_while_it_writes_to_the_store_is_overtaken_too(stage: Stage) -> None:
    """It holds the lease, and in SQLite the whole store: there it is killed, and PostgreSQL ends its transaction."""
    stage.with_order(timing=SHORT)
    stage.play({"do": "hold", "phase": "following"}, {"do": "done", "phase": "done"})
    assert stage.ends().exit is Exit.DONE
    assert [epoch for epoch, _ in stage.calls()] == [1, 2]
    ((_, pid), _) = stage.calls()
    if stage.store.engine.dialect.name == "sqlite":
        assert "worker.killed" in stage.events()
    else:
        sleeper = psutil.Process(pid)
        assert sleeper.status() == psutil.STATUS_STOPPED
        sleeper.send_signal(signal.SIGCONT)
        stage.until(lambda: gone(sleeper))
        assert '"event": "worker.fenced"' in stage.log()


def test_whoever_adopts_a_worker_that_is_stopped_while_it_writes_gets_past_it(stage: Stage) -> None:
    stage.with_order(timing=SHORT)
    fakes.write_script(stage.order.folder, {"do": "hold", "phase": "following"}, {"do": "done", "phase": "done"})
    driver = drive(stage)
    stage.until(lambda: [pid for _, pid in stage.calls() if psutil.Process(pid).status() == psutil.STATUS_STOPPED])
    driver.kill()
    driver.communicate()
    stage.supervisor.ensure(stage.order)
    assert stage.ends().exit is Exit.DONE
    assert [epoch for epoch, _ in stage.calls()] == [1, 2]


def test_a_newer_lease_ends_a_worker(stage: Stage) -> None:
    """Whoever takes the next epoch, from wherever: the worker goes, and its supervisor follows the new holder."""
    stage.play({"do": "wait"})
    worker = stage.worker()
    with stage.store.write() as connection:
        epoch = leases.claim(connection, stage.job.id, process.myself("supervisor"), stage.order.settings())
    assert epoch == 2
    stage.until(lambda: not worker.is_running())
    stage.until(lambda: stage.events().count("worker.adopted") == 1)
    assert len(stage.calls()) == 1


def test_a_worker_is_told_apart_from_a_later_process_of_its_number(stage: Stage) -> None:
    me = process.myself("worker")
    assert process.alive(me) is True
    assert process.alive(replace(me, started_at=me.started_at - 60)) is False
    assert process.alive(replace(me, host="elsewhere")) is None
    assert not process.send(replace(me, started_at=me.started_at - 60), signal.SIGKILL)
    assert not process.send(replace(me, host="elsewhere"), signal.SIGKILL)


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    holder = process.Child(child, 1).holder
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.alive(holder) is False
    child.wait()


def test_a_lost_state_store_does_not_stop_a_job_for_good(stage: Stage) -> None:
    """The target holds epoch 7 of a store that is gone; the new store begins at 1 and must get past it."""
    fenced = {"do": "raise", "fault": "FENCED", "details": {"epoch": 1, "newer": 7}}
    stage.play(fenced, {"do": "done", "phase": "done"})
    assert stage.ends().exit is Exit.DONE
    assert [epoch for epoch, _ in stage.calls()] == [1, 8]


def test_a_job_that_another_store_has_taken_over_is_left_to_it(stage: Stage) -> None:
    fenced = {"do": "raise", "fault": "FENCED", "details": {"epoch": 1, "newer": 7}, "position": "p"}
    stage.play(fenced)
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.fault == "FENCED" and len(stage.calls()) == 1


def test_a_removed_job_ends_its_worker(stage: Stage) -> None:
    stage.play({"do": "wait"})
    worker = stage.worker()
    with stage.store.write() as connection:
        jobs.remove(connection, stage.job.id)
    assert stage.ends().exit is Exit.FAILED
    stage.until(lambda: gone(worker))


def test_a_state_store_that_is_away_for_long_costs_no_worker(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could renew, so nobody is late: neither when it stood still, nor when it was killed."""
    server = start_server("postgres15")
    server.create_database("state")
    url = server.url("state")
    store, job = open_store(url), a_job()
    with store.write() as connection:
        jobs.create(connection, job)
    folder = tmp_path / "job"
    folder.mkdir()
    order = Order(job=job, state=url, folder=folder, timing=SHORT, replicate=fakes.REPLICATE)
    with Supervisor(store) as supervisor:
        stage = Stage(store, order, supervisor)
        stage.play({"do": "wait", "phase": "following", "log": "still here"})
        stage.worker()
        stage.until(lambda: stage.state() is State.INCREMENTAL)
        server.pause()
        time.sleep(4 * SHORT.ttl_s)
        server.resume()
        server.kill()
        time.sleep(2 * SHORT.ttl_s)
        server.start()
        before = stage.until(stage.lease)
        stage.until(lambda: (lease := stage.lease()) and lease.renewed_at > before.renewed_at)
        time.sleep(2 * SHORT.ttl_s)
        lease = stage.lease()
        assert len(stage.calls()) == 1 and lease is not None and lease.epoch == 1
        supervisor.pause(job.id)
        assert stage.ends().exit is Exit.PAUSED
    store.close()
