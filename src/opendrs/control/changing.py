"""Changes of what is said of tables. They are asked for one by one, and a worker applies each to what the job has then:
so they may come quickly one after another, and may be about every table that a database has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from opendrs.control.objects import name_problem
from opendrs.model.catalog import TableName
from opendrs.model.publishing import legal
from opendrs.model.rules import NO_RULE, Dml, ExtraColumn, JoinedTable, TableRule, problems_of
from opendrs.model.selection import Selection

FILTERED_MAX: Final = 500  # tables that a call may filter: the published limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be said of some tables from now on. None: as it is.

    tables      by their exact names
    databases   every table of them that there is, and is chosen
    filter      SQL of the source; empty: all rows
    columns     as of model.rules
    adds        `columns` are only those that change; else all others are as at the source
    extras      all of them
    dml         as of model.rules
    schema      target schema of the tables; empty: the one of their database
    table       name of the table in the target, or its topic; empty: its own
    home        name of the databases in the target, or their topic, if no tables are named
    prefix, suffix   around the names of the tables, or of the databases if no tables are named
    filtered_max     of how many tables it may filter the rows
    """

    tables: tuple[TableName, ...] = ()
    databases: tuple[str, ...] = ()
    filter: str | None = None
    columns: Mapping[str, str | None] | None = None
    adds: bool = False
    extras: tuple[ExtraColumn, ...] | None = None
    dml: frozenset[Dml] | None = None
    schema: str | None = None
    table: str | None = None
    home: str | None = None
    prefix: str = ""
    suffix: str = ""
    filtered_max: int = FILTERED_MAX

    def to_json(self) -> dict[str, Any]:
        """Only what says something."""
        rule = TableRule(extras=self.extras or (), dml=self.dml).to_json()
        facts = {
            "tables": [[name.schema, name.table] for name in self.tables] or None,
            "databases": list(self.databases) or None,
            "filter": self.filter,
            "columns": None if self.columns is None else [[name, target] for name, target in self.columns.items()],
            "adds": self.adds or None,
            "extras": None if self.extras is None else rule.get("extras", []),
            "dml": None if self.dml is None else rule.get("dml", ""),
            "schema": self.schema,
            "table": self.table,
            "home": self.home,
            "prefix": self.prefix or None,
            "suffix": self.suffix or None,
            "filtered_max": self.filtered_max,
        }
        return {name: fact for name, fact in facts.items() if fact is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        rule = TableRule.from_json({name: data[name] for name in ("extras", "dml") if name in data})
        return cls(
            tables=tuple(TableName(*name) for name in data.get("tables", [])),
            databases=tuple(data.get("databases", [])),
            filter=data.get("filter"),
            columns=dict(data["columns"]) if "columns" in data else None,
            adds=data.get("adds", False),
            extras=rule.extras if "extras" in data else None,
            dml=rule.dml if "dml" in data else None,
            schema=data.get("schema"),
            table=data.get("table"),
            home=data.get("home"),
            prefix=data.get("prefix", ""),
            suffix=data.get("suffix", ""),
            filtered_max=data["filtered_max"],
        )

    def concerns(self, name: TableName) -> bool:
        return name in self.tables or name.schema in self.databases


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one call asks for, all or nothing.

    joined               declared tables; each replaces what was declared of it before
    filters_taken_back   numbers of filters that are to be no more
    joined_taken_back    the same of declared tables
    """

    each: tuple[Change, ...] = ()
    joined: Mapping[TableName, JoinedTable] = field(default_factory=dict)
    filters_taken_back: tuple[int, ...] = ()
    joined_taken_back: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "each": [change.to_json() for change in self.each],
            "joined": [[name.schema, name.table, one.to_json()] for name, one in self.joined.items()],
            "filters_taken_back": list(self.filters_taken_back),
            "joined_taken_back": list(self.joined_taken_back),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        if data["version"] != 1:
            raise ValueError(f"changes of version {data['version']} are not understood")
        return cls(
            each=tuple(Change.from_json(one) for one in data["each"]),
            joined={TableName(schema, table): JoinedTable.from_json(one) for schema, table, one in data["joined"]},
            filters_taken_back=tuple(data["filters_taken_back"]),
            joined_taken_back=tuple(data["joined_taken_back"]),
        )

    def concerned(self, selection: Selection) -> list[TableName]:
        """Tables of which something else is to be said, as far as they are known by name."""
        named = {name for change in self.each for name in change.tables}
        known = {*selection.tables, *selection.rules}
        named |= {name for name in known if any(change.concerns(name) for change in self.each)}
        named |= {
            name for name, rule in selection.rules.items() if rule.batch and rule.batch in self.filters_taken_back
        }
        return sorted(named)


def changed(
    selection: Selection, changes: Changes, there: Mapping[str, Collection[TableName]], *, kafka: bool
) -> tuple[Selection, list[str]]:
    """The selection with the changes, and what is wrong with these.

    there   the source's tables by database
    kafka   names are those of topics
    """
    changing = _Changing(selection, there, kafka)
    changing.take_back(changes)
    for change in changes.each:
        changing.apply(change)
    changing.joined |= changes.joined
    after = replace(
        selection,
        rules={name: rule for name, rule in changing.rules.items() if rule != NO_RULE},
        schemas=changing.schemas,
        topics=changing.topics,
        joined=changing.joined,
    )
    return after, changing.problems


class _Changing:
    """The parts of a selection that change, while they do."""

    def __init__(self, selection: Selection, there: Mapping[str, Collection[TableName]], kafka: bool) -> None:
        self._selection = selection
        self._there = there
        self._kafka = kafka
        self.rules = dict(selection.rules)
        self.schemas = dict(selection.schemas)
        self.topics = dict(selection.topics)
        self.joined = dict(selection.joined)
        self.problems: list[str] = []
        self._batch = last_batch(selection)
        self._filtered: set[TableName] = set()

    def take_back(self, changes: Changes) -> None:
        known = {rule.batch for rule in self.rules.values() if rule.written}
        for number in changes.filters_taken_back:
            if number not in known:
                self.problems.append(f"no filter has the number {number}")
        for name, rule in self.rules.items():
            if rule.written and rule.batch in changes.filters_taken_back:
                self.rules[name] = replace(rule, filter="", asked="", batch=0)
        declared = {joined.batch: name for name, joined in self.joined.items()}
        for number in changes.joined_taken_back:
            if number in declared:
                self.joined.pop(declared[number], None)
            else:
                self.problems.append(f"no advanced setting has the number {number}")

    def apply(self, change: Change) -> None:
        names = list(self._names(change))
        if change.filter and len(names) > change.filtered_max:
            self.problems.append(f"a filter of {len(names)} tables: {change.filtered_max} are allowed at once")
            return
        self._batch += 1
        if change.filter:
            twice = sorted(self._filtered & {*names})
            self.problems += [f"{name}: a table has one filter, and there are two" for name in twice]
            self._filtered |= {*names}
        for name in names:
            rule = self._ruled(self.rules.get(name, NO_RULE), name, change)
            self.problems += [f"{name}: {problem}" for problem in problems_of(rule, kafka=self._kafka)]
            self.rules[name] = rule
        for database in change.databases if not change.tables else ():
            if change.prefix or change.suffix:
                self._rename_database(database, f"{change.prefix}{database}{change.suffix}")
            elif change.home is not None:
                self._rename_database(database, change.home)

    def _names(self, change: Change) -> Iterator[TableName]:
        for name in change.tables:
            if name not in self._there.get(name.schema, ()):
                self.problems.append(f"the source does not have table {name}")
            elif not self._selection.wants(name):
                self.problems.append(f"{name} is not chosen")
            else:
                yield name
        for database in change.databases:
            if database not in self._there:
                self.problems.append(f"the source does not have database {database}")
                continue
            chosen = [name for name in self._there[database] if self._selection.wants(name)]
            if not chosen:
                self.problems.append(f"of {database} nothing is chosen")
            yield from chosen

    def _ruled(self, rule: TableRule, name: TableName, change: Change) -> TableRule:
        if change.filter is not None:
            batch = self._batch if change.filter else 0
            rule = replace(rule, filter=change.filter, asked="", batch=batch)
        if change.columns is not None:
            rule = replace(rule, columns=_columns(rule, change))
        if change.extras is not None:
            rule = replace(rule, extras=change.extras)
        if change.dml is not None:
            rule = replace(rule, dml=change.dml)
        if change.schema is not None:
            rule = replace(rule, schema="" if change.schema == self._home(name) else change.schema)
        called = change.table
        if (change.prefix or change.suffix) and change.tables:
            called = f"{change.prefix}{name.table}{change.suffix}"
        if called is None:
            return rule
        if self._kafka:
            self._rename_topic(name, called)
            return rule
        if called and (problem := name_problem(called)):
            self.problems.append(f"{name}: {problem}")
            return rule
        return replace(rule, table="" if called == name.table else called)

    def _home(self, name: TableName) -> str:
        return self.schemas.get(name.schema, name.schema)

    def _rename_database(self, database: str, called: str) -> None:
        if called == database:
            self.schemas.pop(database, None)
            self.topics.pop(TableName(database, ""), None)
        elif self._kafka:
            self._rename_topic(TableName(database, ""), called)
        elif problem := name_problem(called):
            self.problems.append(problem)
        else:
            self.schemas[database] = called

    def _rename_topic(self, name: TableName, topic: str) -> None:
        if not topic or topic == name.table:
            self.topics.pop(name, None)
        elif legal(topic):
            self.topics[name] = topic
        else:
            self.problems.append(f"{topic!r} is no name of a topic (1 to 249 letters, digits, `.`, `_` and `-`)")


def _columns(rule: TableRule, change: Change) -> dict[str, str | None]:
    """A column that arrives as itself needs no word."""
    assert change.columns is not None
    said = {name.lower() for name in change.columns}
    kept = {name: target for name, target in rule.columns.items() if name.lower() not in said} if change.adds else {}
    return kept | {name: target for name, target in change.columns.items() if target != name}


def last_batch(*selections: Selection) -> int:
    """The highest number that a filter or a declared table has."""
    numbers = [rule.batch for selection in selections for rule in selection.rules.values()]
    numbers += [joined.batch for selection in selections for joined in selection.joined.values()]
    return max(numbers, default=0)


def numbered(selection: Selection, before: Selection) -> Selection:
    """Every filter and every declared table has a number: the one that it had, or a new one."""
    following = iter(range(last_batch(selection, before) + 1, 1 << 53))
    rules = dict(selection.rules)
    for name in sorted(rules):
        rule, old = rules[name], before.rules.get(name, NO_RULE)
        if not rule.written or rule.batch:
            continue
        same = old.batch and old.written == rule.written
        rules[name] = replace(rule, batch=old.batch if same else next(following))
    joined = dict(selection.joined)
    for name in sorted(joined):
        if not joined[name].batch:
            known = before.joined.get(name)
            joined[name] = replace(joined[name], batch=known.batch if known else next(following))
    return replace(selection, rules=rules, joined=joined)
