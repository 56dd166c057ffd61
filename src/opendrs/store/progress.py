"""How a job is getting on, written about once a second: facts for people, never for correctness."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
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
from opendrs.store.tables import jobs, progress, table_progress, view_progress
from opendrs.store.upsert import upsert

TableState = Literal["waiting", "loading", "loaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCounts:
    """The load of one table. Estimates are the source's own, and as wrong as such estimates are.

    nbytes          size of the rows in memory
    bytes_estimate  size of the table at the source: comparable with those of other tables, not with nbytes
    scanned         rows of the source that were looked at: where a filter leaves some out, more than `rows`
    indexes         that are to be made, keys included; indexes_made: that are there
    """

    name: TableName
    state: TableState
    rows: int = 0
    nbytes: int = 0
    rows_estimate: int = 0
    bytes_estimate: int = 0
    scanned: int = 0
    indexes: int = 0
    indexes_made: int = 0

    @property
    def done(self) -> float:
        """The share that is there, from 0 to 1. Less than 1 until the table is whole, whatever the estimate says:
        more rows than estimated are no end."""
        if self.state == "loaded":
            return 1.0
        return self.scanned / max(self.rows_estimate, self.scanned + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCounts:
    """One view of the source. `reason`: why it could not be made; empty: it is there, or its time has not come."""

    name: TableName
    made: bool
    reason: str = ""


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
            "scanned": table.scanned,
            "indexes": table.indexes,
            "indexes_made": table.indexes_made,
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
    # As in TableCounts.done.
    estimate = case((t.rows_estimate > t.scanned, t.rows_estimate), else_=t.scanned + 1)
    part = case((t.state == "loaded", 1.0), else_=1.0 * t.scanned / estimate)
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


def plan_views(connection: Connection, job_id: str, names: Collection[TableName], *, beside: bool = False) -> None:
    """These are the source's views now: new ones are not made yet, and those that are not among them are gone, unless
    these come `beside` them."""
    known = _views(connection, job_id)
    if not beside:
        _drop_views(connection, job_id, known - set(names))
    save_views(connection, job_id, [ViewCounts(name=name, made=False) for name in names if name not in known])


def save_views(connection: Connection, job_id: str, views: Iterable[ViewCounts]) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "job_id": job_id,
            "schema_name": view.name.schema,
            "view_name": view.name.table,
            "made": view.made,
            "reason": view.reason,
            "updated_at": now,
        }
        for view in views
    ]
    upsert(connection, view_progress, rows)


def forget_views(connection: Connection, job_id: str, *, kept: Callable[[TableName], bool] | None = None) -> None:
    """Takes views out, but for those that are `kept`."""
    if kept is None:
        connection.execute(delete(view_progress).where(view_progress.c.job_id == job_id))
        return
    _drop_views(connection, job_id, [name for name in _views(connection, job_id) if not kept(name)])


def _views(connection: Connection, job_id: str) -> set[TableName]:
    query = select(view_progress.c.schema_name, view_progress.c.view_name).where(view_progress.c.job_id == job_id)
    return {TableName(row.schema_name, row.view_name) for row in connection.execute(query)}


def _drop_views(connection: Connection, job_id: str, names: Iterable[TableName]) -> None:
    v = view_progress.c
    for name in names:
        mine = and_(v.job_id == job_id, v.schema_name == name.schema, v.view_name == name.table)
        connection.execute(delete(view_progress).where(mine))


def page_views(
    connection: Connection, job_id: str, *, search: str = "", limit: int, offset: int
) -> tuple[list[ViewCounts], int]:
    """Views by name, in portions, and how many there are; `search` as with tables."""
    v = view_progress.c
    mine = v.job_id == job_id
    if search:
        mine = and_(mine, _named(v.schema_name, v.view_name, search))
    total = connection.execute(select(func.count()).select_from(view_progress).where(mine)).scalar() or 0
    query = select(view_progress).where(mine).order_by(v.schema_name, v.view_name).limit(limit).offset(offset)
    found = [
        ViewCounts(name=TableName(row["schema_name"], row["view_name"]), made=row["made"], reason=row["reason"])
        for row in connection.execute(query).mappings()
    ]
    return found, total


def count_views(connection: Connection, job_id: str) -> tuple[int, int, int]:
    """How many views the source has, how many of them are there, and how many could not be made."""
    v = view_progress.c
    made = func.coalesce(func.sum(case((v.made, 1), else_=0)), 0)
    refused = func.coalesce(func.sum(case((v.reason != "", 1), else_=0)), 0)
    row = connection.execute(select(func.count(), made, refused).where(v.job_id == job_id)).one()
    return int(row[0]), int(row[1]), int(row[2])


def count_indexed(connection: Connection, job_id: str) -> int:
    """How many tables have all of their indexes."""
    t = table_progress.c
    query = select(func.count()).where(t.job_id == job_id, t.state == "loaded", t.indexes_made >= t.indexes)
    return connection.execute(query).scalar() or 0


def _found(search: str) -> ColumnElement[bool]:
    return _named(table_progress.c.schema_name, table_progress.c.table_name, search)


def _named(schema: ColumnElement[str], name: ColumnElement[str], search: str) -> ColumnElement[bool]:
    part = search.lower()
    in_name = func.lower(name).contains(part, autoescape=True)
    return or_(in_name, func.lower(schema).contains(part, autoescape=True))


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
        scanned=row["scanned"],
        indexes=row["indexes"],
        indexes_made=row["indexes_made"],
    )
