"""What becomes of a job whose worker has ended without finishing: again, and when, or given up."""

from __future__ import annotations

import signal
from collections.abc import Hashable
from dataclasses import dataclass

from opendrs.worker.outcome import Exit
from opendrs.worker.timing import Backoff, Timing


@dataclass(frozen=True, slots=True)
class Again:
    """Start a worker after a wait. `resume` counts those that are limited; 0: this one is not."""

    wait_s: float
    resume: int = 0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The automatic resumes are spent."""


class Resumes:
    """Three automatic resumes for what may mend itself, counted anew once the job got on.

    Whoever kills a worker (an operator, the kernel short of memory) says nothing about the job, so SIGKILL
    does not count, and neither does an end that nobody saw.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._backoff = Backoff(timing)
        self._used = 0
        self._failed_at = 0.0
        self._failed_mark: Hashable = None

    def after(self, end: Exit | int | None, *, mark: Hashable, lived_s: float, now: float) -> Again | GiveUp:
        """What to do after a worker's end.

        end     how: an Exit, else the status of a process that did not say, None if nobody knows it
        mark    how far the job is: anything that changes when it gets on
        lived_s how long the worker lived
        """
        if lived_s >= self._timing.steady_s:
            self._backoff.reset()
        if end is None or end in (-signal.SIGKILL, Exit.NETWORK):
            return Again(self._backoff.next())
        if mark != self._failed_mark and now - self._failed_at >= self._timing.steady_s:
            self._used = 0
        self._failed_at, self._failed_mark = now, mark
        if self._used >= self._timing.resumes_max:
            return GiveUp()
        self._used += 1
        return Again(self._backoff.next(), resume=self._used)
