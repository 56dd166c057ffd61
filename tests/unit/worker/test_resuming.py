"""Which ends of a worker are resumed, how often, and after which wait."""

from __future__ import annotations

import signal

import pytest

from opendrs.worker.outcome import Exit
from opendrs.worker.resuming import Again, GiveUp, Resumes
from opendrs.worker.timing import Backoff, Timing

TIMING = Timing(first_wait_s=0.2)


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(TIMING)
    waits = [backoff.next() for _ in range(9)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0]
    backoff.reset()
    assert backoff.next() == 0.2


@pytest.mark.parametrize("end", [Exit.LATER, 1, 139, -signal.SIGSEGV, -signal.SIGTERM])
def test_three_resumes(end: int) -> None:
    resumes = Resumes(TIMING)
    answers = [resumes.after(end, mark="p", lived_s=1.0, now=float(n)) for n in range(4)]
    assert [answer.resume for answer in answers[:3] if isinstance(answer, Again)] == [1, 2, 3]
    assert isinstance(answers[3], GiveUp)


@pytest.mark.parametrize("end", [-signal.SIGKILL, Exit.NETWORK, None])
def test_what_says_nothing_about_the_job_does_not_count(end: int | None) -> None:
    resumes = Resumes(TIMING)
    answers = [resumes.after(end, mark="p", lived_s=1.0, now=float(n)) for n in range(50)]
    assert all(isinstance(answer, Again) and answer.resume == 0 for answer in answers)
    answer = resumes.after(Exit.LATER, mark="p", lived_s=1.0, now=60.0)
    assert isinstance(answer, Again) and answer.resume == 1


@pytest.mark.parametrize(
    ("mark", "later_s", "counted_anew"), [("q", 61.0, True), ("q", 59.0, False), ("p", 61.0, False)]
)
def test_resumes_are_counted_anew_once_the_job_got_on_for_long_enough(
    mark: str, later_s: float, counted_anew: bool
) -> None:
    resumes = Resumes(TIMING)
    for _ in range(3):
        resumes.after(Exit.LATER, mark="p", lived_s=1.0, now=1000.0)
    answer = resumes.after(Exit.LATER, mark=mark, lived_s=1.0, now=1000.0 + later_s)
    assert isinstance(answer, Again) is counted_anew


def test_a_worker_that_lived_long_is_replaced_quickly() -> None:
    resumes = Resumes(TIMING)
    for _ in range(5):
        resumes.after(-9, mark="p", lived_s=1.0, now=0.0)
    answer = resumes.after(-9, mark="p", lived_s=61.0, now=100.0)
    assert answer == Again(0.2)
