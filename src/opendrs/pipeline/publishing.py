"""The load of a target that keeps whatever it gets: a history, in which no row may come twice.

Nothing can be made up for there by writing it once more, as a table does. So every chunk shows one known moment, the
log is told exactly up to that moment before a row is read, and goes on from there. Until a table is whole, the log is
told of those of its rows only that are there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Chunk, LoadedChunk, TableProgress
from opendrs.model.engine import Snapshot, Source
from opendrs.model.event import SchemaChange, TableChanges, Window


def missing(snapshot: Snapshot, progress: TableProgress) -> Iterator[Chunk]:
    """Chunks of a table that are not durable yet, in key order. The last one has no upper bound: what the snapshot
    shows ends by itself."""
    table = progress.table
    done = in_order(progress.chunks)
    if not table.key:
        if not done:
            yield Chunk(table=table.name, ordinal=0)
        return
    if done and done[0].lower is not None:
        yield Chunk(table=table.name, ordinal=0, upper=done[0].lower)
    yield from gaps(table.name, done)
    if done and done[-1].upper is None:
        return
    after, first = (done[-1].upper, done[-1].ordinal + 1) if done else (None, 0)
    highest = snapshot.bound(table)
    if highest is None:
        yield Chunk(table=table.name, ordinal=first, lower=after)
        return
    for chunk in snapshot.chunks(table, after=after, upper=highest, ordinal=first):
        yield replace(chunk, upper=None) if chunk.upper == highest else chunk
    if after == highest:
        yield Chunk(table=table.name, ordinal=first, lower=after)


def in_order(chunks: Sequence[LoadedChunk]) -> list[Chunk]:
    return sorted((loaded.chunk for loaded in chunks), key=lambda chunk: chunk.ordinal)


def gaps(name: TableName, done: Sequence[Chunk]) -> Iterator[Chunk]:
    """What a crash left out between chunks that are there. A gap is one chunk: its bounds are those of its neighbours,
    so no key is ever compared here (only the server knows its collations). Its ordinal is free because the chunk lost
    in the crash had it."""
    for before, behind in pairwise(done):
        if before.upper != behind.lower:
            yield Chunk(table=name, ordinal=before.ordinal + 1, lower=before.upper, upper=behind.lower)


def told(window: Window, tables: dict[TableName, TableProgress], source: Source) -> Window:
    """The window without changes of rows that are not there yet: their chunks will show what became of them."""
    if all(tables[changes.table].loaded for changes in window.tables):
        return window
    kept: list[TableChanges] = []
    for changes in window.tables:
        progress = tables[changes.table]
        if progress.loaded:
            kept.append(changes)
        elif progress.chunks or progress.begun:
            # Of what was begun anything may be there: that a row goes is told in any case.
            there = [*in_order(progress.chunks), *progress.begun]
            batch = source.within(progress.table, changes.batch, there)
            kept.append(TableChanges(changes.table, batch))
    return replace(window, tables=[changes for changes in kept if changes.batch.num_rows])


def refuse_new_keys(
    before: dict[TableName, TableProgress], changed: dict[TableName, TableProgress | None], change: SchemaChange
) -> None:
    """Raises DDL_UNSUPPORTED if rows of a table are there, and nobody can say any more which."""
    there = {(one.chunks, one.begun): one for one in before.values() if one.chunks or one.begun}
    for name, progress in changed.items():
        old = there.get((progress.chunks, progress.begun)) if progress is not None and not progress.loaded else None
        if progress is not None and old is not None and old.table.key != progress.table.key:
            raise DrsError(
                Fault.DDL_UNSUPPORTED,
                position=change.position.dump() if change.position else "a transaction",
                reason=f"the key of {name} changed while the table was being loaded; reset the job to load it anew",
                statement=change.statement,
            )
