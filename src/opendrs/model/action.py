"""Something that was asked of a job: by whom, when, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from opendrs.model.failure import Failure

Status = Literal["waiting", "running", "success", "failed"]


class Kind(StrEnum):
    """What can be asked. Persisted, and shown in the timeline: the words are for ever."""

    CREATE = "create"
    NAME = "update_name"
    DESCRIPTION = "update_description"
    POLICY = "update_policy"
    PARAMETERS = "update_parameters"
    SPEED = "update_speed_limit"
    ALARM = "clean_alarm"
    NETWORK = "network"
    COLLECT = "collect_db_object"
    OBJECTS = "update_db_object"
    EDIT = "edit_db_object"
    COLUMNS = "collect_columns"
    FILTERS = "check_data_filter"
    RULES = "collect_filter_rules"
    IMPORT = "import_db_object"
    IMPORT_COLUMNS = "import_column"
    IMPORT_KEYS = "import_compare_key"
    PRECHECK = "precheck"
    POSITION = "collect_position"
    START_POSITION = "update_start_position"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RESET = "reset"
    TERMINATE = "terminate"


# A short piece of work at a user's database, done by a process that takes one after the other.
ERRANDS: Final = frozenset(
    {
        *(Kind.NETWORK, Kind.COLLECT, Kind.OBJECTS, Kind.PRECHECK, Kind.TERMINATE),
        *(Kind.COLUMNS, Kind.FILTERS, Kind.POSITION, Kind.START_POSITION),
        *(Kind.IMPORT, Kind.IMPORT_COLUMNS, Kind.IMPORT_KEYS),
    }
)
# Files that are read; of those that change what is replicated comes a saving.
IMPORTS: Final = frozenset({Kind.IMPORT, Kind.IMPORT_COLUMNS, Kind.IMPORT_KEYS})
SAVINGS: Final = frozenset({Kind.OBJECTS, Kind.IMPORT, Kind.IMPORT_COLUMNS})
# They are over when the job has come to where they lead.
STARTS: Final = frozenset({Kind.START, Kind.RESTART, Kind.RESET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row of the table of actions.

    id        the query id that the API answers
    params    what was asked, without secrets
    sealed    the secrets among it, sealed; None: there were none
    revision  of the job when it was asked
    result    what came of it, as its kind has it
    """

    id: str
    job_id: str
    kind: Kind
    user: str
    status: Status
    params: Mapping[str, Any]
    revision: int
    asked_at: datetime
    sealed: str | None = None
    result: Mapping[str, Any] | None = None
    failure: Failure | None = None
    ended_at: datetime | None = None
    attempts: int = 0
