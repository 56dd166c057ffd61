"""Rows that did not come into the target as the source has them: each is remembered by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, get_args

from opendrs.model.catalog import TableName

DirtyOp = Literal["insert", "update", "delete"]
DirtyKind = Literal["conflict", "value"]
Resolved = Literal["ignored", "overwritten", "stopped"]
DirtyPhase = Literal["full", "incremental"]

RESOLUTIONS: Final[tuple[Resolved, ...]] = get_args(Resolved)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyRow:
    """One change, or one row of a load, that met something else than it expected.

    key        tells it from every other one of the job, and is the same whenever the log, or the chunk, is read again:
               position and ordinal, or table, chunk and ordinal
    table      at the source
    kind       conflict: the target held something else. value: the target cannot hold it
    reason     why, for people; without values
    statement  what was to be done, as SQL with its values: what is shown of them is the reader's choice
    resolved   what became of it
    at         when it was met
    """

    key: str
    table: TableName
    op: DirtyOp
    kind: DirtyKind
    reason: str
    statement: str
    resolved: Resolved
    at: datetime
    phase: DirtyPhase = "incremental"


class Dirty(Protocol):
    """Where such rows are remembered."""

    def record(self, rows: Sequence[DirtyRow]) -> None:
        """Returns when the rows are written down, where a crash of the worker cannot take them; until then it waits.

        To be called before the flush that makes good for them: then nobody is killed between the two without leaving
        them behind, and whoever comes next, and meets the same rows once more, changes nothing by recording them
        again. Raises what a pause raises, if the run is to pause and they cannot be written.
        """
