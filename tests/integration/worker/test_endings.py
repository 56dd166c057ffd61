"""Every way a worker can end, with real processes: what becomes of the job."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from opendrs.model.lifecycle import State
from opendrs.store import checkpoints, events, progress
from opendrs.worker.outcome import Exit
from opendrs.worker.starting import LOG
from tests.integration.worker.conftest import TIMING, Stage


def test_done_and_told(stage: Stage) -> None:
    stage.play({"do": "done", "phase": "done", "rows": 500, "applied": 2, "position": "p1"})
    assert stage.ends().exit is Exit.DONE
    assert stage.state() is State.FULL_DONE
    assert stage.calls()[0][0] == 1
    with stage.store.read() as connection:
        saved = checkpoints.load(connection, stage.job.id)
        (table,) = progress.tables(connection, stage.job.id)
    assert saved is not None and (saved.phase, saved.position, saved.epoch) == ("done", "p1", 1)
    assert (table.rows, table.nbytes, table.rows_estimate) == (500, 50_000, 1000)
    counters = stage.counters()
    assert counters["metrics"]["apply_rows_total"] == 506
    assert counters["metrics"]["apply_transactions_total"] == 2
    assert stage.events() == ["worker.started", "worker.began", "worker.ended", "job.done"]
    lines = [json.loads(line) for line in (stage.order.folder / LOG).read_text().splitlines()]
    assert {"worker.began", "worker.ended"} <= {line["event"] for line in lines}
    assert stage.output() == ""


def test_caught_up_is_an_end_that_can_be_resumed(stage: Stage) -> None:
    stage.play({"do": "done", "phase": "following"})
    assert stage.ends().exit is Exit.DONE
    assert stage.state() is State.PAUSED


def test_a_pause_is_clean_and_the_same_order_resumes(stage: Stage) -> None:
    stage.play({"do": "wait", "phase": "following", "position": "p7"})
    stage.worker()
    stage.until(lambda: stage.state() is State.INCREMENTAL)
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert stage.state() is State.PAUSED
    stage.play({"do": "wait", "phase": "following"})
    stage.until(lambda: len(stage.calls()) == 2)
    stage.until(lambda: stage.state() is State.INCREMENTAL)
    assert [epoch for epoch, _ in stage.calls()] == [1, 2]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_worker_pauses(stage: Stage, signum: signal.Signals) -> None:
    stage.play({"do": "wait"})
    stage.worker().send_signal(signum)
    assert stage.ends().exit is Exit.PAUSED
    assert stage.state() is State.PAUSED


def test_a_worker_that_will_not_pause_is_killed(stage: Stage) -> None:
    stage.with_order(timing=TIMING.__class__(**{**TIMING.to_json(), "grace_s": 0.3}))
    stage.play({"do": "hang", "phase": "loading"})
    worker = stage.worker()
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert not worker.is_running()
    assert stage.state() is State.PAUSED


def test_killing_does_not_wait(stage: Stage) -> None:
    stage.play({"do": "hang"})
    worker = stage.worker()
    stage.supervisor.kill(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    assert not worker.is_running() and stage.state() is State.PAUSED


def test_kill_9_resumes_with_a_higher_epoch_as_often_as_it_happens(stage: Stage) -> None:
    stage.play(*[{"do": "kill"}] * 6, {"do": "done", "phase": "done"})
    assert stage.ends().exit is Exit.DONE
    epochs, pids = zip(*stage.calls(), strict=True)
    assert epochs == (1, 2, 3, 4, 5, 6, 7)
    assert len(set(pids)) == 7
    assert stage.events().count("worker.lost") == 6


def test_a_worker_killed_from_outside_is_replaced(stage: Stage) -> None:
    stage.play({"do": "wait"}, {"do": "done", "phase": "done"})
    stage.worker().kill()
    assert stage.ends().exit is Exit.DONE
    assert [epoch for epoch, _ in stage.calls()] == [1, 2]


@pytest.mark.parametrize(("phase", "state"), [("loading", State.FULL_FAILED), ("following", State.INCREMENTAL_FAILED)])
def test_three_resumes_and_then_failed(stage: Stage, phase: str, state: State) -> None:
    details = {"what": "a statement", "reason": "disk full"}
    stage.play({"do": "raise", "fault": "TARGET_REFUSED", "details": details, "phase": phase})
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED
    assert len(stage.calls()) == 4
    assert stage.state() is state
    failure = stage.record().failure
    assert failure is not None and failure == outcome.failure
    assert (failure.fault, failure.message) == ("TARGET_REFUSED", "The target refused a statement: disk full")
    assert "resume the job" in failure.hint
    with stage.store.read() as connection:
        told = [saved.event for saved in events.after(connection, stage.job.id)]
    assert [event.fields.get("resume") for event in told if event.name == "worker.lost"] == [
        "1 of 3", "2 of 3", "3 of 3",
    ]  # fmt: skip


def test_a_failed_job_can_be_resumed_by_hand(stage: Stage) -> None:
    stage.play({"do": "raise", "fault": "LOG_PURGED", "details": {"position": "p", "reason": "r"}})
    assert stage.ends().exit is Exit.FAILED
    stage.play({"do": "wait", "phase": "following"})
    stage.until(lambda: stage.state() is State.INCREMENTAL)
    assert stage.record().failure is None


def test_what_would_fail_again_fails_at_once(stage: Stage) -> None:
    details = {"position": "binlog.000003:4", "reason": "purged"}
    stage.play({"do": "raise", "fault": "LOG_PURGED", "details": details})
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.code == "DRS.10050010" and "binlog.000003:4" in outcome.failure.message
    assert len(stage.calls()) == 1
    assert stage.state() is State.INCREMENTAL_FAILED


@pytest.mark.parametrize("status", [1, 77])
def test_a_worker_that_ends_without_a_word_has_three_resumes(stage: Stage, status: int) -> None:
    stage.play({"do": "exit", "status": status, "phase": "loading"})
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert outcome.failure.fault == "WORKER_CRASHED"
    assert f"status {status}" in outcome.failure.message and "worker.out" in outcome.failure.message
    assert len(stage.calls()) == 4


def test_a_fault_of_ours_names_the_log_and_keeps_the_trace_there(stage: Stage) -> None:
    stage.play({"do": "break", "message": "the cat sat on it"})
    outcome = stage.ends()
    assert outcome.failure is not None and outcome.failure.fault == "INTERNAL"
    path = stage.order.folder / LOG
    assert f"RuntimeError: the cat sat on it; {path}" in outcome.failure.message
    assert len(stage.calls()) == 4
    assert "Traceback" in path.read_text()
    assert stage.output() == ""


def test_work_that_does_not_exist_is_a_failure_and_no_riddle(stage: Stage) -> None:
    stage.with_order(replicate="opendrs.worker.nowhere:replicate")
    stage.play()
    outcome = stage.ends()
    assert outcome.failure is not None and "opendrs.worker.nowhere" in outcome.failure.message


def test_fault_points_kill_one_worker_each(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDRS_FAULT", "window.flushed:2,checkpoint.saved")
    places = ["window.flushed", "window.flushed", "checkpoint.saved"]
    stage.play({"do": "done", "phase": "done", "places": places})
    assert stage.ends().exit is Exit.DONE
    assert len(stage.calls()) == 3
    said = (stage.order.folder / LOG).read_text()
    assert said.count('"fault.kill"') == 2


def test_an_unknown_fault_point_is_an_error(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDRS_FAULT", "window.flashed")
    stage.play({"do": "done"})
    outcome = stage.ends()
    assert outcome.exit is Exit.FAILED and outcome.failure is not None
    assert "window.flashed" in outcome.failure.message


def test_many_jobs_at_once(stage: Stage, tmp_path: Path) -> None:
    from dataclasses import replace

    from opendrs.store import jobs
    from tests.integration.state_fixtures import a_job
    from tests.integration.worker import fakes

    orders = []
    for number in range(4):
        job = a_job(f"job {number}")
        folder = tmp_path / "jobs" / job.id
        folder.mkdir()
        fakes.write_script(folder, {"do": "kill"}, {"do": "done", "phase": "done"})
        with stage.store.write() as connection:
            jobs.create(connection, job, name=f"job {number}")
        orders.append(replace(stage.order, job=job, folder=folder))
    supervisor = stage.another()
    for order in orders:
        supervisor.ensure(order)
    for order in orders:
        outcome = supervisor.wait(order.job.id, 60)
        assert outcome is not None and outcome.exit is Exit.DONE
        assert len(fakes.calls(order.folder)) == 2


def test_closing_pauses_every_job(stage: Stage) -> None:
    stage.play({"do": "wait"})
    worker = stage.worker()
    stage.supervisor.close()
    assert not worker.is_running()
    assert stage.state() is State.PAUSED


def test_a_worker_has_a_session_of_its_own_and_none_of_our_files(stage: Stage) -> None:
    stage.play({"do": "wait"})
    worker = stage.worker()
    assert os.getsid(worker.pid) == worker.pid
    streams = [str(Path(f"/proc/{worker.pid}/fd/{number}").readlink()) for number in range(3)]
    assert streams[0] == os.devnull
    assert streams[1] == streams[2] == str(stage.order.folder / "worker.out")
