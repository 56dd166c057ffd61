"""What a tree of objects means: a selection. Whether the source has what it names is looked at by a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from opendrs.control.asking import shown
from opendrs.control.reading import LIST_MAX, one_of
from opendrs.control.tree import ColumnObject, DatabaseObject, DbObject, TableObject
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.publishing import legal
from opendrs.model.rules import (
    EVERY_DML,
    EXTRA_KINDS,
    EXTRA_TYPES,
    NO_RULE,
    Dml,
    ExtraColumn,
    JoinedTable,
    TableRule,
    problems_of,
)
from opendrs.model.selection import Selection

SCOPES: Final = ("all", "database", "table")
NAME_MAX: Final = 64  # MySQL's longest; PostgreSQL's 63 bytes are looked at by the prechecks
FILTER_MAX: Final = 512  # characters: the published limit
TYPES: Final = ("source", "modified", "synchronized")
CONFIG: Final = "config"
PLACE: Final = "db_object.object_info"
ADDITIONAL: Final = "ADDITIONALCOLUMN,"
PROBLEMS_MAX: Final = 20  # that are told at once


def selection(asked: DbObject, target: EngineName) -> Selection:
    """What it means. For a Kafka target the name that a database or a table is given is that of a topic.

    Raises PARAMETER_EMPTY, PARAMETER_INVALID (with every problem there is), UNSUPPORTED.
    """
    scope = one_of("db_object.object_scope", asked.object_scope, SCOPES)
    root, excluded = _root(asked, target), _excluded(asked)
    if not asked.object_info:
        if scope != "all":
            raise DrsError(Fault.PARAMETER_EMPTY, name=PLACE)
        return Selection(root=root, excluded=excluded)
    reading = Reading(scope=scope, kafka=target == "kafka")
    for name, database in asked.object_info.items():
        reading.database(name, database)
    demand_no_problems(PLACE, reading.problems)
    if scope != "all" and not (reading.databases or reading.tables):
        raise DrsError(Fault.PARAMETER_INVALID, name=PLACE, reason="nothing is chosen")
    return Selection(
        databases=frozenset(reading.databases),
        tables=frozenset(reading.tables),
        schemas=reading.schemas,
        topics=reading.topics,
        excluded=excluded,
        rules=reading.rules,
        joined=reading.joined,
        root=root,
    )


def demand_no_problems(name: str, problems: Sequence[str]) -> None:
    """Raises PARAMETER_INVALID with all of them."""
    if problems:
        reason = "; ".join(problems[:PROBLEMS_MAX])
        if len(problems) > PROBLEMS_MAX:
            reason += f"; and {len(problems) - PROBLEMS_MAX} more"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)


def _excluded(asked: DbObject) -> tuple[str, ...]:
    for pattern in asked.excluded or ():
        database, dot, table = pattern.partition(".")
        if not (database and dot and table):
            reason = f"{shown(pattern)!r} is not `database.table`, where * and ? stand for anything"
            raise DrsError(Fault.PARAMETER_INVALID, name="db_object.excluded", reason=reason)
    return tuple(asked.excluded or ())


def _root(asked: DbObject, target: EngineName) -> str:
    name = asked.target_root_db.db_name if asked.target_root_db else None
    if not name:
        return ""
    if target != "postgresql":
        reason = "the target has no databases in databases"
        raise DrsError(Fault.PARAMETER_INVALID, name="db_object.target_root_db", reason=reason)
    if problem := name_problem(name):
        raise DrsError(Fault.PARAMETER_INVALID, name="db_object.target_root_db.db_name", reason=problem)
    return name


@dataclass(slots=True, kw_only=True)
class Reading:
    """Of all databases of a tree. `problems` is everything that is wrong with it."""

    scope: str
    kafka: bool
    databases: set[str] = field(default_factory=set)
    tables: set[TableName] = field(default_factory=set)
    schemas: dict[str, str] = field(default_factory=dict)
    topics: dict[TableName, str] = field(default_factory=dict)
    rules: dict[TableName, TableRule] = field(default_factory=dict)
    joined: dict[TableName, JoinedTable] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def database(self, name: str, database: DatabaseObject) -> None:
        if problem := name_problem(name):
            self.problems.append(problem)
            return
        if database.schemas:
            self.problems.append(f"{shown(name)} is a database of MySQL, which has no schemas")
        tables = database.tables or {}
        if database.sync_type:
            self._only_config(shown(name), database.sync_type)
            for table, facts in tables.items():
                self._joined(name, table, facts)
            return  # it serves filters of other tables, which name it themselves
        self._named_database(name, database)
        whole = bool(database.all) or (self.scope == "database" and not tables)
        if self.scope == "all":
            if not whole:
                self.problems.append(f"of {shown(name)} all is chosen by the scope: set `all`, or another scope")
            elif not tables and database.name in (None, "", name):
                self.problems.append(
                    f"with the scope all there is nothing to choose, and of {shown(name)} nothing is said"
                )
        elif whole:
            self.databases.add(name)
        elif not tables:
            self.problems.append(f"of {shown(name)} nothing is chosen: set `all`, or name tables")
        for table, facts in tables.items():
            self._table(name, table, facts, whole=whole or self.scope == "all")

    def _named_database(self, name: str, database: DatabaseObject) -> None:
        """Under which name the database arrives."""
        if not database.name or database.name == name:
            return
        if self.kafka:
            self._topic(TableName(name, ""), database.name)
        elif problem := name_problem(database.name):
            self.problems.append(problem)
        else:
            self.schemas[name] = database.name

    def _table(self, database: str, table: str, facts: TableObject, *, whole: bool) -> None:
        if problem := name_problem(table):
            self.problems.append(f"{shown(database)}: {problem}")
            return
        name, place = TableName(database, table), f"{shown(database)}.{shown(table)}"
        if facts.sync_type:
            self._only_config(place, facts.sync_type)
            self._joined(database, table, facts)
            return
        if facts.config_conditions or any(column.sync_type for column in (facts.columns or {}).values()):
            self._joined(database, table, facts)  # it is replicated, and serves filters of others as well
        kind = one_of("type", facts.type, ("table", "view", "procedure"))
        if kind == "procedure":
            self.problems.append(f"{place}: procedures are not replicated")
            return
        if not whole:
            self.tables.add(name)
        if self.kafka and facts.name and facts.name != table:
            self._topic(name, facts.name)
        rule = self.rule(name, place, facts)
        if kind == "view" and rule.of_rows != NO_RULE.of_rows:
            self.problems.append(f"{place} is a view, which has no rows or columns of its own to choose from")
        if rule != NO_RULE:
            self.rules[name] = rule

    def _joined(self, database: str, table: str, facts: TableObject) -> None:
        place = f"{shown(database)}.{shown(table)}"
        if problem := name_problem(table):
            self.problems.append(f"{shown(database)}: {problem}")
            return
        columns = {
            name: column for name, column in (facts.columns or {}).items() if facts.sync_type or column.sync_type
        }
        for name, column in columns.items():
            if column.sync_type:
                self._only_config(f"{place}.{shown(name)}", column.sync_type)
        self.joined[TableName(database, table)] = JoinedTable(
            columns=tuple(columns),
            key=tuple(name for name, column in columns.items() if column.primary_key_for_data_filtering),
            indexes=tuple(name for name, column in columns.items() if column.index_for_data_filtering),
            condition=self.one_condition(place, facts.config_conditions or []),
        )

    def rule(self, name: TableName, place: str, facts: TableObject) -> TableRule:
        """What is said of a table; `problems` grow by what is wrong with it."""
        columns, extras = self.columns(place, facts.columns or {})
        rule = TableRule(
            schema=self._home(name, place, facts),
            table=self._alias(name, place, facts),
            filter=self._filter(place, facts),
            columns=columns,
            extras=extras,
            dml=self.letters(place, facts.dml),
        )
        self.problems += [f"{place}: {problem}" for problem in problems_of(rule, kafka=self.kafka)]
        return rule

    def _home(self, name: TableName, place: str, facts: TableObject) -> str:
        """Both words mean the schema of the target: MySQL's databases are PostgreSQL's schemas."""
        found = {alias for alias in (facts.db_alias_name, facts.schema_alias_name) if alias}
        if not found:
            return ""
        if self.kafka:
            self.problems.append(f"{place}: a topic is in no database; `name` is the name of the topic")
            return ""
        if len(found) > 1:
            self.problems.append(f"{place}: db_alias_name and schema_alias_name are two names for one schema")
            return ""
        (alias,) = found
        if problem := name_problem(alias):
            self.problems.append(f"{place}: {problem}")
            return ""
        return "" if alias == self.schemas.get(name.schema, name.schema) else alias

    def _alias(self, name: TableName, place: str, facts: TableObject) -> str:
        if self.kafka or not facts.name or facts.name == name.table:
            return ""
        if problem := name_problem(facts.name):
            self.problems.append(f"{place}: {problem}")
            return ""
        return facts.name

    def _filter(self, place: str, facts: TableObject) -> str:
        if facts.filtered is False:
            return ""
        found = self.one_condition(place, facts.filter_conditions or [])
        if facts.filtered and not any(text.strip() for text in facts.filter_conditions or []):
            self.problems.append(f"{place}: it is to be filtered, and filter_conditions is empty")
        return found

    def one_condition(self, place: str, conditions: Sequence[str], most: int = FILTER_MAX) -> str:
        """The only condition that is not blank; empty: there is none."""
        found = [text for text in conditions if text.strip()]
        if len(found) > 1:
            self.problems.append(f"{place}: a table has one filter; join conditions by AND")
            return ""
        if found and len(found[0]) > most:
            self.problems.append(f"{place}: the filter has {len(found[0])} characters, and {most} are allowed")
            return ""
        return found[0] if found else ""

    def columns(
        self, place: str, columns: Mapping[str, ColumnObject]
    ) -> tuple[dict[str, str | None], tuple[ExtraColumn, ...]]:
        found: dict[str, str | None] = {}
        extras: list[ExtraColumn] = []
        twice = [name for name, count in Counter(name.lower() for name in columns).items() if count > 1]
        self.problems += [f"{place}: the column {shown(name)} is there more than once" for name in twice]
        for name, column in columns.items():
            if problem := name_problem(name, what="column"):
                self.problems.append(f"{place}: {problem}")
            elif column.additional:
                extras += self._extra(place, name, column)
            elif name.lower() not in twice:
                target = column.name or name
                if column.filtered is False:
                    found[name] = None
                elif target != name:
                    found[name] = target
                    self.arrival(place, target)
        return found, tuple(extras)

    def arrival(self, place: str, target: str) -> None:
        """The name that a column is to have."""
        if problem := name_problem(target, what="column"):
            self.problems.append(f"{place}: {problem}")

    def _extra(self, place: str, name: str, column: ColumnObject) -> Iterator[ExtraColumn]:
        where = f"{place}.{shown(name)}"
        if column.name and column.name != name:
            self.problems.append(f"{where}: an additional column has one name only")
            return
        kind = (column.operation_type or "").removeprefix(ADDITIONAL)
        extra = self.extra_column(where, name, kind, column.type or "", column.value or "")
        if extra is not None:
            yield extra

    def extra_column(self, where: str, name: str, kind: str, type_: str, value: str) -> ExtraColumn | None:
        """An additional column from its published words; None, and a problem, if one of them is not."""
        if kind not in EXTRA_KINDS:
            self.problems.append(f"{where}: {shown(kind)!r} is none of {', '.join(EXTRA_KINDS)}")
            return None
        if type_ not in EXTRA_TYPES:
            self.problems.append(f"{where}: {shown(type_)!r} is none of {', '.join(EXTRA_TYPES)}")
            return None
        return ExtraColumn(
            name=name,
            kind=kind,
            type=type_,
            value=value if kind in ("default_value", "server_database_table") else "",
        )

    def letters(self, place: str, letters: str | None) -> frozenset[Dml] | None:
        """Which changes are carried over; None: nothing is said of that."""
        if letters is None:
            return None
        found = [letter for letter in letters.lower() if letter not in ", "]
        if not set(found) <= EVERY_DML:
            self.problems.append(f"{place}: {shown(letters)!r} is not some of i, u and d")
            return None
        return frozenset(letter for letter in EVERY_DML if letter in found)

    def _topic(self, name: TableName, topic: str) -> None:
        if not legal(topic):
            rule = "1 to 249 letters, digits, `.`, `_` and `-`"
            self.problems.append(f"{shown(topic)!r} is no name of a topic ({rule})")
            return
        self.topics[name] = topic

    def _only_config(self, place: str, sync_type: str) -> None:
        if sync_type.lower() != CONFIG:
            self.problems.append(f"{place}: sync_type {shown(sync_type)!r} is not {CONFIG}")


def name_problem(name: str, what: str = "database or table") -> str:
    """Why it cannot be a name; empty: it can."""
    bad = not name or len(name) > NAME_MAX or not name.isprintable()
    return f"{shown(name)!r} is no name of a {what}" if bad else ""


def demand_databases(names: Sequence[str]) -> tuple[str, ...]:
    """Names of databases that a listing is about. Raises PARAMETER_INVALID."""
    if len(names) > LIST_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name="db_names", reason=f"there are more than {LIST_MAX}")
    for name in names:
        if problem := name_problem(name):
            raise DrsError(Fault.PARAMETER_INVALID, name="db_names", reason=problem)
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
