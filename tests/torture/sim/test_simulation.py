"""The core loop against thousands of histories, and mutants of it that must not survive them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from opendrs.engines.memory.database import Database, LogPurgedError
from opendrs.engines.memory.position import Lsn
from opendrs.engines.memory.sink import Loader, Sink
from opendrs.errors import DrsError
from opendrs.model.catalog import Table
from opendrs.model.checkpoint import Checkpoint, LoadedChunk, Phase, TableProgress
from opendrs.model.event import Event, Window
from opendrs.model.position import Position
from opendrs.pipeline.run import Run
from opendrs.pipeline.state import State
from tests.torture.sim.world import FromThere, WatchedSink, World

SEEDS = int(os.environ.get("OPENDRS_SIM_SEEDS", "1500"))
FIRST = int(os.environ.get("SEED", "0"))
MUTANT_SEEDS = 400
BROKEN = (AssertionError, DrsError, LogPurgedError, KeyError)


def play(seed: int, run: type[Run] = Run, sink: type[Sink] = WatchedSink, world_of: type[World] = World) -> World:
    world = world_of(seed, run, sink)
    if issubclass(sink, WatchedSink):
        sink.world = world
    world.play()
    return world


def test_source_and_target_are_the_same_after_any_crashes() -> None:
    crashes = looks = 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            world = play(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: play it again with SEED={seed} OPENDRS_SIM_SEEDS=1") from error
        crashes += world.crashes
        looks += world.looks
    assert SEEDS < 100 or (crashes > SEEDS and looks > SEEDS // 5), "a simulation this gentle proves nothing"


def test_from_a_place_that_lies_back_on_they_are_the_same() -> None:
    """At every commit the target shows the source's own moment: nothing from before that place, nothing left out."""
    changed = 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            world = play(seed, world_of=FromThere)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: play it again with SEED={seed} OPENDRS_SIM_SEEDS=1") from error
        assert world.start is not None
        then = world.source.history[world.start.number].tables
        changed += then != world.source.contents.tables
    assert SEEDS < 100 or changed > SEEDS // 10, "definitions hardly ever changed"


class FromNowOn(Run):
    """The place that was chosen does not count."""

    def _begin(self) -> Checkpoint:
        self.source._start = None  # type: ignore[attr-defined]
        return super()._begin()


class DefinitionsOfNow(Run):
    """Rows of then are read by the definitions of now."""

    def _as_of(self, position: Position) -> Sequence[Table]:
        del position
        return self.source.catalog().tables


@pytest.mark.parametrize("mutant", [FromNowOn, DefinitionsOfNow])
def test_mutants_of_such_a_begin_are_caught(mutant: type[Run]) -> None:
    caught = 0
    for seed in range(MUTANT_SEEDS):
        try:
            play(seed, mutant, world_of=FromThere)
        except BROKEN:
            caught += 1
    assert caught > 0


class SavedBeforeFlushed(Run):
    """The state store remembers a position that is not durable."""

    def _save(self, state: State, position: Lsn | None, phase: Phase) -> None:
        self.checkpoints.save(position, phase)
        super()._save(state, position, phase)


class AcknowledgedBeforeFlushed(Run):
    """The source forgets what the target may still lose."""

    def _commit(self, state, stream, written: list[Event]) -> None:  # type: ignore[no-untyped-def]
        if written:
            stream.acknowledge(written[-1].position)
            self.faults.here("mutant")
        super()._commit(state, stream, written)


class LastFlushMissing(Run):
    """The end of a run is taken for durable."""

    def _over(self, state: State, stream, written: list[Event]) -> bool:  # type: ignore[no-untyped-def]
        at = written[-1].position if written else state.position
        if state.high is not None and at is not None and state.high.reached(at):
            return self.settings.until_high
        return False


class PositionAfterTables(Run):
    """The log begins behind the load, not before it."""

    def _begin(self) -> Checkpoint:
        checkpoint = super()._begin()
        self.faults.here("mutant")
        late = replace(checkpoint, position=self.source.low() if checkpoint.position else None)
        self.sink.begin(late)
        return late


class StrictTooEarly(Run):
    """Changes that the load has seen are applied as if it had not."""

    def _load(self, state: State) -> None:
        super()._load(state)
        if state.phase is Phase.CATCHING_UP:
            state.phase = Phase.FOLLOWING


class PartsCommitted(Run):
    """A part of a transaction becomes visible."""

    def _follow(self, state, stream, flow) -> None:  # type: ignore[no-untyped-def]
        sink = self.sink
        write = sink.write

        def eager(window: Window, *, idempotent: bool) -> None:
            write(window, idempotent=idempotent)
            if window.position is None:
                sink.flush(state.position, state.phase)

        sink.write = eager  # type: ignore[method-assign]
        super()._follow(state, stream, flow)


class Unfenced(WatchedSink):
    """An overtaken worker still writes."""

    def _guard(self) -> Checkpoint:
        assert self._target.checkpoint is not None
        return self._target.checkpoint


class PositionBeforeRows(WatchedSink):
    """The checkpoint is durable in a commit of its own, before the rows."""

    def flush(self, position: Lsn | None, phase: Phase) -> None:
        checkpoint = self._guard()
        self._target.checkpoint = replace(checkpoint, position=position)
        self.world.here("mutant")
        super().flush(position, phase)


class ChunkBeforeRows(WatchedSink):
    """The record of a chunk is durable before its rows."""

    def loader(self):  # type: ignore[no-untyped-def]
        sink = self

        class Early(Loader):
            def commit(self, loaded: LoadedChunk) -> None:
                progress = sink._guard().tables[loaded.chunk.table]
                sink._put(replace(progress, chunks=(*progress.chunks, loaded)))
                sink.world.here("mutant")
                sink._put(progress)
                super().commit(loaded)

        from contextlib import nullcontext

        return nullcontext(Early(self, self._target))


class LooksTooLate(Run):
    """The target is looked at behind the position that the source was looked at."""

    def _follow(self, state, stream, flow) -> None:  # type: ignore[no-untyped-def]
        flow.go_on = lambda stop_at: None
        super()._follow(state, stream, flow)


class RestartForgetsLow(WatchedSink):
    """A table that is loaded anew takes changes that are in its rows already."""

    def restart(self, progress: TableProgress) -> None:
        super().restart(progress)
        object.__setattr__(progress, "low", None)


MUTANTS: dict[str, Callable[[int], World]] = {
    **{
        run.__name__: lambda seed, run=run: play(seed, run)  # type: ignore[misc]
        for run in (
            SavedBeforeFlushed, AcknowledgedBeforeFlushed, LastFlushMissing, PositionAfterTables, StrictTooEarly,
            PartsCommitted, LooksTooLate,
        )
    },
    **{
        sink.__name__: lambda seed, sink=sink: play(seed, Run, sink)  # type: ignore[misc]
        for sink in (Unfenced, PositionBeforeRows, ChunkBeforeRows, RestartForgetsLow)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_no_mutant_survives(name: str) -> None:
    for seed in range(MUTANT_SEEDS):
        try:
            MUTANTS[name](seed)
        except BROKEN:
            return
    pytest.fail(f"{name} went unnoticed in {MUTANT_SEEDS} histories: the simulation is too gentle")


def test_a_database_does_not_give_what_it_was_told_to_forget() -> None:
    database = Database(())
    database.commit([])
    database.forget(Lsn(1))
    with pytest.raises(LogPurgedError):
        database.group(0)
