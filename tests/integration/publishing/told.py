"""What consumers were told, folded into rows; and how that differs from what the source has.

Strict: `tests/harness/fold.py` refuses a row that comes twice, and one that changes or goes and was not there just so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pymysql.constants import FIELD_TYPE

from opendrs.model.catalog import TableName
from tests.harness.fold import Folded, Name, told
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.tale import Tale

FORM: Final = "json_c"
_NAME: Final = r"(?:`[^`]+`\.|\w+\.)?(?:`[^`]+`|\w+)"
_TRUNCATE: Final = re.compile(rf"TRUNCATE (?:TABLE )?({_NAME})", re.I)
_DROP: Final = re.compile(rf"DROP TABLE (?:IF EXISTS )?({_NAME}(?:\s*,\s*{_NAME})*)", re.I)
_RENAME: Final = re.compile(r"RENAME TABLE (.*)", re.I | re.S)
_PAIR: Final = re.compile(rf"({_NAME}) TO ({_NAME})", re.I)
_ALTER: Final = re.compile(rf"ALTER TABLE ({_NAME}) RENAME (?:TO |AS )?({_NAME})$", re.I)
# Drivers give bytes as a text of their own.
_NUMBERED: Final = frozenset({FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE})


def folded(values: Iterable[bytes], form: str = FORM, keys: Mapping[Name, tuple[str, ...]] | None = None) -> Folded:
    """Rows and statements in the order in which they are given. `keys`: where the format does not tell them."""
    found = Folded(keys=dict(keys or {}))
    for value in values:
        change = told(value, form)
        if change is None:
            record = json.loads(value)
            if record["type"] != "INIT_DDL":
                _obey(found, record["database"], record["sql"].strip())
        else:
            found.take(change)
    return found


def _obey(found: Folded, database: str, sql: str) -> None:
    if match := _TRUNCATE.match(sql):
        _forget(found, _named(match[1], database))
    elif match := _DROP.match(sql):
        for text in match[1].split(","):
            _forget(found, _named(text.strip(), database))
    elif match := _RENAME.match(sql):
        for old, new in _PAIR.findall(match[1]):
            _move(found, _named(old, database), _named(new, database))
    elif match := _ALTER.match(sql):
        _move(found, _named(match[1], database), _named(match[2], database))


def _named(text: str, database: str) -> Name:
    schema, _, table = text.rpartition(".")
    return (schema.strip("`") or database, table.strip("`"))


def _forget(found: Folded, name: Name) -> None:
    for kept in (found.tables, found.loose, found.keys):
        kept.pop(name, None)


def _move(found: Folded, old: Name, new: Name) -> None:
    for kept in (found.tables, found.loose, found.keys):
        if old in kept:
            kept[new] = kept.pop(old)  # type: ignore[attr-defined]


def differing(tale: Tale, values: Iterable[bytes] | None = None, *others: str) -> list[str]:
    """What consumers believe and is not so; empty if all they believe is what the source has. `others`: databases of the
    job besides the tale's own."""
    found = folded(tale.values() if values is None else values)
    there = {name: rows for database in (tale.name, *others) for name, rows in rows_of(tale.source, database).items()}
    wanted = {name: rows for name, rows in there.items() if tale.job.selection.wants(TableName(*name))}
    odd = [name for name in {*found.tables, *found.loose} - wanted.keys() if found.rows(name)]
    doubts = [f"{name} is not at the source" for name in sorted(odd)]
    for name, rows in sorted(wanted.items()):
        doubts += _unlike(name, rows, found)
    return doubts


def _unlike(name: Name, rows: Sequence[Mapping[str, Any]], found: Folded) -> list[str]:
    key = found.keys.get(name, ())
    told_rows = found.rows(name)
    if not key:
        here, there = Counter(map(_text, rows)), Counter(map(_text, told_rows))
        only = [("the source", row) for row in (here - there).elements()]
        only += [("the messages", row) for row in (there - here).elements()]
        return [f"{name}: only in {where}: {row}" for where, row in only[:6]]
    by_key = {tuple(row[column] for column in key): row for row in told_rows}
    doubts = []
    for row in rows:
        at = tuple(row.get(column) for column in key)
        heard = by_key.pop(at, None)
        # A column that was added since has a value that no message told; one that was dropped is still in them.
        wrong = heard is not None and [c for c in row.keys() & heard.keys() if row[c] != heard[c]]
        if heard is None or wrong:
            doubts.append(f"{name}: the source has {row}, the messages say {heard}")
    doubts += [f"{name}: only in the messages: {row}" for row in by_key.values()]
    return doubts[:6]


def _text(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


def rows_of(source: FamilyServer, database: str) -> dict[Name, list[dict[str, str | None]]]:
    """All rows as the server prints them, in UTC; bytes as Java's signed ones, bits as numbers."""
    with source.connect(database, conv={}) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT * FROM `{table}`")
            facts = [(column[0], column[1]) for column in cursor.description]
            found[database, table] = [
                {column: printed(value, kind) for (column, kind), value in zip(facts, row, strict=True)}
                for row in cursor.fetchall()
            ]
        return found


def printed(value: Any, kind: int) -> str | None:
    if isinstance(value, bytes):
        if kind == FIELD_TYPE.BIT:
            return str(int.from_bytes(value, "big"))
        return str([byte - 256 if byte > 127 else byte for byte in value])
    assert kind not in _NUMBERED, "these are printed in many ways"
    return value if value is None else str(value)


def ids_of_log(values: Iterable[bytes]) -> list[int]:
    """Ids of the messages of the log, in their order."""
    records = [json.loads(value) for value in values]
    return [record["id"] for record in records if record["type"] not in ("INIT", "INIT_DDL")]
