"""The life of a job is one table: which move leads from which states to which, and what may be asked when.

Whoever changes a state goes through it: the API for what a user asks, the workers for what happened. Source of the
words and of the preconditions: the status list and the constraints of each call in the published API reference;
rows that no page states are marked `ours`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class State(StrEnum):
    """Where a job stands, in the published words. (PAUSING means paused.)"""

    CREATING = "CREATING"
    CREATE_FAILED = "CREATE_FAILED"
    CONFIGURATION = "CONFIGURATION"
    SCHEDULED = "WAITING_FOR_START"
    STARTING = "STARTJOBING"
    START_FAILED = "START_JOB_FAILED"
    FULL = "FULL_TRANSFER_STARTED"
    FULL_FAILED = "FULL_TRANSFER_FAILED"
    FULL_DONE = "FULL_TRANSFER_COMPLETE"
    INCREMENTAL = "INCRE_TRANSFER_STARTED"
    INCREMENTAL_FAILED = "INCRE_TRANSFER_FAILED"
    PAUSED = "PAUSING"
    RELEASING = "RELEASE_RESOURCE_STARTED"
    RELEASE_FAILED = "RELEASE_RESOURCE_FAILED"
    RELEASED = "RELEASE_RESOURCE_COMPLETE"


class Intent(StrEnum):
    """What is wanted of the workers. Persisted: the words are for ever.

    It is what the user asked for last, and it outlives every process: whoever finds it carries it out.
    """

    REST = "rest"  # nothing
    RUN = "run"  # be worked at
    PAUSE = "pause"  # come to rest in order
    RESTART = "restart"  # pause, then run again
    RELEASE = "release"  # end for good: stop, and take away what is ours


class Trigger(StrEnum):
    """What moves a job from one state to another."""

    BUILT = "built"
    BUILD_FAILED = "build_failed"
    SCHEDULE = "schedule"
    START = "start"
    RESUME = "resume"
    RESET = "reset"
    LOADS = "loads"
    LOADED = "loaded"
    FOLLOWS = "follows"
    RESTS = "rests"
    START_FAILS = "start_fails"
    LOAD_FAILS = "load_fails"
    FOLLOW_FAILS = "follow_fails"
    RELEASE = "release"
    RELEASED = "released"
    RELEASE_FAILS = "release_fails"


class Move(NamedTuple):
    """From any of these states to one."""

    sources: frozenset[State]
    target: State


S = State
_FAILED: Final = frozenset({S.START_FAILED, S.FULL_FAILED, S.INCREMENTAL_FAILED})
_RUNNING: Final = frozenset({S.STARTING, S.FULL, S.INCREMENTAL})
_WORKED: Final = frozenset({*_RUNNING, *_FAILED, S.FULL_DONE, S.PAUSED})
_RELEASABLE: Final = _WORKED | {S.CONFIGURATION, S.SCHEDULED, S.RELEASE_FAILED}

MOVES: Final[dict[Trigger, Move]] = {
    Trigger.BUILT: Move(frozenset({S.CREATING}), S.CONFIGURATION),
    Trigger.BUILD_FAILED: Move(frozenset({S.CREATING}), S.CREATE_FAILED),
    Trigger.SCHEDULE: Move(frozenset({S.CONFIGURATION, S.SCHEDULED}), S.SCHEDULED),
    Trigger.START: Move(frozenset({S.CONFIGURATION, S.SCHEDULED}), S.STARTING),
    # A worker is started for a job that rests, or starts again after it has lost its worker.
    Trigger.RESUME: Move(frozenset({*_FAILED, S.PAUSED, S.FULL_DONE, S.STARTING}), S.STARTING),
    Trigger.RESET: Move(frozenset({S.PAUSED, S.FULL_FAILED, S.INCREMENTAL_FAILED}), S.STARTING),
    # What a worker says. It may say the same again. From INCREMENTAL: the target was set back to before the job.
    Trigger.LOADS: Move(frozenset({S.STARTING, S.FULL, S.INCREMENTAL, S.INCREMENTAL_FAILED}), S.FULL),
    Trigger.LOADED: Move(frozenset({S.STARTING, S.FULL, S.FULL_DONE}), S.FULL_DONE),
    # From FULL_DONE: a job that was shown as loaded follows. From INCREMENTAL_FAILED: a network that was away is back.
    Trigger.FOLLOWS: Move(
        frozenset({S.STARTING, S.FULL, S.FULL_DONE, S.INCREMENTAL, S.INCREMENTAL_FAILED}), S.INCREMENTAL
    ),
    Trigger.RESTS: Move(_WORKED, S.PAUSED),
    # From where a worker has been: the one that follows it fails before it knows how far that was.
    Trigger.START_FAILS: Move(
        frozenset({S.STARTING, S.START_FAILED, S.FULL, S.INCREMENTAL, S.INCREMENTAL_FAILED}), S.START_FAILED
    ),
    # From INCREMENTAL: the target was set back, and it fails before anybody has said that it loads again.
    Trigger.LOAD_FAILS: Move(
        frozenset({S.STARTING, S.FULL, S.FULL_DONE, S.FULL_FAILED, S.INCREMENTAL, S.INCREMENTAL_FAILED}), S.FULL_FAILED
    ),
    Trigger.FOLLOW_FAILS: Move(
        frozenset({S.STARTING, S.FULL, S.FULL_DONE, S.INCREMENTAL, S.INCREMENTAL_FAILED}), S.INCREMENTAL_FAILED
    ),
    Trigger.RELEASE: Move(_RELEASABLE, S.RELEASING),
    Trigger.RELEASED: Move(frozenset({S.RELEASING}), S.RELEASED),
    Trigger.RELEASE_FAILS: Move(frozenset({S.RELEASING}), S.RELEASE_FAILED),
}

LIFECYCLE: Final[dict[tuple[State, Trigger], State]] = {
    (source, trigger): move.target for trigger, move in MOVES.items() for source in move.sources
}

# Where a worker's word leads.
TRIGGER_TO: Final[dict[State, Trigger]] = {
    S.FULL: Trigger.LOADS,
    S.FULL_DONE: Trigger.LOADED,
    S.INCREMENTAL: Trigger.FOLLOWS,
    S.PAUSED: Trigger.RESTS,
    S.START_FAILED: Trigger.START_FAILS,
    S.FULL_FAILED: Trigger.LOAD_FAILS,
    S.INCREMENTAL_FAILED: Trigger.FOLLOW_FAILS,
    S.STARTING: Trigger.RESUME,
}


class Verb(StrEnum):
    """What a user may ask for. The words are those of execute_job_action where it has one."""

    NETWORK = "network"
    PRECHECK = "precheck"
    OBJECTS = "db_object"
    EDIT = "edit_db_object"
    POLICY = "policy"
    PARAMETERS = "parameters"
    SPEED = "speed_limit"
    COLLECT = "collect"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RESET = "reset"
    TERMINATE = "terminate"
    DELETE = "delete"


_AT_REST: Final = _FAILED | {S.PAUSED}
_THERE: Final = frozenset(State) - {S.CREATING, S.CREATE_FAILED, S.RELEASING, S.RELEASE_FAILED, S.RELEASED}

# The states in which each may be asked for.
ALLOWED: Final[dict[Verb, frozenset[State]]] = {
    # Beyond CONFIGURATION: a changed password must not be the end of a job (ours).
    Verb.NETWORK: _AT_REST | {S.CONFIGURATION},
    # Of one that follows: for objects that were edited.
    Verb.PRECHECK: _AT_REST | {S.CONFIGURATION, S.INCREMENTAL},
    # The prechecks and the load depend on them; one that has begun keeps its own until the edit is started.
    Verb.OBJECTS: frozenset({S.CONFIGURATION, S.START_FAILED, S.INCREMENTAL, S.INCREMENTAL_FAILED, S.PAUSED}),
    # Tables come and go while the others are followed.
    Verb.EDIT: frozenset({S.INCREMENTAL, S.INCREMENTAL_FAILED, S.PAUSED}),
    # Of a job that rests: it counts from the next start on (ours).
    Verb.POLICY: _AT_REST | {S.CONFIGURATION},
    # START_FAILED is ours: what kept it from starting may be a parameter. They count from the next start on.
    Verb.PARAMETERS: _AT_REST | {S.CONFIGURATION, S.FULL, S.INCREMENTAL},
    # At any time, for it takes effect at once (ours).
    Verb.SPEED: _THERE,
    Verb.COLLECT: _THERE,
    Verb.START: frozenset({S.CONFIGURATION, S.SCHEDULED}),
    Verb.STOP: frozenset({S.FULL, S.FULL_FAILED, S.FULL_DONE, S.INCREMENTAL, S.INCREMENTAL_FAILED}),
    Verb.RESTART: _FAILED | {S.PAUSED, S.FULL, S.INCREMENTAL},
    Verb.RESET: MOVES[Trigger.RESET].sources,
    Verb.TERMINATE: _RELEASABLE,
    Verb.DELETE: frozenset({S.CREATE_FAILED, S.RELEASED}),
}


def predecessors(state: State) -> frozenset[State]:
    """The states from which a worker's word may lead to this one."""
    return MOVES[TRIGGER_TO[state]].sources
