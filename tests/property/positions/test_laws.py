"""What holds for the search of a place by time, whatever the log is like."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendrs.engines.mysql.locating import locate, time_of
from opendrs.engines.mysql.log_files import HEAD_TRANSACTIONS, MICRO, Place
from opendrs.errors import DrsError, Fault
from opendrs.model.start import StartPosition
from tests.property.positions.files import File, Told

BEGIN = 1_700_000_000 * MICRO
LONG_S = 10_000  # how long a statement may have taken that commits


@st.composite
def histories(draw: st.DrawFn) -> tuple[Told, int]:
    """Logs as servers write them, and a time of them. The clock goes on; but a transaction has the time at which its last
    statement began, which may be long ago, and so has a file. Only of as many transactions as a head holds one must have
    been quick: where commits are told exactly, all are."""
    exact = draw(st.booleans())
    now, files = BEGIN, []
    for _ in range(draw(st.integers(1, 24))):
        started = draw(st.booleans())
        begun = now if started else now - draw(st.integers(0, LONG_S)) * MICRO
        # The first file is the oldest there is: nothing in it is older.
        begun_us = max(begun // MICRO * MICRO, BEGIN // MICRO * MICRO)
        clock = None if exact else draw(st.none() | st.integers(0, 3 * MICRO))
        clock_us = None if clock is None else (now + clock) // MICRO * MICRO
        stamps = []
        count = draw(st.sampled_from((0, 0, 1, 2, 6, HEAD_TRANSACTIONS)))
        quick = draw(st.integers(0, HEAD_TRANSACTIONS - 1))
        for number in range(count):
            now += draw(st.integers(0, 3 * MICRO))
            late = 0 if exact or number == quick else draw(st.integers(0, LONG_S))
            stamps.append(now - late * MICRO if exact else (now // MICRO - late) * MICRO)
        files.append(File(begun_us, stamps, started, clock_us))
        now += draw(st.integers(0, 5 * MICRO))
    part = draw(st.floats(-0.02, 1.05))
    return Told(files, exact), BEGIN + int(part * (now - BEGIN))


def found(place: Place) -> tuple[str, int, int | None]:
    return place.file, place.pos, place.moment_us


def at_seconds(*files: tuple[int, list[int]]) -> list[File]:
    """Files by their own time and those of their transactions."""
    return [File(BEGIN + begun * MICRO, [BEGIN + stamp * MICRO for stamp in stamps]) for begun, stamps in files]


# The fourth file was begun by a statement that had begun before all of the others but the first, and has nothing to show
# against that.
OLDER_THAN_IT_IS = at_seconds((0, [1]), (9, [10]), (19, [20]), (2, []), (29, [30]), (39, [40]), (49, [50]))


# The third was begun by what took long, and has nothing else.
LONG_AND_ALONE = at_seconds((0, [1]), (9, [10]), (2, [2]), (29, [30]), (39, [40]))


@given(histories())
@example((Told(OLDER_THAN_IT_IS, exact=False), BEGIN + 5 * MICRO))
@example((Told(LONG_AND_ALONE, exact=False), BEGIN + 5 * MICRO))
def test_the_bisection_finds_what_reading_everything_finds(one: tuple[Told, int]) -> None:
    history, at = one
    told = history.linearly(at)
    if at < history.files[0].begun_us:
        with pytest.raises(DrsError) as raised:
            locate(history, at)
        assert raised.value.fault is Fault.TIME_BEFORE_LOG
    else:
        assert found(locate(history, at)) == told


@given(
    stamps=st.lists(st.lists(st.integers(0, 60), max_size=3), min_size=1, max_size=30),
    begins=st.lists(st.integers(0, 60), min_size=30, max_size=30),
    at=st.integers(0, 70),
)
def test_with_a_clock_that_jumps_it_is_still_a_place_where_the_time_is_reached(
    stamps: list[list[int]], begins: list[int], at: int
) -> None:
    """Times of any kind: there may be several such places then, and it is one of them."""
    files = [
        File(BEGIN + begin * MICRO, [BEGIN + stamp * MICRO for stamp in own])
        for own, begin in zip(stamps, begins, strict=False)
    ]
    history, at_us = Told(files, exact=False), BEGIN + at * MICRO
    if at_us < files[0].begun_us:
        return
    place = locate(history, at_us)
    own = history.files[history.names.index(place.file)].stamps
    assert all(stamp < at_us for stamp in own[: place.pos])
    if place.moment_us is None:
        assert (place.file, place.pos) == (history.names[-1], len(own))
    else:
        assert own[place.pos] == place.moment_us >= at_us


@given(count=st.integers(1, 3000), each=st.integers(1, 100), at=st.floats(0, 1.2), exact=st.booleans())
def test_of_many_files_a_handful_is_opened(count: int, each: int, at: float, exact: bool) -> None:
    """One for each time that their number can be halved, the first, and one or two that are read."""
    files = []
    for begun in range(0, count * each, each):
        stamps = [BEGIN + (begun + second) * MICRO for second in range(0, each, 7)]
        clock_us = None if exact else BEGIN + begun * MICRO
        files.append(File(BEGIN + begun * MICRO, stamps, clock_us=clock_us))
    history, at_us = Told(files, exact), BEGIN + int(at * count * each * MICRO)
    assert found(locate(history, at_us)) == history.linearly(at_us)
    assert len(set(history.opened)) <= math.ceil(math.log2(count)) + 3


@given(
    rng=st.randoms(), count=st.integers(2, 300), gap_us=st.sampled_from((5_000, 50_000, MICRO)), at=st.floats(0, 1.1)
)
def test_files_without_transactions_do_not_mislead(rng: random.Random, count: int, gap_us: int, at: float) -> None:
    """Their own time is told in whole seconds, and many may begin within one. Of those that do have transactions no more
    are opened for it."""
    now = begin = BEGIN + MICRO // 3
    files = []
    for _ in range(count):
        stamps = [now + gap_us * number for number in range(1, rng.choice((0, 0, 1, 3)) + 1)]
        files.append(File(now // MICRO * MICRO, stamps))
        now += gap_us * (len(stamps) + 1)
    history, at_us = Told(files, exact=True), begin + int(at * (now - begin))
    assert found(locate(history, at_us)) == history.linearly(at_us)
    telling = [name for name in set(history.opened) if history.files[history.names.index(name)].stamps]
    assert len(telling) <= math.ceil(math.log2(count)) + 2


@given(st.integers(0, 253_402_300_799_999_999))
def test_a_time_comes_through_its_text(at_us: int) -> None:
    assert StartPosition(time=time_of(at_us)).time_us == at_us
