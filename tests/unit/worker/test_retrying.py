"""A network that is away: attempt after attempt, each with an epoch of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.event import Heartbeat
from opendrs.pipeline.snapshotting import Stopped
from opendrs.telemetry import Mask
from opendrs.worker.report import Report
from opendrs.worker.retrying import Retrying
from opendrs.worker.timing import Backoff, Timing


class Stop(threading.Event):
    """Waits no time, and remembers how long it should have."""

    def __init__(self, after: int = 10_000) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._after = after

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if len(self.waits) >= self._after:
            self.set()
        return self.is_set()


class Epochs:
    def __init__(self, *, failures: int = 0) -> None:
        self.epoch = 1
        self.failures = failures

    def advance(self) -> int:
        if self.failures:
            self.failures -= 1
            raise OperationalError("", {}, Exception("the store is away"))
        self.epoch += 1
        return self.epoch


def gone(fault: Fault = Fault.SOURCE_UNREACHABLE) -> DrsError:
    return DrsError(fault, endpoint="mysql://anna:Secret-1@h/", reason="refused")


def play(
    attempt: Callable[[int], Phase],
    *,
    stop: Stop | None = None,
    epochs: Epochs | None = None,
    report: Report | None = None,
) -> tuple[Phase, Stop]:
    stop = stop or Stop()
    retrying = Retrying(stop=stop, report=report or Report(), backoff=Backoff(Timing(first_wait_s=0.2)), mask=Mask())
    return retrying.run(attempt, 1, (epochs or Epochs()).advance), stop


def test_each_attempt_has_its_own_epoch_and_the_waits_double() -> None:
    seen: list[int] = []

    def attempt(epoch: int) -> Phase:
        seen.append(epoch)
        if len(seen) < 10:
            raise gone()
        return Phase.FOLLOWING

    phase, stop = play(attempt)
    assert phase is Phase.FOLLOWING and seen == list(range(1, 11))
    assert stop.waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0]


def test_a_sign_of_life_begins_the_waits_anew() -> None:
    report = Report()
    calls = 0

    def attempt(epoch: int) -> Phase:
        nonlocal calls
        calls += 1
        if calls == 4:
            report.applied(Heartbeat(position=None))  # type: ignore[arg-type]
        if calls == 7:
            return Phase.FOLLOWING
        raise gone()

    _, stop = play(attempt, report=report)
    assert stop.waits == [0.2, 0.4, 0.8, 0.2, 0.4, 0.8]


@pytest.mark.parametrize("fault", [Fault.LOG_PURGED, Fault.INTERNAL])
def test_what_waiting_does_not_mend_is_passed_on(fault: Fault) -> None:
    def attempt(epoch: int) -> Phase:
        raise DrsError(fault, position="p", reason="r")

    with pytest.raises(DrsError) as raised:
        play(attempt)
    assert raised.value.fault is fault


def test_a_pause_ends_the_waiting() -> None:
    def attempt(epoch: int) -> Phase:
        raise gone()

    with pytest.raises(Stopped):
        play(attempt, stop=Stop(after=3))


def test_a_store_that_is_away_too_is_waited_for() -> None:
    seen: list[int] = []

    def attempt(epoch: int) -> Phase:
        seen.append(epoch)
        if len(seen) < 2:
            raise gone()
        return Phase.DONE

    _, stop = play(attempt, epochs=Epochs(failures=3))
    assert seen == [1, 2] and len(stop.waits) == 4


def test_people_are_told_once_and_the_log_every_time(caplog: pytest.LogCaptureFixture) -> None:
    faults = [Fault.SOURCE_UNREACHABLE] * 3 + [Fault.TARGET_UNREACHABLE] * 2
    left = list(faults)

    def attempt(epoch: int) -> Phase:
        if left:
            raise gone(left.pop(0))
        return Phase.DONE

    with caplog.at_level(logging.WARNING):
        play(attempt)
    told: list[Any] = [record for record in caplog.records if record.name.endswith("retrying")]
    assert [record.event for record in told] == ["network.lost", "", "", "network.lost", ""]
    assert [record.fields["attempts"] for record in told] == [1, 2, 3, 4, 5]
    assert all("Secret-1" not in str(record.fields) for record in told)
