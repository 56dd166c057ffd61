"""ddl_operation on the wire. What is said of single tables there, a job has for all of its tables: its policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from opendrs.api.wire.processing import PLACE, Asked
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import EngineName
from opendrs.model.job import SKIPPABLE, Policy, SkippableDdl
from opendrs.model.selection import Selection

NAME: Final = f"{PLACE}.ddl_operation"
TABLE: Final = "table"
# The rows behind these need them: they are all carried over, or nothing is.
NEEDED: Final = ("CREATE TABLE", "ALTER TABLE", "RENAME TABLE")
LEAVABLE: Final[dict[str, SkippableDdl]] = {"DROP TABLE": "drop_table", "TRUNCATE TABLE": "truncate_table"}
# What the published list of words does not have: it stays as the policy has it unless it is named.
UNLISTED: Final = "TRUNCATE TABLE"


def shown_ddl(policy: Policy, target: EngineName) -> dict[str, str]:
    """ddl_operation of a job, as it is."""
    if not _carries(policy, target):
        return {}
    leavable = [word for word, kind in LEAVABLE.items() if kind not in policy.skipped_ddl]
    return {TABLE: ",".join([*NEEDED, *leavable])}


def _carries(policy: Policy, target: EngineName) -> bool:
    return policy.ddl == "carry" and (target != "kafka" or bool(policy.publishing.ddl_topic))


def chosen_ddl(asked: Asked, selection: Selection, policy: Policy, target: EngineName) -> Mapping[str, Any] | None:
    """What of the policy is to change; None: nothing. Raises PARAMETER_INVALID, UNSUPPORTED."""
    if asked.ddl is None:
        return None
    wanted = _wanted(asked.ddl, policy)
    if wanted == (_carries(policy, target), frozenset(policy.skipped_ddl)):
        return None
    carries, skipped = wanted
    if not _whole(asked, selection):
        now = shown_ddl(policy, target).get(TABLE, "nothing")
        what = f"Another choice of schema changes for single tables (the job carries {now} over for all of its tables)"
        raise DrsError(Fault.UNSUPPORTED, what=what)
    if carries and target == "kafka" and not policy.publishing.ddl_topic:
        reason = "schema changes are published to ddl_topic, and the policy of the job names none"
        raise DrsError(Fault.PARAMETER_INVALID, name=NAME, reason=reason)
    kinds = [kind for kind in SKIPPABLE if kind in skipped]
    return {"ddl": "carry" if carries else "refuse", "skipped_ddl": kinds}


def _wanted(choice: Mapping[str, str | None], policy: Policy) -> tuple[bool, frozenset[SkippableDdl]]:
    """Whether schema changes are carried over, and which are left out."""
    for key in choice:
        if key.lower() != TABLE:
            reason = f"{shown(key)!r} is not {TABLE}"
            raise DrsError(Fault.PARAMETER_INVALID, name=NAME, reason=reason)
    words = [" ".join(word.upper().split()) for text in choice.values() for word in re.split(r"[,;]", text or "")]
    words = [word for word in words if word]
    for word in words:
        if word not in (*NEEDED, *LEAVABLE):
            reason = f"{shown(word)!r} is none of {', '.join((*NEEDED, *LEAVABLE))}"
            raise DrsError(Fault.PARAMETER_INVALID, name=NAME, reason=reason)
    skipped = set(policy.skipped_ddl)
    if not words:
        return False, frozenset(skipped)
    if missing := [word for word in NEEDED if word not in words]:
        reason = f"{', '.join(missing)} cannot be left out: the rows behind them would not fit; or leave out all"
        raise DrsError(Fault.PARAMETER_INVALID, name=NAME, reason=reason)
    for word, kind in LEAVABLE.items():
        if word in words:
            skipped.discard(kind)
        elif word != UNLISTED:
            skipped.add(kind)
    return True, frozenset(skipped)


def _whole(asked: Asked, selection: Selection) -> bool:
    """Whether everything that the job replicates is named."""
    if asked.whole:
        return True
    if selection.everything or not selection.databases <= asked.ddl_databases:
        return False
    return all(name in asked.ddl_tables or name.schema in asked.ddl_databases for name in selection.tables)
