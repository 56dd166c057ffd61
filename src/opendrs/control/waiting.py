"""Waiting for what a worker does, for those operations whose published answer says what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from opendrs.control.asking import Asking
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.store import actions

LOOK_S: Final = 0.05
# Whatever went wrong inside is told with the published code of the whole.
_FAULTS: Final[dict[Kind, Fault]] = {
    Kind.OBJECTS: Fault.OBJECTS_MISSING,
    Kind.COLUMNS: Fault.COLUMNS_UNREAD,
    Kind.COLLECT: Fault.COLUMNS_UNREAD,
}


class Deadline:
    """When whoever has asked is answered at the latest."""

    def __init__(self, asking: Asking) -> None:
        self._end = time.monotonic() + asking.patience_s

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end


def result_of(asking: Asking, job_id: str, key: str, deadline: Deadline) -> Mapping[str, Any]:
    """What came of an action. Raises OBJECTS_MISSING, COLUMNS_UNREAD, TOO_SLOW: it goes on by itself."""
    while True:
        with asking.store.read() as connection:
            found = actions.find(connection, job_id, key)
        if found is None or found.status not in actions.OPEN:
            break
        if deadline.over:
            raise DrsError(Fault.TOO_SLOW, reason=f"{found.kind.value} {key} is not over yet, and goes on")
        time.sleep(LOOK_S)
    if found is None:
        raise DrsError(Fault.QUERY_UNKNOWN, query_id=key)
    if found.failure is not None:
        raise failed(found)
    return found.result or {}


def failed(action: Action) -> DrsError:
    """Why an action has failed, under the code of its kind."""
    assert action.failure is not None
    fault = _FAULTS[action.kind]
    beginning, _, _ = fault.spec.text.partition("{reason}")
    return DrsError(fault, reason=action.failure.message.removeprefix(beginning))
