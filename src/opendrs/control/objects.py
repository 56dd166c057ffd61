"""Objects on the wire: the tree of databases and tables, as it is chosen and as it is listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from opendrs.control.asking import shown
from opendrs.control.reading import LIST_MAX, Wire, one_of
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.publishing import legal
from opendrs.model.selection import Selection

SCOPES: Final = ("all", "database", "table")
NAME_MAX: Final = 64  # MySQL's longest; PostgreSQL's 63 bytes are looked at by the prechecks
TYPES: Final = ("source", "modified", "synchronized")


class TableObject(Wire):
    """What is chosen of a table."""

    name: str | None = None
    type: str = "table"
    all: bool | None = None
    db_alias_name: str | None = None
    schema_alias_name: str | None = None
    filtered: bool | None = None
    filter_conditions: list[str] | None = None
    config_conditions: list[str] | None = None
    columns: dict[str, dict[str, Any]] | None = None
    sync_type: str | None = None
    is_synchronized: bool | None = None


class DatabaseObject(Wire):
    """What is chosen of a database. `all`: everything in it, now and later."""

    name: str | None = None
    all: bool | None = None
    schemas: dict[str, dict[str, Any]] | None = None
    tables: dict[str, TableObject] | None = None
    sync_type: str | None = None
    is_synchronized: bool | None = None
    total_table_num: int | None = None


class DbObject(Wire):
    """What is chosen of a server."""

    object_scope: str
    target_root_db: dict[str, Any] | None = None
    object_info: dict[str, DatabaseObject] | None = Field(None)


def selection(asked: DbObject, target: EngineName) -> Selection:
    """What it means. For a Kafka target the name that a database or a table is given is that of a topic.

    Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED.
    """
    scope = one_of("db_object.object_scope", asked.object_scope, SCOPES)
    if asked.target_root_db:
        raise DrsError(Fault.UNSUPPORTED, what="target_root_db")
    if scope == "all":
        if asked.object_info:
            reason = "with the scope all there is nothing to choose"
            raise DrsError(Fault.PARAMETER_INVALID, name="db_object.object_info", reason=reason)
        return Selection()
    if not asked.object_info:
        raise DrsError(Fault.PARAMETER_EMPTY, name="db_object.object_info")
    kafka = target == "kafka"
    databases: set[str] = set()
    tables: set[TableName] = set()
    for name, database in asked.object_info.items():
        _demand_name(name)
        _refuse_database(name, database)
        if database.all or (scope == "database" and not database.tables):
            if database.tables:
                reason = f"{shown(name)} is chosen as a whole, and tables of it as well"
                raise DrsError(Fault.PARAMETER_INVALID, name="db_object.object_info", reason=reason)
            databases.add(name)
            continue
        chosen = database.tables or {}
        if not chosen:
            reason = f"of {shown(name)} nothing is chosen: set `all`, or name tables"
            raise DrsError(Fault.PARAMETER_INVALID, name="db_object.object_info", reason=reason)
        tables |= {_table(name, table, facts, renamed=kafka) for table, facts in chosen.items()}
    return Selection(
        databases=frozenset(databases),
        tables=frozenset(tables),
        schemas={} if kafka else _schemas(asked.object_info),
        topics=_topics(asked.object_info) if kafka else {},
    )


def _schemas(info: Mapping[str, DatabaseObject]) -> dict[str, str]:
    """Databases that arrive under another name."""
    found = {}
    for name, database in info.items():
        if database.name and database.name != name:
            _demand_name(database.name)
            found[name] = database.name
    return found


def _topics(info: Mapping[str, DatabaseObject]) -> dict[TableName, str]:
    """Of whole databases, and of single tables: where their name is another one."""
    found = {}
    for name, database in info.items():
        if database.name and database.name != name:
            found[TableName(name, "")] = _topic(database.name)
        for table, facts in (database.tables or {}).items():
            if facts.name and facts.name != table:
                found[TableName(name, table)] = _topic(facts.name)
    return found


def _table(database: str, table: str, facts: TableObject, *, renamed: bool) -> TableName:
    """`renamed`: it may be given another name."""
    _demand_name(table)
    place = f"{shown(database)}.{shown(table)}"
    if one_of("type", facts.type, ("table", "view", "procedure")) == "procedure":
        raise DrsError(Fault.UNSUPPORTED, what=f"{place}: replicating procedures")
    other = facts.name and facts.name != table and not renamed
    if other or facts.db_alias_name or facts.schema_alias_name:
        raise DrsError(Fault.UNSUPPORTED, what=f"{place}: another name for a single table")
    if facts.filtered or facts.filter_conditions or facts.config_conditions:
        raise DrsError(Fault.UNSUPPORTED, what=f"{place}: row filters")
    if facts.columns:
        raise DrsError(Fault.UNSUPPORTED, what=f"{place}: column rules")
    if facts.sync_type:
        raise DrsError(Fault.UNSUPPORTED, what=f"{place}: sync_type {shown(facts.sync_type)}")
    return TableName(database, table)


def _topic(name: str) -> str:
    if not legal(name):
        reason = f"{shown(name)!r} is no name of a topic (1 to 249 letters, digits, `.`, `_` and `-`)"
        raise DrsError(Fault.PARAMETER_INVALID, name="db_object.object_info", reason=reason)
    return name


def _refuse_database(name: str, database: DatabaseObject) -> None:
    if database.schemas:
        reason = f"{shown(name)} is a database of MySQL, which has no schemas"
        raise DrsError(Fault.PARAMETER_INVALID, name="db_object.object_info", reason=reason)
    if database.sync_type:
        raise DrsError(Fault.UNSUPPORTED, what=f"{shown(name)}: sync_type {shown(database.sync_type)}")


def _demand_name(name: str, where: str = "db_object.object_info") -> None:
    if not name or len(name) > NAME_MAX or not name.isprintable():
        reason = f"{shown(name)!r} is no name of a database or table"
        raise DrsError(Fault.PARAMETER_INVALID, name=where, reason=reason)


def demand_databases(names: Sequence[str]) -> tuple[str, ...]:
    """Names of databases that a listing is about. Raises PARAMETER_INVALID."""
    if len(names) > LIST_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name="db_names", reason=f"there are more than {LIST_MAX}")
    for name in names:
        _demand_name(name, "db_names")
    return tuple(names)


def listed(result: Mapping[str, Any]) -> dict[str, Any]:
    """The tree of what the source has, as worker.errands.collect found it."""
    return {
        "object_scope": "table",
        "max_table_num": result["most"],
        "object_info": {
            database: {
                "name": database,
                "all": False,
                "total_table_num": found["total"],
                "tables": {table: {"name": table, "type": kind, "all": False} for table, kind in found["tables"]},
            }
            for database, found in result["databases"].items()
        },
    }
