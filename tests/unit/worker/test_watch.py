"""A watch, step by step: the clock and the processes are the test's."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Job
from opendrs.model.lifecycle import State
from opendrs.store import commands, events, jobs, leases
from opendrs.store.database import Store, open_store
from opendrs.store.leases import Holder
from opendrs.telemetry import Mask
from opendrs.worker import process
from opendrs.worker.order import Options, Order
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.timing import Timing
from opendrs.worker.watch import Watch

JOB = Job(
    id="job-1",
    source=Endpoint.parse("mysql://a@b/c"),
    target=Endpoint.parse("postgresql://a@b/c"),
    task="full+incremental",
)


class Worker:
    """A process that does what the test says."""

    def __init__(self, number: int, epoch: int) -> None:
        self.epoch = epoch
        self.holder = Holder(owner="worker", pid=1000 + number, started_at=float(number), host=process.host())
        self.ended: int | None = None
        self.signals: list[signal.Signals] = []

    def running(self) -> bool:
        return self.ended is None

    def status(self) -> int | None:
        return self.ended

    def send(self, signum: signal.Signals) -> bool:
        self.signals.append(signum)
        return True


@dataclass
class World:
    store: Store
    order: Order
    at: float = 100.0
    workers: list[Worker] = field(default_factory=list)
    living: set[int] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)
    no_fork: int = 0

    def launch(self, order: Order, epoch: int, life: int) -> Worker:
        if self.no_fork:
            self.no_fork -= 1
            raise OSError("Resource temporarily unavailable")
        assert life == len(self.workers)
        self.orders.append(order)
        self.workers.append(Worker(life, epoch))
        return self.workers[-1]

    def alive(self, holder: Holder) -> bool | None:
        return None if holder.host == "afar" else holder.pid in self.living

    def watch(self, order: Order | None = None) -> Watch:
        return Watch(
            store=self.store, order=order or self.order, launch=self.launch, alive=self.alive, clock=lambda: self.at
        )

    def steps(self, watch: Watch, seconds: float) -> None:
        """Lets so much time pass, stepping as often as the watch asks for."""
        end = self.at + seconds
        for _ in range(10_000):
            wait_s = watch.step()
            if watch.outcome is not None or self.at + wait_s > end:
                self.at = end
                return
            self.at += wait_s
        raise AssertionError("it steps without end")

    def take(self, worker: Worker) -> None:
        with self.store.write() as connection:
            assert leases.take(connection, JOB.id, worker.epoch, worker.holder)

    def finish(self, worker: Worker, outcome: Outcome, status: int | None = None) -> None:
        with self.store.write() as connection:
            assert leases.finish(connection, JOB.id, worker.epoch, outcome.to_json())
        worker.ended = outcome.exit if status is None else status

    def renew(self, worker: Worker) -> bool:
        with self.store.write() as connection:
            return leases.renew(connection, JOB.id, worker.epoch)

    def claim(self, holder: Holder) -> int:
        with self.store.write() as connection:
            epoch = leases.claim(connection, JOB.id, holder, self.order.settings())
        assert epoch is not None
        return epoch

    def state(self) -> State:
        with self.store.read() as connection:
            found = jobs.find(connection, JOB.id)
        assert found is not None
        return found.state

    def events(self) -> list[str]:
        with self.store.read() as connection:
            return [saved.event.name for saved in events.after(connection, JOB.id)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    with store.write() as connection:
        jobs.create(connection, JOB)
    yield World(store, Order(job=JOB, state="", folder=tmp_path, timing=Timing(first_wait_s=0.2)))
    store.close()


def outcome(fault: Fault, **details: object) -> Outcome:
    return Outcome.of(DrsError(fault, **details), Mask())


REFUSED = outcome(Fault.TARGET_REFUSED, what="w", reason="r")


def test_a_worker_is_started_with_the_next_epoch_and_watched_to_its_end(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 5)
    (worker,) = world.workers
    assert worker.epoch == 1 and watch.outcome is None
    world.take(worker)
    world.finish(worker, Outcome(exit=Exit.DONE, phase="done"))
    world.steps(watch, 1)
    assert watch.outcome == Outcome(exit=Exit.DONE, phase="done")


def test_resumes_wait_and_end(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 0.1)
    begun = []
    for _ in range(4):
        worker = world.workers[-1]
        begun.append(world.at)
        world.take(worker)
        world.finish(worker, REFUSED)
        count = len(world.workers)
        while watch.outcome is None and len(world.workers) == count:
            world.steps(watch, 0.05)
    assert watch.outcome is not None and watch.outcome.exit is Exit.FAILED
    assert watch.outcome.failure == REFUSED.failure
    gaps = [after - before for before, after in pairwise(begun)]
    assert [round(gap, 1) for gap in gaps] == [0.2, 0.4, 0.8]
    assert world.state() is State.START_FAILED


def test_a_process_that_cannot_be_started_is_tried_again(world: World) -> None:
    world.no_fork = 2
    watch = world.watch()
    world.steps(watch, 5)
    assert [worker.epoch for worker in world.workers] == [3]
    world.no_fork = 100
    world.workers[0].ended = -9
    world.steps(watch, 60)
    assert watch.outcome is not None and watch.outcome.failure is not None
    assert "temporarily unavailable" in watch.outcome.failure.message


def test_a_silent_worker_is_overtaken_and_not_killed(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 0.1)
    sleeper = world.workers[0]
    world.take(sleeper)
    for _ in range(8):
        world.steps(watch, 4)
        assert world.renew(sleeper)
    assert len(world.workers) == 1
    world.steps(watch, 9)
    assert len(world.workers) == 1, "too early"
    world.steps(watch, 6)
    assert [worker.epoch for worker in world.workers] == [1, 2]
    assert sleeper.signals == [] and watch.overtaken == [sleeper]
    assert not world.renew(sleeper)
    sleeper.ended = Exit.FENCED
    world.steps(watch, 1)
    assert watch.overtaken == []


def test_a_supervisor_that_slept_looks_before_it_judges(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 0.1)
    worker = world.workers[0]
    world.take(worker)
    world.steps(watch, 5)
    world.renew(worker)
    world.at += 3600  # a laptop was closed, or a container frozen: the worker slept as well
    world.steps(watch, 9)
    assert len(world.workers) == 1
    world.renew(worker)
    world.steps(watch, 9)
    assert len(world.workers) == 1
    world.steps(watch, 9)
    assert len(world.workers) == 2


def test_a_slow_start_is_given_more_time(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 29)
    assert len(world.workers) == 1
    world.steps(watch, 6)
    assert len(world.workers) == 2


def test_a_living_worker_is_adopted_and_a_dead_one_replaced(world: World) -> None:
    other = Worker(7, 0)
    other.epoch = world.claim(replace(other.holder, owner="supervisor", pid=6))
    world.take(other)
    world.living = {other.holder.pid}
    watch = world.watch()
    world.steps(watch, 5)
    assert world.workers == [] and "worker.adopted" in world.events()
    world.living = set()
    world.steps(watch, 5)
    assert [worker.epoch for worker in world.workers] == [2]


def test_a_worker_on_another_machine_is_adopted_until_it_falls_silent(world: World) -> None:
    other = Worker(7, 0)
    other.holder = replace(other.holder, host="afar")
    other.epoch = world.claim(replace(other.holder, owner="supervisor", pid=6))
    world.take(other)
    watch = world.watch()
    for _ in range(5):
        world.steps(watch, 5)
        world.renew(other)
    assert world.workers == []
    world.steps(watch, 15)
    assert [worker.epoch for worker in world.workers] == [2]


def test_a_worker_on_another_machine_is_paused_by_command(world: World) -> None:
    other = Worker(7, 0)
    other.holder = replace(other.holder, host="afar")
    other.epoch = world.claim(replace(other.holder, owner="supervisor", pid=6))
    world.take(other)
    watch = world.watch()
    world.steps(watch, 1)
    watch.pause()
    world.steps(watch, 1)
    with world.store.write() as connection:
        assert commands.take(connection, JOB.id) == ["pause"]
        leases.finish(connection, JOB.id, other.epoch, Outcome(exit=Exit.PAUSED).to_json())
    world.steps(watch, 10)
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED


def test_a_worker_on_another_machine_that_does_not_obey_is_left_alone(world: World) -> None:
    other = Worker(7, 0)
    other.holder = replace(other.holder, host="afar")
    other.epoch = world.claim(replace(other.holder, owner="supervisor", pid=6))
    world.take(other)
    watch = world.watch()
    world.steps(watch, 1)
    watch.pause()
    for _ in range(8):
        world.renew(other)
        world.steps(watch, 5)
    assert watch.outcome is not None and watch.outcome.failure is not None
    assert watch.outcome.failure.fault == "UNSUPPORTED" and "afar" in watch.outcome.failure.message


def test_a_pause_for_those_before_does_not_reach_those_behind(world: World) -> None:
    with world.store.write() as connection:
        commands.ask(connection, JOB.id, "pause")
        commands.ask(connection, JOB.id, "proof")
    world.steps(world.watch(), 1)
    with world.store.write() as connection:
        assert commands.take(connection, JOB.id) == ["proof"]


def test_a_starting_supervisor_is_never_signalled(world: World) -> None:
    """Its lease names itself until the worker says who it is."""
    other = Worker(7, 0)
    supervisor = replace(other.holder, owner="supervisor", pid=6)
    other.epoch = world.claim(supervisor)
    world.living = {6, other.holder.pid}
    watch = world.watch()
    world.steps(watch, 1)
    watch.pause()
    world.steps(watch, 3)
    assert watch.outcome is None
    world.take(other)
    world.steps(watch, 0.5)
    with world.store.write() as connection:
        leases.finish(connection, JOB.id, other.epoch, Outcome(exit=Exit.PAUSED).to_json())
    world.living = {6}
    world.steps(watch, 5)
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED


def test_pausing_asks_first_and_kills_after_the_grace_time(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 1)
    (worker,) = world.workers
    world.take(worker)
    watch.pause()
    world.steps(watch, 29)
    assert worker.signals == [signal.SIGTERM]
    world.steps(watch, 2)
    assert set(worker.signals[1:]) == {signal.SIGKILL}
    worker.ended = -9
    world.steps(watch, 1)
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED
    assert world.state() is State.PAUSED and len(world.workers) == 1


def test_pausing_between_two_workers_is_at_once(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 0.1)
    world.take(world.workers[0])
    world.finish(world.workers[0], REFUSED)
    world.steps(watch, 0.11)
    watch.pause()
    watch.step()
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED
    assert world.state() is State.PAUSED


def test_another_supervisor_s_word_is_heard_even_if_its_worker_came_and_went(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 0.1)
    world.take(world.workers[0])
    world.workers[0].ended = -9
    watch.step()  # it waits before it starts another one; meanwhile:
    other = Worker(7, world.claim(replace(world.workers[0].holder, owner="supervisor")))
    world.take(other)
    world.finish(other, Outcome(exit=Exit.PAUSED))
    world.steps(watch, 5)
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED
    assert len(world.workers) == 1


def test_an_old_word_does_not_keep_a_job_from_starting(world: World) -> None:
    for exit_ in (Exit.DONE, Exit.PAUSED, Exit.FAILED, Exit.LATER):
        other = Worker(7, world.claim(replace(Worker(7, 0).holder, owner="supervisor")))
        world.take(other)
        world.finish(other, Outcome(exit=exit_))
        count = len(world.workers)
        world.workers = []
        watch = world.watch()
        world.steps(watch, 1)
        assert len(world.workers) == 1, f"{exit_} {count}"


def test_a_store_that_is_away_is_waited_for_but_not_by_those_who_leave(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: object) -> None:
        raise OperationalError("", {}, Exception("gone"))

    watch = world.watch()
    world.steps(watch, 1)
    monkeypatch.setattr(leases, "current", away)
    world.steps(watch, 100)
    assert watch.outcome is None and len(world.workers) == 1
    watch.pause()
    world.workers[0].ended = Exit.PAUSED
    world.steps(watch, 29)
    assert watch.outcome is None
    world.steps(watch, 5)
    assert watch.outcome is not None and watch.outcome.exit is Exit.PAUSED


def test_what_could_not_be_written_down_is_decided_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    watch = world.watch()
    world.steps(watch, 0.1)
    real, failures = jobs.enter, 3

    def enter(*args: object, **options: object) -> bool:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("", {}, Exception("gone"))
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "enter", enter)
    world.take(world.workers[0])
    world.finish(world.workers[0], outcome(Fault.FENCED, epoch=1))
    world.steps(watch, 10)
    assert watch.outcome is not None and watch.outcome.exit is Exit.FAILED
    assert len(world.workers) == 1 and world.state() is State.START_FAILED


def test_a_removed_job_is_let_go(world: World) -> None:
    watch = world.watch()
    world.steps(watch, 1)
    with world.store.write() as connection:
        jobs.remove(connection, JOB.id)
    world.steps(watch, 5)
    assert watch.outcome is not None and watch.outcome.exit is Exit.FAILED
    assert watch.overtaken == world.workers


def test_only_one_worker_resets_the_job(world: World) -> None:
    """Else each that follows upon a crash would throw away what the one before it has loaded."""
    world.order = replace(world.order, options=Options(reset=True))
    with world.store.write() as connection:
        events.append(connection, JOB.id, [events.Event(name=events.RESET, message="", fields={"epoch": 0})])
    watch = world.watch()
    world.steps(watch, 1)
    assert world.orders[-1].options.reset  # an older reset is none of ours
    world.take(world.workers[-1])
    world.workers[-1].ended = -9
    world.steps(watch, 30)
    assert len(world.orders) == 2 and world.orders[-1].options.reset  # it has not come so far
    with world.store.write() as connection:
        told = events.Event(name=events.RESET, message="", fields={"epoch": world.workers[-1].epoch})
        events.append(connection, JOB.id, [told])
    world.take(world.workers[-1])
    world.workers[-1].ended = -9
    world.steps(watch, 30)
    assert len(world.orders) == 3 and not world.orders[-1].options.reset
