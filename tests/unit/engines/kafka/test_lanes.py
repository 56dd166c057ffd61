"""Numbers that lanes share: of lanes, and of messages."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from opendrs.engines.kafka.lanes import Ids, Lanes


def test_ids_follow_each_other() -> None:
    ids = Ids()
    assert [ids.take(count) for count in (3, 1, 0, 2)] == [1, 4, 5, 5]
    assert ids.next == 7


def test_what_was_not_committed_gets_the_same_ids_again() -> None:
    ids = Ids()
    ids.take(4)
    ids.durable()
    ids.take(3)
    ids.undo()
    assert ids.take(1) == 5
    ids.undo()
    ids.undo()
    assert ids.next == 5


def test_whoever_goes_on_begins_where_another_ended() -> None:
    """What a successor reads is durable: going back must not go behind it."""
    ids = Ids(40)
    ids.take(2)
    ids.undo()
    assert ids.take(1) == 40


def test_no_two_lanes_get_the_same_id() -> None:
    ids = Ids()
    start = threading.Barrier(4, timeout=60)

    def lane(count: int) -> list[int]:
        start.wait()
        return [number for _ in range(500) for first in [ids.take(count)] for number in range(first, first + count)]

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(lane, (1, 2, 3, 4)) for number in numbers]
    assert sorted(taken) == list(range(1, 500 * 10 + 1))


def test_a_lane_that_is_free_again_is_used_again() -> None:
    """Each number has a transactional id of its own, which fences whoever had it before."""
    lanes = Lanes(3)
    with ExitStack() as stack:
        assert [stack.enter_context(lanes.one()) for _ in range(2)] == [0, 1]
        with lanes.one() as third:
            assert third == 2
        with pytest.raises(RuntimeError), lanes.one():
            raise RuntimeError
        assert stack.enter_context(lanes.one()) == 2
    with lanes.one() as lane:
        assert lane == 0
