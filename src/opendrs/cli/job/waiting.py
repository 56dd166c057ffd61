"""Waiting for what the service does behind its answers. A service that is away for a moment is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final, TypeVar

from opendrs.cli.job import words
from opendrs.errors import DrsError, Fault
from opendrs.model.lifecycle import State

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service

FIRST_S: Final = 0.1
MOST_S: Final = 2.0
AWAY_S: Final = 60.0  # the longest that the service may be away while it is waited for

Found = TypeVar("Found")
Clock = Callable[[], float]


def until(
    what: str,
    look: Callable[[], Found | None],
    timeout_s: float,
    *,
    clock: Clock = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Looks again and again, less and less often, until there is something. Raises NOT_IN_TIME."""
    deadline, pause_s = clock() + timeout_s, FIRST_S
    away_since: float | None = None
    while True:
        try:
            found = look()
            away_since = None
        except DrsError as error:
            if error.fault is not Fault.SERVICE_UNREACHABLE:
                raise
            away_since = away_since if away_since is not None else clock()
            if clock() > away_since + AWAY_S:
                raise
            found = None
        if found is not None:
            return found
        if clock() >= deadline:
            raise DrsError(Fault.NOT_IN_TIME, what=what, seconds=f"{timeout_s:.0f}")
        sleep(min(pause_s, max(deadline - clock(), 0.0)))
        pause_s = min(pause_s * 1.3, MOST_S)


def until_state(service: Service, job_id: str, wanted: Collection[State], what: str, timeout_s: float) -> State:
    """Waits until the job is in one of these states, and nothing is under way. One that has failed is not waited
    for: raises STEP_FAILED, with why."""

    def look() -> State | None:
        # In this order: what is over when it is asked for has changed the state before.
        if service.actions(job_id)["current_action"]:
            return None
        found = str(service.detail(job_id, "overview")["status"])
        if found in {one.value for one in wanted}:
            return State(found)
        if found in {one.value for one in words.FAILED}:
            reason = last_failure(service, job_id) or f"the job is in {found}"
            raise DrsError(Fault.STEP_FAILED, what=what, reason=reason)
        return None

    return until(what, look, timeout_s)


def last_failure(service: Service, job_id: str) -> str:
    """What the log says last of errors; empty: nothing."""
    rows: list[Facts] = service.detail(job_id, "log", log_level="Error", limit=1)["logs"]
    return str(rows[0]["message"]) if rows else ""
