"""Reads what we publish to Kafka, as somebody who knows nothing of how it is made; and folds it back into rows.

The fold is strict: what is inserted must not be there, what is changed or deleted must be there just as the message
says. So a message too many, one too few, or two in the wrong order are found out.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Op = Literal["insert", "update", "delete"]
Row = Mapping[str, Any]
Name = tuple[str, str]
AVRO_MARKER = b"\xc3\x01"  # Avro specification, "Single-object encoding"
AVRO_HEAD = 10


@dataclass(frozen=True, slots=True)
class Told:
    """One change of one row, or a row of the load."""

    table: Name
    op: Op
    before: Row | None
    after: Row | None
    key: tuple[str, ...]  # names of the columns
    initial: bool
    id: int
    moment_ms: int


class FoldError(Exception):
    """The messages contradict each other."""


def told(value: bytes, form: str) -> Told | None:
    """What a message says; None for a statement."""
    match form:
        case "json" | "json_c":
            return _flat(json.loads(value), deleted="old" if form == "json" else "data")
        case "canal-json":
            return _canal(json.loads(value))
        case "avro":
            return _flat(_avro(value), deleted="data")
        case "debezium-json":
            return _debezium(json.loads(value))
    raise ValueError(f"there is no format {form}")


def _flat(record: Mapping[str, Any], *, deleted: str) -> Told | None:
    if record["isDdl"]:
        return None
    kind = record["type"]
    new, old = _one(record["data"]), _one(record["old"])
    op: Op = "delete" if kind == "DELETE" else "update" if kind == "UPDATE" else "insert"
    before, after = (old, new) if op == "update" else (None, new)
    if op == "delete":
        before, after = (old if deleted == "old" else new), None
        assert (new if deleted == "old" else old) is None, record
    elif op == "insert":
        assert old is None, record
    return _told(record, op, before, after, initial=kind == "INIT")


def _canal(record: Mapping[str, Any]) -> Told | None:
    if record["isDdl"]:
        return None
    kind, new = record["type"], _one(record["data"])
    op: Op = "delete" if kind == "DELETE" else "update" if kind == "UPDATE" else "insert"
    before = {**(new or {}), **(_one(record["old"]) or {})} if op == "update" else new if op == "delete" else None
    return _told(record, op, before, None if op == "delete" else new, initial=False)


def _told(record: Mapping[str, Any], op: Op, before: Row | None, after: Row | None, *, initial: bool) -> Told:
    name = (record["database"], record["table"])
    key = tuple(record["pkNames"] or ())
    return Told(name, op, before, after, key, initial, record["id"], record["es"])


def _debezium(record: Mapping[str, Any]) -> Told | None:
    if "op" not in record:
        return None
    op: Op = {"c": "insert", "r": "insert", "u": "update", "d": "delete"}[record["op"]]  # type: ignore[assignment]
    source = record["source"]
    name = (source["db"], source["table"])
    return Told(name, op, record["before"], record["after"], (), record["op"] == "r", 0, source["ts_ms"])


def _one(rows: Sequence[Row] | None) -> Row | None:
    if rows is None:
        return None
    (row,) = rows
    return row


def _avro(value: bytes) -> Mapping[str, Any]:
    import fastavro

    from opendrs._core import KAFKA_RECORD_SCHEMA

    assert value[:2] == AVRO_MARKER, value[:16]
    schema = fastavro.parse_schema(json.loads(KAFKA_RECORD_SCHEMA))
    found: Any = fastavro.schemaless_reader(io.BytesIO(value[AVRO_HEAD:]), schema, None)
    return dict(found)


@dataclass
class Folded:
    """Rows of every table, by the values of the key; of a table without one, as a multiset."""

    keys: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[Name, dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    loose: dict[Name, Counter[str]] = field(default_factory=dict)

    def take(self, change: Told) -> None:
        key = self.keys.setdefault(change.table, change.key)
        if not key:
            self._take_loose(change)
            return
        rows = self.tables.setdefault(change.table, {})
        if change.before is not None:
            at = tuple(change.before[name] for name in key)
            there = rows.pop(at, None)
            # A column that was added since has a value in the table that no message told.
            if there is None or any(there.get(name, value) != value for name, value in change.before.items()):
                raise FoldError(f"{change}: there is {there}")
        if change.after is not None:
            at = tuple(change.after[name] for name in key)
            if at in rows:
                raise FoldError(f"{change}: there is {rows[at]} already")
            rows[at] = change.after

    def _take_loose(self, change: Told) -> None:
        rows = self.loose.setdefault(change.table, Counter())
        if change.before is not None:
            text = _text(change.before)
            if not rows[text]:
                raise FoldError(f"{change}: there is no such row")
            rows[text] -= 1
        if change.after is not None:
            rows[_text(change.after)] += 1

    def rows(self, table: Name) -> list[Row]:
        """In no order."""
        loose = self.loose.get(table, Counter())
        return [*self.tables.get(table, {}).values(), *(json.loads(text) for text in loose.elements())]


def _text(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def fold(values: Iterable[bytes], form: str, keys: Mapping[Name, tuple[str, ...]] | None = None) -> Folded:
    """The rows that messages come to, in the order in which they are given. `keys`: of tables, where the format does
    not tell them."""
    folded = Folded(keys=dict(keys or {}))
    for change in changes(values, form):
        folded.take(change)
    return folded


def changes(values: Iterable[bytes], form: str) -> Iterator[Told]:
    """Without statements."""
    for value in values:
        change = told(value, form)
        if change is not None:
            yield change
