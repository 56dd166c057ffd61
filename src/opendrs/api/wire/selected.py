"""UpdateDatabaseObjectReq of version 3: rows of a tree, read into the tree that version 5 sends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.control.asking import shown
from opendrs.control.object_ids import SEPARATOR, table_of
from opendrs.control.objects import demand_no_problems, name_problem
from opendrs.control.tree import DbObject
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName

TYPES: Final = ("database", "schema", "table", "view")
TRUE, FALSE, PARTIAL = "true", "false", "partial"
PLACE: Final = "job"


class Row(Wire):
    """DatabaseInfo."""

    id: str | None = None
    parent_id: str | None = None
    object_type: str | None = None
    object_name: str | None = None
    object_alias_name: str | None = None
    select: str = FALSE


class Asked(Wire):
    """UpdateDatabaseObjectReq."""

    job_id: str
    selected: bool | None = None
    sync_database: bool | None = None
    job: list[Row] | None = None


def tree_of(asked: Asked) -> DbObject:
    """What is chosen. Raises PARAMETER_EMPTY, PARAMETER_INVALID with all that is wrong."""
    rows = asked.job or []
    if not (asked.selected if asked.selected is not None else bool(rows)):
        if rows:
            reason = "selected is false, which means everything, and objects are named"
            raise DrsError(Fault.PARAMETER_INVALID, name=PLACE, reason=reason)
        return DbObject(object_scope="all")
    if not rows:
        raise DrsError(Fault.PARAMETER_EMPTY, name=PLACE)
    reader = _Reader()
    for row in rows:
        reader.read(row)
    reader.demand_sense(databases_only=bool(asked.sync_database))
    demand_no_problems(PLACE, reader.problems)
    return DbObject.model_validate(reader.tree())


class _Reader:
    """Rows in whatever order: a table may stand before its database, or without it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._databases: dict[str, Row] = {}
        self._tables: dict[TableName, Row] = {}

    def read(self, row: Row) -> None:
        place = shown(row.id or row.object_name or "")
        kind = _word(f"{PLACE}.object_type", row.object_type or _guessed(row), TYPES)
        _word(f"{PLACE}.select", row.select, (TRUE, FALSE, PARTIAL))
        if kind == "schema":
            self.problems.append(f"{place!r} is a schema, and databases of MySQL have none")
        elif kind == "database":
            self._read_database(row, place)
        else:
            self._read_table(row, place)

    def _read_database(self, row: Row, place: str) -> None:
        name = row.id or row.object_name or ""
        if problem := name_problem(name):
            self.problems.append(problem)
        elif row.object_name and row.object_name != name:
            self.problems.append(f"{place}: its name is {shown(name)}, not {shown(row.object_name)}")
        elif name in self._databases:
            self.problems.append(f"{place} is there more than once")
        else:
            self._databases[name] = row

    def _read_table(self, row: Row, place: str) -> None:
        name = self._name(row)
        if isinstance(name, str):
            self.problems.append(name)
        elif row.select.lower() == PARTIAL:
            self.problems.append(f"{place}: of a table, nothing is chosen or all: {PARTIAL} is for databases")
        elif name in self._tables:
            self.problems.append(f"{place} is there more than once")
        else:
            self._tables[name] = row

    def _name(self, row: Row) -> TableName | str:
        """The table of a row; or what is wrong with it."""
        if row.id and SEPARATOR in row.id:
            name = table_of(row.id)
            if isinstance(name, str):
                return name
            for said, found in ((row.parent_id, name.schema), (row.object_name, name.table)):
                if said and said != found:
                    return f"{shown(row.id)} is not {shown(said)}"
            return name
        table = row.object_name or row.id or ""
        if not row.parent_id:
            return f"{shown(table)!r} has no parent_id"
        return name_problem(row.parent_id) or name_problem(table) or TableName(row.parent_id, table)

    def demand_sense(self, *, databases_only: bool) -> None:
        for name, row in self._databases.items():
            below = [table for table, one in self._tables.items() if table.schema == name and _taken(one)]
            if row.select.lower() == PARTIAL and not below:
                self.problems.append(f"{shown(name)} is chosen in part, and no table of it is")
        for table, row in self._tables.items():
            home = self._databases.get(table.schema)
            if home is not None and home.select.lower() == FALSE and _taken(row):
                self.problems.append(f"{table} is chosen, and its database is not: {PARTIAL}")
            if home is not None and home.select.lower() == TRUE and not _taken(row) and "." in table.schema:
                self.problems.append(f"{table} cannot be left out: name the others")
        if databases_only and self._tables:
            self.problems.append("sync_database is true, and tables are named")

    def tree(self) -> dict[str, Any]:
        homes = dict.fromkeys([*self._databases, *(name.schema for name in self._tables)])
        info = {name: facts for name in homes if (facts := self._database(name))}
        excluded = [
            _pattern(name) for name, row in self._tables.items() if not _taken(row) and self._whole(name.schema)
        ]
        scope = "table" if any(not facts["all"] for facts in info.values()) else "database"
        return {"object_scope": scope, "object_info": info, "excluded": excluded or None}

    def _whole(self, name: str) -> bool:
        return name in self._databases and self._databases[name].select.lower() == TRUE

    def _database(self, name: str) -> dict[str, Any]:
        """DatabaseObject; empty: nothing of it is chosen."""
        tables = dict(self._chosen(name))
        if not self._whole(name) and not tables:
            return {}
        row = self._databases.get(name)
        alias = row.object_alias_name if row else None
        return {"name": alias or name, "all": self._whole(name), "tables": tables or None}

    def _chosen(self, database: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Those of a whole database need not be said, unless something is said of them."""
        for name, row in self._tables.items():
            named = bool(row.object_alias_name) and row.object_alias_name != name.table
            if name.schema == database and _taken(row) and (named or not self._whole(database)):
                kind = "view" if (row.object_type or "").lower() == "view" else "table"
                yield name.table, {"name": row.object_alias_name or name.table, "type": kind}


def _taken(row: Row) -> bool:
    return row.select.lower() == TRUE


def _guessed(row: Row) -> str:
    return "table" if row.parent_id or SEPARATOR in (row.id or "") else "database"


def _word(name: str, text: str, words: Sequence[str]) -> str:
    return one_of(name, text, words)


def _pattern(name: TableName) -> str:
    """The pattern that fits this table only."""
    return ".".join("".join(f"[{c}]" if c in "*?[" else c for c in part) for part in (name.schema, name.table))
