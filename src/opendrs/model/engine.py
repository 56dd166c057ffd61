"""What an engine gives to the pipeline. Protocols only: no method has a body, no default does nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from opendrs.model.alteration import Alteration
from opendrs.model.catalog import Catalog, Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, Key, LoadedChunk, Phase, TableProgress
from opendrs.model.event import Batch, Event, SchemaChange, Window
from opendrs.model.position import Position
from opendrs.model.selection import Selection


class ChunkRows(Protocol):
    """The rows of one chunk, read once, in batches."""

    def __iter__(self) -> Iterator[Batch]: ...

    @property
    def exact(self) -> Position | None:
        """The position whose state the rows are, if the source can say."""


class Snapshot(Protocol):
    """The only object with a read method: it owns the sessions, and the guarantees, of the reading."""

    @property
    def exact(self) -> Position | None:
        """The one moment that all chunks show, if they do."""

    def holds(self, table: Table) -> bool:
        """Whether nobody can write to the table before it is read: such are to be read first."""

    def keep(self, names: Collection[TableName]) -> None:
        """Nothing but these tables will be read any more. One thread calls it at a time."""

    def bound(self, table: Table) -> Key | None:
        """The largest key that the table has at this time, or had a moment ago; None if it is empty or has no key."""

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        """Splits the keys above `after` up to `upper`, lazily and in key order; `ordinal` numbers the first.

        A table without a key is one chunk.
        """

    def read(self, table: Table, chunk: Chunk) -> AbstractContextManager[ChunkRows]:
        """Reads a chunk on a session of its own; as many threads may read as the snapshot has readers.

        Raises SchemaChanged if the table is no longer as defined.
        """


class Stream(Protocol):
    """The log of a source from one position on."""

    def next(self, timeout_s: float) -> Event | None:
        """The next event; None if there is none within the time.

        Raises SchemaChanged if the log and the definition of a table disagree.
        """

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        """Begins, or goes on behind a SchemaChange. The tables given are known anew, or (None) gone:
        what the log says of those is dropped. A selected table that was never given is SchemaChanged."""

    def pulled(self) -> str:
        """How far the log has been pulled from the source, which may be further than `next` has come: for people, as in
        `mysql-bin.000514:197`. Any thread may ask, at any time; empty: it cannot be said."""

    def stop_at(self, position: Position | None) -> None:
        """Lets an event end exactly at `position`, if that is still ahead. None: at no place in particular."""

    def acknowledge(self, position: Position) -> None:
        """Nothing up to `position` will be asked for again."""

    def reselect(self, selection: Selection) -> None:
        """From where the stream stands on, it tells of another selection. `resume` follows."""


class Mark(Protocol):
    """A place in the log that a stream will come to."""

    def reached(self, position: Position) -> bool:
        """Whether everything before the mark is at or before `position`."""


class Source(Protocol):
    """The side that is read."""

    def catalog(self) -> Catalog:
        """What the selection covers now."""

    def low(self) -> Position:
        """A position that every read which begins after this call has seen entirely."""

    def chosen(self) -> Position | None:
        """The position that a user wants a job without a load to begin at; None: none in particular. Raises DrsError
        if no job can begin there."""

    def tables_at(self, position: Position, stop: Callable[[], bool]) -> Sequence[Table] | None:
        """What the selection covered at an earlier position, as it was defined there; what was made since, the log
        makes. None: `stop` says that it is no longer wanted. Raises DrsError if a definition of that time is not
        known any more."""

    def high(self) -> Mark:
        """A mark behind everything that any read which ended before this call has seen."""

    def bound(self, table: Table) -> Key | None:
        """The largest key there is; None if the table is empty or has no key."""

    def within(self, table: Table, batch: Batch, chunks: Sequence[Chunk]) -> Batch:
        """The changes of a window's batch whose keys lie in one of the chunks. An update of which only one image does
        is an insertion or a deletion."""

    def snapshot(self, *, consistent: bool) -> AbstractContextManager[Snapshot]:
        """Opens the reading of tables. `consistent`: all chunks show one moment."""

    def reselect(self, selection: Selection) -> None:
        """What the source is asked for from now on is about another selection."""

    def stream(self, position: Position) -> AbstractContextManager[Stream]:
        """Opens the log behind `position` and begins to pull it at once; `resume` must come before `next`."""


class Loader(Protocol):
    """One lane of the load: one chunk at a time, each in a transaction of its own."""

    def begin(self, table: Table, chunk: Chunk) -> None: ...

    def write(self, batch: Batch) -> None: ...

    def commit(self, loaded: LoadedChunk) -> None:
        """Returns when rows and progress are durable together. Raises FENCED, and keeps nothing, if a newer
        worker has the job."""

    def rollback(self) -> bool:
        """Forgets the chunk that was begun. True: rows of it stay, for nothing can be taken back."""


class Sink(Protocol):
    """The side that is written. Everything it makes durable is guarded by the epoch it was opened with."""

    @property
    def append_only(self) -> bool:
        """Whether what is written stays beside what comes later: a history, not a state. Then no row may be written
        twice, and `write` is never asked to be idempotent."""

    def open(self) -> Checkpoint | None:
        """Installs the epoch, so that older workers can change nothing more; then reads the checkpoint."""

    def begin(self, checkpoint: Checkpoint) -> None:
        """Makes schemas and empty tables, and behind them the first checkpoint. What was cut short before that is
        as good as never begun."""

    def restart(self, progress: TableProgress) -> None:
        """Makes one table anew and empty, because its load begins anew."""

    def forget(self, name: TableName) -> None:
        """Drops a table that the source no longer has, while it is being loaded."""

    def together(self, name: TableName) -> Sequence[TableName]:
        """Other tables that arrive as one with this: none of them can be made anew alone."""

    def loader(self) -> AbstractContextManager[Loader]: ...

    def finish_table(self, progress: TableProgress) -> None:
        """Every chunk is there: makes the key, and marks the table as loaded. May be repeated."""

    def write(self, window: Window, *, idempotent: bool) -> None:
        """Takes the changes into the open transaction. `idempotent`: rows may hold some of them already."""

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        """Changes the schema in the open transaction, by those of the change's alterations that concern the target;
        `tables` are the definitions behind it."""

    def exchange(
        self,
        edit: str,
        selection: Selection,
        joining: Mapping[TableName, TableProgress],
        giver: str,
        leaving: Sequence[TableName],
    ) -> None:
        """Takes tables over that another job has brought to where this one stands, and lets others go, in the open
        transaction, which keeps `edit`. The other job is over with it: it can make nothing durable any more."""

    def flush(self, position: Position | None, phase: Phase) -> None:
        """The only promise of durability: everything written, and the checkpoint, in one commit.

        Raises FENCED, and keeps nothing, if a newer worker has the job.
        """

    def rollback(self) -> None:
        """Forgets what was written since the last flush."""

    def constrain(self, tables: Mapping[TableName, TableProgress]) -> None:
        """Makes what a load does without: indexes, foreign keys, identities, views. May be repeated."""

    def rest(self, tables: Mapping[TableName, TableProgress]) -> None:
        """The log is no longer followed, for now: forgets what is not flushed, and sets right what matters only to
        those who may write here from now on."""


class Objects(Protocol):
    """Told of what is made beside tables and rows, by whoever makes it, on any thread: facts for people. Returns at
    once."""

    def planned(self, views: Collection[TableName], *, beside: bool = False) -> None:
        """These are the source's views now. `beside`: these come to those that are known."""

    def views(self, made: Collection[TableName], refused: Mapping[TableName, str]) -> None:
        """Views that are there, and those that could not be made, with the reason; durable."""

    def indexes(self, table: TableName, made: int, total: int) -> None:
        """So many of a table's indexes are there, its key included; of so many that are to be made."""


class Checkpoints(Protocol):
    """The memory of the state store: for people, and for targets that cannot keep a checkpoint."""

    def save(self, position: Position | None, phase: Phase) -> None: ...


class Repeat(Exception):
    """A sink has found out that it must take something otherwise: it wants the log once more, from the last flush
    on."""


class SchemaChanged(Exception):
    """A table is not as it is known here, and only a new load can tell.

    It was changed at the source and the change was not seen yet; or, while catching up, something happened
    that cannot be replayed over rows of different moments. `also`: tables that must be loaded with it.
    """

    def __init__(self, name: TableName, reason: str = "", also: Sequence[TableName] = ()) -> None:
        self.name = name
        self.reason = reason
        self.also = tuple(also)
        super().__init__(f"{name}: {reason}")
