"""A run that stands still at a position, with nothing read behind it: to take tables in that another run has brought
there, or to let some go.

Tables that come to a job which follows are loaded by a run of their own beside it (`worker/joining.py`), with a
checkpoint of its own, so that the others are not kept waiting. When that run follows as well, both are asked to stand;
whoever is behind goes on to where the other is; and there, in one transaction of the target, the tables change hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.position import Position
from opendrs.model.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a run is to do where it stands.

    edit        names the change of the selection; kept in the target, so that whoever comes next knows that it was made
    joining     tables that another run has brought there: they follow from here on
    giver       the job whose tables they were, which is over; empty: there is none
    leaving     tables that are followed no longer; they stay as they are
    selection   what the job covers from here on
    """

    edit: str
    selection: Selection
    joining: Mapping[TableName, TableProgress] = field(default_factory=dict)
    giver: str = ""
    leaving: tuple[TableName, ...] = ()


class Meeting(Protocol):
    """Asked between two commits, on the thread that writes, while the run follows."""

    def wanted(self) -> bool:
        """Whether the run shall stand. Cheap: asked all the time."""

    def busy(self) -> bool:
        """Whether it shall stand some time: a run that is to end waits for that."""

    def at(self, position: Position, tables: Mapping[TableName, TableProgress]) -> Position | Exchange | None:
        """The run stands at the position, with these tables.

        A position: it goes on to exactly there, and is asked again. None: it just goes on. May wait.
        """

    def done(self, exchange: Exchange) -> None:
        """It is durable in the target."""


class NoMeeting:
    """Nobody ever meets."""

    def wanted(self) -> bool:
        return False

    def busy(self) -> bool:
        return False

    def at(self, position: Position, tables: Mapping[TableName, TableProgress]) -> Position | Exchange | None:
        del position, tables
        return None

    def done(self, exchange: Exchange) -> None:
        del exchange
