"""How long things wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs.worker.timing import RESTS, Timing, rest_s

TIMING = Timing()


@pytest.mark.parametrize("took_s", [0.0, 0.001, TIMING.beat_s / RESTS])
def test_a_store_that_answers_at_once_is_told_every_time(took_s: float) -> None:
    assert rest_s(TIMING, took_s) == TIMING.beat_s


def test_a_store_that_is_slow_is_left_alone_for_longer() -> None:
    assert rest_s(TIMING, 0.15) == pytest.approx(RESTS * 0.15)


@pytest.mark.parametrize("took_s", [0.5, 10.0, 1000.0])
def test_a_lease_is_renewed_in_time_all_the_same(took_s: float) -> None:
    assert rest_s(TIMING, took_s) == TIMING.ttl_s / 5
    assert rest_s(replace(TIMING, beat_s=5.0), 0.0) == TIMING.ttl_s / 3
