"""A worker that kills itself at a named place, for tests that want to know what is left."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Final

from opendrs.errors import DrsError, Fault
from opendrs.pipeline import faultpoints
from opendrs.pipeline.faultpoints import Faults, NoFaults
from opendrs.telemetry import context

VARIABLE: Final = "OPENDRS_FAULT"

log = logging.getLogger(__name__)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class KillAt:
    """SIGKILL for its own process when it comes to a place for the n-th time."""

    def __init__(self, name: str, nth: int = 1, *, kill: Callable[[], None] = _kill) -> None:
        self._name = name
        self._left = nth
        self._kill = kill
        self._lock = threading.Lock()

    def here(self, name: str) -> None:
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            due = self._left == 0
        if due:
            log.warning("this process kills itself", extra=context("fault.kill", place=name))
            self._kill()


def faults(environ: Mapping[str, str] = os.environ) -> Faults:
    """What the environment asks for: nothing, `name` or `name:n`. Raises SETTING_INVALID."""
    text = environ.get(VARIABLE, "")
    if not text:
        return NoFaults()
    name, _, nth = text.partition(":")
    if name not in faultpoints.ALL:
        reason = f"{name!r} is none of {', '.join(faultpoints.ALL)}"
        raise DrsError(Fault.SETTING_INVALID, name=VARIABLE, reason=reason)
    if nth and not (nth.isdecimal() and int(nth) > 0):
        raise DrsError(Fault.SETTING_INVALID, name=VARIABLE, reason=f"{nth!r} is not a number of times")
    return KillAt(name, int(nth or 1))


def for_life(environ: Mapping[str, str], life: int) -> str:
    """What the worker's life-th process (from 0) is told: of `a,b:3` the first gets `a`, the second `b:3`,
    those behind nothing. Else a job could never get past a place that every process comes to."""
    wanted = [entry.strip() for entry in environ.get(VARIABLE, "").split(",")]
    return wanted[life] if life < len(wanted) else ""
