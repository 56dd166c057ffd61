"""Changes of the schema that are met in the log, written down before they are durable, and again when they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opendrs.errors import DrsError
from opendrs.model.ddl_record import DdlOutcome, DdlRecord
from opendrs.model.event import SchemaChange
from opendrs.model.position import Position
from opendrs.worker.ledger import Ledger


@dataclass(slots=True, kw_only=True)
class Statements:
    """Those that one reader of the log meets. Implements pipeline.progress.Scribe.

    left_out  what of a change the job's policy leaves out, in words
    mask      makes a text fit to be kept
    whose     stands before the places of a reader beside the job: where it is says nothing of where the job is
    """

    ledger: Ledger
    left_out: Callable[[SchemaChange], Sequence[str]]
    mask: Callable[[str], str]
    whose: str = ""
    _durable: str = field(default="", init=False)  # where the target stands
    _altered: bool = field(default=False, init=False)  # by something that is not durable yet

    def pulls(self, position: Position) -> None:
        self._durable, self._altered = self._place(position), False
        self.ledger.stands(self._durable)

    def altering(self, change: SchemaChange) -> None:
        if not change.alterations:
            return
        left = self.left_out(change)
        self._altered = True
        self.ledger.note(self._record(change, "left_out" if left else "executed", ", ".join(left)))

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        if change.alterations or change.failure is not None:
            self.ledger.note(self._record(change, "failed", error.message))

    def saved(self, position: Position) -> bool:
        """The target stands there. Whether a change of the schema has become durable."""
        self._durable = self._place(position)
        altered, self._altered = self._altered, False
        if altered:
            self.ledger.stands(self._durable)
        return altered

    def _place(self, position: Position) -> str:
        return f"{self.whose}{position.dump()}"

    def _record(self, change: SchemaChange, outcome: DdlOutcome, reason: str) -> DdlRecord:
        at = change.position
        committed = f"{change.last_commit_s:.6f}\n{change.statement}"
        return DdlRecord(
            key=committed if at is None else at.dump(),
            unsure=at is None,
            before=self._durable,
            point="" if at is None else at.brief(),
            statement=self.mask(change.statement),
            at=datetime.fromtimestamp(change.last_commit_s, UTC) if change.last_commit_s else None,
            outcome=outcome,
            reason=self.mask(reason),
        )
