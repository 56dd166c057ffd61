"""What was asked for, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, delete, or_, select, update

from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy, State, Task
from opendrs.model.selection import Selection
from opendrs.store.tables import jobs, leases
from opendrs.store.upsert import insert


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as the store knows it: it has no passwords, so it cannot be run."""

    id: str
    name: str
    source: str
    target: str
    task: Task
    selection: Selection
    policy: Policy
    state: State
    failure: Failure | None
    created_at: datetime
    updated_at: datetime


def create(connection: Connection, job: Job, name: str = "") -> JobRecord:
    """Remembers a job; one that is there already stays as it is."""
    now = datetime.now(UTC)
    row = {
        "id": job.id,
        "name": name,
        "source": str(job.source),
        "target": str(job.target),
        "task": job.task,
        "selection": job.selection.to_json(),
        "policy": job.policy.to_json(),
        "state": State.STARTING.value,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(insert(connection, jobs).on_conflict_do_nothing(index_elements=["id"]), row)
    record = find(connection, job.id)
    assert record is not None, "a job that was just written is not there"
    return record


def find(connection: Connection, name: str) -> JobRecord | None:
    """The job of that id or name."""
    query = select(jobs).where(or_(jobs.c.id == name, jobs.c.name == name)).order_by(jobs.c.id != name)
    row = connection.execute(query).mappings().first()
    return None if row is None else _record(row)


def every(connection: Connection) -> list[JobRecord]:
    """All jobs, oldest first."""
    rows = connection.execute(select(jobs).order_by(jobs.c.created_at, jobs.c.id)).mappings()
    return [_record(row) for row in rows]


def revise(connection: Connection, job: Job) -> None:
    """The same job with another policy or login. Its endpoints, selection and task never change."""
    values = {"source": str(job.source), "target": str(job.target), "policy": job.policy.to_json()}
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values, updated_at=datetime.now(UTC)))


def enter(connection: Connection, job_id: str, state: State, *, epoch: int, failure: Failure | None = None) -> bool:
    """Moves a job to a state, on behalf of the worker of that epoch. False, and nothing, if it was overtaken."""
    mine = select(leases.c.epoch).where(leases.c.job_id == job_id).scalar_subquery() == epoch
    values: dict[str, Any] = {
        "state": state.value,
        "failure": None if failure is None else failure.to_json(),
        "updated_at": datetime.now(UTC),
    }
    return connection.execute(update(jobs).where(jobs.c.id == job_id, mine).values(**values)).rowcount == 1


def remove(connection: Connection, job_id: str) -> None:
    """Forgets a job with all that belongs to it. Its worker, if there is one, finds its lease lost."""
    # The lease first, as everybody locks them: in the other order two would wait for each other.
    connection.execute(delete(leases).where(leases.c.job_id == job_id))
    connection.execute(delete(jobs).where(jobs.c.id == job_id))


def _record(row: RowMapping) -> JobRecord:
    return JobRecord(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        target=row["target"],
        task=cast(Task, row["task"]),
        selection=Selection.from_json(row["selection"]),
        policy=Policy.from_json(row["policy"]),
        state=State(row["state"]),
        failure=None if row["failure"] is None else Failure.from_json(row["failure"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
