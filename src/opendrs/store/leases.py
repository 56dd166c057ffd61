"""Who may work at a job: the newest epoch, and nobody else.

To start is to take the next epoch, in one transaction and without waiting. Whoever holds an older one finds
out when it renews, or when the target, where the epoch is installed too, refuses its next commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, and_, case, literal, select, update

from opendrs.store.tables import leases
from opendrs.store.upsert import insert

Owner = Literal["supervisor", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process for good: its number may be given away, number, start and host together are not.

    owner        supervisor: the worker is being started; worker: it runs
    started_at   seconds since 1970
    """

    owner: Owner
    pid: int
    started_at: float
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work at a job.

    settings  what the worker was started with, without secrets
    outcome   how the worker ended, by its own word; None: it runs, or it was killed
    """

    job_id: str
    epoch: int
    holder: Holder
    renewed_at: datetime
    settings: Mapping[str, Any]
    outcome: Mapping[str, Any] | None


def current(connection: Connection, job_id: str) -> Lease | None:
    """The lease of a job; None if it was never started."""
    row = connection.execute(select(leases).where(leases.c.job_id == job_id)).mappings().first()
    return None if row is None else _lease(row)


def claim(
    connection: Connection,
    job_id: str,
    holder: Holder,
    settings: Mapping[str, Any],
    *,
    expected: int | None = None,
    above: int = 0,
) -> int | None:
    """Takes the next epoch, and returns it.

    expected  only if this is the epoch now, 0 for none; else None is returned: somebody else was faster
    above     the new epoch is larger than this as well
    """
    fresh: dict[str, Any] = {
        "epoch": above + 1,
        **asdict(holder),
        "renewed_at": datetime.now(UTC),
        "settings": dict(settings),
        "outcome": None,
    }
    statement = insert(connection, leases).values(job_id=job_id, **fresh)
    higher = case((leases.c.epoch > above, leases.c.epoch), else_=literal(above)) + 1
    statement = statement.on_conflict_do_update(
        index_elements=["job_id"],
        set_={**{name: statement.excluded[name] for name in fresh}, "epoch": higher},
        where=None if expected is None else leases.c.epoch == expected,
    )
    if expected:
        # There must be a row to compare with: without one, somebody has removed the job.
        known = select(leases.c.epoch).where(leases.c.job_id == job_id)
        if connection.execute(known).scalar() is None:
            return None
    epoch: int | None = connection.execute(statement.returning(leases.c.epoch)).scalar()
    return epoch


def take(connection: Connection, job_id: str, epoch: int, holder: Holder) -> bool:
    """The worker that was started for this epoch says who it is. False: it was overtaken before it began."""
    fresh = and_(_mine(job_id, epoch), leases.c.owner == "supervisor", leases.c.outcome.is_(None))
    values = {**asdict(holder), "renewed_at": datetime.now(UTC)}
    return connection.execute(update(leases).where(fresh).values(**values)).rowcount == 1


def renew(connection: Connection, job_id: str, epoch: int) -> bool:
    """Says that the worker lives. False: a newer one has taken over, and nothing may be written any more.

    First in every transaction of a worker: it locks the row, so that nobody overtakes in between.
    """
    values = {"renewed_at": datetime.now(UTC)}
    return connection.execute(update(leases).where(_mine(job_id, epoch)).values(**values)).rowcount == 1


def advance(connection: Connection, job_id: str, epoch: int) -> int | None:
    """The same worker goes on under the next epoch, and so leaves behind what its broken connections may still
    do. None: it was overtaken."""
    values = {"epoch": epoch + 1, "renewed_at": datetime.now(UTC)}
    changed = connection.execute(update(leases).where(_mine(job_id, epoch)).values(**values)).rowcount == 1
    return epoch + 1 if changed else None


def finish(connection: Connection, job_id: str, epoch: int, outcome: Mapping[str, Any]) -> bool:
    """The worker's last word. False: it was overtaken, and its word means nothing."""
    values = {"renewed_at": datetime.now(UTC), "outcome": dict(outcome)}
    return connection.execute(update(leases).where(_mine(job_id, epoch)).values(**values)).rowcount == 1


def _mine(job_id: str, epoch: int) -> Any:
    return and_(leases.c.job_id == job_id, leases.c.epoch == epoch)


def _lease(row: RowMapping) -> Lease:
    return Lease(
        job_id=row["job_id"],
        epoch=row["epoch"],
        holder=Holder(owner=row["owner"], pid=row["pid"], started_at=row["started_at"], host=row["host"]),
        renewed_at=row["renewed_at"],
        settings=row["settings"],
        outcome=row["outcome"],
    )
