"""The tables of a job as the compiled encoder knows them: by number, with topic and columns."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

from opendrs._core import KafkaEncoder, KafkaError, __version__
from opendrs.engines.kafka.producing import Producer
from opendrs.engines.kafka.topics import topic_of
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.publishing import Publishing
from opendrs.model.selection import Selection


def published(table: Table) -> Sequence[Column]:
    """The columns that a record has: not those that no query can name, nor those whose values the log leaves out."""
    return [c for c in table.columns if not c.hidden and (c.generated is None or c.generated.logged)]


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
        self._next = itertools.count()

    def number(self, table: Table) -> int:
        """The encoder's number of a table, in its present shape."""
        number, shape = self._known.get(table.name, (-1, None))
        if shape is table or shape == table:
            return number
        topic, partitions = self._producer.topic(topic_of(table.name, self._publishing, self._selection))
        form = {
            "table": table.to_json(),
            "columns": [column.name for column in published(table)],
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
