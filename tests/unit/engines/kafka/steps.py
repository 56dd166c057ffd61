"""What tests of a sink have in common: a job that has begun, and what is done to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opendrs.engines.memory.position import Lsn
from opendrs.model.alteration import (
    AddColumn,
    Alteration,
    AlterTable,
)
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.event import SchemaChange
from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing
from opendrs.model.selection import Selection
from tests.unit.engines.kafka.fakes import (
    CARTS,
    ORDERS,
    Brokers,
    Rows,
    Worker,
    table,
    worker,
)

FOLLOWING = Phase.FOLLOWING


def policy(**facts: Any) -> Policy:
    return Policy(publishing=Publishing(**facts), readers=2)


def begun(
    *tables: Table, phase: Phase = FOLLOWING, given: Policy | None = None, selection: Selection | None = None
) -> Worker:
    """A worker whose job has begun at position 1."""
    made = worker(given or policy(), selection=selection)
    assert made.sink.open() is None
    known = tables or (table(), table(CARTS))
    progress = {one.name: TableProgress(table=one, loaded=phase is FOLLOWING) for one in known}
    made.sink.begin(Checkpoint(phase=phase, position=Lsn(1), tables=progress))
    return made


def heir(given: Policy | None = None, **facts: Any) -> tuple[Worker, Checkpoint]:
    """Whoever comes next, and what it finds."""
    made = worker(given or policy(), **facts)
    checkpoint = made.sink.open()
    assert checkpoint is not None
    return made, checkpoint


def rows(here: Brokers) -> list[int]:
    return [message.row for message in here.messages if not message.sql]


def load(made: Worker, known: Table, ordinal: int, ids: Sequence[int], *, upper: str | None = None) -> None:
    chunk = Chunk(table=known.name, ordinal=ordinal, lower=None, upper=(upper,) if upper else None)
    with made.sink.loader() as lane:
        lane.begin(known, chunk)
        lane.write(Rows(ids))
        lane.commit(LoadedChunk(chunk=chunk, rows=len(ids), nbytes=8 * len(ids)))


LEAST = policy(delivery="at-least-once")
TOLD = policy(ddl_topic="ddl")
WIDE = table(ORDERS, "a")
ADDED = AlterTable(ORDERS, (AddColumn(WIDE.columns[1]),))


def change(*alterations: Alteration, position: int | None = 9, sql: str = "their words") -> SchemaChange:
    at = None if position is None else Lsn(position)
    return SchemaChange(alterations=alterations, statement=sql, position=at, database="shop")


def alter(made: Worker, alteration: Alteration, *, sql: str = "their words", **tables: Table | None) -> None:
    changed = {
        TableName("shop", name): None if one is None else TableProgress(table=one, loaded=True)
        for name, one in tables.items()
    }
    made.sink.alter(change(alteration, sql=sql), [alteration], changed)
