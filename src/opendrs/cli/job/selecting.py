"""The selection: from words of the command line to the tree that the API takes.

The API knows exact names only. `shop.*` is the whole database `shop`, now and later; every other pattern is taken
apart here, against what the source has at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from opendrs.cli.ends import topics
from opendrs.cli.ruling import Words, rules
from opendrs.cli.run import mappings
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection

Tables = Mapping[str, str]  # kind by name: table or view
Listing = Mapping[str, Tables | None]  # by database; None: it has too many to be listed

EVERYTHING: Final = "*"
_WILD: Final = frozenset("*?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was asked for on the command line. `schemas` and `topics` as of model.selection: a job has one of them.

    excluded   patterns of tables that are left out, whatever is chosen
    rules      what is said of single tables
    """

    tables: Sequence[str] = ()
    databases: Sequence[str] = ()
    schemas: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[TableName, str] = field(default_factory=dict)
    excluded: Sequence[str] = ()
    rules: Mapping[TableName, TableRule] = field(default_factory=dict)

    @property
    def selection(self) -> Selection:
        """What can be said of it without asking the source."""
        return Selection(schemas=self.schemas, topics=self.topics, excluded=tuple(self.excluded), rules=self.rules)

    def __post_init__(self) -> None:
        for word in self.tables:
            database, dot, table = word.partition(".")
            if not (database and dot and table):
                raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=f"{word!r} is not database.table")

    @property
    def needs_listing(self) -> bool:
        """Whether the names of the source must be known."""
        apart = [word.partition(".") for word in self.tables]
        wild = any(_wild(database) or (table != EVERYTHING and _wild(table)) for database, _, table in apart)
        # "Everything" has no place for another name of a database: each has to be named.
        everything = not self.tables and not self.databases
        mapped = everything and bool(self.schemas or self.topics)
        return wild or any(_wild(word) for word in self.databases) or mapped


def choice_of(
    tables: list[str] | None,
    databases: list[str] | None,
    mapped: list[str] | None,
    topic: list[str] | None,
    exclude: list[str] | None,
    words: Words,
) -> Choice:
    """From the words of the options. Raises SETTING_INVALID."""
    return Choice(
        tables=tables or (),
        databases=databases or (),
        schemas=mappings(mapped or []),
        topics=topics(topic or []),
        excluded=exclude or (),
        rules=rules(words),
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """`tree`: DbObject. `notes`: what the person should know of what was made of the words."""

    tree: dict[str, Any]
    notes: tuple[str, ...]


def choose(choice: Choice, listing: Callable[[], Listing]) -> Chosen:
    """listing: asked for only if it is needed. Raises SETTING_INVALID."""
    there = listing() if choice.needs_listing else {}
    if not choice.tables and not choice.databases:
        if not choice.schemas and not choice.topics:
            return Chosen(_with_rules({"object_scope": "all"}, choice), ())
        choice = replace(choice, databases=[EVERYTHING])
    whole: dict[str, None] = {}
    single: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    for word in choice.databases:
        found = _databases(word, there, "--databases")
        _note(notes, word, found)
        whole |= dict.fromkeys(found)
    for word in choice.tables:
        database, _, table = word.partition(".")
        homes = _databases(database, there, "--tables")
        if table == EVERYTHING:
            _note(notes, database, homes, whole=word)
            whole |= dict.fromkeys(homes)
            continue
        if not _wild(table) and not _wild(database):
            single.setdefault(database, {})[table] = _kind(there, database, table)
            continue
        names = {home: _fitting(table, home, there) for home in homes}
        count = sum(len(fitting) for fitting in names.values())
        if not count:
            raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=f"the source has no table {word}")
        notes.append(f"{word}: {count} tables that there are now; later ones are not taken")
        for home, fitting in names.items():
            single.setdefault(home, {}).update(fitting)
    return Chosen(_with_rules(_tree(whole, single, choice), choice), tuple(notes))


def _tree(whole: Mapping[str, None], single: Mapping[str, Tables], choice: Choice) -> dict[str, Any]:
    topics = {(name.schema, name.table): topic for name, topic in choice.topics.items()}
    names = {database: topic for (database, table), topic in topics.items() if not table} | dict(choice.schemas)
    info: dict[str, Any] = {name: {"name": names.get(name, name), "all": True} for name in whole}
    for database, tables in single.items():
        if tables and database not in whole:
            chosen = {name: {"name": topics.get((database, name), name), "type": kind} for name, kind in tables.items()}
            info[database] = {"name": names.get(database, database), "all": False, "tables": chosen}
    _demand_chosen(info, choice)
    return {"object_scope": "table" if any(name not in whole for name in info) else "database", "object_info": info}


def _with_rules(tree: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """With what is said of single tables, and of those that are left out. Raises SETTING_INVALID."""
    if choice.excluded:
        tree["excluded"] = [pattern.replace("[", "[[]") for pattern in choice.excluded]
    if not choice.rules:
        return tree
    from opendrs.control.rendering import said  # heavy

    info = tree.setdefault("object_info", {})
    for name, rule in choice.rules.items():
        if tree["object_scope"] == "all":
            info.setdefault(name.schema, {"name": name.schema, "all": True})
        home = info.get(name.schema)
        if home is None or not (home["all"] or name.table in home["tables"]):
            reason = f"something is said of {name}, and it is not chosen"
            raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=reason)
        tables = home.setdefault("tables", {})
        known = tables.get(name.table, {"name": name.table, "type": "table"})
        tables[name.table] = known | {"name": rule.table or known["name"]} | said(rule)
    return tree


def _demand_chosen(info: Mapping[str, Any], choice: Choice) -> None:
    """Raises SETTING_INVALID if something is mapped of which nothing is chosen."""
    strange = [name for name in choice.schemas if name not in info]
    if strange:
        reason = f"nothing is chosen of {', '.join(strange)}"
        raise DrsError(Fault.SETTING_INVALID, name="--map", reason=reason)
    for name in choice.topics:
        home = info.get(name.schema)
        if home is None or (name.table and not home["all"] and name.table not in home["tables"]):
            raise DrsError(Fault.SETTING_INVALID, name="--topic", reason=f"nothing is chosen of {_word(name)}")
        if name.table and home["all"]:
            reason = f"{name.schema} is chosen as a whole; a table with a topic of its own must be chosen by its name"
            raise DrsError(Fault.SETTING_INVALID, name="--topic", reason=reason)


def _word(name: TableName) -> str:
    return f"{name.schema}.{name.table}" if name.table else name.schema


def _databases(word: str, there: Listing, option: str) -> list[str]:
    if not _wild(word):
        return [word]
    found = [name for name in there if _fits(name, word)]
    if not found:
        raise DrsError(Fault.SETTING_INVALID, name=option, reason=f"the source has no database {word}")
    return found


def _fitting(pattern: str, database: str, there: Listing) -> dict[str, str]:
    tables = there.get(database, {})
    if tables is None:
        reason = f"{database} has too many tables to look for {pattern}: choose it as a whole, or give exact names"
        raise DrsError(Fault.SETTING_INVALID, name="--tables", reason=reason)
    return {name: kind for name, kind in tables.items() if _fits(name, pattern)}


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))  # which names may have, and patterns do not


def _kind(there: Listing, database: str, table: str) -> str:
    return (there.get(database) or {}).get(table, "table")


def _note(notes: list[str], word: str, found: Sequence[str], whole: str = "") -> None:
    if _wild(word):
        notes.append(f"{whole or word}: {', '.join(found)}; databases that are made later are not taken")


def _wild(word: str) -> bool:
    return any(character in word for character in _WILD)


def listing_of(tree: Mapping[str, Any]) -> Listing:
    """What a collection of objects found."""
    found: dict[str, Tables | None] = {}
    for database, facts in (tree.get("object_info") or {}).items():
        tables = facts.get("tables") or {}
        known = int(facts.get("total_table_num") or 0) <= len(tables)
        found[database] = {name: str(one.get("type", "table")) for name, one in tables.items()} if known else None
    return found
