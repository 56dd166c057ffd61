"""A world of one seed: a source that is written to, a worker that crashes and is overtaken, a target.

Everything happens on one thread and every choice comes from the seed, so that a failure can be played
again. The world moves at the pipeline's fault points, that is between any two of its steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from opendrs.engines.memory.database import Change, Contents, Database, LogPurgedError, Row, key_of
from opendrs.engines.memory.position import Lsn
from opendrs.engines.memory.sink import Sink, Target
from opendrs.engines.memory.source import Source, Stream
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import AddColumn, AlterTable, CreateTable, DropTable, TruncateTable
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.checkpoint import Phase
from opendrs.model.event import Event, SchemaChange
from opendrs.model.types import Logical
from opendrs.pipeline.barrier import Barrier
from opendrs.pipeline.flow import Flow, Inline
from opendrs.pipeline.run import Run, Settings

INT = Logical(kind="int", bits=64)
CRASHES_MAX = 12
DEPTH_MAX = 2  # a zombie may itself become one


class Crash(BaseException):
    """The worker's process is gone, between two lines."""


def a_table(number: int, *, keyed: bool) -> Table:
    columns = tuple(Column(name=name, type=INT, native="bigint") for name in ("id", "a", "b"))
    primary = Index(name="PRIMARY", parts=(IndexPart(column="id"),), unique=True) if keyed else None
    return Table(name=TableName("s", f"t{number}"), columns=columns, primary=primary)


class Saved:
    """The state store, as far as the loop knows it. It must never be ahead of the target."""

    def __init__(self, world: World) -> None:
        self._world = world

    def save(self, position: Lsn | None, phase: Phase) -> None:
        checkpoint = self._world.target.checkpoint
        assert checkpoint is not None
        durable = checkpoint.position
        if position is not None:
            assert durable is not None and durable.covers(position), "saved before it was durable"
        self._world.saved = position


class Look:
    """Somebody who wants to see both sides at one position, now and then."""

    def __init__(self, world: World, epoch: int) -> None:
        self._world = world
        self._epoch = epoch
        self._source = Contents()

    def wanted(self) -> bool:
        return not self._world.quiet and self._world.random.random() < 0.4

    def fix_source(self) -> Lsn | None:
        if self._world.random.random() < 0.1:
            return None
        self._source = self._world.source.contents.copy()
        position = self._world.source.lsn
        if self._world.random.random() < 0.5:
            self._world.write()
        return position

    def fix_target(self, position: Lsn) -> None:
        checkpoint = self._world.target.checkpoint
        assert checkpoint is not None
        if checkpoint.position != position and self._world.target.epoch > self._epoch:
            return  # a newer worker has moved on: whoever looks must read the position with the rows
        assert self._world.target.contents.same(self._source), "the two sides were shown at different moments"
        self._world.looks += 1


class Ahead(Inline):
    """Reads ahead of the taker, as a thread would, and gives what it has read in groups."""

    def __init__(self, stream: Stream, rng: random.Random) -> None:
        super().__init__(stream)
        self._random = rng
        self._read: list[Event] = []

    def take(self, timeout_s: float) -> list[Event]:
        taken = super().take(timeout_s) if self._back or not self._read else self._read
        if taken is self._read:
            self._read = []
        while not self._behind_a_change(taken) and self._random.random() < 0.5:
            taken += self._next(timeout_s)
        while not self._behind_a_change([*taken, *self._read]) and self._random.random() < 0.3:
            self._read += self._next(timeout_s)
        return taken

    def _next(self, timeout_s: float) -> list[Event]:
        if self._read:
            return [self._read.pop(0)]
        event = self._stream.next(timeout_s)
        return [] if event is None else [event]

    @staticmethod
    def _behind_a_change(events: list[Event]) -> bool:
        return bool(events) and isinstance(events[-1], SchemaChange)


class World:
    """`run` is what is tested: the pipeline's Run, or a mutant of it."""

    def __init__(self, seed: int, run: type[Run] = Run, sink: type[Sink] = Sink) -> None:
        self.random = random.Random(seed)
        self.run = run
        self.sink = sink
        tables = [a_table(n, keyed=self.random.random() < 0.75) for n in range(self.random.randint(1, 3))]
        self.source = Database(tables)
        self.target = self.new_target()
        self.saved: Lsn | None = None
        self.epoch = 0
        self.crashes = 0
        self.looks = 0
        self.depth = 0
        self.quiet = False
        self.next_table = len(tables)
        self.start: Lsn | None = None
        self.task = self.random.choice(["full+incremental", "full+incremental", "full"])
        for _ in range(self.random.randint(0, 12)):
            self.write()

    def new_target(self) -> Target:
        return Target()

    def barrier(self, epoch: int) -> Barrier:
        return Look(self, epoch)

    # what happens at the source

    def write(self) -> None:
        """One transaction of a few changes, or now and then a change of the schema."""
        if self.random.random() < 0.04:
            self.alter()
            return
        names = list(self.source.contents.tables)
        if not names:
            return
        shadow = self.source.contents.copy()
        changes = []
        for _ in range(self.random.randint(1, 5)):
            name = self.random.choice(names)
            change = self._change(shadow.tables[name], shadow.rows[name])
            if change is None:
                continue
            if change.before is not None:
                shadow.rows[name].remove(change.before)
            if change.after is not None:
                shadow.rows[name].append(change.after)
            changes.append(change)
        if changes:
            self.source.commit(changes)

    def _row(self, table: Table) -> Row:
        return (self.random.randint(1, 15), *(self.random.randint(0, 9) for _ in table.columns[1:]))

    def _change(self, table: Table, rows: list[Row]) -> Change | None:
        after: Row | None = self._row(table)
        choice = self.random.random()
        before = self.random.choice(rows) if rows and choice < 0.65 else None
        if before is not None and choice < 0.25:
            after = None
        elif before is not None and choice < 0.55:
            after = (before[0], *after[1:]) if after else None  # the key stays
        if after is not None and table.key:
            taken = {key_of(table, row) for row in rows if row != before}
            if key_of(table, after) in taken:
                return None
        return Change(table.name, before, after)

    def alter(self) -> None:
        names = list(self.source.contents.tables)
        kind = self.random.choice(["create", "drop", "add", "add", "truncate"])
        if kind == "create" or not names:
            self.source.alter(CreateTable(a_table(self.next_table, keyed=self.random.random() < 0.75)))
            self.next_table += 1
            return
        name = self.random.choice(names)
        if kind == "drop":
            self.source.alter(DropTable(name))
        elif kind == "truncate":
            self.source.alter(TruncateTable(name))
        elif len(self.source.contents.tables[name].columns) < 6:
            number = len(self.source.contents.tables[name].columns)
            self.source.alter(AlterTable(name, (AddColumn(Column(name=f"c{number}", type=INT, native="bigint")),)))

    # what happens to the worker

    def here(self, name: str) -> None:
        """The pipeline has come to a fault point: anything may happen now."""
        del name
        # without a log, a copy of a source that is written to shows no moment
        busy = 0.0 if self.task == "full" or self.quiet else 0.3
        while self.random.random() < busy:
            self.write()
        if self.quiet or self.crashes >= CRASHES_MAX:
            return
        choice = self.random.random()
        if choice < 0.06:
            self.crashes += 1
            raise Crash
        if choice < 0.09 and self.depth < DEPTH_MAX:
            # This worker is stopped, a newer one takes over and works for a while, then this one goes on.
            self.crashes += 1
            self.depth += 1
            try:
                self.turn()
            finally:
                self.depth -= 1

    @contextmanager
    def flow(self, stream: Stream) -> Iterator[Flow]:
        yield Ahead(stream, self.random)

    def turn(self) -> bool:
        """One worker's turn; whether it came to the end."""
        self.epoch += 1
        epoch = self.epoch
        run = self.run(
            source=Source(self.source, self.random, chunk_rows=self.random.randint(1, 4), start=self.start),
            sink=self.sink(self.target, epoch),
            checkpoints=Saved(self),
            settings=Settings(task=self.task, readers=1, until_high=True),
            faults=self,
            barrier=self.barrier(epoch),
            flow=self.flow,
        )
        try:
            run()
        except Crash:
            return False
        except (DrsError, LogPurgedError) as error:
            # An overtaken worker is fenced, or finds the log gone that its successor acknowledged. Nothing
            # else may happen to a worker here.
            harmless = isinstance(error, LogPurgedError) or error.fault is Fault.FENCED
            if harmless and self.target.epoch > epoch:
                return False
            raise
        return True

    def play(self) -> None:
        """Workers come and go; then the source falls quiet and one worker must bring both sides together."""
        while not (self.turn() and self.random.random() < 0.5):
            pass
        self.quiet = True
        assert self.turn()
        self.check()

    def check(self) -> None:
        checkpoint = self.target.checkpoint
        assert checkpoint is not None
        assert self.target.contents.same(self.source.contents), "source and target differ"
        assert self.target.constrained
        assert all(progress.loaded for progress in checkpoint.tables.values())
        known = {name: replace(progress.table) for name, progress in checkpoint.tables.items()}
        assert known == self.source.contents.tables, "the schema history is wrong"


class FromThere(World):
    """A job without a load, which begins at a place of the log that lies back; the target is as the source was then."""

    def __init__(self, seed: int, run: type[Run] = Run, sink: type[Sink] = Sink) -> None:
        super().__init__(seed, run, sink)
        self.task = "incremental"
        for _ in range(self.random.randint(0, 12)):
            self.write()
        self.start = Lsn(self.random.randint(0, self.source.lsn.number))
        self.target.contents = self.source.history[self.start.number].copy()
        self.target.constrained = True  # by whoever made it as it is


class WatchedSink(Sink):
    """Asserts at every commit what must hold then, so that a wrong order is found where it is made."""

    world: World

    def flush(self, position: Lsn | None, phase: Phase) -> None:
        super().flush(position, phase)
        if phase is Phase.FOLLOWING and position is not None:
            shown = self.world.source.history[position.number]
            assert self._target.contents.same(shown), f"at {position} the target shows another moment"
