"""Short pieces of work at users' databases, asked for by the API and done here: one file a kind.

Each is a function that takes an Errand and returns what its action is to keep as its result; a DrsError is the
action's failure. They change nothing in a user's database, except the one that takes away what is ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from opendrs.model.action import Action, Kind
from opendrs.model.job import Job
from opendrs.store.jobs import JobRecord
from opendrs.worker.assembly import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What an errand is given.

    job      with its passwords
    secrets  what was sealed with the action
    """

    place: Place
    action: Action
    record: JobRecord
    job: Job
    secrets: Mapping[str, Any]


Result = Mapping[str, Any]

_FILES: Final = {
    Kind.NETWORK: "network",
    Kind.COLLECT: "collect",
    Kind.OBJECTS: "objects",
    Kind.COLUMNS: "columns",
    Kind.FILTERS: "filters",
    Kind.IMPORT: "importing",
    Kind.IMPORT_COLUMNS: "importing",
    Kind.IMPORT_KEYS: "keys",
    Kind.PRECHECK: "precheck",
    Kind.POSITION: "position",
    Kind.START_POSITION: "position",
    Kind.TERMINATE: "terminate",
}
# The longest that each may take, seconds: behind it the process is ended.
LIMIT_S: Final = {
    Kind.NETWORK: 120.0,
    Kind.COLLECT: 900.0,
    Kind.OBJECTS: 900.0,
    Kind.COLUMNS: 900.0,
    Kind.FILTERS: 900.0,
    Kind.IMPORT: 900.0,
    Kind.IMPORT_COLUMNS: 900.0,
    Kind.IMPORT_KEYS: 900.0,
    Kind.PRECHECK: 7200.0,
    Kind.POSITION: 3600.0,
    Kind.START_POSITION: 3600.0,
    Kind.TERMINATE: 900.0,
}


def function(kind: Kind) -> Callable[[Errand], Result]:
    """What does an errand of a kind; its drivers are loaded with it."""
    module = importlib.import_module(f"{__name__}.{_FILES[kind]}")
    return cast(Callable[[Errand], Result], module.run)
