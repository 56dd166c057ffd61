"""What a command line says of single tables: their names, rows, columns, and changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.rules import (
    EVERY_DML,
    EXTRA_KINDS,
    EXTRA_TYPES,
    NO_RULE,
    ExtraColumn,
    TableRule,
    problems_of,
)
from opendrs.model.selection import Selection

EXCLUDE, RENAME, FILTER, COLUMNS = "--exclude", "--rename", "--filter", "--columns"
ADD_COLUMN, DML = "--add-column", "--dml"
NONE: Final = "-"  # of the letters of changes
LEFT_OUT: Final = "-"  # before the name of a column
ADDED: Final = re.compile(r"(\S+)\s+(\S+)\s+(\S+)(?:\s(.*))?", re.DOTALL)
Rules = dict[TableName, TableRule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """As they were given; None: not at all."""

    rename: Sequence[str] | None = None
    filter: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    add_column: Sequence[str] | None = None
    dml: Sequence[str] | None = None


def rules(words: Words) -> Rules:
    """By table. Raises SETTING_INVALID."""
    found: Rules = {}
    for word in words.rename or ():
        name, target = _named(RENAME, word, "=", "DB.TABLE=NAME or DB.TABLE=SCHEMA.NAME")
        _say(found, name, RENAME, word, **_renamed(word, target))
    for word in words.filter or ():
        name, condition = _named(FILTER, word, ":", "DB.TABLE:CONDITION")
        _say(found, name, FILTER, word, filter=condition.strip())
    for word in words.columns or ():
        name, columns = _named(COLUMNS, word, ":", "DB.TABLE:COLUMN=NAME,-COLUMN")
        _say(found, name, COLUMNS, word, columns=dict(_columns(word, columns)))
    for word in words.add_column or ():
        name, column = _named(ADD_COLUMN, word, ":", "DB.TABLE:NAME KIND TYPE [VALUE]")
        rule = found.get(name, NO_RULE)
        found[name] = replace(rule, extras=(*rule.extras, _extra(word, column)))
    for word in words.dml or ():
        name, letters = _named(DML, word, ":", "DB.TABLE:iud")
        if not letters or (not set(letters) <= {*EVERY_DML} and letters != NONE):
            raise _invalid(DML, f"{word!r}: {letters!r} is not some of i, u and d, nor {NONE} for none")
        _say(found, name, DML, word, dml=frozenset(letter for letter in EVERY_DML if letter in letters))
    return found


def _named(option: str, word: str, between: str, form: str) -> tuple[TableName, str]:
    """The table that a word is about, and what stands behind it."""
    name, separator, rest = word.partition(between)
    database, dot, table = name.partition(".")
    if not (database and dot and table and separator and rest.strip()):
        raise _invalid(option, f"{word!r} is not {form}")
    if {"*", "?"} & set(name):
        raise _invalid(option, f"{word!r} is about one table: {name!r} is a pattern")
    return TableName(database, table), rest


def _say(found: Rules, name: TableName, option: str, word: str, **said: Any) -> None:
    rule = found.get(name, NO_RULE)
    if any(getattr(rule, part) != getattr(NO_RULE, part) for part in said):
        raise _invalid(option, f"{word!r} is the second one of {name}")
    found[name] = replace(rule, **said)


def _renamed(word: str, target: str) -> dict[str, str]:
    schema, dot, table = target.rpartition(".")
    if not table or (dot and not schema):
        raise _invalid(RENAME, f"{word!r} is not DB.TABLE=NAME or DB.TABLE=SCHEMA.NAME")
    return {"schema": schema, "table": table}


def _columns(word: str, text: str) -> Iterator[tuple[str, str | None]]:
    seen: set[str] = set()
    for part in text.split(","):
        name, equals, target = part.strip().partition("=")
        left_out = name.startswith(LEFT_OUT) and not equals
        name, target = name.removeprefix(LEFT_OUT).strip() if left_out else name.strip(), target.strip()
        if not name or (not left_out and not target):
            raise _invalid(COLUMNS, f"{word!r}: {part.strip()!r} is neither COLUMN=NAME nor -COLUMN")
        if name.lower() in seen:
            raise _invalid(COLUMNS, f"{word!r} names the column {name} twice")
        seen.add(name.lower())
        yield name, None if left_out else target


def _extra(word: str, text: str) -> ExtraColumn:
    found = ADDED.fullmatch(text.strip())
    if found is None:
        raise _invalid(ADD_COLUMN, f"{word!r} is not DB.TABLE:NAME KIND TYPE [VALUE]")
    name, kind, type_, value = found.groups(default="")
    for known in EXTRA_KINDS:
        if kind == known:
            break
    else:
        raise _invalid(ADD_COLUMN, f"{kind!r} is none of {', '.join(EXTRA_KINDS)}")
    for known_type in EXTRA_TYPES:
        if type_ == known_type:
            return ExtraColumn(name=name, kind=known, type=known_type, value=value)
    raise _invalid(ADD_COLUMN, f"{type_!r} is none of {', '.join(EXTRA_TYPES)}")


def demand_fitting(target: EngineName, selection: Selection) -> None:
    """Raises SETTING_INVALID for what means nothing to such a target, or to any."""
    kafka = target == "kafka"
    for name, rule in selection.rules.items():
        if kafka and (rule.schema or rule.table):
            raise _invalid(RENAME, f"{name}: messages keep the names of the source; --topic says where a table goes")
        for problem in problems_of(rule, kafka=kafka):
            raise _invalid(ADD_COLUMN if rule.extras else COLUMNS, f"{name}: {problem}")


def demand_selected(selection: Selection) -> None:
    """Raises SETTING_INVALID if something is said of a table that is not selected."""
    for name in selection.rules:
        if not selection.wants(name):
            raise _invalid("--tables", f"something is said of {name}, and it is not selected")


def demand_lasting(selection: Selection) -> None:
    """The same command resumes a job: its filters must mean the same whenever that is. Raises SETTING_INVALID."""
    if not any(rule.filter for rule in selection.rules.values()):
        return
    from opendrs.engines.mysql.joined import looks_elsewhere  # heavy

    for name, rule in selection.rules.items():
        if rule.filter and looks_elsewhere(rule.filter):
            reason = (
                f"{name}: what a subquery finds may be something else when the same command resumes the job; list the "
                "values, or have the service look them up once (`opendrs job create`)"
            )
            raise _invalid(FILTER, reason)


def _invalid(option: str, reason: str) -> DrsError:
    return DrsError(Fault.SETTING_INVALID, name=option, reason=reason)
