"""A question about two sides, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from opendrs.model.catalog import TableName

Verdict = Literal["equal", "different", "unproven"]


@dataclass(frozen=True, slots=True)
class Sums:
    """What one side says of a table: how many rows, and the two halves of their digests summed."""

    rows: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProof:
    """What was found for one table.

    name       at the source
    verdict    unproven: it could not be compared; `reason` says why
    checksums  order-independent, over canonical values, as text
    position   of the source, at which both sides were looked at; None: at rest
    reason     why it is unproven, or which declared losses were taken into account
    seconds    how long it took
    """

    name: TableName
    verdict: Verdict
    source_rows: int | None = None
    target_rows: int | None = None
    source_checksum: str | None = None
    target_checksum: str | None = None
    position: str | None = None
    reason: str = ""
    seconds: float = 0.0
    taken_at: datetime = field(default_factory=lambda: datetime.now(UTC))
