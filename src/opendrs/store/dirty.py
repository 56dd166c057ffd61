"""Rows that did not come into the target as the source has them: the newest of each job, and how many there were."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, select

from opendrs.model.catalog import TableName
from opendrs.model.dirty import DirtyKind, DirtyOp, DirtyPhase, DirtyRow, Resolved
from opendrs.store.tables import dirty_counts, dirty_rows
from opendrs.store.upsert import insert as insert_or

# Of a job, at least so many of the newest rows are kept, and twice as many at most. A row that is met once more behind
# so many others would be counted twice; what is recorded between two flushes is far less.
KEPT: Final = 10_000
STATEMENT_MAX: Final = 1 << 16  # characters; a longer one is cut
_PRUNED_EVERY: Final = 1_000
_AT_ONCE: Final = 500  # SQLite takes no list of any length


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDirtyRow:
    id: int
    row: DirtyRow


def save(connection: Connection, job_id: str, rows: Sequence[DirtyRow]) -> int:
    """Remembers rows; those that are there already stay as they are. Returns how many were new."""
    known = {digest(row): row for row in rows}
    fresh = dict(known)
    for portion in _portions(list(known)):
        mine = and_(dirty_rows.c.job_id == job_id, dirty_rows.c.digest.in_(portion))
        for found in connection.execute(select(dirty_rows.c.digest).where(mine)).scalars():
            del fresh[found]
    if not fresh:
        return 0
    connection.execute(insert(dirty_rows), [_written(job_id, key, row) for key, row in fresh.items()])
    for (phase, resolved), count in Counter((row.phase, row.resolved) for row in fresh.values()).items():
        _count(connection, job_id, phase, resolved, count)
    total = sum(counts(connection, job_id).values())
    if total // _PRUNED_EVERY != (total - len(fresh)) // _PRUNED_EVERY:
        _prune(connection, job_id)
    return len(fresh)


def digest(row: DirtyRow) -> str:
    """Positions can be long. Tables that come to a job are read from the same places of the log as the others, beside
    them."""
    return hashlib.sha256(f"{row.table.schema}\n{row.table.table}\n{row.key}".encode()).hexdigest()


def page(
    connection: Connection,
    job_id: str,
    phase: DirtyPhase,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    limit: int,
    offset: int,
) -> tuple[list[SavedDirtyRow], int]:
    """Rows in portions, the newest first, and how many there are: without a time those included that are not kept."""
    mine = _within(job_id, phase, begin, end)
    if begin is None and end is None:
        total = sum(count for (of, _), count in counts(connection, job_id).items() if of == phase)
    else:
        total = connection.execute(select(func.count()).where(mine)).scalar() or 0
    query = select(dirty_rows).where(mine).order_by(dirty_rows.c.id.desc()).limit(limit).offset(offset)
    return [_saved(row) for row in connection.execute(query).mappings()], total


def counts(connection: Connection, job_id: str) -> dict[tuple[DirtyPhase, Resolved], int]:
    """How many there have been, by phase and what became of them."""
    query = select(dirty_counts).where(dirty_counts.c.job_id == job_id)
    return {
        (cast(DirtyPhase, row["phase"]), cast(Resolved, row["resolved"])): row["rows"]
        for row in connection.execute(query).mappings()
    }


def clear(connection: Connection, job_id: str) -> None:
    """The target has none of the job's rows any more."""
    for table in (dirty_rows, dirty_counts):
        connection.execute(delete(table).where(table.c.job_id == job_id))


def _within(job_id: str, phase: DirtyPhase, begin: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    found = [dirty_rows.c.job_id == job_id, dirty_rows.c.phase == phase]
    if begin is not None:
        found.append(dirty_rows.c.at >= begin)
    if end is not None:
        found.append(dirty_rows.c.at <= end)
    return and_(*found)


def _count(connection: Connection, job_id: str, phase: DirtyPhase, resolved: Resolved, more: int) -> None:
    row = {"job_id": job_id, "phase": phase, "resolved": resolved, "rows": more}
    statement = insert_or(connection, dirty_counts).values(**row)
    key = ["job_id", "phase", "resolved"]
    added = {"rows": dirty_counts.c.rows + statement.excluded["rows"]}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=added))


def _prune(connection: Connection, job_id: str) -> None:
    mine = dirty_rows.c.job_id == job_id
    newest = select(dirty_rows.c.id).where(mine).order_by(dirty_rows.c.id.desc()).limit(1)
    if connection.execute(newest.offset(2 * KEPT - _PRUNED_EVERY)).scalar() is None:
        return
    last = connection.execute(newest.offset(KEPT)).scalar()
    connection.execute(delete(dirty_rows).where(mine, dirty_rows.c.id <= last))


def _portions(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    return (digests[start : start + _AT_ONCE] for start in range(0, len(digests), _AT_ONCE))


def _written(job_id: str, key: str, row: DirtyRow) -> Mapping[str, Any]:
    return {
        "job_id": job_id,
        "digest": key,
        "phase": row.phase,
        "schema_name": row.table.schema,
        "table_name": row.table.table,
        "op": row.op,
        "kind": row.kind,
        "resolved": row.resolved,
        "reason": cut(row.reason),
        "statement": cut(row.statement),
        "at": row.at,
    }


def cut(text: str) -> str:
    """What a store takes, and no more of it than anybody reads."""
    storable = text.replace("\0", "\u2400").encode("utf-8", "replace").decode()
    return storable if len(storable) <= STATEMENT_MAX else f"{storable[: STATEMENT_MAX - 3]}..."


def _saved(row: RowMapping) -> SavedDirtyRow:
    found = DirtyRow(
        key=row["digest"],
        table=TableName(row["schema_name"], row["table_name"]),
        op=cast(DirtyOp, row["op"]),
        kind=cast(DirtyKind, row["kind"]),
        reason=row["reason"],
        statement=row["statement"],
        resolved=cast(Resolved, row["resolved"]),
        at=row["at"],
        phase=cast(DirtyPhase, row["phase"]),
    )
    return SavedDirtyRow(id=row["id"], row=found)
