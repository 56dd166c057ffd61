"""What was asked of jobs, and what came of it. Also the queue of errands: whoever takes a waiting one does it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, func, insert, select, update

from opendrs.model.action import STARTS, Action, Kind, Status
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import State
from opendrs.store.leases import Holder
from opendrs.store.tables import actions

KEPT: Final = 1_000  # of a job; the oldest go first
OPEN: Final = ("waiting", "running")

_TAKING: Final = 4408215937  # the advisory lock of who takes an errand

# Statements of every request are made once: making one takes as long as running it.
_OPEN_KINDS: Final = (
    select(actions.c.job_id, actions.c.kind)
    .where(actions.c.job_id.in_(bindparam("jobs", expanding=True)), actions.c.status.in_(OPEN))
    .order_by(actions.c.asked_at.desc())
)
_FIND: Final = select(actions).where(actions.c.job_id == bindparam("job"), actions.c.id == bindparam("key"))


def ask(
    connection: Connection,
    job_id: str,
    kind: Kind,
    user: str,
    *,
    revision: int,
    status: Status = "running",
    params: Mapping[str, Any] | None = None,
    sealed: str | None = None,
) -> str:
    """Writes down what was asked; returns its id. `waiting`: for the next process that does errands."""
    key, now = str(uuid.uuid4()), datetime.now(UTC)
    row = {
        "id": key,
        "job_id": job_id,
        "kind": kind.value,
        "user_name": user,
        "status": status,
        "params": dict(params or {}),
        "sealed": sealed,
        "revision": revision,
        "asked_at": now,
        "ended_at": None if status in OPEN else now,
    }
    connection.execute(insert(actions).values(**row))
    _prune(connection, job_id)
    return key


def find(connection: Connection, job_id: str, key: str) -> Action | None:
    row = connection.execute(_FIND, {"job": job_id, "key": key}).mappings().first()
    return None if row is None else _action(row)


def outcome(connection: Connection, job_id: str, key: str) -> tuple[Status, Failure | None] | None:
    """How an action stands, and how it has failed, without what was asked: that may be large. None: it is not there."""
    columns = (actions.c.status, actions.c.failure)
    row = connection.execute(select(*columns).where(actions.c.job_id == job_id, actions.c.id == key)).first()
    if row is None:
        return None
    return cast(Status, row.status), None if row.failure is None else Failure.from_json(row.failure)


def latest(connection: Connection, job_id: str, kind: Kind, *, status: Status | None = None) -> Action | None:
    """The newest of its kind."""
    query = select(actions).where(actions.c.job_id == job_id, actions.c.kind == kind.value)
    if status is not None:
        query = query.where(actions.c.status == status)
    row = connection.execute(query.order_by(actions.c.asked_at.desc()).limit(1)).mappings().first()
    return None if row is None else _action(row)


def saved_edit(connection: Connection, job_id: str) -> Action | None:
    """The last saving of other objects for a job that had begun, unless it has been asked to have them since."""
    last = latest(connection, job_id, Kind.OBJECTS, status="success")
    if last is None or last.result is None or "selection" not in last.result:
        return None
    edit = latest(connection, job_id, Kind.EDIT)
    return None if edit is not None and edit.asked_at > last.asked_at else last


def done(connection: Connection, job_id: str, kind: Kind, *, most: int) -> list[Action]:
    """The newest of its kind that succeeded, newest first."""
    query = select(actions).where(
        actions.c.job_id == job_id, actions.c.kind == kind.value, actions.c.status == "success"
    )
    rows = connection.execute(query.order_by(actions.c.asked_at.desc()).limit(most)).mappings()
    return [_action(row) for row in rows]


def latest_collection(connection: Connection, job_id: str) -> Action | None:
    """The newest listing of all databases of the source that succeeded."""
    query = select(actions).where(
        actions.c.job_id == job_id, actions.c.kind == Kind.COLLECT.value, actions.c.status == "success"
    )
    for row in connection.execute(query.order_by(actions.c.asked_at.desc())).mappings():
        if row["params"].get("type") == "source" and not row["params"].get("databases"):
            return _action(row)
    return None


def keep_result(connection: Connection, key: str, result: Mapping[str, Any]) -> None:
    """What came of an action that needed no errand, or what one that is being done has come to."""
    connection.execute(update(actions).where(actions.c.id == key).values(result=dict(result)))


def pending(connection: Connection, job_id: str, kinds: Collection[Kind]) -> list[Action]:
    """Those of these kinds that are not over, oldest first."""
    query = select(actions).where(
        actions.c.job_id == job_id,
        actions.c.status.in_(OPEN),
        actions.c.kind.in_([kind.value for kind in kinds]),
    )
    return [_action(row) for row in connection.execute(query.order_by(actions.c.asked_at)).mappings()]


def open_kinds(connection: Connection, job_ids: Collection[str]) -> dict[str, list[Kind]]:
    """What is not over yet, by job, newest first."""
    found: dict[str, list[Kind]] = {}
    for row in connection.execute(_OPEN_KINDS, {"jobs": list(job_ids)}):
        found.setdefault(row.job_id, []).append(Kind(row.kind))
    return found


def page(connection: Connection, job_id: str, *, limit: int, offset: int) -> tuple[list[Action], int]:
    """The history of a job, newest first, without what came of each; and how many there are in all."""
    mine = actions.c.job_id == job_id
    total = connection.execute(select(func.count()).where(mine)).scalar() or 0
    columns = [column for column in actions.c if column.name not in ("params", "sealed", "result")]
    query = select(*columns).where(mine).order_by(actions.c.asked_at.desc(), actions.c.id)
    rows = connection.execute(query.limit(limit).offset(offset)).mappings()
    return [_action({**row, "params": {}, "sealed": None, "result": None}) for row in rows], total


def settle(connection: Connection, job_id: str, state: State, failure: Failure | None) -> None:
    """The job has come to a state: what was asked for it to come there is over, one way or the other."""
    failed: Collection[Kind] = ()
    match state:
        case State.FULL | State.INCREMENTAL:
            over: Collection[Kind] = STARTS
        case State.FULL_DONE:
            over = {Kind.STOP, *STARTS}
        case State.PAUSED:
            over = {Kind.STOP, Kind.START, Kind.RESET}
        case State.START_FAILED | State.FULL_FAILED | State.INCREMENTAL_FAILED:
            over, failed = {Kind.STOP}, STARTS
        case State.RELEASING:
            over, failed = {Kind.STOP, *STARTS}, {Kind.EDIT}
        case _:
            return
    _close(connection, job_id, over, "success", None)
    _close(connection, job_id, failed, "failed", failure)


def _close(
    connection: Connection, job_id: str, kinds: Collection[Kind], status: Status, failure: Failure | None
) -> None:
    if not kinds:
        return
    mine = and_(
        actions.c.job_id == job_id,
        actions.c.status.in_(OPEN),
        actions.c.kind.in_([kind.value for kind in kinds]),
    )
    values = {
        "status": status,
        "failure": None if failure is None else failure.to_json(),
        "ended_at": datetime.now(UTC),
    }
    connection.execute(update(actions).where(mine).values(**values))


def close(connection: Connection, key: str, status: Status = "success", failure: Failure | None = None) -> None:
    """It is over."""
    values = {"status": status, "failure": None if failure is None else failure.to_json()}
    connection.execute(update(actions).where(actions.c.id == key).values(**values, ended_at=datetime.now(UTC)))


# the queue


def waiting(connection: Connection) -> int:
    """How many errands wait."""
    return connection.execute(select(func.count()).where(actions.c.status == "waiting")).scalar() or 0


def release_to_runners(connection: Connection, key: str) -> None:
    """An errand that was held back may be done now."""
    connection.execute(
        update(actions).where(actions.c.id == key, actions.c.status == "running").values(status="waiting")
    )


def take(connection: Connection, runner: Holder) -> Action | None:
    """The errand that has waited longest; it is the runner's now. At most one of a job is done at a time."""
    if connection.dialect.name == "postgresql":
        # One after the other, as SQLite's writers are anyway: a lock on the errand alone would let another runner
        # take the next one of the same job before this one is seen to be taken.
        connection.execute(select(func.pg_advisory_xact_lock(_TAKING)))
    busy = select(actions.c.job_id).where(actions.c.status == "running", actions.c.runner.is_not(None))
    query = select(actions).where(actions.c.status == "waiting", actions.c.job_id.not_in(busy))
    query = query.order_by(actions.c.asked_at, actions.c.id).limit(1)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    values = {"status": "running", "runner": asdict(runner), "attempts": row["attempts"] + 1}
    connection.execute(update(actions).where(actions.c.id == row["id"]).values(**values))
    return _action({**row, **values})


def finish(
    connection: Connection,
    key: str,
    runner: Holder,
    *,
    result: Mapping[str, Any] | None = None,
    failure: Failure | None = None,
) -> bool:
    """The runner's word on its errand. False: it was taken away, and the word means nothing. What was noted of one
    that has failed stays."""
    if held_by(connection, key) != runner:
        return False
    values = {
        "status": "success" if failure is None else "failed",
        "result": None if result is None else dict(result),
        "failure": None if failure is None else failure.to_json(),
        "sealed": None,  # it has served
        "runner": None,
        "ended_at": datetime.now(UTC),
    }
    if failure is not None:
        del values["result"]
    connection.execute(update(actions).where(actions.c.id == key).values(**values))
    return True


def held_by(connection: Connection, key: str) -> Holder | None:
    """The runner that is at an errand; None: it is not being done."""
    query = select(actions.c.runner).where(actions.c.id == key, actions.c.status == "running")
    runner = connection.execute(query).scalar()
    return None if runner is None else Holder(**runner)


def held(connection: Connection) -> list[tuple[Action, Holder]]:
    """Every errand that is being done, and by whom."""
    query = select(actions).where(actions.c.status == "running", actions.c.runner.is_not(None))
    return [(_action(row), Holder(**row["runner"])) for row in connection.execute(query).mappings()]


def put_back(connection: Connection, key: str, runner: Holder) -> None:
    """The runner is gone: the errand waits for another one."""
    if held_by(connection, key) == runner:
        connection.execute(update(actions).where(actions.c.id == key).values(status="waiting", runner=None))


def let_go(connection: Connection, runner: Holder) -> None:
    """The runner does nothing now: whatever the store says that it is at waits for the next one, itself perhaps."""
    for action, holder in held(connection):
        if holder == runner:
            put_back(connection, action.id, runner)


def _prune(connection: Connection, job_id: str) -> None:
    mine = actions.c.job_id == job_id
    oldest = select(actions.c.asked_at).where(mine).order_by(actions.c.asked_at.desc()).offset(KEPT).limit(1)
    last = connection.execute(oldest).scalar()
    if last is not None:
        connection.execute(delete(actions).where(mine, actions.c.asked_at <= last, actions.c.status.not_in(OPEN)))


def _action(row: RowMapping | Mapping[str, Any]) -> Action:
    return Action(
        id=row["id"],
        job_id=row["job_id"],
        kind=Kind(row["kind"]),
        user=row["user_name"],
        status=cast(Status, row["status"]),
        params=row["params"],
        sealed=row["sealed"],
        revision=row["revision"],
        result=row["result"],
        failure=None if row["failure"] is None else Failure.from_json(row["failure"]),
        asked_at=row["asked_at"],
        ended_at=row["ended_at"],
        attempts=row["attempts"],
    )
