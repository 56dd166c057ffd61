"""What the log of a source says: windows of changes, changes of the schema, and signs of life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from opendrs.errors import DrsError
from opendrs.model.alteration import Alteration
from opendrs.model.catalog import TableName
from opendrs.model.position import Position


class Batch(Protocol):
    """Rows of one table: an Arrow record batch, or what the memory engine has instead.

    Nobody between a source and a sink looks inside.
    """

    @property
    def num_rows(self) -> int: ...

    @property
    def nbytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class TableChanges:
    """Changes of one table in log order. Columns `op`, `seq`, `txn`, `flags`, then those of the table:
    docs/explanation/windows.md."""

    table: TableName
    batch: Batch


@dataclass(frozen=True, slots=True)
class Control:
    """What happens to a transaction that comes in parts, behind the first `changes` changes of a part.

    action   savepoint, rollback_to or rollback (to the begin of the transaction)
    name     of the savepoint
    """

    changes: int
    action: Literal["savepoint", "rollback_to", "rollback"]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole transactions in log order, or a part of one that is larger than the limit.

    tables           the changes, a batch a table; `seq` orders them over all tables
    position         where the source stands behind the last transaction; None for a part
    controls         only in parts, in order
    transactions     how many end here
    changes          row changes (an update is one)
    ordinals         how many values of `seq` were given out: more than changes where some were undone at once
    nbytes           size of the batches
    last_commit_s    when the source committed the last transaction, seconds since 1970 UTC
    origins          makes a batch that says where each of the transactions that `txn` counts comes from: columns
                     `commit_us`, `gtid`, `file`, `pos` (rust/binlog/src/origins.rs)
    """

    tables: Sequence[TableChanges]
    position: Position | None
    controls: Sequence[Control] = ()
    transactions: int = 1
    changes: int = 0
    ordinals: int = 0
    nbytes: int = 0
    last_commit_s: float = 0.0
    origins: Callable[[], Batch] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """A change of the schema, and a barrier: the stream gives nothing more until `Stream.resume`.

    alterations  what it means, for tables of the selection; empty: it does not concern the job
    statement    the source's SQL
    database     that names without one meant
    position     behind the statement; None inside a transaction, whose rows follow
    failure      why the statement could not be read against the definitions that are known
    concerns     selected tables that such a statement names
    """

    alterations: Sequence[Alteration]
    statement: str
    position: Position | None
    last_commit_s: float = 0.0
    failure: DrsError | None = None
    concerns: tuple[TableName, ...] = ()
    database: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The source lives and stands at `position`; nothing selected changed since the last event."""

    position: Position
    last_commit_s: float = 0.0


Event = Window | SchemaChange | Heartbeat


def nbytes_of(event: Event) -> int:
    """What the event costs in a bounded queue."""
    return event.nbytes if isinstance(event, Window) else 0
