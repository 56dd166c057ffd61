"""The tables of a job as the compiled encoder knows them: by number, with topic and columns."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from opendrs._core import KafkaEncoder, KafkaError, RecordBatch, Reshape, __version__
from opendrs.engines.kafka.producing import Producer
from opendrs.engines.kafka.topics import topic_of
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.event import Batch
from opendrs.model.publishing import Publishing
from opendrs.model.rules import ExtraColumn, TableRule
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

# How additional columns are described in messages: the type as a source would print it, and what it means.
EXTRA_TYPES: Final = {
    "int": ("int", Logical(kind="int", bits=32)),
    "long": ("bigint", Logical(kind="int", bits=64)),
    "varchar(256)": ("varchar(256)", Logical(kind="text")),
    "varchar(191)": ("varchar(191)", Logical(kind="text")),
    "datetime": ("datetime", Logical(kind="datetime")),
    "timestamp": ("timestamp", Logical(kind="timestamp")),
}


def published(table: Table) -> Sequence[Column]:
    """The columns that a record has: not those that no query can name, nor those whose values the log leaves out."""
    return [c for c in table.columns if not c.hidden and (c.generated is None or c.generated.logged)]


def arriving(table: Table, rule: TableRule) -> tuple[Table, list[dict[str, Any]]]:
    """The table as its messages tell it, and how a batch gets that shape."""
    own = [(column, name) for column in published(table) if (name := rule.arrives(column.name)) is not None]
    extras = [_extra(extra, table.name) for extra in rule.extras]
    names = {column.name.lower(): name for column, name in own}
    columns = [*(replace(column, name=name) for column, name in own), *(column for column, _ in extras)]
    key = replace_key(table, names)
    shape = [{"source": column.name, "name": name} for column, name in own]
    return replace(key, columns=tuple(columns)), [*shape, *(constant for _, constant in extras)]


def replace_key(table: Table, names: Mapping[str, str]) -> Table:
    """The table with its key under the names that its columns arrive by, and nothing else that names columns."""
    parts = tuple(IndexPart(column=names[column.lower()]) for column in table.key)
    primary = Index(name="PRIMARY", parts=parts, unique=True) if parts else None
    return replace(table, primary=primary, indexes=(), foreign_keys=(), checks=())


def _extra(extra: ExtraColumn, name: TableName) -> tuple[Column, dict[str, Any]]:
    native, logical = EXTRA_TYPES[extra.type]
    value = extra.of(name) if extra.names_source else extra.value
    if logical.kind in ("datetime", "timestamp"):
        value = str(round(datetime.fromisoformat(f"{value}+00:00").timestamp() * 1_000_000))
    constant = {"name": extra.name, "type": logical.to_json(), "value": value}
    return Column(name=extra.name, type=logical, native=native, nullable=False), constant


class Encoding:
    """Numbers of topics are a producer's own, so this belongs to one producer."""

    def __init__(self, producer: Producer, publishing: Publishing, selection: Selection, source: str) -> None:
        self._producer = producer
        self._publishing = publishing
        self._selection = selection
        options: dict[str, Any] = {
            "format": publishing.format,
            "partition_policy": publishing.partition_policy,
            "source": {"name": source, "version": __version__, "connector": "mysql", "server_id": 0},
        }
        self.core = KafkaEncoder(json.dumps(options))
        self._known: dict[TableName, tuple[int, Table]] = {}
        self._shapes: dict[TableName, Reshape] = {}
        self._next = itertools.count()

    def reselect(self, selection: Selection) -> None:
        """Of the tables that are known already, nothing else is said."""
        self._selection = selection

    def number(self, table: Table) -> int:
        """The encoder's number of a table, in its present shape."""
        number, shape = self._known.get(table.name, (-1, None))
        if shape is table or shape == table:
            return number
        rule = self._selection.rule(table.name)
        told, columns = table, published(table)
        self._shapes.pop(table.name, None)
        if rule.columns or rule.extras:
            told, shaped = arriving(table, rule)
            columns = told.columns
            self._shapes[table.name] = Reshape(json.dumps(shaped))
        topic, partitions = self._producer.topic(topic_of(table.name, self._publishing, self._selection))
        form = {
            "table": told.to_json(),
            "columns": [column.name for column in columns],
            "topic": topic,
            "partitions": partitions,
        }
        number = number if number >= 0 else next(self._next)
        try:
            self.core.register(number, json.dumps(form))
        except KafkaError as error:
            raise DrsError(Fault.INTERNAL, reason=f"{table.name} cannot be encoded: {error.message}") from error
        self._known[table.name] = (number, table)
        return number

    def shaped(self, table: Table, batch: Batch, leading: int) -> RecordBatch:
        """The batch with the columns that arrive; `number` has been asked for before."""
        assert isinstance(batch, RecordBatch)
        shape = self._shapes.get(table.name)
        return batch if shape is None else shape.batch(batch, leading)
