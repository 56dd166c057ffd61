"""The law of a limited load: in no stretch of time do all lanes together read more than is allowed in it, and one batch
of each lane; and a limit is a limit, no brake: what is allowed is read."""

from __future__ import annotations

import heapq
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendrs.model.speed import MEGABYTE, SpeedWindow, bytes_a_second
from opendrs.pipeline.limiting import TICK_S, WORTH_S, Debt

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self, at: float = MIDNIGHT) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


hours = st.integers(0, 23)
a_window = st.builds(
    lambda begin, end, speed: SpeedWindow(begin=begin, end=end, megabytes=speed), hours, hours, st.integers(1, 20)
)
batches = st.lists(st.integers(1, 4 * MEGABYTE), min_size=1, max_size=15)


def played(
    windows: list[SpeedWindow], lanes: list[list[int]], *, began: float, reading_s: float
) -> list[tuple[float, int]]:
    """What lanes read that do nothing but read, side by side: (moment, bytes) of each batch.

    reading_s   how long it takes to read a batch
    """
    clock = Clock(began)
    debt = Debt(windows, clock=clock)
    read: list[tuple[float, int]] = []
    # Each lane by the moment at which it looks again, and whether it has something to pay off.
    due = [(began + reading_s, number, False) for number in range(len(lanes))]
    left = [list(sizes) for sizes in lanes]
    while due:
        clock.at, lane, owes = heapq.heappop(due)
        if owes and (wait_s := debt.left_s()) > 0:
            heapq.heappush(due, (clock.at + min(wait_s, TICK_S), lane, True))
        elif owes:
            heapq.heappush(due, (clock.at + reading_s, lane, False))
        elif left[lane]:
            size = left[lane].pop()
            read.append((clock.at, size))
            debt.owe(size)
            heapq.heappush(due, (clock.at, lane, True))
    return read


def allowed(windows: list[SpeedWindow], first: float, last: float) -> float | None:
    """Bytes from one moment to another; None: without limit at some time between."""
    total, at = 0.0, first
    if bytes_a_second(windows, first) is None or bytes_a_second(windows, last) is None:
        return None
    while at < last:
        until = min(last, (at // HOUR + 1) * HOUR)
        speed = bytes_a_second(windows, at)
        if speed is None:
            return None
        total += speed * (until - at)
        at = until
    return total


@settings(deadline=None)
@given(
    windows=st.lists(a_window, min_size=1, max_size=3),
    lanes=st.lists(batches, min_size=1, max_size=4),
    began=st.floats(0, 24 * HOUR),
    reading_s=st.sampled_from([0.0, 0.001, 0.1, 2.0]),
)
def test_no_stretch_of_time_has_more_than_is_allowed_in_it(
    windows: list[SpeedWindow], lanes: list[list[int]], began: float, reading_s: float
) -> None:
    read = played(windows, lanes, began=MIDNIGHT + began, reading_s=reading_s)
    assert sorted(size for _, size in read) == sorted(size for sizes in lanes for size in sizes)
    slack = sum(max(sizes) for sizes in lanes) + 20 * MEGABYTE * WORTH_S + 1
    for number, (first, _) in enumerate(read):
        total = 0
        for last, size in read[number:]:
            total += size
            most = allowed(windows, first, last)
            assert most is None or total <= most + slack, (first - MIDNIGHT, last - MIDNIGHT, total - most - slack)


@settings(deadline=None)
@given(speed=st.integers(1, 50), lanes=st.lists(batches, min_size=1, max_size=4))
def test_what_is_allowed_is_read(speed: int, lanes: list[list[int]]) -> None:
    """Lanes that read in no time are as fast as the limit."""
    windows = [SpeedWindow(begin=0, end=23, megabytes=speed)]
    read = played(windows, lanes, began=MIDNIGHT, reading_s=0.0)
    took_s = read[-1][0] - read[0][0]
    total = sum(size for _, size in read)
    assert took_s <= total / (speed * MEGABYTE) + 0.001 * len(read)


def test_nothing_is_saved_up() -> None:
    """A load that had nothing to read for an hour reads no faster behind it."""
    clock = Clock()
    debt = Debt([SpeedWindow(begin=0, end=23, megabytes=1)], clock=clock)
    clock.at += HOUR
    debt.owe(MEGABYTE)
    assert debt.left_s() == pytest.approx(1.0)


def test_hours_outside_of_all_windows_have_no_limit() -> None:
    clock = Clock(MIDNIGHT + 5 * HOUR + 3599.5)
    debt = Debt([SpeedWindow(begin=22, end=5, megabytes=1)], clock=clock)
    debt.owe(MEGABYTE * 100)
    assert debt.left_s() == pytest.approx(100.0)
    clock.at += 0.5
    assert debt.left_s() == 0.0  # it is six o'clock
    debt.owe(MEGABYTE * 100)
    assert debt.left_s() == 0.0


def test_the_slowest_of_several_windows_counts() -> None:
    windows = [SpeedWindow(begin=0, end=23, megabytes=100), SpeedWindow(begin=3, end=4, megabytes=2)]
    assert bytes_a_second(windows, MIDNIGHT + 2 * HOUR) == 100 * MEGABYTE
    assert bytes_a_second(windows, MIDNIGHT + 3 * HOUR) == 2 * MEGABYTE
    assert bytes_a_second(windows, MIDNIGHT + 5 * HOUR - 1) == 2 * MEGABYTE
    assert bytes_a_second(windows, MIDNIGHT + 5 * HOUR) == 100 * MEGABYTE
    assert bytes_a_second([], MIDNIGHT) is None


def test_hours_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        here, there = (SpeedWindow(begin=8, end=8, megabytes=1, utc=utc) for utc in (False, True))
        assert here.covers(MIDNIGHT) and not there.covers(MIDNIGHT)
        assert there.covers(MIDNIGHT + 8 * HOUR) and not here.covers(MIDNIGHT + 8 * HOUR)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_limit_that_is_taken_away_frees_who_waits() -> None:
    clock = Clock()
    waits: list[float] = []

    def wait(halt: threading.Event, seconds: float) -> None:
        waits.append(seconds)
        clock.at += seconds
        if len(waits) == 3:
            debt.set([])

    debt = Debt([SpeedWindow(begin=0, end=23, megabytes=1)], clock=clock, wait=wait)
    debt.spend(1000 * MEGABYTE, threading.Event())
    assert waits == [TICK_S] * 3
    debt.set([SpeedWindow(begin=0, end=23, megabytes=1)])
    waits.clear()
    debt.spend(MEGABYTE, threading.Event())
    assert sum(waits) == pytest.approx(1.0), "what was owed before is forgotten"


def test_who_is_to_halt_waits_no_more() -> None:
    halt = threading.Event()

    def wait(event: threading.Event, seconds: float) -> None:
        event.set()

    debt = Debt([SpeedWindow(begin=0, end=23, megabytes=1)], clock=Clock(), wait=wait)
    debt.spend(1000 * MEGABYTE, halt)
    assert halt.is_set()


def test_a_clock_that_is_set_back_neither_frees_nor_holds_for_ever() -> None:
    clock = Clock()
    debt = Debt([SpeedWindow(begin=0, end=23, megabytes=1)], clock=clock)
    debt.owe(10 * MEGABYTE)
    clock.at -= HOUR
    assert debt.left_s() == pytest.approx(10.0)
    clock.at += 10
    assert debt.left_s() == 0.0
