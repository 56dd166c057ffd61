"""What a job replicates, as lists for files: the tables that are there, what the last choice changes, keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from opendrs.control.asking import Asking, job_head, link
from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.selection import Selection
from opendrs.store import actions, compare_keys, jobs, progress
from opendrs.store.compare_keys import CompareKeys

Tables = dict[TableName, TableName]
"""By name at the source, the name at the target, as it is chosen: for Kafka the topic, where one was. A name without a
table is a whole database."""

FileKind = Literal["json", "xls", "xlsx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """files: of which kind the job's own files are."""

    files: FileKind
    tables: Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    files: FileKind
    added: Tables
    removed: Tables


def replicated(asking: Asking, job_id: str) -> Listed:
    """The tables that have been loaded."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        selection = jobs.selection_of(connection, head.id)
        tables = {name: arrives(selection, name) for name in _loaded(connection, head.id)}
        return Listed(files=_files(connection, head.id, link(head).files), tables=tables)


def changes(asking: Asking, job_id: str) -> Changes | None:
    """What was chosen last and is not loaded, and what is loaded and not chosen any more; None: nothing was chosen."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        saved = actions.latest(connection, head.id, Kind.OBJECTS, status="success")
        if saved is None:
            return None
        before = jobs.selection_of(connection, head.id)  # that of a job that follows, until it is edited
        loaded = set(_loaded(connection, head.id))
        files = _files(connection, head.id, link(head).files)
    new, there = Selection.from_json(saved.params["selection"]), {name.schema for name in loaded}
    coming = [name for name in named(new) if name not in loaded and (name.table or name.schema not in there)]
    return Changes(
        files=files,
        added={name: arrives(new, name) for name in coming},
        removed={name: arrives(before, name) for name in sorted(loaded) if not new.wants(name)},
    )


def keys(asking: Asking, job_id: str) -> CompareKeys:
    """The keys that were imported for comparison."""
    with asking.store.read() as connection:
        return compare_keys.load(connection, job_head(asking, connection, job_id).id)


def named(selection: Selection) -> Iterator[TableName]:
    """What a selection names: whole databases, then tables."""
    yield from (TableName(name, "") for name in sorted(selection.databases))
    yield from sorted(selection.tables)


def arrives(selection: Selection, name: TableName) -> TableName:
    """Where something of the source arrives."""
    if not name.table:
        return TableName(selection.topics.get(name) or selection.schemas.get(name.schema, name.schema), "")
    target = selection.target(name)
    return TableName(target.schema, selection.topic(name) or target.table)


def tree(tables: Mapping[TableName, TableName]) -> dict[str, Any]:
    """DbObject of them."""
    info: dict[str, Any] = {}
    for name, target in tables.items():
        if not name.table:
            info[name.schema] = {"name": target.schema, "all": True}
            continue
        database = info.setdefault(name.schema, {"name": target.schema or name.schema, "all": False, "tables": {}})
        database["tables"][name.table] = {"name": target.table or name.table, "type": "table"}
    return {"object_scope": "table", "object_info": info}


def _loaded(connection: Connection, job_id: str) -> list[TableName]:
    return [table.name for table in progress.tables(connection, job_id) if table.state == "loaded"]


def _files(connection: Connection, job_id: str, format: str) -> FileKind:
    """As the last file that was uploaded; else the newer kind of workbooks."""
    if format == "json":
        return "json"
    last = actions.latest(connection, job_id, Kind.IMPORT)
    return "xls" if last is not None and last.params["kind"] == "xls" else "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A table, or a database as a whole, and where it arrives.

    database  of the target; empty: it has none (Kafka)
    target    for Kafka there is no schema, and the topic is the table; empty: the policy says which
    columns   whether its columns are mapped, left out or more than at the source
    """

    source: TableName
    database: str
    target: TableName
    columns: bool


def mappings(asking: Asking, job_id: str) -> list[Mapped]:
    """What the selection names, and what of databases chosen as a whole is replicated already; by name."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        selection = jobs.selection_of(connection, head.id)
        endpoint = (head.facts or {}).get("target_endpoint", {}).get("endpoint", {})
        loaded = [name for name in _loaded(connection, head.id) if selection.wants(name)]
    topics = link(head).target == "kafka"
    there = {name.schema for name in loaded}
    names = {name for name in named(selection) if name.table or name.schema not in there} | set(loaded)
    database = selection.root or endpoint.get("db_name") or ""
    return [
        Mapped(
            source=name,
            database="" if topics else database,
            target=_topic(selection, name) if topics else arrives(selection, name),
            columns=bool(selection.rule(name).columns or selection.rule(name).extras),
        )
        for name in sorted(names)
    ]


def _topic(selection: Selection, name: TableName) -> TableName:
    return TableName("", selection.topic(name) or "")
