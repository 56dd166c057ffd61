"""The log of a job for people: what happened, in order, with stable names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, delete, func, select
from sqlalchemy import insert as insert_into

from opendrs.store.tables import events

KEPT: Final = 5_000

# Names that one part of the product says and another waits for.
PRECHECK_FINDING: Final = "precheck.finding"
PRECHECK_PASSED: Final = "precheck.passed"
RESET: Final = "job.reset"
PROOF_ENDED: Final = "proof.ended"
PROOF_FAILED: Final = "proof.failed"
_PRUNED_EVERY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line. `name` is for machines and never changes its meaning; `message` is for people."""

    name: str
    message: str
    level: str = "info"
    fields: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEvent:
    id: int
    event: Event


def append(connection: Connection, job_id: str, new: Iterable[Event]) -> None:
    """Adds events. Of each job the last few thousand are kept; its log file has them all."""
    for event in new:
        values = {
            "job_id": job_id,
            "at": event.at,
            "level": event.level,
            "name": event.name,
            "message": event.message,
            "fields": dict(event.fields),
        }
        key = connection.execute(insert_into(events).values(**values)).inserted_primary_key
        if key is not None and key[0] % _PRUNED_EVERY == 0:
            _prune(connection, job_id)


def after(connection: Connection, job_id: str, last: int = 0, *, limit: int = 200) -> list[SavedEvent]:
    """The newest events behind `last`, oldest first."""
    query = select(events).where(events.c.job_id == job_id, events.c.id > last)
    rows = connection.execute(query.order_by(events.c.id.desc()).limit(limit)).mappings().all()
    return [_saved(row) for row in reversed(rows)]


def page(
    connection: Connection, job_id: str, *, levels: Collection[str] = (), limit: int, offset: int
) -> tuple[list[SavedEvent], int]:
    """Events in portions, newest first, and how many there are; `levels`: of these only."""
    mine = events.c.job_id == job_id
    if levels:
        mine = and_(mine, events.c.level.in_(levels))
    total = connection.execute(select(func.count()).where(mine)).scalar() or 0
    query = select(events).where(mine).order_by(events.c.id.desc()).limit(limit).offset(offset)
    return [_saved(row) for row in connection.execute(query).mappings()], total


def newest(connection: Connection, job_id: str) -> int:
    """The id of the job's last event; 0 if there is none."""
    return connection.execute(select(func.max(events.c.id)).where(events.c.job_id == job_id)).scalar() or 0


def happened(connection: Connection, job_id: str, name: str) -> bool:
    """Whether the job has an event of that name, among those that are kept, since it began, or began anew."""
    query = select(func.max(events.c.id)).where(events.c.job_id == job_id)
    last = connection.execute(query.where(events.c.name == name)).scalar()
    return last is not None and last > (connection.execute(query.where(events.c.name == RESET)).scalar() or 0)


def reset_since(connection: Connection, job_id: str, epoch: int) -> bool:
    """Whether a worker of that epoch or a newer one has reset the job."""
    query = select(events.c.fields).where(events.c.job_id == job_id, events.c.name == RESET)
    return any(fields["epoch"] >= epoch for fields in connection.execute(query).scalars())


def _prune(connection: Connection, job_id: str) -> None:
    mine = events.c.job_id == job_id
    oldest = select(events.c.id).where(mine).order_by(events.c.id.desc()).offset(KEPT).limit(1)
    last = connection.execute(oldest).scalar()
    if last is not None:
        connection.execute(delete(events).where(mine, events.c.id <= last))


def _saved(row: RowMapping) -> SavedEvent:
    event = Event(name=row["name"], message=row["message"], level=row["level"], fields=row["fields"], at=row["at"])
    return SavedEvent(id=row["id"], event=event)
