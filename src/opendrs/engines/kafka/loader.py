"""One lane of the load: each chunk in a transaction of Kafka of its own, with the record that it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from opendrs.engines.kafka import control
from opendrs.engines.kafka.lanes import Ids
from opendrs.engines.kafka.opened import Opened
from opendrs.engines.kafka.statements import now
from opendrs.model.catalog import Table
from opendrs.model.checkpoint import Chunk, LoadedChunk
from opendrs.model.event import Batch

PATIENT_SHARE: Final = 0.5  # of the time that a transaction may last
RESERVED: Final = 1_000_000  # ids, where whoever comes after a crash cannot know which were given
LONG_CHUNK: Final = (
    "Rows that are read together take longer than a transaction of Kafka may last, and become visible in parts. Should "
    "the load be interrupted meanwhile, they are published once more."
)


class Loader:
    """On a producer of its own.

    A chunk of which rows can be seen before it is there as a whole is `begun`: that is remembered first, for from then
    on the log must tell what becomes of them. So it is where a chunk takes longer than a transaction may last, and
    with every chunk where there are no transactions.
    """

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
        self._chunk: Chunk | None = None
        self._begun: int | None = None  # an id that tells this attempt at the chunk from others
        self._reserved = 0
        self._reported = False

    def begin(self, table: Table, chunk: Chunk) -> None:
        if table is not self._table:
            self._reported = False
        self._table, self._chunk, self._begun = table, chunk, None
        self._opened.producer.begin()

    def write(self, batch: Batch) -> None:
        assert self._table is not None
        opened = self._opened
        if opened.producer.transactional:
            if opened.producer.open_for_s() > self._timeout_s * PATIENT_SHARE:
                self._show(self._ids.next)
                if not self._reported:
                    self._reported = True
                    self._report(str(self._table.name), LONG_CHUNK)
            first = self._ids.take(batch.num_rows)
        else:
            first = self._ids.take(batch.num_rows)
            if self._begun is None or first + batch.num_rows > self._reserved:
                self._reserved = first + batch.num_rows + RESERVED
                self._show(self._reserved)
        number = opened.encoding.number(self._table)
        shaped = opened.encoding.shaped(self._table, batch, 0)
        with opened.producer.translated(f"send rows of {self._table.name}"):
            opened.encoding.core.send_rows(opened.producer.core, number, shaped, now(), first_id=first)

    def _show(self, next_id: int) -> None:
        """What was sent, and is sent from now on, can be seen before the chunk is there."""
        assert self._chunk is not None
        if self._begun is None:
            self._begun = self._ids.take(1)
        record = control.begun_record(self._chunk, self._begun, max(next_id, self._ids.next))
        self._noted(record[0])
        self._opened.commit([record])
        self._ids.durable()
        self._opened.producer.begin()

    def commit(self, loaded: LoadedChunk) -> None:
        records = [control.chunk_record(loaded, self._ids.next)]
        if self._begun is not None:
            records.append((control.begun_key(loaded.chunk, self._begun), None))
        self._opened.commit(records)
        self._ids.durable()
        self._noted(records[0][0])
        self._begun = None

    def rollback(self) -> bool:
        self._opened.producer.rollback()
        return self._begun is not None
