"""What was asked for, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection, RowMapping, Select, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.endpoint import Secret, Side
from opendrs.model.failure import Failure
from opendrs.model.job import Job, Policy, Task
from opendrs.model.lifecycle import MOVES, Intent, State, Trigger, predecessors
from opendrs.model.sealed import about_secret, key_name, password_name
from opendrs.model.selection import Selection
from opendrs.store import actions
from opendrs.store.sealing import Seal
from opendrs.store.tables import jobs, leases, secrets
from opendrs.store.upsert import insert


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A job as lists show it.

    project_id     and all behind it but `starts_at`: None for a job of `opendrs run`
    facts          what else was asked for at creation, as the API says it, without secrets
    """

    id: str
    name: str
    task: Task
    state: State
    intent: Intent
    failure: Failure | None
    revision: int
    created_at: datetime
    updated_at: datetime
    project_id: str | None = None
    description: str = ""
    job_type: str = ""
    engine_type: str = ""
    job_direction: str = ""
    net_type: str = ""
    facts: Mapping[str, Any] | None = None
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord(Head):
    """A job as the store knows it: its URLs have no passwords, so it cannot be run."""

    source: str
    target: str
    selection: Selection
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a job of the service has more. `places`: addresses and instance ids of both sides, to be found by."""

    project_id: str
    description: str
    job_type: str
    engine_type: str
    job_direction: str
    net_type: str
    places: tuple[str, ...]
    facts: Mapping[str, Any]
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs a list shows. None: whatever it is. `name` and `place`: parts of names and addresses."""

    job_type: str | None = None
    name: str | None = None
    state: State | None = None
    engine_type: str | None = None
    net_type: str | None = None
    instances: tuple[str, ...] = ()
    place: str | None = None


SortKey = Literal["name", "status", "create_time", "net_type", "job_direction"]

_SORTED_BY: Final = {
    "name": jobs.c.name_key,
    "status": jobs.c.state,
    "create_time": jobs.c.created_at,
    "net_type": jobs.c.net_type,
    "job_direction": jobs.c.job_direction,
}
# Selections can be large, and lists do not show them.
_HEAD: Final = [c for c in jobs.c if c.name not in ("source", "target", "selection", "policy", "places", "name_key")]

# Statements of every request are made once: making one takes as long as running it.
_MINE: Final = and_(jobs.c.id == bindparam("job"), jobs.c.project_id == bindparam("project"))
_ONE_HEAD: Final = select(*_HEAD).where(_MINE)
_ONE_WITH_POLICY: Final = select(*_HEAD, jobs.c.policy).where(_MINE)
_POLICY: Final = select(jobs.c.policy).where(jobs.c.id == bindparam("job"))
_SELECTION: Final = select(jobs.c.selection).where(jobs.c.id == bindparam("job"))


def create(connection: Connection, job: Job, name: str = "") -> JobRecord:
    """Remembers a job of `opendrs run`; one that is there already stays as it is."""
    row = {**_row(job, name), "state": State.STARTING.value}
    connection.execute(insert(connection, jobs).on_conflict_do_nothing(index_elements=["id"]), row)
    record = find(connection, job.id)
    assert record is not None, "a job that was just written is not there"
    return record


def add(connection: Connection, job: Job, name: str, service: Service) -> None:
    """Remembers a new job of the service. Raises NAME_EXISTS."""
    row = {
        **_row(job, name),
        "state": State.CREATING.value,
        "project_id": service.project_id,
        "name_key": name.lower(),
        "description": service.description,
        "job_type": service.job_type,
        "engine_type": service.engine_type,
        "job_direction": service.job_direction,
        "net_type": service.net_type,
        "places": _places(service.places),
        "facts": dict(service.facts),
        "starts_at": service.starts_at,
    }
    try:
        connection.execute(jobs.insert().values(**row))
    except IntegrityError as error:
        raise DrsError(Fault.NAME_EXISTS, name=name) from error


def find(connection: Connection, name: str) -> JobRecord | None:
    """The job of that id, or the one of `opendrs run` of that name."""
    own = and_(jobs.c.name == name, jobs.c.project_id.is_(None))
    query = select(jobs).where(or_(jobs.c.id == name, own)).order_by(jobs.c.id != name)
    row = connection.execute(query).mappings().first()
    return None if row is None else _record(row)


def find_of_service(connection: Connection, name: str) -> JobRecord | None:
    """The job of the service of that id or name, whoever's it is."""
    query = select(jobs).where(jobs.c.project_id.is_not(None), or_(jobs.c.id == name, jobs.c.name_key == name.lower()))
    row = connection.execute(query.order_by(jobs.c.id != name).limit(1)).mappings().first()
    return None if row is None else _record(row)


def head(connection: Connection, project_id: str, job_id: str) -> Head | None:
    """The job of that id, if it is one of the project's, without what may be large."""
    row = connection.execute(_ONE_HEAD, {"job": job_id, "project": project_id}).mappings().first()
    return None if row is None else Head(**_head(row))


def selection_of(connection: Connection, job_id: str) -> Selection:
    """The job's selection, which heads are without."""
    found = connection.execute(_SELECTION, {"job": job_id}).scalar()
    return Selection() if found is None else Selection.from_json(found)


def chosen_of(connection: Connection, job_id: str) -> Selection:
    """What the job is to replicate, as it was saved last: one that has begun may not have it yet."""
    pending = actions.pending(connection, job_id, {Kind.EDIT})
    if pending:
        return Selection.from_json(pending[-1].params["selection"])
    saved = actions.saved_edit(connection, job_id)
    if saved is not None and saved.result is not None:
        return Selection.from_json(saved.result["selection"])
    return selection_of(connection, job_id)


def policy_of(connection: Connection, job_id: str) -> Policy:
    """The job's policy. KeyError if there is no such job."""
    found = connection.execute(_POLICY, {"job": job_id}).scalar()
    if found is None:
        raise KeyError(job_id)
    return Policy.from_json(found)


def lock(connection: Connection, job_id: str) -> None:
    """Nobody else changes the job until the transaction ends. (SQLite has one writer at a time anyway.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update())


def head_and_policy(connection: Connection, project_id: str, job_id: str) -> tuple[Head, Policy] | None:
    """Both in one go."""
    row = connection.execute(_ONE_WITH_POLICY, {"job": job_id, "project": project_id}).mappings().first()
    return None if row is None else (Head(**_head(row)), Policy.from_json(row["policy"]))


def every(connection: Connection) -> list[JobRecord]:
    """All jobs, oldest first."""
    rows = connection.execute(select(jobs).order_by(jobs.c.created_at, jobs.c.id)).mappings()
    return [_record(row) for row in rows]


def page(
    connection: Connection,
    project_id: str,
    wanted: Wanted,
    *,
    sort: SortKey = "create_time",
    descending: bool = True,
    limit: int,
    offset: int,
) -> tuple[list[Head], int]:
    """The jobs of a project in portions, and how many there are in all."""
    total = connection.execute(_narrowed(select(func.count()), project_id, wanted)).scalar() or 0
    column = _SORTED_BY[sort]
    query = _narrowed(select(*_HEAD), project_id, wanted)
    order = (column.desc(), jobs.c.id.desc()) if descending else (column.asc(), jobs.c.id.asc())
    rows = connection.execute(query.order_by(*order).limit(limit).offset(offset)).mappings()
    return [Head(**_head(row)) for row in rows], total


def count_by_state(connection: Connection) -> dict[State, int]:
    """How many jobs of the service are in each state."""
    query = select(jobs.c.state, func.count()).where(jobs.c.project_id.is_not(None)).group_by(jobs.c.state)
    return {State(state): count for state, count in connection.execute(query)}


def name_taken(connection: Connection, project_id: str, name: str) -> bool:
    query = select(jobs.c.id).where(jobs.c.project_id == project_id, jobs.c.name_key == name.lower())
    return connection.execute(query).first() is not None


def to_attend(connection: Connection, now: datetime) -> list[Head]:
    """Jobs that somebody has to do something about: to be built, due, or wanted to be worked at."""
    due = and_(jobs.c.state == State.SCHEDULED.value, jobs.c.starts_at <= now)
    query = select(*_HEAD).where(
        jobs.c.project_id.is_not(None),
        or_(jobs.c.intent != Intent.REST.value, jobs.c.state == State.CREATING.value, due),
    )
    return [Head(**_head(row)) for row in connection.execute(query.order_by(jobs.c.created_at)).mappings()]


def is_due(connection: Connection, job_id: str, now: datetime) -> bool:
    """Whether a job that waits for its time is to start."""
    mine = and_(jobs.c.id == job_id, jobs.c.state == State.SCHEDULED.value, jobs.c.starts_at <= now)
    return connection.execute(select(jobs.c.id).where(mine)).first() is not None


def revise(connection: Connection, job: Job) -> None:
    """The same job of `opendrs run` with another policy or login. Its endpoints, selection and task never change."""
    values = {"source": str(job.source), "target": str(job.target), "policy": job.policy.to_json()}
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values, updated_at=datetime.now(UTC)))


def change(connection: Connection, job_id: str, *, prechecked: bool = False, **values: Any) -> None:
    """Writes columns of a job of the service. `prechecked`: it was among what the prechecks looked at."""
    if prechecked:
        values["revision"] = jobs.c.revision + 1
    if "name" in values:
        values["name_key"] = values["name"].lower()
    if "places" in values:
        values["places"] = _places(values["places"])
    try:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values, updated_at=datetime.now(UTC)))
    except IntegrityError as error:
        raise DrsError(Fault.NAME_EXISTS, name=values.get("name", "")) from error


def move(
    connection: Connection,
    job_id: str,
    trigger: Trigger,
    *,
    intent: Intent,
    failure: Failure | None = None,
    **values: Any,
) -> bool:
    """Moves a job as the table of its life says. False, and nothing, if it is not where this begins.

    values   further columns to write with it
    """
    sources, target = MOVES[trigger]
    here = and_(jobs.c.id == job_id, jobs.c.state.in_([state.value for state in sources]))
    written = {
        "state": target.value,
        "intent": intent.value,
        "failure": None if failure is None else failure.to_json(),
        "updated_at": datetime.now(UTC),
        **values,
    }
    if connection.execute(update(jobs).where(here).values(**written)).rowcount != 1:
        return False
    actions.settle(connection, job_id, target, failure)
    return True


def intend(connection: Connection, job_id: str, intent: Intent, *, states: frozenset[State]) -> bool:
    """Says what is wanted of the workers. False, and nothing, if the job is in none of these states."""
    here = and_(jobs.c.id == job_id, jobs.c.state.in_([state.value for state in states]))
    return connection.execute(update(jobs).where(here).values(intent=intent.value)).rowcount == 1


def enter(
    connection: Connection,
    job_id: str,
    state: State,
    *,
    epoch: int,
    failure: Failure | None = None,
    rests: bool = False,
) -> bool:
    """Moves a job to a state, on behalf of the worker of that epoch. False, and nothing, if it was overtaken, or
    if the job is where no worker's word counts any more.

    rests   nobody works at it behind this
    """
    mine = select(leases.c.epoch).where(leases.c.job_id == job_id).scalar_subquery() == epoch
    here = and_(jobs.c.id == job_id, mine, jobs.c.state.in_([source.value for source in predecessors(state)]))
    values: dict[str, Any] = {
        "state": state.value,
        "failure": None if failure is None else failure.to_json(),
        "updated_at": datetime.now(UTC),
    }
    if rests:
        # What was asked for meanwhile still counts.
        carried_out = jobs.c.intent.in_([Intent.RUN.value, Intent.PAUSE.value])
        values["intent"] = case((carried_out, Intent.REST.value), else_=jobs.c.intent)
    if connection.execute(update(jobs).where(here).values(**values)).rowcount != 1:
        return False
    # A job that is shown as failed because a network is away is still being worked at.
    if rests or state not in (State.INCREMENTAL_FAILED, State.STARTING):
        actions.settle(connection, job_id, state, failure)
    return True


def intent_of(connection: Connection, job_id: str) -> Intent | None:
    """What is wanted of the workers; None: of a job of `opendrs run` nothing is written down."""
    query = select(jobs.c.intent).where(jobs.c.id == job_id, jobs.c.project_id.is_not(None))
    word = connection.execute(query).scalar()
    return None if word is None else Intent(word)


def remove(connection: Connection, job_id: str) -> None:
    """Forgets a job with all that belongs to it. Its worker, if there is one, finds its lease lost."""
    # The lease first, as everybody locks them: in the other order two would wait for each other.
    connection.execute(delete(leases).where(leases.c.job_id == job_id))
    connection.execute(delete(jobs).where(jobs.c.id == job_id))


# passwords and private keys


def seal_secret(connection: Connection, job_id: str, name: str, sealed: str | None) -> None:
    """Keeps a sealed secret; None: there is none any more."""
    connection.execute(delete(secrets).where(secrets.c.job_id == job_id, secrets.c.name == name))
    if sealed is not None:
        connection.execute(secrets.insert().values(job_id=job_id, name=name, sealed=sealed))


def keep_secrets(connection: Connection, seal: Seal, job_id: str, side: Side, *, password: Secret, key: Secret) -> None:
    """Seals the password and the private key of one side of a job; an empty one is none."""
    for name, secret in ((password_name(side), password), (key_name(side), key)):
        plain = secret.reveal()
        sealed = seal.seal(plain, about_secret(job_id, name)) if plain else None
        seal_secret(connection, job_id, name, sealed)


def sealed_secrets(connection: Connection, job_id: str) -> dict[str, str]:
    """The sealed passwords and keys of a job, by name."""
    query = select(secrets.c.name, secrets.c.sealed).where(secrets.c.job_id == job_id)
    return {row.name: row.sealed for row in connection.execute(query)}


def _row(job: Job, name: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": job.id,
        "name": name,
        "source": str(job.source),
        "target": str(job.target),
        "task": job.task,
        "selection": job.selection.to_json(),
        "policy": job.policy.to_json(),
        "created_at": now,
        "updated_at": now,
    }


def places_of(end: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What an end can be found by, from its facts as the API says them: address and instance id."""
    inner = (end or {}).get("endpoint") or {}
    return tuple(str(inner[name]) for name in ("ip", "instance_id") if inner.get(name))


def _places(places: tuple[str, ...]) -> str:
    return f" {' '.join(places).lower()} " if places else ""


def _narrowed(query: Select[Any], project_id: str, wanted: Wanted) -> Select[Any]:
    query = query.where(jobs.c.project_id == project_id)
    exact = {
        jobs.c.job_type: wanted.job_type,
        jobs.c.engine_type: wanted.engine_type,
        jobs.c.net_type: wanted.net_type,
        jobs.c.state: None if wanted.state is None else wanted.state.value,
    }
    for column, value in exact.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.name:
        # As published, `name` searches names and ids.
        part = wanted.name.lower()
        query = query.where(or_(jobs.c.name_key.contains(part, autoescape=True), jobs.c.id == wanted.name))
    if wanted.place:
        query = query.where(jobs.c.places.contains(wanted.place.lower(), autoescape=True))
    if wanted.instances:
        has = [jobs.c.places.contains(f" {one.lower()} ", autoescape=True) for one in wanted.instances]
        query = query.where(or_(*has))
    return query


def _head(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "task": cast(Task, row["task"]),
        "state": State(row["state"]),
        "intent": Intent(row["intent"]),
        "failure": None if row["failure"] is None else Failure.from_json(row["failure"]),
        "revision": row["revision"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "project_id": row["project_id"],
        "description": row["description"] or "",
        "job_type": row["job_type"] or "",
        "engine_type": row["engine_type"] or "",
        "job_direction": row["job_direction"] or "",
        "net_type": row["net_type"] or "",
        "facts": row["facts"],
        "starts_at": row["starts_at"],
    }


def _record(row: RowMapping) -> JobRecord:
    return JobRecord(
        **_head(row),
        source=row["source"],
        target=row["target"],
        selection=Selection.from_json(row["selection"]),
        policy=Policy.from_json(row["policy"]),
    )
