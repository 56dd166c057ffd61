"""Conflicts with those who write to the target too: counted once, whoever is killed when.

What the apply has resolved is noted in the target, in the transaction of the rows that it is about. When that is
durable the worker is told; when the worker has it, the next transaction takes it out of the target again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from opendrs._core import PgError
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control
from opendrs.engines.postgres.shape import Target
from opendrs.model.catalog import TableName
from opendrs.model.dirty import DirtyOp, DirtyRow
from opendrs.model.position import Position

AT_ONCE: Final = 500

Remember = Callable[[Sequence[DirtyRow]], None]
"""`model.dirty.Dirty.record`: returns when the rows are written down."""

log = logging.getLogger(__name__)


class Conflicts:
    """Those of one job. `remember` None: the worker does not want them, and they stay where they are."""

    def __init__(self, control: Control, remember: Remember | None) -> None:
        self._control = control
        self._remember = remember
        self._noted = True  # something may be there that the worker does not know
        self._known: list[int] = []  # what it knows, until that is gone here

    def note(
        self, session: Session, resolved: Sequence[Mapping[str, Any]], names: Mapping[int, TableName], place: str
    ) -> None:
        """Writes them in the open transaction. `place`: tells the window from every other one of the job."""
        now = datetime.now(UTC)
        rows = [
            DirtyRow(
                key=f"{place}.{one['seq']}.{one['part']}", table=names[one["table"]], op=one["op"], kind="conflict",
                reason=one["reason"], statement=one["statement"], resolved=one["resolved"], at=now,
            )
            for one in resolved
        ]  # fmt: skip
        for start in range(0, len(rows), AT_ONCE):
            self._control.note_conflicts(session, rows[start : start + AT_ONCE])
        self._noted = True

    def arrive(self) -> None:
        """Those of another job are this one's from now on."""
        self._noted = True

    def forget(self, session: Session) -> None:
        """Takes out, in a transaction that is about to be committed, what the worker knows."""
        if self._known:
            self._control.forget_conflicts(session, self._known)

    def durable(self, session: Session) -> None:
        """The transaction was committed: the worker is told."""
        self._known = []
        if not self._noted or self._remember is None:
            return
        while found := self._control.conflicts(session, behind=max(self._known, default=0), count=AT_ONCE):
            self._remember([row for _, row in found])
            self._known += [number for number, _ in found]
        self._noted = False

    def stopped(
        self, error: PgError, targets: Mapping[TableName, Target], names: Iterable[TableName], place: str
    ) -> None:
        """A conflict that nobody resolves: the worker is told before the job stops with it. Nothing of it is in the
        target."""
        if self._remember is None:
            return
        here = (error.schema, error.table)
        table = next((name for name in names if (targets[name]["schema"], targets[name]["table"]) == here), None)
        if table is None:
            log.warning("a conflict in a table that is not known: %s.%s", *here)
            return
        op, what = cast(DirtyOp, error.op or "insert"), error.key or error.constraint or ""
        statement = error.statement or f"{op.upper()} {what}"
        self._remember(
            [
                DirtyRow(
                    key=f"stopped.{place}.{op}.{what}", table=table, op=op, kind="conflict",
                    reason=error.message.partition(": ")[2] or error.message, statement=statement,
                    resolved="stopped", at=datetime.now(UTC),
                )
            ]
        )  # fmt: skip


def place_of(position: Position | None, ordinal: int) -> str:
    """What is `ordinal` changes behind a position, as a short word. (A position can be long.)"""
    digest = hashlib.sha256((position.dump() if position else "").encode()).hexdigest()
    return f"{digest[:32]}+{ordinal}"
