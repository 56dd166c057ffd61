"""Statements of the source's log that change the schema, and what became of each: once each, whatever crashes.

A statement is written down before it can be durable in the target. Whoever comes after a crash finds it: if the target
has moved on from where it stood then, the statement is durable; else it will be met again, and is the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, not_, or_, select, update

from opendrs.model.ddl_record import DdlOutcome, DdlRecord
from opendrs.store.dirty import cut
from opendrs.store.tables import ddls

KEPT: Final = 10_000  # of a job, about; the oldest go first
_PRUNED_EVERY: Final = 256
_BESIDE: Final = "beside "
_ALARMING: Final[tuple[DdlOutcome, ...]] = ("left_out", "failed")

# Somebody has to look at it, and nobody has yet.
_ALARM: Final = and_(ddls.c.outcome.in_(_ALARMING), ddls.c.cleaned_at.is_(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDdl:
    """One statement.

    durable      it has been carried out, or left out, for good
    recorded_at  when it was met first
    cleaned_at   when its alarm was taken back
    """

    seqno: int
    statement: str
    point: str
    at: datetime | None
    outcome: DdlOutcome
    reason: str
    durable: bool
    recorded_at: datetime
    cleaned_at: datetime | None

    @property
    def executed(self) -> bool:
        return self.durable and self.outcome == "executed"

    @property
    def alarm(self) -> bool:
        return self.outcome in _ALARMING and self.cleaned_at is None


def note(connection: Connection, job_id: str, record: DdlRecord) -> None:
    """A statement was met, and will be durable with the next flush, or has failed. One that was met before keeps its
    number; that it fails again is a new alarm."""
    digest, known = _find(connection, job_id, record)
    values: dict[str, Any] = {
        "before": record.before,
        "durable": False,
        "point": record.point,
        "outcome": record.outcome,
        "reason": cut(record.reason),
    }
    if known is not None:
        again = {"cleaned_at": None} if record.outcome == "failed" else {}
        mine = and_(ddls.c.job_id == job_id, ddls.c.seqno == known)
        connection.execute(update(ddls).where(mine).values(**values, **again))
        return
    last = connection.execute(select(func.max(ddls.c.seqno)).where(ddls.c.job_id == job_id)).scalar() or 0
    row = {
        "job_id": job_id,
        "seqno": last + 1,
        "digest": digest,
        "statement": cut(record.statement),
        "at": record.at,
        "recorded_at": datetime.now(UTC),
        **values,
    }
    connection.execute(insert(ddls).values(**row))
    if (last + 1) % _PRUNED_EVERY == 0:
        mine = and_(ddls.c.job_id == job_id, ddls.c.seqno <= last + 1 - KEPT)
        connection.execute(delete(ddls).where(mine))


def _find(connection: Connection, job_id: str, record: DdlRecord) -> tuple[str, int | None]:
    """The digest of the statement, and its number if it is there already. Of several that may be meant, the one that
    is not durable yet: it is met again. If all are, it is one more."""
    number = 1
    while True:
        digest = hashlib.sha256(f"{record.key}\n{number}".encode()).hexdigest()
        query = select(ddls.c.seqno, ddls.c.durable).where(ddls.c.job_id == job_id, ddls.c.digest == digest)
        row = connection.execute(query).first()
        if row is None:
            return digest, None
        if not (record.unsure and row.durable):
            return digest, row.seqno
        number += 1


def beside(guest: str) -> str:
    """What stands before the places of a guest, who reads the log beside the job."""
    return f"{_BESIDE}{guest} "


def durable(connection: Connection, job_id: str, *, position: str) -> None:
    """The target stands there: what was met before it came there is durable. Where a guest is says nothing of what the
    job has met, or another guest, nor where the job is of what they have."""
    mine = and_(_open(job_id, _whose(position)), ddls.c.before != position)
    connection.execute(update(ddls).where(mine).values(durable=True))


def joined(connection: Connection, job_id: str, guest: str) -> None:
    """What a guest had is the job's now: all that it has met is durable."""
    connection.execute(update(ddls).where(_open(job_id, beside(guest))).values(durable=True))


def gone(connection: Connection, job_id: str, guest: str) -> None:
    """What a guest had is no more: what was not durable will never be."""
    connection.execute(delete(ddls).where(_open(job_id, beside(guest))))


def _whose(position: str) -> str:
    """What stands before a place: nothing, or what stands before all of a guest."""
    return position[: position.index(" ", len(_BESIDE)) + 1] if position.startswith(_BESIDE) else ""


def _open(job_id: str, whose: str) -> ColumnElement[bool]:
    """What somebody has met that is neither durable nor failed."""
    theirs = ddls.c.before.startswith(whose) if whose else not_(ddls.c.before.startswith(_BESIDE))
    return and_(ddls.c.job_id == job_id, not_(ddls.c.durable), ddls.c.outcome != "failed", theirs)


def page(
    connection: Connection,
    job_id: str,
    *,
    alarm: bool | None = None,
    first: int | None = None,
    last: int | None = None,
    limit: int,
    offset: int,
) -> tuple[list[SavedDdl], int]:
    """Statements in the order of the log, in portions, and how many there are.

    alarm        only those with an alarm, or those without
    first, last  numbers, both inclusive
    """
    wanted: list[ColumnElement[bool]] = [ddls.c.job_id == job_id]
    if alarm is not None:
        quiet = or_(ddls.c.outcome.not_in(_ALARMING), ddls.c.cleaned_at.is_not(None))
        wanted.append(_ALARM if alarm else quiet)
    if first is not None:
        wanted.append(ddls.c.seqno >= first)
    if last is not None:
        wanted.append(ddls.c.seqno <= last)
    total = connection.execute(select(func.count()).select_from(ddls).where(*wanted)).scalar() or 0
    query = select(ddls).where(*wanted).order_by(ddls.c.seqno).limit(limit).offset(offset)
    return [_saved(row) for row in connection.execute(query).mappings()], total


def alarms(connection: Connection, job_id: str) -> int:
    """How many statements somebody has to look at."""
    query = select(func.count()).select_from(ddls).where(ddls.c.job_id == job_id, _ALARM)
    return connection.execute(query).scalar() or 0


def clean(connection: Connection, job_id: str, seqno: int) -> bool:
    """Somebody has looked at a statement. False: there is none of that number."""
    mine = and_(ddls.c.job_id == job_id, ddls.c.seqno == seqno)
    if connection.execute(select(ddls.c.seqno).where(mine)).first() is None:
        return False
    connection.execute(update(ddls).where(mine, _ALARM).values(cleaned_at=datetime.now(UTC)))
    return True


def settle(connection: Connection, job_id: str) -> None:
    """The job begins anew, behind all that it has met: what was not durable will never be, and nothing of it is of
    any concern. What happened stays, for people."""
    mine = ddls.c.job_id == job_id
    connection.execute(delete(ddls).where(mine, not_(ddls.c.durable), ddls.c.outcome != "failed"))
    connection.execute(update(ddls).where(mine, _ALARM).values(cleaned_at=datetime.now(UTC)))


def _saved(row: RowMapping) -> SavedDdl:
    return SavedDdl(
        seqno=row["seqno"],
        statement=row["statement"],
        point=row["point"],
        at=row["at"],
        outcome=cast(DdlOutcome, row["outcome"]),
        reason=row["reason"],
        durable=row["durable"],
        recorded_at=row["recorded_at"],
        cleaned_at=row["cleaned_at"],
    )
