"""One lane of the load: each chunk in a transaction of Kafka of its own, with the record that it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from opendrs.engines.kafka import control
from opendrs.engines.kafka.lanes import Ids
from opendrs.engines.kafka.opened import Opened
from opendrs.engines.kafka.statements import now
from opendrs.model.catalog import Table
from opendrs.model.checkpoint import LoadedChunk
from opendrs.model.event import Batch

PATIENT_SHARE: Final = 0.5  # of the time that a transaction may last
LONG_SCAN: Final = (
    "It can be read in one scan only, which takes longer than a transaction of Kafka may last. Should the load be "
    "interrupted, its rows are published once more, and consumers keep those that are deleted meanwhile."
)


class Loader:
    """On a producer of its own."""

    def __init__(
        self,
        opened: Opened,
        ids: Ids,
        noted: Callable[[bytes], None],
        report: Callable[[str, str], None],
        timeout_s: float,
    ) -> None:
        self._opened = opened
        self._ids = ids
        self._noted = noted
        self._report = report
        self._timeout_s = timeout_s
        self._table: Table | None = None
        self._reported = False

    def begin(self, table: Table) -> None:
        self._table = table
        self._reported = False
        self._opened.producer.begin()

    def write(self, batch: Batch) -> None:
        assert self._table is not None
        opened = self._opened
        if opened.producer.open_for_s() > self._timeout_s * PATIENT_SHARE:
            self._commit_some()
        number = opened.encoding.number(self._table)
        first = self._ids.take(batch.num_rows)
        with opened.producer.translated(f"send rows of {self._table.name}"):
            opened.encoding.core.send_rows(opened.producer.core, number, batch, now(), first_id=first)

    def _commit_some(self) -> None:
        """One scan that takes longer than a transaction of Kafka may last. Chunks of a key are never so long."""
        assert self._table is not None
        self._opened.producer.commit(self._opened.checkpoint, [control.ids_record(self._opened.lane, self._ids.next)])
        self._ids.durable()
        self._opened.producer.begin()
        if not self._reported:
            self._reported = True
            self._report(str(self._table.name), LONG_SCAN)

    def commit(self, loaded: LoadedChunk) -> None:
        record = control.chunk_record(loaded, self._ids.next)
        self._opened.producer.commit(self._opened.checkpoint, [record])
        self._ids.durable()
        self._noted(record[0])
        self._table = None

    def rollback(self) -> None:
        self._opened.producer.rollback()
        self._table = None
