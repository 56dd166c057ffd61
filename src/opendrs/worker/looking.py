"""One look of a precheck, whatever happens on the way, and what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from opendrs.errors import DrsError, Fault
from opendrs.model.finding import Finding
from opendrs.model.job import Task
from opendrs.model.precheck import Precheck, Unseen, Verdict, failed
from opendrs.telemetry import context

log = logging.getLogger(__name__)

Looked = TypeVar("Looked")


def look(row: Precheck[Looked], seen: Looked) -> Sequence[Verdict]:
    """What comes of one look, whatever happens on the way."""
    try:
        found = row.look(seen)
    except Unseen as unseen:
        return [Verdict(row.unseen, unseen.message, unseen.remedy)]
    except DrsError as error:
        if error.fault in (Fault.PRIVILEGE_MISSING, Fault.ACCESS_DENIED):
            return [Verdict(row.unseen, error.message, error.hint)]
        return broken(error, row.item)
    except Exception as error:  # noqa: BLE001 a mistake in one look must not hide what the others found
        return broken(error, row.item)
    return [found] if isinstance(found, Verdict) else list(found)


def broken(error: Exception, item: str) -> Sequence[Verdict]:
    """The verdict on what could not be looked at. Not knowing is no reason to begin."""
    if isinstance(error, DrsError):
        return [failed(f"This could not be looked at: {error.message}", error.hint)]
    log.error("a precheck broke", exc_info=error, extra=context("precheck.broke", item=item))
    message = f"This could not be looked at, by a mistake of ours: {type(error).__name__}: {error}"
    return [failed(message, "Report it. Begin without checks if you know that all is well.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What makes findings of looks.

    accepted   items whose FAILED the user takes upon himself, where that is possible
    """

    task: Task
    accepted: Collection[str] = ()

    def at(self, rows: Iterable[Precheck[Looked]], seen: Looked) -> Iterator[Finding]:
        """The findings of all rows that concern the task."""
        for row in rows:
            if row.concerns(self.task):
                for verdict in look(row, seen):
                    yield self._finding(row, verdict)

    def _finding(self, row: Precheck[Looked], verdict: Verdict) -> Finding:
        if verdict.result == "FAILED" and row.acceptable:
            if row.item in self.accepted:
                return row.finding(Verdict("ALARM", f"Accepted: {verdict.message}", verdict.remedy))
            return row.finding(verdict._replace(remedy=f"{verdict.remedy}\nOr accept it: --accept {row.item}"))
        return row.finding(verdict)

    def unreachable(self, connection: Precheck[Looked], error: DrsError, rows: Sequence[Precheck[Any]]) -> Finding:
        """Nobody answers, so that none of the rows can be looked at."""
        missed = sum(1 for row in rows if row.concerns(self.task)) - 1
        return connection.finding(failed(f"{error.message}. {missed} further checks need it", error.hint))
