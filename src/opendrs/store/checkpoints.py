"""A copy of the target's checkpoint, for people: how far a job is, without asking its databases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from opendrs.model.checkpoint import Phase
from opendrs.store.tables import checkpoints
from opendrs.store.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCheckpoint:
    """`position` is the text that the engine's position dumps; None: the job has no stream."""

    phase: Phase
    position: str | None
    epoch: int
    saved_at: datetime


def save(connection: Connection, job_id: str, *, epoch: int, phase: Phase, position: str | None) -> None:
    """Remembers a checkpoint that is durable in the target. The caller has renewed its lease just before."""
    row = {
        "job_id": job_id,
        "epoch": epoch,
        "phase": phase.value,
        "position": position,
        "saved_at": datetime.now(UTC),
    }
    upsert(connection, checkpoints, row)


def clear(connection: Connection, job_id: str) -> None:
    """The job has no checkpoint any more."""
    connection.execute(delete(checkpoints).where(checkpoints.c.job_id == job_id))


def load(connection: Connection, job_id: str) -> SavedCheckpoint | None:
    row = connection.execute(select(checkpoints).where(checkpoints.c.job_id == job_id)).mappings().first()
    if row is None:
        return None
    return SavedCheckpoint(
        phase=Phase(row["phase"]), position=row["position"], epoch=row["epoch"], saved_at=row["saved_at"]
    )
