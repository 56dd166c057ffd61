"""Which objects of a source, and under which names they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Self

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.rules import NO_RULE, JoinedTable, TableRule
from opendrs.model.shadows import shadow_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whatever a pattern fits or a name names; without any of them, everything but the system's own.

    patterns    `database.table` with `*` and `?`
    databases   whole databases by their exact names, in which `*`, `?` and `[` are characters like others
    tables      single tables by their exact names; there may be many thousands
    schemas     target schema by source database; a database that is not in here keeps its name
    topics      for Kafka: topic of a table, or where the table's name is empty of a whole database; others go where
                the job's policy says
    excluded    patterns of tables that are left out, whatever else is said of them
    rules       of single tables
    joined      tables that filters of others look into, as they were declared; they are not selected by that
    views       of `tables`, those that are views: to be shown so
    root        database of the target, if not the one of its endpoint
    apart       what this covers is another's, and left out: never persisted
    """

    patterns: tuple[str, ...] = ()
    databases: frozenset[str] = frozenset()
    tables: frozenset[TableName] = frozenset()
    schemas: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[TableName, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    rules: Mapping[TableName, TableRule] = field(default_factory=dict)
    joined: Mapping[TableName, JoinedTable] = field(default_factory=dict)
    views: frozenset[TableName] = frozenset()
    root: str = ""
    apart: Selection | None = None
    _homes: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for option, patterns in (("--tables", self.patterns), ("--exclude", self.excluded)):
            for pattern in patterns:
                database, dot, table = pattern.partition(".")
                if not (database and dot and table):
                    raise DrsError(Fault.SETTING_INVALID, name=option, reason=f"{pattern!r} is not `database.table`")
        object.__setattr__(self, "_homes", self.databases | {name.schema for name in self.tables})

    @property
    def everything(self) -> bool:
        """Whether nothing is named, so that all is meant."""
        return not (self.patterns or self.databases or self.tables)

    def wants(self, name: TableName) -> bool:
        """Whether the table is selected, if it is not one of the system's own."""
        named = self.everything or name.schema in self.databases or name in self.tables
        if not (named or any(fits(pattern, name) for pattern in self.patterns)):
            return False
        if any(fits(pattern, name) for pattern in self.excluded):
            return False
        return self.apart is None or not self.apart.wants(name)

    def wants_database(self, name: str) -> bool:
        """Whether a table of the database may be selected."""
        named = self.everything or name in self._homes
        return named or any(fnmatchcase(name, pattern.partition(".")[0]) for pattern in self.patterns)

    def rule(self, name: TableName) -> TableRule:
        """What is said of the table. What an online-DDL tool is about to put in the place of a table has the rows and
        columns of that, under a name of its own."""
        found = self.rules.get(name)
        if found is None and self.rules and (shadowed := shadow_of(name)) is not None:
            found = self.rules.get(shadowed)
            found = found and replace(found, table="")
        return found or NO_RULE

    def target(self, name: TableName) -> TableName:
        """Where the table arrives."""
        rule = self.rule(name)
        return TableName(rule.schema or self.schemas.get(name.schema, name.schema), rule.table or name.table)

    def topic(self, name: TableName) -> str | None:
        """The topic that a table was mapped to, if one."""
        return self.topics.get(name) or self.topics.get(TableName(name.schema, ""))

    def to_json(self) -> dict[str, Any]:
        """Version 1 where nothing is named exactly, 2 without topics, 3 without rules: ids of jobs are made from it,
        and must not change."""
        assert self.apart is None, "what is only for a while is not persisted"
        facts: dict[str, Any] = {"version": 1, "patterns": list(self.patterns), "schemas": dict(self.schemas)}
        ruled = bool(self.excluded or self.rules or self.joined or self.root)
        if not (self.databases or self.tables or self.topics or ruled):
            return facts
        tables = [[name.schema, name.table] for name in sorted(self.tables)]
        facts |= {"version": 2, "databases": sorted(self.databases), "tables": tables}
        if self.views:
            facts["views"] = [[name.schema, name.table] for name in sorted(self.views)]
        if not (self.topics or ruled):
            return facts
        topics = [[name.schema, name.table, self.topics[name]] for name in sorted(self.topics)]
        facts |= {"version": 3, "topics": topics}
        if not ruled:
            return facts
        rules = [[name.schema, name.table, self.rules[name].to_json()] for name in sorted(self.rules)]
        facts |= {"version": 4, "excluded": list(self.excluded), "rules": rules, "root": self.root}
        if self.joined:
            facts["joined"] = [[name.schema, name.table, self.joined[name].to_json()] for name in sorted(self.joined)]
        return facts

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        if data["version"] not in (1, 2, 3, 4):
            raise ValueError(f"a selection of version {data['version']} is not understood")
        exact = data["version"] > 1
        return cls(
            patterns=tuple(data["patterns"]),
            databases=frozenset(data["databases"]) if exact else frozenset(),
            tables=frozenset(TableName(*name) for name in data["tables"]) if exact else frozenset(),
            schemas=dict(data["schemas"]),
            topics={TableName(schema, table): topic for schema, table, topic in data.get("topics", [])},
            excluded=tuple(data.get("excluded", [])),
            rules={
                TableName(schema, table): TableRule.from_json(rule) for schema, table, rule in data.get("rules", [])
            },
            joined={
                TableName(schema, table): JoinedTable.from_json(one) for schema, table, one in data.get("joined", [])
            },
            views=frozenset(TableName(*name) for name in data.get("views", [])),
            root=data.get("root", ""),
        )


def fits(pattern: str, name: TableName) -> bool:
    """Whether a table is one of those that a pattern `database.table` means."""
    database, _, table = pattern.partition(".")
    return fnmatchcase(name.schema, database) and fnmatchcase(name.table, table)
