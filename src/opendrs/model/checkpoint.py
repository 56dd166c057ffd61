"""What is known to be durable in the target. Written in the target's own transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opendrs.model.catalog import Table, TableName
from opendrs.model.position import Position

Key = tuple[str | None, ...]
"""Values of a key in the source's text form, in key order."""


class Phase(StrEnum):
    """How far a job has come. Persisted: the words are for ever."""

    LOADING = "loading"  # chunks of the tables are being copied
    CATCHING_UP = "catching_up"  # the log since the start of the load is replayed, idempotently by key
    FOLLOWING = "following"  # every source transaction is applied exactly once, whole
    DONE = "done"  # a job without a stream has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows of one table whose key lies above `lower` and not above `upper`; None is without bound.

    ordinal   place among the chunks of the table, in key order
    rows      of a table of which a filter wants some rows only, how many the source had there when it was cut, about;
              else 0. Not kept
    """

    table: TableName
    ordinal: int
    lower: Key | None = None
    upper: Key | None = None
    rows: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedChunk:
    """A chunk that is durable in the target.

    exact   the position whose state these rows are, if the source can say: log groups that it covers
            are in the rows already
    """

    chunk: Chunk
    rows: int
    nbytes: int
    exact: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProgress:
    """One table of a job.

    table    its definition as of the checkpoint's position: the schema history
    loaded   its rows are all there, with the key
    upper    the largest key when the load began; rows above come with the log. None: the table was empty,
             or has no key
    low      changes in log groups that this position covers are in the rows already, and are dropped
    chunks   what has been copied, while the table is being loaded
    begun    chunks of which some rows may be there already, in a target that keeps whatever it gets: the copy was
             interrupted
    defined  the definition was read behind this position; known in the run that read it
    made     by a statement of the log, in this run: definition and rows are what the log made of them
    """

    table: Table
    loaded: bool = False
    upper: Key | None = None
    low: Position | None = None
    chunks: tuple[LoadedChunk, ...] = ()
    begun: tuple[Chunk, ...] = ()
    rows: int = 0
    nbytes: int = 0
    defined: Position | None = None
    made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Position and progress. `position` None: a job without a stream."""

    phase: Phase
    position: Position | None
    tables: Mapping[TableName, TableProgress] = field(default_factory=dict)
