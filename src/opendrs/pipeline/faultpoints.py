"""The named places where a test may break the world. In production `here` does nothing."""

from __future__ import annotations

from typing import Final, Protocol

OPENED: Final = "sink.opened"
BEGUN: Final = "load.begun"
CHUNK_WRITTEN: Final = "chunk.written"
CHUNK_COMMITTED: Final = "chunk.committed"
TABLE_FINISHED: Final = "table.finished"
LOADED: Final = "load.loaded"
WINDOW_TAKEN: Final = "window.taken"
WINDOW_WRITTEN: Final = "window.written"
FLUSHED: Final = "window.flushed"
SAVED: Final = "checkpoint.saved"
ACKNOWLEDGED: Final = "source.acknowledged"
CONFLICTS_DURABLE: Final = "conflicts.durable"
CONFLICTS_TOLD: Final = "conflicts.told"
ALTERED: Final = "schema.altered"
EXCHANGED: Final = "tables.exchanged"
CONSTRAINED: Final = "schema.constrained"
RESET_MARKED: Final = "reset.marked"
RESET_DROPPED: Final = "reset.dropped"
RESET_FORGOTTEN: Final = "reset.forgotten"

ALL: Final = (
    OPENED, BEGUN, CHUNK_WRITTEN, CHUNK_COMMITTED, TABLE_FINISHED, LOADED, WINDOW_TAKEN, WINDOW_WRITTEN,
    FLUSHED, SAVED, ACKNOWLEDGED, CONFLICTS_DURABLE, CONFLICTS_TOLD, ALTERED, EXCHANGED, CONSTRAINED, RESET_MARKED,
    RESET_DROPPED, RESET_FORGOTTEN,
)  # fmt: skip


class Faults(Protocol):
    """Called at each place with its name."""

    def here(self, name: str) -> None: ...


class NoFaults:
    """Production: nothing happens."""

    def here(self, name: str) -> None:
        return
