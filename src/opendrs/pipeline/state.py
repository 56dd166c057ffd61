"""What a run holds in memory of its checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.engine import Mark
from opendrs.model.position import Position


@dataclass(slots=True)
class State:
    """The checkpoint as the run knows it; of it, only `tables` may be ahead of what is durable, between a schema
    change and the flush behind it.

    position   flushed
    tables     by source name; replaced as chunks and schema changes become durable
    gone       dropped at the source before their load, with the position that they were looked for at: what the
               log still says of them up to there means nothing
    high       the stream must pass it before whole-transaction guarantees begin
    judged     the source was asked about what the load cannot have known
    passed     the mark was passed
    """

    phase: Phase
    position: Position | None
    tables: dict[TableName, TableProgress]
    gone: dict[TableName, Position | None] = field(default_factory=dict)
    high: Mark | None = None
    judged: bool = False
    passed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    _before: dict[TableName, TableProgress] | None = None  # the durable tables, while `tables` is ahead

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> State:
        return cls(checkpoint.phase, checkpoint.position, dict(checkpoint.tables))

    def alter(self, tables: dict[TableName, TableProgress]) -> None:
        """A schema change was written, and not flushed yet."""
        if self._before is None:
            self._before = self.tables
        self.tables = tables

    def durable(self) -> dict[TableName, TableProgress] | None:
        """The target has flushed. Returns the tables as they were before, if changes of the schema made others of
        them."""
        before, self._before = self._before, None
        return before

    def undo(self) -> None:
        """The target has rolled back."""
        if self._before is not None:
            self.tables, self._before = self._before, None

    def unloaded(self) -> list[TableProgress]:
        return [progress for progress in self.tables.values() if not progress.loaded]

    def is_there(self, names: Iterable[TableName]) -> bool:
        """Whether rows of one of these tables may have been copied."""
        return any(self.tables[name].chunks or self.tables[name].begun for name in names)

    def known(self) -> dict[TableName, TableProgress | None]:
        """What a stream is told before it begins."""
        return {**dict.fromkeys(self.gone), **self.tables}

    def began(self, chunk: Chunk) -> None:
        """Some rows of a chunk are there, and it is not. Called by every lane of a load."""
        with self.lock:
            progress = self.tables[chunk.table]
            self.tables[chunk.table] = replace(progress, begun=(*progress.begun, chunk))

    def record(self, loaded: LoadedChunk) -> TableProgress:
        """Adds a durable chunk; returns the table's progress with it. Called by every lane of a load."""
        with self.lock:
            progress = self.tables[loaded.chunk.table]
            progress = replace(
                progress,
                chunks=(*progress.chunks, loaded),
                rows=progress.rows + loaded.rows,
                nbytes=progress.nbytes + loaded.nbytes,
            )
            self.tables[loaded.chunk.table] = progress
            return progress
