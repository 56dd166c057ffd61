"""What the pipeline tells about itself while it runs: facts for people, never for correctness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Chunk, Phase, TableProgress
from opendrs.model.engine import Stream
from opendrs.model.event import Event, SchemaChange
from opendrs.model.position import Position
from opendrs.model.selection import Selection


class Scribe(Protocol):
    """Writes down the changes of the schema that one reader of the log meets: as in Progress."""

    def pulls(self, position: Position) -> None: ...

    def altering(self, change: SchemaChange) -> None: ...

    def refused(self, change: SchemaChange, error: DrsError) -> None: ...

    def saved(self, position: Position) -> object:
        """The target stands there, for this reader."""


class Progress(Protocol):
    """Told by the pipeline, on whichever thread the fact arises; returns at once, but for `altering`."""

    def phase(self, phase: Phase) -> None: ...

    def table(self, progress: TableProgress) -> None:
        """A table was planned, finished or made anew."""

    def forgotten(self, name: TableName) -> None: ...

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        """Rows of a chunk were written, not yet committed; negative when they are taken back."""

    def chunk(self, chunk: Chunk) -> None:
        """All of a chunk is durable."""

    def pulls(self, position: Position, stream: Stream) -> None:
        """The log is pulled from there on, and that is where the target stands."""

    def read(self, event: Event) -> None:
        """The log was read up to the end of an event."""

    def altering(self, change: SchemaChange) -> None:
        """A change of the schema is about to be dealt with, and will be durable with the next flush. Returns when that
        stands where whoever comes after a crash finds it."""

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        """A change of the schema could not be dealt with."""

    def beside(self, guest: str) -> Scribe:
        """For a guest (its id), who reads the log beside the job."""

    def applied(self, event: Event) -> None:
        """An event is durable in the target."""


class Silent:
    """Tells nobody."""

    def phase(self, phase: Phase) -> None:
        return

    def table(self, progress: TableProgress) -> None:
        return

    def forgotten(self, name: TableName) -> None:
        return

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        return

    def chunk(self, chunk: Chunk) -> None:
        return

    def pulls(self, position: Position, stream: Stream) -> None:
        return

    def read(self, event: Event) -> None:
        return

    def altering(self, change: SchemaChange) -> None:
        return

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        return

    def beside(self, guest: str) -> Scribe:
        del guest
        return Mute()

    def applied(self, event: Event) -> None:
        return


class Mute:
    """A scribe for nobody."""

    def pulls(self, position: Position) -> None:
        return

    def altering(self, change: SchemaChange) -> None:
        return

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        return

    def saved(self, position: Position) -> None:
        return


class Watched:
    """A stream that tells how far it was read."""

    def __init__(self, stream: Stream, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def next(self, timeout_s: float) -> Event | None:
        event = self._stream.next(timeout_s)
        if event is not None:
            self._progress.read(event)
        return event

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._stream.resume(tables)

    def reselect(self, selection: Selection) -> None:
        self._stream.reselect(selection)

    def pulled(self) -> str:
        return self._stream.pulled()

    def stop_at(self, position: Position | None) -> None:
        self._stream.stop_at(position)

    def acknowledge(self, position: Position) -> None:
        self._stream.acknowledge(position)
