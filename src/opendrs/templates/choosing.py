"""Rows of databases and tables against what the source has: what they choose, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from opendrs.model.catalog import TableName
from opendrs.templates.layout import Mapping as MappingType
from opendrs.templates.sheets import Row

NO_SCHEMAS: Final = "the source has no schemas: Source schema stays empty"

# Of a TableObject, what a file of the level table does not say.
_OF_ROWS: Final = ("columns", "filtered", "filter_conditions", "config_conditions", "dml")

Problems = dict[int, str]
"""What is wrong, by the number of the row."""

Listing = Mapping[str, Mapping[str, str]]
"""What the source has: by database, the tables and views, each with its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where objects arrive.

    shape     schemas: a source database is a schema of the one `database`. topics: names are those of topics
    database  where the job's tables arrive now; own: the one of its endpoint. Empty: there is no such thing
    """

    shape: Literal["schemas", "topics"]
    database: str = ""
    own: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for a file.

    mapping  what the other names in it are
    mapped   they were asked for, so that each row needs them
    kept     tables that are replicated already, as which
    chosen   the tree of objects that was chosen before: such a file says nothing of columns and rows, and so what was
             said of them stays, of tables that are chosen again
    """

    target: Target
    mapping: MappingType = "table_mapping"
    mapped: bool = False
    kept: Mapping[TableName, TableName] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)


class Chooser:
    """Takes rows of the levels database and table, one by one."""

    def __init__(self, there: Listing, rules: Rules) -> None:
        self._there = there
        self._rules = rules
        # By name at the source, the row and the name at the target; of a database the latter is a schema or a topic.
        self._databases: dict[str, tuple[int, str]] = {}
        self._tables: dict[TableName, tuple[int, TableName]] = {}
        self._home: tuple[int, str] | None = None  # the database of the target, and the row that names it first

    def take(self, row: Row) -> str:
        """What is wrong with it; empty: it is taken."""
        rules, database, table = self._rules, row["source_database"], row["source_table"]
        if row["source_schema"]:
            return NO_SCHEMAS
        if problem := missing(database, table, self._there):
            return problem
        name = TableName(database, table)
        if before := (self._tables.get(name) if table else self._databases.get(database)):
            return f"row {before[0]} names the same"
        if rules.mapped and not _mapped(row, table, rules):
            return "its name at the target is missing, and the file is one with other names"
        if problem := self._elsewhere(row):
            return problem
        target = _target(row, name, rules)
        if (kept := rules.kept.get(name)) is not None and kept != target:
            return f"it is replicated already, as {named(kept)}, and keeps that name"
        if row["target_database"] and self._home is None:
            self._home = row.number, row["target_database"]
        if table:
            self._tables[name] = row.number, target
        else:
            self._databases[database] = row.number, target.schema or target.table
        return ""

    def _elsewhere(self, row: Row) -> str:
        """All that a job replicates arrives in one database, and stays there."""
        wanted = row["target_database"]
        if wanted and self._home is not None and wanted != self._home[1]:
            return f"row {self._home[0]} names the target database {self._home[1]}, and all arrive in one"
        if wanted and self._rules.kept and wanted != self._rules.target.database:
            return f"the job replicates into {self._rules.target.database}, and stays there"
        return ""

    def row_of(self, name: TableName) -> int | None:
        """The row that chooses a table, or its database (then the name of the table may be empty)."""
        found = self._tables.get(name) or self._databases.get(name.schema)
        return None if found is None else found[0]

    def tree(self) -> dict[str, Any]:
        """DbObject, as update_job takes it."""
        info = {database: self._whole(database, target) for database, (_, target) in self._databases.items()}
        by_database: dict[str, dict[str, TableName]] = {}
        for name, (_, target) in self._tables.items():
            by_database.setdefault(name.schema, {})[name.table] = target
        for database, tables in by_database.items():
            info[database] = self._tree(database, tables)
        home = self._home[1] if self._home else self._rules.target.database
        root = {"target_root_db": {"db_name": home}} if home != self._rules.target.own else {}
        return {"object_scope": "table" if by_database else "database", **root, "object_info": info}

    def _whole(self, database: str, target: str) -> dict[str, Any]:
        before = self._before(database)
        tables = {name: facts for name, facts in before.items() if _said(facts)}
        return {"name": target or database, "all": True, **({"tables": tables} if tables else {})}

    def _tree(self, database: str, tables: Mapping[str, TableName]) -> dict[str, Any]:
        kinds, before = self._there[database], self._before(database)
        # Where all tables go to one schema, it is that of the database; else each table says its own.
        homes = {one.schema for one in tables.values()}
        whole = homes.pop() if len(homes) == 1 and self._rules.target.shape == "schemas" else database
        return {
            "name": whole,
            "all": False,
            "tables": {
                name: {
                    "name": one.table or name,
                    "type": kinds[name],
                    **({"schema_alias_name": one.schema} if one.schema not in ("", whole) else {}),
                    **_said(before.get(name) or {}),
                }
                for name, one in tables.items()
            },
        }

    def _before(self, database: str) -> Mapping[str, Any]:
        """The tables of a database as they were chosen before."""
        info = self._rules.chosen.get("object_info") or {}
        found: Mapping[str, Any] = (info.get(database) or {}).get("tables") or {}
        return found


def _said(table: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the columns and rows of a table."""
    found = {name: table[name] for name in _OF_ROWS if table.get(name)}
    return {**found, "all": bool(table.get("all"))} if found else {}


def missing(database: str, table: str, there: Listing) -> str:
    """What the source does not have; empty: it has it. Names are compared as they are: two may differ in case only."""
    if database not in there:
        return f"the source has no database {database}{_similar(database, there)}"
    if table and table not in there[database]:
        return f"the source has no table {database}.{table}{_similar(table, there[database])}"
    return ""


def _similar(name: str, names: Mapping[str, Any]) -> str:
    found = next((one for one in names if one.lower() == name.lower()), "")
    return f" (it has {found})" if found else ""


def _mapped(row: Row, table: str, rules: Rules) -> bool:
    if rules.target.shape == "topics":
        return bool(row["topic"])
    return bool(row["target_table"] if table else row["target_schema"] or row["target_database"])


def _target(row: Row, name: TableName, rules: Rules) -> TableName:
    """Where it arrives. What is said of nothing stays as it is, or has the name that it has at the source."""
    kept = rules.kept.get(name)
    if rules.target.shape == "topics":
        topic = row["topic"] or (kept.table if kept else "")
        return TableName("", topic)
    kept = kept or name
    if not row["target_schema"] and not row["target_table"]:
        return kept
    return TableName(row["target_schema"] or kept.schema, row["target_table"] or kept.table)


def named(name: TableName) -> str:
    """A name at the target, for people: of a topic there is no schema."""
    return str(name) if name.schema else name.table
