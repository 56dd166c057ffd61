"""What the shell calls things: one word for each published state and action, and times as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from opendrs.errors import DrsError, Fault
from opendrs.model.lifecycle import State
from opendrs.model.links import TASKS

# One word each, so that a column of them can be cut and searched.
STATES: Final = {
    State.CREATING: "creating",
    State.CREATE_FAILED: "create-failed",
    State.CONFIGURATION: "configuring",
    State.SCHEDULED: "scheduled",
    State.STARTING: "starting",
    State.START_FAILED: "start-failed",
    State.FULL: "loading",
    State.FULL_FAILED: "load-failed",
    State.FULL_DONE: "loaded",
    State.INCREMENTAL: "following",
    State.INCREMENTAL_FAILED: "follow-failed",
    State.PAUSED: "paused",
    State.RELEASING: "ending",
    State.RELEASE_FAILED: "end-failed",
    State.RELEASED: "ended",
}
FAILED: Final = frozenset(state for state, word in STATES.items() if word.endswith("-failed"))
# Where there is nothing more to be waited for.
RUNNING: Final = frozenset({State.FULL, State.FULL_DONE, State.INCREMENTAL})

# The commands that stand behind the published words of what may be done now.
ACTIONS: Final = {
    "CHOOSE_OBJECT": "",
    "MODIFY_DB_CONFIG": "network",
    "PRE_CHECK": "precheck",
    "START": "start",
    "PAUSE": "stop",
    "RETRY": "restart",
    "RESET": "reset",
    "FREE_RESOURCE": "end",
    "DELETE": "delete",
}


def state(published: str) -> str:
    """Our word; a state of a newer service is shown as it is."""
    return STATES[State(published)] if published in set(State) else published


def published_state(word: str) -> str:
    """The published word for ours, or for itself. Raises SETTING_INVALID."""
    for one, ours in STATES.items():
        if word.lower() in (ours, one.value.lower()):
            return one.value
    reason = f"{word!r} is none of {', '.join(STATES.values())}"
    raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason)


def task(published: str) -> str:
    return TASKS.get(published, published)


def commands(actions: Mapping[str, Any]) -> list[str]:
    """What may be done now, as the names of commands."""
    return [word for action in actions.get("available_actions", []) if (word := ACTIONS.get(action, action.lower()))]


def named(what: Iterable[str]) -> str:
    return ", ".join(what)


def when(published: str) -> str:
    """As people here read it; a time that is not understood as it is."""
    try:
        return datetime.fromisoformat(published).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return published
