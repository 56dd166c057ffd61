"""What became of a statement of the source's log that changes the schema."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DdlOutcome = Literal["executed", "left_out", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DdlRecord:
    """One statement.

    key        tells it from every other one of the job, and is the same whenever the log is read again
    unsure     the key may be that of several statements: of the same words and the same second, inside a transaction
    before     the position behind which the target stood when the statement was met, as its engine dumps it; once the
               target has moved on from there, the statement is durable
    point      where the log stands behind it, for people
    statement  the source's SQL
    at         when the source ran it; None: the log does not say
    outcome    left_out: the job's policy leaves it out, or a part of it
    reason     why it was left out, or failed
    """

    key: str
    before: str
    point: str
    statement: str
    at: datetime | None
    outcome: DdlOutcome
    reason: str = ""
    unsure: bool = False
