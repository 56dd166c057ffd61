"""Where in the log a job begins, as a command line says it."""

from __future__ import annotations

import re
from typing import Final

from opendrs.errors import DrsError, Fault
from opendrs.model.job import Task
from opendrs.model.start import StartPosition, gtids_problem, moment, place_problem, time_text

# MySQL's begin with the UUID of a server, MariaDB's are three numbers.
_GTIDS: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\s*:|\d+-\d+-\d+\s*(?:,|$)")
TIME, PLACE = "--from-time", "--from-position"


def start_of(task: Task, from_time: str | None, from_position: str | None) -> StartPosition | None:
    """What the two options say; None: neither is given. Raises SETTING_INVALID."""
    given = [name for name, word in ((TIME, from_time), (PLACE, from_position)) if word is not None]
    if not given:
        return None
    if len(given) > 1:
        raise _invalid(TIME, f"it says where the job begins, and so does {PLACE}: give one of them")
    if task != "incremental":
        reason = "a job that loads begins where its load does; only --task incremental can begin elsewhere"
        raise _invalid(given[0], reason)
    if from_time is not None:
        return StartPosition(time=time_of(TIME, from_time))
    text = (from_position or "").strip()
    if _GTIDS.match(text):
        if problem := gtids_problem(text):
            raise _invalid(PLACE, problem)
        return StartPosition(gtid_set="".join(text.split()))
    if problem := place_problem(text):
        raise _invalid(PLACE, f"{text!r} is no set of GTIDs, and no place: {problem}")
    return StartPosition(file_and_position=text)


def time_of(option: str, text: str) -> str:
    """A time as it is kept. Raises SETTING_INVALID."""
    try:
        return time_text(moment(text.strip()))
    except (ValueError, OverflowError):
        raise _invalid(option, f"{text!r} is no time as in 2026-11-30T07:00:00Z") from None


def _invalid(name: str, reason: str) -> DrsError:
    return DrsError(Fault.SETTING_INVALID, name=name, reason=reason)
