"""What may be asked of a job now: its state, and what is under way, decide."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from opendrs.control.prechecked import lacking
from opendrs.model.action import SAVINGS, Kind
from opendrs.model.lifecycle import ALLOWED, Intent, Verb
from opendrs.store import actions
from opendrs.store.jobs import Head

_VERBS: Final = {
    Kind.NETWORK: Verb.NETWORK,
    Kind.OBJECTS: Verb.OBJECTS,
    Kind.EDIT: Verb.EDIT,
    Kind.IMPORT: Verb.OBJECTS,
    Kind.IMPORT_COLUMNS: Verb.OBJECTS,
    Kind.PRECHECK: Verb.PRECHECK,
    Kind.START: Verb.START,
    Kind.STOP: Verb.STOP,
    Kind.RESTART: Verb.RESTART,
    Kind.RESET: Verb.RESET,
    Kind.TERMINATE: Verb.TERMINATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """verbs: that would be taken now; current: the newest that is not over."""

    verbs: frozenset[Verb]
    current: Verb | None


def allowed_now(connection: Connection, head: Head) -> Allowed:
    """For one job, with a look at its prechecks."""
    found = allowed(connection, [head])[head.id]
    wanting = found.verbs & {Verb.START, Verb.RESET}
    if wanting and lacking(connection, head):
        return Allowed(verbs=found.verbs - wanting, current=found.current)
    return found


def allowed(connection: Connection, heads: Collection[Head]) -> dict[str, Allowed]:
    """For each job, by id; whether prechecks are wanting is not looked at."""
    open_kinds = actions.open_kinds(connection, [head.id for head in heads])
    return {head.id: _allowed(head, open_kinds.get(head.id, [])) for head in heads}


def _allowed(head: Head, pending: list[Kind]) -> Allowed:
    verbs = {verb for verb, states in ALLOWED.items() if head.state in states}
    # The same errand twice at a time is refused, and so is what contradicts what is wanted already.
    verbs -= {_VERBS[kind] for kind in pending if kind in (Kind.NETWORK, Kind.PRECHECK, Kind.EDIT, *SAVINGS)}
    if head.intent in (Intent.PAUSE, Intent.RELEASE):
        verbs.discard(Verb.STOP)
    if head.intent in (Intent.RESTART, Intent.RELEASE):
        verbs.discard(Verb.RESTART)
    if head.intent is not Intent.REST:
        verbs -= {Verb.RESET, Verb.POLICY}
    current = next((_VERBS[kind] for kind in pending if kind in _VERBS), None)
    return Allowed(verbs=frozenset(verbs), current=current)
