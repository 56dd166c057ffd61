"""What is wanted of a job comes about, whoever is faster, and whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import update

from opendrs.control import verbs
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.checkpoint import Phase
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, State
from opendrs.store import actions, jobs, leases, tables
from opendrs.store.database import open_store
from opendrs.store.leases import Holder
from opendrs.worker import process, runners
from opendrs.worker.errands import LIMIT_S
from opendrs.worker.outcome import Exit, Outcome
from tests.unit.worker.town import Town

REFUSED = Outcome(exit=Exit.FAILED, failure=Failure.of(DrsError(Fault.TARGET_REFUSED, what="w", reason="r")))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    town = Town(store, tmp_path)
    yield town
    town.check_moves()
    town.close()
    store.close()


def test_a_job_from_creation_to_its_end(town: Town) -> None:
    town.running()
    verbs.stop(town.asking, town.job)
    town.settle(4)
    assert (town.state(), town.intent(), town.living(), town.open()) == (State.PAUSED, Intent.REST, [], [])
    verbs.restart(town.asking, town.job)
    town.settle(6)
    assert (town.state(), town.open()) == (State.INCREMENTAL, [])
    verbs.terminate(town.asking, town.job, force=False)
    town.settle(6)
    assert (town.state(), town.living(), town.open()) == (State.RELEASED, [], [])


def test_a_job_that_failed_starts_again_when_it_is_asked_to(town: Town) -> None:
    """The end of the run before is not the end of this one."""
    town.running().finish(REFUSED)
    town.watch()
    assert (town.state(), town.intent()) == (State.INCREMENTAL_FAILED, Intent.REST)
    verbs.restart(town.asking, town.job)
    town.settle(6)
    assert (town.state(), town.open()) == (State.INCREMENTAL, [])
    assert len(town.living()) == 1


def test_a_stop_just_before_the_restart_is_carried_out_counts(town: Town) -> None:
    hand = town.running()
    verbs.restart(town.asking, town.job)
    town.attend()
    hand.finish(REFUSED)  # while it was to pause
    town.watch()
    town.gate.first = lambda: verbs.stop(town.asking, town.job)
    town.settle(10)
    assert (town.state(), town.intent(), town.open(), town.living()) == (State.PAUSED, Intent.REST, [], [])


def test_a_stop_ends_the_restart_that_it_overtakes(town: Town) -> None:
    town.running()
    verbs.restart(town.asking, town.job)
    verbs.stop(town.asking, town.job)
    town.settle(6)
    assert (town.state(), town.open()) == (State.PAUSED, [])


def test_a_load_that_ends_while_it_is_to_pause_ends_the_stop(town: Town) -> None:
    town.create("full")
    town.settle(2)
    verbs.precheck(town.asking, town.job, {})
    town.settle(2)
    verbs.start(town.asking, town.job)
    town.attend()
    town.watch()
    (hand,) = town.living()
    hand.say(Phase.LOADING)
    verbs.stop(town.asking, town.job)
    hand.say(Phase.DONE)
    hand.finish(Outcome(exit=Exit.DONE, phase="done"))
    town.settle(4)
    assert (town.state(), town.intent(), town.open()) == (State.FULL_DONE, Intent.REST, [])


def test_a_job_that_is_ended_before_its_first_worker_is_there_gets_none(town: Town) -> None:
    town.ready()
    verbs.start(town.asking, town.job)
    town.attend()  # it is watched; the watch has not looked yet
    verbs.terminate(town.asking, town.job, force=False)
    town.settle(6)
    assert (town.state(), town.living(), town.open()) == (State.RELEASED, [], [])


def test_no_worker_is_started_for_a_job_that_is_no_longer_to_run(town: Town) -> None:
    town.ready()
    verbs.start(town.asking, town.job)
    town.attend()
    town.watching.first = lambda: verbs.terminate(town.asking, town.job, force=False)
    town.watch()
    assert town.living() == []
    town.settle(6)
    assert (town.state(), town.living()) == (State.RELEASED, [])


def test_a_failure_before_the_first_checkpoint_of_a_job_that_loads(town: Town) -> None:
    """The worker that follows one that has said LOADING and nothing more fails in its prechecks."""
    town.ready()
    verbs.start(town.asking, town.job)
    town.attend()
    town.watch()
    town.living()[0].say(Phase.LOADING, saved=False)
    town.living()[0].send(9)
    town.settle_until_hand()
    town.living()[0].finish(REFUSED)
    for _ in range(6):
        town.attend()
        town.watch()
        town.at += 10
    assert town.intent() is Intent.REST and town.state().value.endswith("FAILED") and town.open() == []


def test_a_failure_in_the_load_of_a_job_that_was_set_back(town: Town) -> None:
    """The target was set back to before the job: it loads again, and fails before a beat has said so."""
    hand = town.running()
    with town.store.write() as connection:
        connection.execute(update(tables.checkpoints).values(phase="loading"))
    hand._report.phase(Phase.LOADING)
    hand.finish(REFUSED)
    for _ in range(6):
        town.attend()
        town.watch()
        town.at += 10
    assert (town.state(), town.intent(), town.open()) == (State.FULL_FAILED, Intent.REST, [])


def break_seal(town: Town) -> None:
    with town.store.write() as connection:
        connection.execute(update(tables.secrets).values(sealed="v1.AAAA"))


def test_a_job_whose_password_does_not_open_fails(town: Town) -> None:
    town.ready()
    break_seal(town)
    verbs.start(town.asking, town.job)
    town.settle(4)
    head = town.head()
    assert (head.state, head.intent, town.open()) == (State.START_FAILED, Intent.REST, [])
    assert head.failure is not None and head.failure.fault == "SEAL_BROKEN"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_job_whose_password_does_not_open_can_be_paused(town: Town, restarted: bool) -> None:
    town.running()
    if restarted:
        town.start_service()
    break_seal(town)
    verbs.stop(town.asking, town.job)
    town.settle(6)
    assert (town.state(), town.intent(), town.living(), town.open()) == (State.PAUSED, Intent.REST, [], [])


@pytest.mark.parametrize("restarted", [False, True])
def test_a_job_whose_password_does_not_open_can_be_ended_by_force(town: Town, restarted: bool) -> None:
    town.running()
    if restarted:
        town.start_service()
    break_seal(town)
    verbs.terminate(town.asking, town.job, force=False)
    town.settle(6)
    head = town.head()
    assert (head.state, head.intent, town.living(), town.open()) == (State.RELEASE_FAILED, Intent.REST, [], [])
    assert head.failure is not None and head.failure.fault == "SEAL_BROKEN"
    verbs.terminate(town.asking, town.job, force=True)
    town.settle(6)
    assert (town.state(), town.living(), town.open()) == (State.RELEASED, [], [])


def test_a_job_that_cannot_even_be_read_does_not_stop_the_others(town: Town) -> None:
    town.ready()
    verbs.start(town.asking, town.job)
    with town.store.write() as connection:
        connection.execute(update(tables.jobs).values(selection={"version": 99}))
    town.attend()
    head = town.head()
    assert (head.state, head.intent) == (State.START_FAILED, Intent.REST)


def test_whoever_releases_a_job_is_no_worker_of_it(town: Town) -> None:
    """The runner that has failed at a release does other errands by now: the next try must not end it."""
    town.running()
    town.target_up = False
    verbs.terminate(town.asking, town.job, force=False)
    town.settle(6)
    head = town.head()
    assert head.state is State.RELEASE_FAILED and head.failure is not None
    assert head.failure.fault == "TARGET_UNREACHABLE"
    me = town.runner.me
    verbs.terminate(town.asking, town.job, force=True)
    town.settle(6)
    assert (town.state(), town.open()) == (State.RELEASED, [])
    assert town.runner.me == me and town.runner_alive


def test_a_release_that_is_done_twice_has_been_done(town: Town) -> None:
    """The runner dies when the job is released and its errand is not over; the target is away when it is tried anew."""
    town.running()
    verbs.terminate(town.asking, town.job, force=False)
    for _ in range(4):
        town.attend()
        town.watch()
        for hand in town.living():
            hand.work()
    town.errand_gate.cut_after = 3  # taken, the epoch, released
    assert town.errand()
    assert town.state() is State.RELEASED
    town.target_up = False
    town.at += runners.LOOK_S + 1
    town.settle(4)
    with town.store.read() as connection:
        last = actions.latest(connection, town.job, Kind.TERMINATE)
    assert last is not None and last.status == "success"


def test_an_errand_that_lost_the_store_is_done_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    town.create()
    town.settle(2)
    verbs.precheck(town.asking, town.job, {})

    def away() -> None:
        raise OperationalError("", {}, Exception("away"))

    def taken() -> None:
        town.errand_gate.first = None

    calls = iter([taken, away])
    original = type(town.errand_gate).write

    def write(gate: object) -> object:
        with_what = next(calls, None)
        if with_what is not None and gate is town.errand_gate:
            with_what()
        return original(gate)  # type: ignore[arg-type]

    monkeypatch.setattr(type(town.errand_gate), "write", write)
    import threading

    gone = threading.Event()
    town.runner.run(gone, idle_s=0.3)
    assert town.open() == []


def test_a_job_is_not_started_at_a_time_that_was_put_off(town: Town) -> None:
    town.ready()
    verbs.start(town.asking, town.job, at=town.later(60))
    with town.store.write() as connection:
        jobs.change(connection, town.job, starts_at=town.later(-1))
    town.gate.first = lambda: verbs.start(town.asking, town.job, at=town.later(60))
    town.attend()
    assert (town.state(), town.intent()) == (State.SCHEDULED, Intent.REST)


def test_the_policy_of_a_job_that_is_worked_at_stays(town: Town) -> None:
    """A job that is shown as failed because its network is away has a worker all the same."""
    from opendrs.control import configuring

    town.running()
    with town.store.write() as connection:
        lease = leases.current(connection, town.job)
        assert lease is not None
        jobs.enter(connection, town.job, State.INCREMENTAL_FAILED, epoch=lease.epoch)
    with pytest.raises(DrsError) as refused:
        configuring.set_policy(town.asking, town.job, lambda policy: policy)
    assert refused.value.fault is Fault.WRONG_STATE


def test_a_login_that_was_given_meanwhile_is_not_taken_back(town: Town) -> None:
    """The watch starts another worker by the order it has; what the job has been given since stays."""
    hand = town.running()
    with town.store.write() as connection:
        jobs.change(connection, town.job, source="mysql://other@b")
    hand.send(9)
    town.settle(4)
    with town.store.read() as connection:
        found = jobs.find(connection, town.job)
    assert found is not None and found.source == "mysql://other@b"


def test_a_worker_that_was_stopped_by_hand_is_followed(town: Town) -> None:
    hand = town.running()
    hand.send(15)
    hand.work()
    town.settle(6)
    assert (town.state(), town.intent(), len(town.living())) == (State.INCREMENTAL, Intent.RUN, 1)
    assert town.living() != [hand]


def test_a_job_that_waits_for_its_time_can_be_started_now(town: Town) -> None:
    town.ready()
    verbs.start(town.asking, town.job, at=town.later(3600))
    assert town.state() is State.SCHEDULED
    verbs.start(town.asking, town.job)
    town.settle(6)
    assert (town.state(), town.open()) == (State.INCREMENTAL, [])


def test_an_errand_of_a_container_that_is_gone_is_done_again(town: Town) -> None:
    """Behind a restart of the container, or of the machine, nobody can say whether its processes live."""
    town.create()
    town.settle(2)
    verbs.precheck(town.asking, town.job, {})
    with town.store.write() as connection:
        assert actions.take(connection, replace(town.runner.me, host="the container before"))
    town.runners.alive = lambda holder: None
    town.at += runners.LOOK_S
    town.settle(3)
    assert town.open() == []


def test_a_process_for_errands_that_cannot_be_started_is_tried_again(town: Town) -> None:
    town.create()
    town.settle(2)
    verbs.precheck(town.asking, town.job, {})

    def no_room(document: object) -> Any:
        raise OSError("Resource temporarily unavailable")

    town.runners.spawn, spawn = no_room, town.runners.spawn
    town.runners.step()
    town.runners.spawn = spawn
    town.settle(2)
    assert town.open() == []


def hang(town: Town, *, force: bool) -> Holder:
    """A release that is taken and never ends."""
    town.running()
    verbs.terminate(town.asking, town.job, force=force)
    for _ in range(4):
        town.attend()
        town.watch()
        for hand in town.living():
            hand.work()
    other = replace(town.runner.me, pid=town.runner.me.pid + 1_000_000)
    with town.store.write() as connection:
        assert actions.take(connection, other)
    return other


@pytest.mark.parametrize(("force", "end"), [(False, State.RELEASE_FAILED), (True, State.RELEASED)])
def test_a_release_that_never_ends_is_ended(town: Town, force: bool, end: State) -> None:
    """A target that takes connections and says nothing. By force the job ends all the same."""
    other = hang(town, force=force)
    town.runners.alive = lambda holder: True
    killed: list[Holder] = []
    with patch.object(process, "send", lambda holder, signum: killed.append(holder)):
        town.runners.step()
        town.at += LIMIT_S[Kind.TERMINATE] + 1
        town.runners.step()
    assert killed == [other]
    assert (town.state(), town.intent(), town.open()) == (end, Intent.REST, [])


def test_an_errand_that_kills_whoever_does_it_fails(town: Town) -> None:
    hang(town, force=False)
    for attempt in range(2, runners.ATTEMPTS_MAX + 1):
        town.at += runners.LOOK_S
        town.runners.step()  # nobody is at it any more
        with town.store.write() as connection:
            taken = actions.take(connection, replace(town.runner.me, pid=attempt))
        assert taken is not None and taken.attempts == attempt
    town.at += runners.LOOK_S
    town.runners.step()
    head = town.head()
    assert (head.state, town.open()) == (State.RELEASE_FAILED, [])
    assert head.failure is not None and head.failure.fault == "WORKER_CRASHED"


def test_no_more_processes_for_errands_than_allowed(town: Town) -> None:
    town.create()
    town.settle(2)
    verbs.precheck(town.asking, town.job, {})
    living = SimpleNamespace(poll=lambda: None)
    started: list[object] = []
    town.runners.spawn = lambda document: started.append(document) or living  # type: ignore[assignment,func-returns-value,return-value]
    for _ in range(5):
        town.runners.step()
    assert len(started) == town.runners.document.runners == 2
