"""The load of a target that keeps what it gets: no key is read twice, and none is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendrs.engines.memory.position import Lsn
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.checkpoint import Chunk, Key, LoadedChunk, TableProgress
from opendrs.model.event import Control, SchemaChange, TableChanges, Window
from opendrs.model.types import Logical
from opendrs.pipeline.publishing import missing, refuse_new_keys, told

KEYS = range(-3, 25)


def table(name: str = "t", key: tuple[str, ...] = ("id",)) -> Table:
    columns = tuple(Column(name=one, type=Logical(kind="int", bits=64), native="bigint") for one in ("id", "a"))
    primary = Index(name="PRIMARY", parts=tuple(IndexPart(column=one) for one in key), unique=True) if key else None
    return Table(name=TableName("shop", name), columns=columns, primary=primary)


def done(chunk: Chunk) -> LoadedChunk:
    return LoadedChunk(chunk=chunk, rows=1, nbytes=8)


def number(key: Key) -> int:
    return int(key[0] or "")


@dataclass
class Splitting:
    """A snapshot that cuts wherever it is told. As engines do, the last chunk reaches to the bound, even if no key is
    there any more, or all that are there lie below what was asked for."""

    cuts: Sequence[int] = ()
    highest: int | None = None
    exact: None = None

    def holds(self, table: Table) -> bool:
        return False

    def keep(self, names: Collection[TableName]) -> None:
        raise AssertionError("nothing is held here")

    def bound(self, table: Table) -> Key | None:
        assert table.key, "there is none"
        return None if self.highest is None else (str(self.highest),)

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        assert upper is not None
        while after != upper:
            here = [cut for cut in self.cuts if (after is None or cut > number(after)) and cut < number(upper)]
            bound = (str(min(here)),) if here else upper
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=bound)
            after, ordinal = bound, ordinal + 1

    def read(self, table: Table, chunk: Chunk) -> Any:
        raise AssertionError("nothing is read here")


def planned(progress: TableProgress, cuts: Sequence[int], highest: int | None) -> list[Chunk]:
    return list(missing(Splitting(cuts, highest), progress))


def holds(chunk: Chunk, key: int) -> bool:
    return (chunk.lower is None or key > number(chunk.lower)) and (chunk.upper is None or key <= number(chunk.upper))


def law(chunks: Sequence[Chunk]) -> None:
    """Every key that there may ever be lies in one chunk, and ordinals count chunks in the order of keys."""
    for key in KEYS:
        assert sum(holds(chunk, key) for chunk in chunks) == 1, f"{key} in {chunks}"
    by_ordinal = sorted(chunks, key=lambda chunk: chunk.ordinal)
    assert len({chunk.ordinal for chunk in chunks}) == len(chunks), chunks
    assert by_ordinal[0].lower is None and by_ordinal[-1].upper is None
    assert all(before.upper == behind.lower for before, behind in pairwise(by_ordinal))


# One attempt at a load: where it cuts, the largest key of its time, and which of its chunks become durable.
ATTEMPT = st.tuples(
    st.lists(st.integers(0, 20), max_size=6), st.none() | st.integers(0, 20), st.lists(st.booleans(), max_size=8)
)


@settings(max_examples=150)
@given(st.lists(ATTEMPT, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_what_is_done_and_what_is_missing_is_every_key_once(attempts: list[Any], random: Any) -> None:
    """Whichever chunks an attempt leaves behind, in whichever order its lanes were done, and whatever became of the
    largest key meanwhile."""
    progress = TableProgress(table=table())
    for cuts, highest, kept in attempts:
        plan = planned(progress, cuts, highest)
        law([*(loaded.chunk for loaded in progress.chunks), *plan])
        durable = [done(chunk) for chunk, kept_one in zip(plan, kept, strict=False) if kept_one]
        random.shuffle(durable)
        progress = replace(progress, chunks=(*progress.chunks, *durable))
    rest = planned(progress, (), 20)
    law([*(loaded.chunk for loaded in progress.chunks), *rest])
    assert planned(replace(progress, chunks=(*progress.chunks, *map(done, rest))), (5, 6), 20) == []


def test_the_last_chunk_has_no_upper_bound() -> None:
    """What came behind the largest key since it was looked for is in the snapshot too."""
    plan = planned(TableProgress(table=table()), (5,), 9)
    assert [(chunk.lower, chunk.upper) for chunk in plan] == [(None, ("5",)), (("5",), None)]


def test_a_bound_at_or_below_what_is_done() -> None:
    """The rows at the end were deleted since: what is behind what is done is still to be looked at, and once."""
    name = table().name
    chunks = tuple(done(Chunk(table=name, ordinal=n, lower=low, upper=up)) for n, low, up in [(0, None, ("9",))])
    progress = TableProgress(table=table(), chunks=chunks)
    for highest in (9, 4, None):
        assert planned(progress, (), highest) == [Chunk(table=name, ordinal=1, lower=("9",))]


def test_a_gap_is_one_chunk_between_its_neighbours() -> None:
    name = table().name
    there = [
        Chunk(table=name, ordinal=4, lower=("7",), upper=None),
        Chunk(table=name, ordinal=1, lower=("2",), upper=("3",)),
    ]
    progress = TableProgress(table=table(), chunks=tuple(map(done, there)))
    assert planned(progress, (5,), 20) == [
        Chunk(table=name, ordinal=0, lower=None, upper=("2",)),
        Chunk(table=name, ordinal=2, lower=("3",), upper=("7",)),
    ]


def test_an_empty_table_is_one_chunk() -> None:
    """Rows that come between the look for the largest key and the snapshot are in it."""
    assert planned(TableProgress(table=table()), (5,), None) == [Chunk(table=table().name, ordinal=0)]


def test_a_table_without_a_key_is_one_chunk_and_nobody_asks_for_its_largest_key() -> None:
    keyless = table(key=())
    progress = TableProgress(table=keyless)
    (chunk,) = missing(Splitting(), progress)
    assert chunk == Chunk(table=keyless.name, ordinal=0)
    assert list(missing(Splitting(), replace(progress, chunks=(done(chunk),)))) == []


# --- what of the log is told ---


@dataclass(frozen=True)
class Rows:
    """In the place of a batch."""

    num_rows: int
    words: str = ""
    nbytes: int = 0


@dataclass
class Source:
    """Keeps so many rows of each batch, and remembers what it was asked."""

    left: int = 1
    asked: list[tuple[Table, Any, Sequence[Chunk]]] = field(default_factory=list)

    def within(self, table: Table, batch: Any, chunks: Sequence[Chunk]) -> Rows:
        self.asked.append((table, batch, chunks))
        return Rows(self.left, f"{batch.words} within")


def window(*names: str) -> Window:
    return Window(
        tables=[TableChanges(TableName("shop", name), Rows(3, name)) for name in names],
        position=Lsn(7), controls=(Control(2, "savepoint", "s"),), transactions=4, changes=9, ordinals=11, nbytes=5,
        last_commit_s=2.5, origins=lambda: Rows(4),
    )  # fmt: skip


def progress_of(name: str, *chunks: Chunk, loaded: bool = False) -> TableProgress:
    return TableProgress(table=table(name), loaded=loaded, chunks=tuple(map(done, chunks)))


def by_name(*progress: TableProgress) -> dict[TableName, TableProgress]:
    return {one.table.name: one for one in progress}


def test_what_is_whole_is_told_as_it_is() -> None:
    source, whole = Source(), window("a", "b")
    tables = by_name(progress_of("a", loaded=True), progress_of("b", loaded=True), progress_of("c"))
    assert told(whole, tables, source) is whole  # type: ignore[arg-type]
    assert source.asked == []


def test_of_a_table_that_is_not_whole_only_what_is_there_is_told() -> None:
    chunks = [Chunk(table=TableName("shop", "b"), ordinal=n, lower=(str(n),), upper=(str(n + 1),)) for n in (2, 0)]
    tables = by_name(progress_of("a", loaded=True), progress_of("b", *chunks), progress_of("c"))
    source, whole = Source(), window("a", "b", "c")
    left = told(whole, tables, source)  # type: ignore[arg-type]
    assert [(one.table.table, one.batch) for one in left.tables] == [("a", Rows(3, "a")), ("b", Rows(1, "b within"))]
    # The source is asked about chunks in the order of keys, and in no other.
    assert source.asked == [(tables[TableName("shop", "b")].table, Rows(3, "b"), chunks[::-1])]
    # Everything else is the window's: the transaction ends all the same, and changes keep their ordinals.
    assert replace(left, tables=whole.tables) == whole


def test_a_window_of_which_nothing_is_left_still_has_a_position() -> None:
    chunk = Chunk(table=TableName("shop", "b"), ordinal=0, upper=("1",))
    left = told(window("b", "c"), by_name(progress_of("b", chunk), progress_of("c")), Source(left=0))  # type: ignore[arg-type]
    assert left.tables == [] and left.position == Lsn(7) and left.ordinals == 11


# --- changes of the schema while it is loaded ---

CHANGE = SchemaChange(alterations=(), statement="ALTER TABLE t ...", position=Lsn(3))
THERE = Chunk(table=TableName("shop", "t"), ordinal=0, upper=("5",))


def refused(before: TableProgress, after: TableProgress | None, change: SchemaChange = CHANGE) -> DrsError:
    with pytest.raises(DrsError) as raised:
        changed(before, after, change)
    assert raised.value.fault is Fault.DDL_UNSUPPORTED
    return raised.value


def changed(before: TableProgress, after: TableProgress | None, change: SchemaChange = CHANGE) -> None:
    name = before.table.name if after is None else after.table.name
    gone: dict[TableName, TableProgress | None] = {before.table.name: None}
    refuse_new_keys(by_name(before, progress_of("other", loaded=True)), {**gone, name: after}, change)


@pytest.mark.parametrize("key", [("a",), ("id", "a"), ()])
def test_a_new_key_makes_chunks_of_the_old_one_meaningless(key: tuple[str, ...]) -> None:
    before = progress_of("t", THERE)
    error = refused(before, replace(before, table=table("t", key)))
    assert "shop.t" in str(error) and "ALTER TABLE t" in str(error) and "1:3" in str(error)
    # Also where it was renamed in the same breath.
    refused(before, replace(before, table=table("renamed", key)))


def test_a_change_within_a_transaction_has_no_position() -> None:
    before = progress_of("t", THERE)
    error = refused(before, replace(before, table=table("t", ("a",))), replace(CHANGE, position=None))
    assert "a transaction" in str(error)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (progress_of("t", THERE), progress_of("t", THERE)),
        (progress_of("t", THERE), replace(progress_of("t", THERE), table=table("renamed"))),
        (progress_of("t", THERE), None),
        (progress_of("t"), replace(progress_of("t"), table=table("t", ("a",)))),
        (progress_of("t", loaded=True), replace(progress_of("t", loaded=True), table=table("t", ("a",)))),
    ],
    ids=["the key stays", "renamed", "dropped", "nothing is there yet", "all is there"],
)
def test_other_changes_do_no_harm(before: TableProgress, after: TableProgress | None) -> None:
    changed(before, after)


def test_tables_of_which_nothing_is_there_are_not_taken_for_each_other() -> None:
    """They all have the same chunks: none."""
    before = by_name(progress_of("a"), progress_of("b", loaded=True), progress_of("t", THERE))
    refuse_new_keys(before, {TableName("shop", "c"): replace(progress_of("c"), table=table("c", ("a",)))}, CHANGE)
