"""A precheck: one row of an engine's table of what is looked at before a job begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from opendrs.model.endpoint import Side
from opendrs.model.finding import Finding, Result
from opendrs.model.job import Task

# Published groups, in the order in which people want to read them, with a heading for each.
GROUPS: Final = {
    "network": "Connections",
    "db_version": "Versions",
    "db_user_privilege": "Privileges",
    "db_params": "Settings",
    "db_target_status": "State of the target",
    "db_disk_size": "Disk space",
    "src_info_check": "Source objects",
    "db_object_dependency_check": "Dependencies between objects",
    "db_object_conflict_check": "Source objects in the target",
}

# The tasks that a check concerns: all, those with a load, those with a log, those with a log and no load.
ALL: Final[frozenset[Task]] = frozenset({"full", "full+incremental", "incremental"})
LOAD: Final[frozenset[Task]] = frozenset({"full", "full+incremental"})
LOG: Final[frozenset[Task]] = frozenset({"full+incremental", "incremental"})
LOG_ONLY: Final[frozenset[Task]] = frozenset({"incremental"})

NAMES_MAX: Final = 20


class Verdict(NamedTuple):
    """What came of a look. `remedy`: what to do; statements stand on lines of their own and end with `;`."""

    result: Result
    message: str
    remedy: str = ""


def passed(message: str) -> Verdict:
    return Verdict("PASSED", message)


def alarm(message: str, remedy: str = "") -> Verdict:
    return Verdict("ALARM", message, remedy)


def failed(message: str, remedy: str) -> Verdict:
    return Verdict("FAILED", message, remedy)


class Unseen(Exception):
    """A look that the account has no privilege for, and the remedy: the statement that grants it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


Context = TypeVar("Context")


@dataclass(frozen=True, slots=True, kw_only=True)
class Precheck(Generic[Context]):
    """One row.

    item        published name of the check, or one of ours in the same style
    group       published group, a key of GROUPS
    looks_at    what is looked at
    why         what it is good for
    look        the look; raises Unseen where a privilege is missing, and DrsError
    tasks       the tasks that it concerns
    unseen      the result if it cannot be looked at for lack of a privilege
    acceptable  whether a user may take a FAILED upon himself (published: is_support_skip)
    """

    item: str
    group: str
    side: Side
    looks_at: str
    why: str
    look: Callable[[Context], Verdict | Sequence[Verdict]]
    tasks: frozenset[Task] = ALL
    unseen: Result = "ALARM"
    acceptable: bool = False

    def concerns(self, task: Task) -> bool:
        return task in self.tasks

    def finding(self, verdict: Verdict) -> Finding:
        """A verdict under the row's published names."""
        result, message, remedy = verdict
        return Finding(item=self.item, group=self.group, result=result, message=message, remedy=remedy)


def named(things: Iterable[object], most: int = NAMES_MAX, separator: str = ", ") -> str:
    """`a, b, c`; of many only the first, and how many more there are."""
    listed = [str(thing) for thing in things]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return separator.join(listed[:most]) + more


def how_many(number: int, thing: str) -> str:
    """`1 table`, `2 tables`, `2 indexes`."""
    plural = f"{thing}es" if thing.endswith(("x", "s")) else f"{thing}s"
    return f"{number} {thing if number == 1 else plural}"


def steps(*lines: str) -> str:
    """A remedy of several lines, sentences and statements."""
    return "\n".join(line for line in lines if line)


def for_each(statements: Iterable[str], most: int = NAMES_MAX) -> str:
    """A statement for each thing that `named` names; of many only the first."""
    listed = list(statements)
    more = f"... and likewise for {len(listed) - most} more." if len(listed) > most else ""
    return steps(*listed[:most], more)
