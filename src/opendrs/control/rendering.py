"""A selection as the tree that would choose it: whatever way a rule has come, it is shown here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from opendrs.control.objects import ADDITIONAL, CONFIG
from opendrs.model.catalog import TableName
from opendrs.model.rules import NO_RULE, Dml, ExtraColumn, JoinedTable, TableRule
from opendrs.model.selection import Selection

Synchronized = Callable[[TableName], bool]
LETTERS: Final = "iud"


def rendered(selection: Selection, synchronized: Synchronized | None = None) -> dict[str, Any]:
    """DbObject. Reading it makes the same selection again, but for numbers of filters.

    synchronized   whether a table is replicated already; None: it is not told
    """
    tables: dict[str, dict[str, Any]] = {}
    for name in _told_of(selection):
        tables.setdefault(name.schema, {})[name.table] = _table(selection, name, synchronized)
    info = {
        database: _database(selection, database, tables.get(database, {})) for database in _homes(selection, tables)
    }
    scope = "all" if selection.everything else "table" if selection.tables else "database"
    return {
        "object_scope": scope,
        **({"target_root_db": {"db_name": selection.root}} if selection.root else {}),
        **({"object_info": info} if info else {}),
        **({"excluded": list(selection.excluded)} if selection.excluded else {}),
    }


def _told_of(selection: Selection) -> list[TableName]:
    """Tables that have a place of their own in the tree."""
    mapped = {name for name in selection.topics if name.table}
    return sorted({*selection.tables, *selection.rules, *mapped, *selection.joined})


def _homes(selection: Selection, tables: dict[str, dict[str, Any]]) -> list[str]:
    mapped = {name.schema for name in selection.topics if not name.table}
    chosen = {*selection.databases, *tables}
    return sorted(chosen | set(selection.schemas) | mapped if selection.everything else chosen)


def _database(selection: Selection, name: str, tables: dict[str, Any]) -> dict[str, Any]:
    if tables and all(table.get("sync_type") for table in tables.values()) and not selection.wants_database(name):
        return {"sync_type": CONFIG, "tables": tables}
    whole = selection.everything or name in selection.databases
    found: dict[str, Any] = {"name": database_name(selection, name), "all": whole}
    return {**found, "tables": tables} if tables else found


def _table(selection: Selection, name: TableName, synchronized: Synchronized | None) -> dict[str, Any]:
    joined = selection.joined.get(name)
    if joined is not None and not selection.wants(name):
        return {
            "sync_type": CONFIG,
            "columns": _joined(joined),
            **({"config_conditions": [joined.condition]} if joined.condition else {}),
        }
    rule = selection.rules.get(name, NO_RULE)
    columns = _columns(rule)
    for column, facts in (_joined(joined) if joined else {}).items():
        columns[column] = facts | columns.get(column, {})
    found: dict[str, Any] = {
        "name": selection.topics.get(name, rule.table or name.table),
        "type": "view" if name in selection.views else "table",
        **said(rule),
    }
    if joined is not None and joined.condition:
        found["config_conditions"] = [joined.condition]
    if columns:
        found["columns"] = columns
    if synchronized is not None:
        found["is_synchronized"] = synchronized(name)
    return found


def said(rule: TableRule) -> dict[str, Any]:
    """Of TableObject, what a rule says, but for the name."""
    columns = _columns(rule)
    return {
        "all": not rule.columns,
        **({"db_alias_name": rule.schema} if rule.schema else {}),
        **({"filtered": True, "filter_conditions": [rule.written]} if rule.written else {}),
        **({"columns": columns} if columns else {}),
        **({"dml": letters(rule.dml)} if rule.dml is not None else {}),
    }


def _columns(rule: TableRule) -> dict[str, Any]:
    found = {name: _column(name, target) for name, target in rule.columns.items()}
    return found | {extra.name: _extra(extra) for extra in rule.extras}


def _column(name: str, target: str | None) -> dict[str, Any]:
    return {"name": name, "filtered": False} if target is None else {"name": target, "filtered": True}


def _extra(extra: ExtraColumn) -> dict[str, Any]:
    return {
        "name": extra.name,
        "type": extra.type,
        "additional": True,
        "operation_type": f"{ADDITIONAL}{extra.kind}",
        "value": extra.value,
    }


def _joined(joined: JoinedTable) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in dict.fromkeys((*joined.columns, *joined.key, *joined.indexes)):
        columns[name] = {
            "name": name,
            "sync_type": CONFIG,
            **({"primary_key_for_data_filtering": name} if name in joined.key else {}),
            **({"index_for_data_filtering": name} if name in joined.indexes else {}),
        }
    return columns


def letters(dml: frozenset[Dml]) -> str:
    """The changes that are carried over: `i,u`."""
    return ",".join(letter for letter in LETTERS if letter in dml)


def database_name(selection: Selection, name: str) -> str:
    """Under which name a database arrives; for Kafka, in which topic."""
    return selection.topics.get(TableName(name, "")) or selection.schemas.get(name, name)


def arrival(selection: Selection, name: TableName) -> str:
    """Under which name a table arrives, as people write it; for Kafka, in which topic."""
    topic = selection.topic(name)
    return topic or str(selection.target(name))


def ruled(selection: Selection) -> Iterator[tuple[TableName, TableRule]]:
    """Tables of which something is said, in the order of their names."""
    return ((name, selection.rules[name]) for name in sorted(selection.rules))
