"""The loop with a target that keeps whatever it gets, against thousands of histories; and mutants of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from opendrs.engines.memory.database import LogPurgedError
from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Checkpoint, TableProgress
from opendrs.model.engine import Source
from opendrs.model.event import Window
from opendrs.pipeline import run as pipeline
from opendrs.pipeline.publishing import told
from opendrs.pipeline.run import Run
from tests.torture.sim.history import HistoryWorld, Topic
from tests.torture.sim.world import Ahead

SEEDS = int(os.environ.get("OPENDRS_SIM_SEEDS", "1500"))
FIRST = int(os.environ.get("SEED", "0"))
MUTANT_SEEDS = 400
BROKEN = (AssertionError, DrsError, LogPurgedError, KeyError, ValueError)


def play(seed: int, run: type[Run] = Run, sink: type[Topic] = Topic) -> HistoryWorld:
    world = HistoryWorld(seed, run, sink)
    sink.world = world
    world.play()
    return world


def test_every_change_is_told_once_after_any_crashes() -> None:
    crashes = 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            crashes += play(seed).crashes
        except BaseException as error:
            raise AssertionError(f"seed {seed}: play it again with SEED={seed} OPENDRS_SIM_SEEDS=1") from error
    assert SEEDS < 100 or crashes > SEEDS, "a simulation this gentle proves nothing"


class MomentNotReached(Run):
    """Rows are read before the log was told up to their moment."""

    def _reach(self, state, stream, flow, moment) -> None:  # type: ignore[no-untyped-def]
        del state, stream, flow, moment


class DefinitionsOutOfStep(Run):
    """The definitions are of another moment than the position."""

    def _in_step(self):  # type: ignore[no-untyped-def]
        position = self.source.low()
        self.faults.here("mutant")
        self.faults.here("mutant")
        return position, self.source.catalog().tables


class Unfenced(Topic):
    """An overtaken worker still writes."""

    def _guard(self) -> Checkpoint:
        assert self._target.checkpoint is not None
        return self._target.checkpoint


class LanesUnchecked(Topic):
    """A lane that was opened late fences that of the successor."""

    def _demand_ours(self) -> None:
        return


class PartsCommitted(Topic):
    """A part of a transaction is durable, and is not remembered."""

    def write(self, window: Window, *, idempotent: bool) -> None:
        super().write(window, idempotent=idempotent)
        if window.position is None:
            self._history.append(self._messages)
            self._messages = []
            self.world.here("mutant")


class Unforgetting(Topic):
    """What was written since the last flush stays, although it will come once more."""

    def rollback(self) -> None:
        return


class PositionFirst(Topic):
    """The checkpoint is durable before the messages."""

    def flush(self, position, phase) -> None:  # type: ignore[no-untyped-def]
        self._target.checkpoint = replace(self._guard(), position=position)
        self.world.here("mutant")
        super().flush(position, phase)


def telling_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is told of rows whose chunks are still to come."""
    monkeypatch.setattr(pipeline, "told", lambda window, tables, source: window)
    play(seed)


def telling_none(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is told of no table that is not whole."""
    monkeypatch.setattr(
        pipeline,
        "told",
        lambda window, tables, source: replace(
            window, tables=[changes for changes in window.tables if tables[changes.table].loaded]
        ),
    )
    play(seed)


def forgetting_what_was_begun(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is told of chunks that are there as a whole only."""

    def whole(window: Window, tables: dict[TableName, TableProgress], source: Source) -> Window:
        return told(window, {name: replace(progress, begun=()) for name, progress in tables.items()}, source)

    monkeypatch.setattr(pipeline, "told", whole)
    play(seed)


def nothing_put_back(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read behind the moment is lost."""
    monkeypatch.setattr(Ahead, "put_back", lambda self, events: None)
    play(seed)


MUTANTS: dict[str, Callable[[int, pytest.MonkeyPatch], object]] = {
    **{run.__name__: lambda seed, _, run=run: play(seed, run) for run in (MomentNotReached, DefinitionsOutOfStep)},
    **{
        sink.__name__: lambda seed, _, sink=sink: play(seed, Run, sink)
        for sink in (Unfenced, LanesUnchecked, PartsCommitted, PositionFirst, Unforgetting)
    },
    **{mutant.__name__: mutant for mutant in (telling_all, telling_none, forgetting_what_was_begun, nothing_put_back)},
}


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_no_mutant_survives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(MUTANT_SEEDS):
        try:
            MUTANTS[name](seed, monkeypatch)
        except BROKEN:
            return
    pytest.fail(f"{name} went unnoticed in {MUTANT_SEEDS} histories: the simulation is too gentle")
