"""Servers that are away: waited for as long as it takes, by the worker itself."""

from __future__ import annotations

import json
from dataclasses import replace

from opendrs.model.lifecycle import State
from opendrs.store import events
from opendrs.worker.outcome import Exit
from opendrs.worker.starting import LOG
from tests.integration.worker.conftest import TIMING, Stage

AWAY = {
    "do": "raise",
    "fault": "SOURCE_UNREACHABLE",
    "details": {"endpoint": "mysql://source.example", "reason": "connection refused"},
}
QUICK = replace(TIMING, first_wait_s=0.005, wait_max_s=0.02, shown_after_s=0.3)


def test_network_faults_are_retried_for_as_long_as_they_last(stage: Stage) -> None:
    stage.with_order(timing=QUICK)
    stage.play(*[{**AWAY, "phase": "loading"}] * 60, {"do": "done", "phase": "done", "applied": 1})
    assert stage.ends().exit is Exit.DONE
    epochs, pids = zip(*stage.calls(), strict=True)
    assert epochs == tuple(range(1, 62)), "an epoch is used once: a broken connection may still carry a commit"
    assert len(set(pids)) == 1
    assert stage.events().count("network.lost") == 1 and stage.events().count("network.back") == 1
    assert "worker.lost" not in stage.events()
    log = (stage.order.folder / LOG).read_text().splitlines()
    assert sum(json.loads(line)["message"] == "nobody answers; trying again" for line in log) == 60


def test_a_following_job_shows_the_trouble_and_returns_by_itself(stage: Stage) -> None:
    stage.with_order(timing=QUICK)
    away = {**AWAY, "phase": "following"}
    stage.play({**away, "applied": 1}, *[away] * 60, {"do": "wait", "phase": "following", "applied": 1})
    stage.until(lambda: stage.state() is State.INCREMENTAL_FAILED)
    failure = stage.record().failure
    assert failure is not None and failure.fault == "SOURCE_UNREACHABLE"
    stage.until(lambda: stage.state() is State.INCREMENTAL)
    assert stage.record().failure is None
    stage.until(lambda: "network.back" in stage.events())
    with stage.store.read() as connection:
        (back,) = [s.event for s in events.after(connection, stage.job.id) if s.event.name == "network.back"]
    assert back.fields["attempts"] == 61 and back.fields["code"] == "DRS.10050001"
    assert len({pid for _, pid in stage.calls()}) == 1


def test_trouble_is_visible_in_progress_at_once(stage: Stage) -> None:
    stage.with_order(timing=replace(TIMING, first_wait_s=30.0, wait_max_s=30.0))
    stage.play({**AWAY, "phase": "loading"})
    trouble = stage.until(lambda: stage.counters().get("trouble"))
    assert (trouble["fault"], trouble["attempts"]) == ("SOURCE_UNREACHABLE", 1)
    assert "connection refused" in trouble["message"]
    assert stage.counters()["metrics"]["apply_current_state"] == 0
    assert stage.state() is State.FULL, "a load is only late"
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED, "whoever waits can be paused"


def test_a_worker_waits_for_the_network_without_a_supervisor(stage: Stage) -> None:
    from tests.integration.worker import fakes
    from tests.integration.worker.test_takeovers import drive

    fakes.write_script(stage.order.folder, *[{**AWAY, "for_s": 0.05}] * 40, {"do": "wait", "phase": "following"})
    driver = drive(stage)
    stage.worker()
    driver.kill()
    driver.communicate()
    stage.until(lambda: len(stage.calls()) == 41)
    stage.supervisor.ensure(stage.order)
    stage.until(lambda: "worker.adopted" in stage.events())
    assert len({pid for _, pid in stage.calls()}) == 1


def test_an_epoch_taken_by_the_worker_itself_is_no_takeover(stage: Stage) -> None:
    stage.with_order(timing=replace(TIMING, ttl_s=0.6, wait_max_s=0.05))
    stage.play(*[{**AWAY, "for_s": 0.1}] * 15, {"do": "wait", "applied": 1})
    stage.until(lambda: len(stage.calls()) == 16)
    stage.until(lambda: "network.back" in stage.events())
    assert stage.events().count("worker.started") == 1
    assert len({pid for _, pid in stage.calls()}) == 1
    stage.worker().kill()
    stage.until(lambda: len(stage.calls()) == 17)
    assert stage.calls()[-1][0] == 17
