"""Which objects of a source, and under which names they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Self

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whatever a pattern fits or a name names; without any of them, everything but the system's own.

    patterns    `database.table` with `*` and `?`
    databases   whole databases by their exact names, in which `*`, `?` and `[` are characters like others
    tables      single tables by their exact names; there may be many thousands
    schemas     target schema by source database; a database that is not in here keeps its name
    topics      for Kafka: topic of a table, or where the table's name is empty of a whole database; others go where
                the job's policy says
    """

    patterns: tuple[str, ...] = ()
    databases: frozenset[str] = frozenset()
    tables: frozenset[TableName] = frozenset()
    schemas: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[TableName, str] = field(default_factory=dict)
    _homes: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            database, dot, table = pattern.partition(".")
            if not (database and dot and table):
                raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=f"{pattern!r} is not `database.table`")
        object.__setattr__(self, "_homes", self.databases | {name.schema for name in self.tables})

    @property
    def everything(self) -> bool:
        """Whether nothing is named, so that all is meant."""
        return not (self.patterns or self.databases or self.tables)

    def wants(self, name: TableName) -> bool:
        """Whether the table is selected, if it is not one of the system's own."""
        named = name.schema in self.databases or name in self.tables
        return self.everything or named or any(fits(pattern, name) for pattern in self.patterns)

    def wants_database(self, name: str) -> bool:
        """Whether a table of the database may be selected."""
        named = self.everything or name in self._homes
        return named or any(fnmatchcase(name, pattern.partition(".")[0]) for pattern in self.patterns)

    def target(self, name: TableName) -> TableName:
        """Where the table arrives."""
        return TableName(self.schemas.get(name.schema, name.schema), name.table)

    def topic(self, name: TableName) -> str | None:
        """The topic that a table was mapped to, if one."""
        return self.topics.get(name) or self.topics.get(TableName(name.schema, ""))

    def to_json(self) -> dict[str, Any]:
        """Version 1 where nothing is named exactly, 2 without topics: ids of jobs are made from it, and must not
        change."""
        facts = {"version": 1, "patterns": list(self.patterns), "schemas": dict(self.schemas)}
        if not (self.databases or self.tables or self.topics):
            return facts
        tables = [[name.schema, name.table] for name in sorted(self.tables)]
        facts |= {"version": 2, "databases": sorted(self.databases), "tables": tables}
        if not self.topics:
            return facts
        topics = [[name.schema, name.table, self.topics[name]] for name in sorted(self.topics)]
        return {**facts, "version": 3, "topics": topics}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        if data["version"] not in (1, 2, 3):
            raise ValueError(f"a selection of version {data['version']} is not understood")
        exact = data["version"] > 1
        return cls(
            patterns=tuple(data["patterns"]),
            databases=frozenset(data["databases"]) if exact else frozenset(),
            tables=frozenset(TableName(*name) for name in data["tables"]) if exact else frozenset(),
            schemas=dict(data["schemas"]),
            topics={TableName(schema, table): topic for schema, table, topic in data.get("topics", [])},
        )


def fits(pattern: str, name: TableName) -> bool:
    """Whether a table is one of those that a pattern `database.table` means."""
    database, _, table = pattern.partition(".")
    return fnmatchcase(name.schema, database) and fnmatchcase(name.table, table)
