"""Changes of tunable parameters: by whom, when, and whether a worker goes by them yet.

A worker goes by the policy that its job had when it was started, and whoever takes it over must find the same. So what
is changed while one works waits here, and becomes part of the policy when the next one is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, not_, select, update

from opendrs.model.job import Policy
from opendrs.model.parameters import PARAMETERS
from opendrs.store import jobs
from opendrs.store.tables import parameter_changes

KEPT: Final = 10_000  # of a job, about; the oldest go first
_PRUNED_EVERY: Final = 256
_KNOWN: Final = {one.name: one for one in PARAMETERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    name: str
    old: str
    new: str
    user: str
    changed_at: datetime
    applied_at: datetime | None


def waiting(connection: Connection, job_id: str) -> dict[str, str]:
    """Values that the job's policy does not have yet, by name."""
    query = select(parameter_changes.c.name, parameter_changes.c.new_value).where(_waits(job_id))
    return {row.name: row.new_value for row in connection.execute(query.order_by(parameter_changes.c.id))}


def _waits(job_id: str) -> ColumnElement[bool]:
    return and_(parameter_changes.c.job_id == job_id, not_(parameter_changes.c.in_policy))


def wanted(policy: Policy, values: Mapping[str, str]) -> Policy:
    """The policy with these values. Those of a release that knew other parameters are left out."""
    for name, value in values.items():
        if name in _KNOWN:
            policy = _KNOWN[name].set(policy, value)
    return policy


def note(connection: Connection, job_id: str, user: str, changed: Mapping[str, tuple[str, str]]) -> None:
    """Somebody gives parameters other values: by name, the old one and the new one."""
    now = datetime.now(UTC)
    for name, (old, new) in changed.items():
        row = {
            "job_id": job_id,
            "name": name,
            "old_value": old,
            "new_value": new,
            "user_name": user,
            "changed_at": now,
            "in_policy": False,
        }
        key = connection.execute(insert(parameter_changes).values(**row)).inserted_primary_key
        if key is not None and key[0] % _PRUNED_EVERY == 0:
            _prune(connection, job_id)


def take_in(connection: Connection, job_id: str) -> Policy:
    """Nobody works at the job: what waits becomes part of its policy, which is returned."""
    old, values = jobs.policy_of(connection, job_id), waiting(connection, job_id)
    new = wanted(old, values)
    if new != old:
        checked = any(_KNOWN[name].checked for name in values if name in _KNOWN)
        jobs.change(connection, job_id, prechecked=checked, policy=new.to_json())
    if values:
        connection.execute(update(parameter_changes).where(_waits(job_id)).values(in_policy=True))
    return new


def apply(connection: Connection, job_id: str) -> None:
    """A worker is about to be started, and goes by all of them from now on."""
    take_in(connection, job_id)
    mine = and_(parameter_changes.c.job_id == job_id, parameter_changes.c.applied_at.is_(None))
    connection.execute(update(parameter_changes).where(mine).values(applied_at=datetime.now(UTC)))


def page(
    connection: Connection,
    job_id: str,
    *,
    name: str = "",
    begin: datetime | None = None,
    end: datetime | None = None,
    limit: int,
    offset: int,
) -> tuple[list[ParameterChange], int]:
    """Changes in portions, the newest first, and how many there are; `name`: part of a name."""
    c = parameter_changes.c
    mine: list[ColumnElement[bool]] = [c.job_id == job_id]
    if name:
        mine.append(func.lower(c.name).contains(name.lower(), autoescape=True))
    if begin is not None:
        mine.append(c.changed_at >= begin)
    if end is not None:
        mine.append(c.changed_at <= end)
    total = connection.execute(select(func.count()).select_from(parameter_changes).where(*mine)).scalar() or 0
    query = select(parameter_changes).where(*mine).order_by(c.id.desc()).limit(limit).offset(offset)
    return [_saved(row) for row in connection.execute(query).mappings()], total


def changed_at(connection: Connection, job_id: str) -> dict[str, datetime]:
    """When each parameter was changed last."""
    c = parameter_changes.c
    query = select(c.name, func.max(c.changed_at).label("last")).where(c.job_id == job_id).group_by(c.name)
    return {row.name: row.last for row in connection.execute(query)}


def _prune(connection: Connection, job_id: str) -> None:
    """Those that wait are never taken away."""
    mine = parameter_changes.c.job_id == job_id
    newest = select(parameter_changes.c.id).where(mine).order_by(parameter_changes.c.id.desc()).offset(KEPT).limit(1)
    last = connection.execute(newest).scalar()
    if last is not None:
        over = parameter_changes.c.applied_at.is_not(None)
        connection.execute(delete(parameter_changes).where(mine, over, parameter_changes.c.id <= last))


def _saved(row: RowMapping) -> ParameterChange:
    return ParameterChange(
        name=row["name"],
        old=row["old_value"],
        new=row["new_value"],
        user=row["user_name"],
        changed_at=row["changed_at"],
        applied_at=row["applied_at"],
    )
