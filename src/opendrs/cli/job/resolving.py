"""From what a person calls a job to its id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendrs.errors import DrsError, Fault

if TYPE_CHECKING:
    from opendrs.cli.service import Service

# A UUID whose end is cut for `jb` and what follows: names may be of 36 characters, too, but not of this shape.
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-z]{12}")
SHOWN_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """`name` is the id where only that was given."""

    id: str
    name: str


def resolve(service: Service, word: str, *, whole: bool = False) -> Found:
    """The job of that id or name. Part of a name is enough if only one job has it, except where the whole is
    demanded: what changes a job must not hit another one.

    Raises NAME_UNKNOWN, NAME_AMBIGUOUS.
    """
    if _ID.fullmatch(word) and "jb" in word[24:]:
        return Found(word, word)
    rows, total = service.jobs(name=word, most=SHOWN_MAX)
    if total > len(rows):
        rows, total = service.jobs(name=word)  # the one that is meant may be behind
    found = [Found(str(row["id"]), str(row["name"])) for row in rows]
    # Names are the same in whatever case.
    exact = [one for one in found if one.name.lower() == word.lower()]
    if len(exact) == 1:
        return exact[0]
    if len(found) == 1 and not whole:
        return found[0]
    listed = ", ".join(f"{one.name} ({one.id})" for one in found[:SHOWN_MAX]) + (", ..." if total > SHOWN_MAX else "")
    if not found or len(found) == 1:
        similar = f"; there is {listed}" if found else ""
        raise DrsError(Fault.NAME_UNKNOWN, name=repr(word), similar=similar)
    raise DrsError(Fault.NAME_AMBIGUOUS, name=repr(word), jobs=listed)
