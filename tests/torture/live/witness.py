"""Whether what consumers of Kafka were told is what happened: no gap, no double, the order of each key kept.

Three witnesses who know nothing of our code: the strict fold of the messages, the source's own tool that prints its
log, and the rows that the source has at the end.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.harness.binlog_text import logged_changes
from tests.harness.fold import Folded, Name, changes, told
from tests.harness.mysql_family import FamilyServer

# Tables whose key is one whole number, and what its column is called.
NUMBERED: Final = {"accounts": "id", "moves": "id", "cards": "id", "lobs": "id"}
_STATEMENTS: Final = (
    (re.compile(r"TRUNCATE (?:TABLE )?`?(\w+)`?", re.I), "truncate"),
    (re.compile(r"DROP TABLE `?(\w+)`?", re.I), "drop"),
    (re.compile(r"RENAME TABLE `?(\w+)`? TO `?(\w+)`?", re.I), "rename"),
    (re.compile(r"ALTER TABLE `?(\w+)`?", re.I), "alter"),
)


def doubts(source: FamilyServer, database: str, values: Sequence[bytes]) -> list[str]:
    """What does not fit, in words. `values`: all messages of a job in the order of the source, statements among
    them."""
    folded = folded_in_order(database, values)
    return [*_not_in_the_log(source, database, values), *_other_rows(source, database, folded)]


def folded_in_order(database: str, values: Iterable[bytes]) -> Folded:
    """Folds rows and statements."""
    folded = Folded()
    for value in values:
        change = told(value, "json_c")
        if change is None:
            _obey(folded, database, json.loads(value))
        else:
            folded.take(change)
    return folded


def _obey(folded: Folded, database: str, record: Mapping[str, Any]) -> None:
    for pattern, what in _STATEMENTS:
        found = pattern.match(record["sql"].strip())
        if found is None or record["type"] == "INIT_DDL":
            continue
        name = (database, found[1])
        if what in ("truncate", "drop"):
            folded.tables.pop(name, None)
        elif what == "rename":
            folded.tables[database, found[2]] = folded.tables.pop(name, {})
            folded.keys[database, found[2]] = folded.keys.pop(name, ())
        else:
            _blur(folded, name)
        return


def _blur(folded: Folded, name: Name) -> None:
    """The columns of the rows that are there may have changed: only the key is certain."""
    key = folded.keys.get(name, ())
    rows = folded.tables.get(name, {})
    folded.tables[name] = {at: {column: row[column] for column in key} for at, row in rows.items()}


def _not_in_the_log(source: FamilyServer, database: str, values: Sequence[bytes]) -> list[str]:
    """Per key: what consumers were told must be the last part of what the log has."""
    logged: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in logged_changes(source):
        schema, table = change.table
        if schema == database and table in NUMBERED:
            number = (change.after or change.before)[1]  # no key changes in these
            logged[table, number.split(" ", 1)[0]].append(change.op)
    heard: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in changes(values, "json_c"):
        table = change.table[1]
        if table in NUMBERED and not change.initial:
            row = change.after or change.before or {}
            heard[table, row[NUMBERED[table]]].append(change.op)
    found = []
    for (table, key), ops in heard.items():
        if logged[table, key][-len(ops) :] != ops:
            found.append(f"{table} {key}: the log has {logged[table, key]}, consumers heard {ops}")
    return found[:20]


def _other_rows(source: FamilyServer, database: str, folded: Folded) -> list[str]:
    found = []
    tables = {
        name
        for (name,) in source.execute(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'"
            " AND table_type = 'BASE TABLE'"
        )
    }
    for table in sorted(tables):
        found += _compare(source, (database, table), folded)
    return found


def _compare(source: FamilyServer, name: Name, folded: Folded) -> list[str]:
    with source.connect(name[0]) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"SELECT * FROM `{name[1]}`")
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    there = folded.rows(name)
    if len(rows) != len(there):
        return [f"{name}: {len(rows)} rows at the source, {len(there)} by the messages"]
    key = folded.keys.get(name, ())
    if not key:
        return []  # the strict fold of a multiset has compared every removal; the number of rows does the rest
    by_key = {tuple(row[column] for column in key): row for row in there}
    for row in rows:
        at = tuple(str(_plain(row[column])) for column in key)
        if at not in by_key:
            return [f"{name}: {at} is not in the messages"]
        for column, text in by_key[at].items():
            if column in row and not same(row[column], text):
                return [f"{name} {at}: {column} is {row[column]!r}, the messages say {text!r}"]
    return []


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def same(value: Any, text: str | None) -> bool:
    """Whether a value of the driver is what a message says."""
    if value is None or text is None:
        return value is None and text is None
    match value:
        case bool() | int():
            return int(text) == value
        case Decimal():
            return Decimal(text) == value
        case float():
            return abs(float(text) - value) <= abs(value) * 1e-5
        case datetime():
            return datetime.fromisoformat(text) == value
        case date():
            return text == value.isoformat()
        case timedelta():
            return _micros(text) == value // timedelta(microseconds=1)
        case bytes():
            if text.startswith("["):
                return bytes(number & 0xFF for number in json.loads(text)) == value
            return int(text) == int.from_bytes(value, "big")  # BIT
        case set():
            return {word for word in text.split(",") if word} == value
        case _:
            return value == text or _json(value) == _json(text)


def _micros(text: str) -> int:
    hours, minutes, seconds = text.removeprefix("-").split(":")
    total = (int(hours) * 3600 + int(minutes) * 60) * 10**6 + int(Decimal(seconds) * 10**6)
    return -total if text.startswith("-") else total


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
