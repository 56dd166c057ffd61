"""What a run tells of itself, held against what is durable, through any crashes: no table is whole before its rows and
its record are there; every change of the schema stands in the list once, and none is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from opendrs.api.wire.progress import table_percent
from opendrs.engines.memory.database import LogPurgedError
from opendrs.engines.memory.source import Source
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Chunk
from opendrs.model.ddl_record import DdlRecord
from opendrs.model.job import Job
from opendrs.pipeline.run import Run, Settings
from opendrs.store import ddls, jobs
from opendrs.store.database import Store, open_store
from opendrs.worker.ledger import Entry, Ledger, carry
from opendrs.worker.report import Report
from tests.integration.state_fixtures import a_job
from tests.torture.sim.world import Crash, Saved, World

SEEDS = int(os.environ.get("OPENDRS_SIM_SEEDS", "100"))
FIRST = int(os.environ.get("SEED", "0"))
MUTANT_SEEDS = 100


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    yield opened
    opened.close()


class Heartless(Ledger):
    """Written at once, as if the heart beat just then, or only later: what nobody waits for may die with its worker.
    Who was overtaken writes nothing more."""

    world: Told
    of: int

    def _beats(self) -> None:
        if self.world.epoch != self.of:
            raise DrsError(Fault.FENCED, epoch=self.of)
        entries: list[Entry] = self.fetch()
        with self.world.store.write() as connection:
            carry(connection, self.world.job.id, entries)
        self.written(entries)

    def note(self, record: DdlRecord) -> None:
        self._enter(record)
        self._beats()
        self.world.here("noted")  # and not flushed yet

    def stands(self, position: str) -> None:
        super().stands(position)
        if self.world.random.random() < 0.5:
            self._beats()


class Told(World):
    """A world in which somebody listens to what is told."""

    def __init__(self, seed: int, store: Store, job: Job, ledger: type[Heartless], report: type[Report]) -> None:
        super().__init__(seed)
        self.store = store
        self.job = job
        self.kinds = (ledger, report)
        self.telling: list[tuple[int, Report]] = []
        self.began: int | None = None
        self.looked = self.unwhole = 0

    def here(self, name: str) -> None:
        epoch, report = self.telling[-1]
        if self.target.epoch == epoch:
            self._look(report)
        super().here(name)

    def _look(self, report: Report) -> None:
        checkpoint = self.target.checkpoint
        if checkpoint is not None and checkpoint.position is not None and self.began is None:
            self.began = checkpoint.position.number  # type: ignore[attr-defined]
        for name, counts in report._tables.items():
            self.looked += 1
            if table_percent(counts) < 100:
                self.unwhole += 1
                continue
            assert checkpoint is not None, f"{name} is told to be whole before anything is there"
            # One that is not known has been dropped just now, and that is about to be told.
            assert name not in checkpoint.tables or checkpoint.tables[name].loaded, f"{name} is told to be whole"

    def turn(self) -> bool:
        self.epoch += 1
        epoch = self.epoch
        of_ledger, of_report = self.kinds
        ledger = of_ledger()
        ledger.world, ledger.of = self, epoch
        report = of_report(ledger=ledger, filtered=lambda name: self.random.random() < 0.3)
        self.telling.append((epoch, report))
        try:
            return self._worked(epoch, report)
        finally:
            self.telling.pop()

    def _worked(self, epoch: int, report: Report) -> bool:
        run = Run(
            source=Source(self.source, self.random, chunk_rows=self.random.randint(1, 4)),
            sink=self.sink(self.target, epoch),
            checkpoints=Both(self, report),
            settings=Settings(task=self.task, readers=1, until_high=True),
            faults=self,
            progress=report,
            barrier=self.barrier(epoch),
            flow=self.flow,
        )
        try:
            run()
            report.ledger._beats()  # type: ignore[attr-defined]  its last word
        except Crash:
            return False
        except (DrsError, LogPurgedError) as error:
            harmless = isinstance(error, LogPurgedError) or error.fault is Fault.FENCED
            if harmless and self.epoch > epoch:
                return False
            raise
        return True

    def check(self) -> None:
        super().check()
        with self.store.read() as connection:
            found, total = ddls.page(connection, self.job.id, limit=1000, offset=0)
        if self.task == "full":
            assert total == 0
            return
        assert self.began is not None
        met = [str(group.alteration) for group in self.source.log[self.began :] if group.alteration is not None]
        assert [one.statement for one in found] == met
        assert [one.seqno for one in found] == list(range(1, len(met) + 1))
        assert all(one.executed and not one.alarm for one in found)


class Both(Saved):
    """What is durable is told to people as well."""

    def __init__(self, world: World, report: Report) -> None:
        super().__init__(world)
        self._report = report

    def save(self, position, phase) -> None:  # type: ignore[no-untyped-def]
        super().save(position, phase)
        self._report.save(position, phase)


def play(store: Store, seed: int, ledger: type[Heartless] = Heartless, report: type[Report] = Report) -> Told:
    job = a_job(f"seed {seed} {ledger.__name__} {report.__name__}")
    with store.write() as connection:
        jobs.create(connection, job)
    world = Told(seed, store, job, ledger, report)
    world.play()
    return world


class TooLate(Heartless):
    """A statement is written down when there is time for it."""

    def note(self, record: DdlRecord) -> None:
        self._enter(record)


class Twice(Heartless):
    """A statement is told by another key each time that it is met."""

    def note(self, record: DdlRecord) -> None:
        super().note(replace(record, key=f"{record.key} {self.world.random.random()}"))


class Hasty(Report):
    """A table is whole when some of it is there."""

    def chunk(self, chunk: Chunk) -> None:
        super().chunk(chunk)
        self._tables[chunk.table] = replace(self._tables[chunk.table], state="loaded")


@pytest.mark.parametrize(
    "kinds", [(TooLate, Report), (Twice, Report), (Heartless, Hasty)], ids=["late", "twice", "hasty"]
)
def test_no_mutant_survives(store: Store, kinds: tuple[type[Heartless], type[Report]]) -> None:
    for seed in range(MUTANT_SEEDS):
        try:
            play(store, seed, *kinds)
        except AssertionError:
            return
    pytest.fail(f"it went unnoticed in {MUTANT_SEEDS} histories: the simulation is too gentle")


def test_what_is_told_is_true(store: Store) -> None:
    statements = looked = unwhole = crashes = 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            world = play(store, seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: play it again with SEED={seed} OPENDRS_SIM_SEEDS=1") from error
        with store.read() as connection:
            statements += ddls.page(connection, world.job.id, limit=1, offset=0)[1]
        looked, unwhole, crashes = looked + world.looked, unwhole + world.unwhole, crashes + world.crashes
    assert SEEDS < 100 or (statements > SEEDS // 2 and crashes > SEEDS), "a simulation this gentle proves nothing"
    assert SEEDS < 100 or (unwhole > SEEDS and looked > 2 * unwhole)
