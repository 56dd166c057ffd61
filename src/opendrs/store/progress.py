"""How a job is getting on, written about once a second: facts for people, never for correctness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
)

from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import Intent
from opendrs.store.tables import jobs, progress, table_progress
from opendrs.store.upsert import upsert

TableState = Literal["waiting", "loading", "loaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCounts:
    """The load of one table. Estimates are the source's own, and as wrong as such estimates are.

    nbytes          size of the rows in memory
    bytes_estimate  size of the table at the source: comparable with those of other tables, not with nbytes
    """

    name: TableName
    state: TableState
    rows: int = 0
    nbytes: int = 0
    rows_estimate: int = 0
    bytes_estimate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedProgress:
    """`counters` are as worker.report writes them."""

    counters: Mapping[str, Any]
    updated_at: datetime


# Statements of every request are made once: making one takes as long as running it.
_JOB: Final[BindParameter[str]] = bindparam("job")
_ONE: Final = select(progress).where(progress.c.job_id == _JOB)
_COUNT: Final = select(func.count()).where(table_progress.c.job_id == _JOB)
_PAGE: Final = (
    select(table_progress)
    .where(table_progress.c.job_id == _JOB)
    .order_by(table_progress.c.schema_name, table_progress.c.table_name)
    .limit(bindparam("most", type_=Integer))
    .offset(bindparam("behind", type_=Integer))
)


def save(connection: Connection, job_id: str, counters: Mapping[str, Any]) -> None:
    upsert(connection, progress, {"job_id": job_id, "counters": dict(counters), "updated_at": datetime.now(UTC)})


def load(connection: Connection, job_id: str) -> SavedProgress | None:
    row = connection.execute(_ONE, {"job": job_id}).mappings().first()
    return None if row is None else SavedProgress(counters=row["counters"], updated_at=row["updated_at"])


def of_working(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """The counters of every job of the service that is wanted to run, by id."""
    query = select(progress.c.job_id, progress.c.counters).join(jobs, jobs.c.id == progress.c.job_id)
    query = query.where(jobs.c.project_id.is_not(None), jobs.c.intent == Intent.RUN.value)
    return {row.job_id: row.counters for row in connection.execute(query)}


def save_tables(connection: Connection, job_id: str, tables: Iterable[TableCounts]) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "job_id": job_id,
            "schema_name": table.name.schema,
            "table_name": table.name.table,
            "rows": table.rows,
            "bytes": table.nbytes,
            "rows_estimate": table.rows_estimate,
            "bytes_estimate": table.bytes_estimate,
            "state": table.state,
            "updated_at": now,
        }
        for table in tables
    ]
    upsert(connection, table_progress, rows)


def forget_tables(connection: Connection, job_id: str, names: Iterable[TableName] | None = None) -> None:
    """Takes tables out; all of them without `names`."""
    if names is None:
        connection.execute(delete(table_progress).where(table_progress.c.job_id == job_id))
        return
    for name in names:
        connection.execute(
            delete(table_progress).where(
                and_(
                    table_progress.c.job_id == job_id,
                    table_progress.c.schema_name == name.schema,
                    table_progress.c.table_name == name.table,
                )
            )
        )


def tables(connection: Connection, job_id: str, *, limit: int | None = None) -> list[TableCounts]:
    """The tables of a job: first those being loaded, then those that wait, then the rest; large ones first."""
    t = table_progress.c
    order = case({"loading": 0, "waiting": 1}, value=t.state, else_=2)
    query = select(table_progress).where(t.job_id == job_id)
    query = query.order_by(order, t.bytes_estimate.desc(), t.schema_name, t.table_name).limit(limit)
    return [_counts(row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCounts:
    """The load of all tables of one database; `done` of 1 is all of it, weighted by size."""

    name: str
    tables: int
    loaded: int
    done: float


def page_tables(
    connection: Connection, job_id: str, *, search: str = "", limit: int, offset: int
) -> tuple[list[TableCounts], int]:
    """Tables by name, in portions, and how many there are; `search`: part of the name of table or database."""
    count, rows = (_COUNT.where(_found(search)), _PAGE.where(_found(search))) if search else (_COUNT, _PAGE)
    total = connection.execute(count, {"job": job_id}).scalar() or 0
    page = {"job": job_id, "most": limit, "behind": offset}
    return [_counts(row) for row in connection.execute(rows, page).mappings()], total


def page_databases(
    connection: Connection, job_id: str, *, search: str = "", limit: int, offset: int
) -> tuple[list[DatabaseCounts], int]:
    """The same of databases."""
    t = table_progress.c
    mine = t.job_id == job_id
    if search:
        mine = and_(mine, func.lower(t.schema_name).contains(search.lower(), autoescape=True))
    total = connection.execute(select(func.count(t.schema_name.distinct())).where(mine)).scalar() or 0
    weight = case((t.bytes_estimate > 0, t.bytes_estimate), else_=1)
    estimate = case((t.rows_estimate > t.rows, t.rows_estimate), else_=t.rows + 1)
    part = case((t.state == "loaded", 1.0), else_=1.0 * t.rows / estimate)
    query = select(
        t.schema_name,
        func.count().label("tables"),
        func.sum(case((t.state == "loaded", 1), else_=0)).label("loaded"),
        (func.sum(part * weight) / func.sum(weight)).label("done"),
    ).where(mine)
    query = query.group_by(t.schema_name).order_by(t.schema_name).limit(limit).offset(offset)
    found = [
        DatabaseCounts(name=row.schema_name, tables=row.tables, loaded=int(row.loaded), done=float(row.done))
        for row in connection.execute(query)
    ]
    return found, total


def _found(search: str) -> ColumnElement[bool]:
    t, part = table_progress.c, search.lower()
    in_table = func.lower(t.table_name).contains(part, autoescape=True)
    return or_(in_table, func.lower(t.schema_name).contains(part, autoescape=True))


def count_databases(connection: Connection, job_id: str) -> int:
    """How many databases have tables of the job."""
    t = table_progress.c
    return connection.execute(select(func.count(t.schema_name.distinct())).where(t.job_id == job_id)).scalar() or 0


def count_tables(connection: Connection, job_id: str) -> dict[TableState, int]:
    """How many tables are in each state."""
    t = table_progress.c
    query = select(t.state, func.count()).where(t.job_id == job_id).group_by(t.state)
    return {cast(TableState, state): count for state, count in connection.execute(query)}


def _counts(row: RowMapping) -> TableCounts:
    return TableCounts(
        name=TableName(row["schema_name"], row["table_name"]),
        state=cast(TableState, row["state"]),
        rows=row["rows"],
        nbytes=row["bytes"],
        rows_estimate=row["rows_estimate"],
        bytes_estimate=row["bytes_estimate"],
    )
