"""Waiting for a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from opendrs.cli.job.waiting import AWAY_S, until, until_state
from opendrs.errors import DrsError, Fault
from opendrs.model.lifecycle import State
from tests.unit.cli.job.fake import ID, Fake

AWAY = DrsError(Fault.SERVICE_UNREACHABLE, url="u", reason="r")


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waited(look: Callable[[], int | None], timeout_s: float) -> tuple[int, float]:
    time = Time()
    return until("It", look, timeout_s, clock=time.clock, sleep=time.sleep), time.now


def test_it_waits_for_something_and_not_for_ever() -> None:
    found: Iterator[int | None] = iter([None, None, 7])
    assert waited(lambda: next(found), 60)[0] == 7
    with pytest.raises(DrsError) as raised:
        waited(lambda: None, 60)
    assert raised.value.fault is Fault.NOT_IN_TIME and "60 s" in raised.value.message


def test_a_service_that_is_away_for_a_moment_is_waited_for() -> None:
    looks = iter([None, AWAY, AWAY, 7])

    def look() -> int | None:
        found = next(looks)
        if isinstance(found, DrsError):
            raise found
        return found

    assert waited(look, 60)[0] == 7

    def gone() -> int | None:
        raise AWAY

    with pytest.raises(DrsError) as raised:
        waited(gone, 10 * AWAY_S)
    assert raised.value.fault is Fault.SERVICE_UNREACHABLE


def test_a_state_counts_when_nothing_is_under_way() -> None:
    under_way = [{"job_action": {"current_action": word}} for word in ("RETRY", "RETRY", "")]
    fake = Fake(
        {
            f"GET /jobs/{ID}/actions": under_way,
            f"GET /jobs/{ID}": [httpx.ConnectError("away"), {"job": {"status": "INCRE_TRANSFER_STARTED"}}],
        }
    )
    assert until_state(fake.service(), ID, {State.INCREMENTAL}, "The restart", 60) is State.INCREMENTAL
    assert [one.url.path.endswith("/actions") for one in fake.requests] == [True, True, True, False, True, False]


def test_a_job_that_fails_is_not_waited_for() -> None:
    fake = Fake(
        {
            f"GET /jobs/{ID}/actions": {"job_action": {"current_action": ""}},
            f"GET /jobs/{ID}": lambda query: (
                {"job": {"status": "START_JOB_FAILED"}}
                if query["type"] == "overview"
                else {"job": {"logs": [{"message": "no room"}]}}
            ),
        }
    )
    with pytest.raises(DrsError) as raised:
        until_state(fake.service(), ID, {State.INCREMENTAL}, "The start", 60)
    assert raised.value.fault is Fault.STEP_FAILED and raised.value.message == "The start failed: no room"
