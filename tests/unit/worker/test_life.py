"""Random histories of one job: whatever users ask, whoever dies, in whatever order, it comes to where it was wanted."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from opendrs.control import verbs
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.failure import Failure
from opendrs.model.lifecycle import Intent, State
from opendrs.store.database import open_store
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.runners import LIMIT_S, LOOK_S
from tests.unit.worker.town import AT_WORK, Hand, Town

REFUSED = Failure.of(DrsError(Fault.TARGET_REFUSED, what="w", reason="r"))
LATER = Failure.of(DrsError(Fault.WORKER_CRASHED, reason="r"))
# What ends a job for good is rare, or there would be little else.
VERBS = (
    *("start", "stop", "restart", "reset", "precheck") * 3, "schedule", "network", "terminate", "force",
)  # fmt: skip
AT_REST = frozenset({State.PAUSED, State.START_FAILED, State.FULL_FAILED, State.INCREMENTAL_FAILED, State.FULL_DONE})
STAGES = ("new", "checked", "running", "failed", "paused")
SHARED = tempfile.TemporaryDirectory(prefix="opendrs-life-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
WRITERS = st.sampled_from(["gate", "watching", "errand_gate"])


class Life(RuleBasedStateMachine):
    """wish: what was asked for last, and taken; failed: whether the job has had a reason to end since."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(SHARED.name)
        self.store = open_store(f"sqlite:///{folder / 'state.db'}")
        self.town = Town(self.store, folder)
        self.wish = ""
        self.failed = False

    @initialize(task=st.sampled_from(["full", "full+incremental"]), stage=st.sampled_from(STAGES))
    def create(self, task: str, stage: str) -> None:
        """Most of what can go wrong goes wrong later than at the begin."""
        town = self.town
        town.create(task)
        if stage == "new":
            return
        town.settle(2)
        self.ask("precheck")
        town.settle(2)
        if stage == "checked":
            return
        self.ask("start")
        town.settle(6)
        if stage == "failed":
            self.worker_ends(Exit.FAILED)
            town.watch()
        elif stage == "paused":
            self.ask("stop")
            town.settle(4)

    # users

    @rule(verb=st.sampled_from(VERBS))
    def ask(self, verb: str) -> None:
        asking, job = self.town.asking, self.town.job
        try:
            match verb:
                case "schedule":
                    verbs.start(asking, job, at=self.town.later(3600))
                case "precheck":
                    verbs.precheck(asking, job, {"mode": "forStartJob"})
                    return
                case "network":
                    verbs.test_network(asking, job, {"ends": []}, None)
                    return
                case "terminate" | "force":
                    verbs.terminate(asking, job, force=verb == "force")
                case _:
                    getattr(verbs, verb)(asking, job)
        except DrsError as error:
            assert error.fault in (Fault.WRONG_STATE, Fault.PRECHECK_NEEDED), error
            return
        self.wish, self.failed = verb, False

    @rule(verb=st.sampled_from(VERBS), writer=WRITERS)
    def ask_in_between(self, verb: str, writer: str) -> None:
        """When the service, or a runner, is about to write."""
        getattr(self.town, writer).first = lambda: self.ask(verb)

    # the service

    @rule()
    def attend(self) -> None:
        self.town.attend()

    @rule()
    def watch(self) -> None:
        self.town.watch()

    @rule(rounds=st.integers(1, 3))
    def all_goes_well(self, rounds: int) -> None:
        self.town.settle(rounds)

    @rule()
    def arrives(self) -> None:
        """When nothing happens for a while, everything is as it was wanted."""
        for gate in (self.town.gate, self.town.watching, self.town.errand_gate):
            gate.first = gate.cut_after = None
        self.town.settle(18, each_s=5.0)
        self._arrived()

    @rule()
    def errand(self) -> None:
        self.town.errand()

    @rule(writer=WRITERS, after=st.integers(1, 4))
    def dies_soon(self, writer: str, after: int) -> None:
        getattr(self.town, writer).cut_after = after

    @rule()
    def service_dies(self) -> None:
        self.town.start_service()

    @rule()
    def runner_dies(self) -> None:
        self.town.runner_alive = False

    @rule(seconds=st.sampled_from([0.1, LOOK_S, 6.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.town.at += seconds

    @rule()
    def target_changes(self) -> None:
        self.town.target_up = not self.town.target_up

    # workers

    def _hand(self) -> Hand:
        return self.town.living()[-1]

    @precondition(lambda self: self.town.living())
    @rule(phase=st.sampled_from([Phase.LOADING, Phase.CATCHING_UP, Phase.FOLLOWING]), saved=st.booleans())
    def worker_says(self, phase: Phase, saved: bool) -> None:
        self._hand().say(phase, saved=saved)

    @precondition(lambda self: self.town.living())
    @rule()
    def worker_works(self) -> None:
        self._hand().work()

    @precondition(lambda self: self.town.living())
    @rule(end=st.sampled_from([Exit.PAUSED, Exit.FAILED, Exit.LATER]))
    def worker_ends(self, end: Exit) -> None:
        failure = {Exit.FAILED: REFUSED, Exit.LATER: LATER}.get(end)
        self.failed = self.failed or end is not Exit.PAUSED
        self._hand().finish(Outcome(exit=end, failure=failure))

    @precondition(lambda self: self.town.living() and self.town.head().task == "full")
    @rule()
    def worker_is_done(self) -> None:
        self.failed = True  # done counts as an end as well
        hand = self._hand()
        hand.say(Phase.DONE)
        hand.finish(Outcome(exit=Exit.DONE, phase="done"))

    @precondition(lambda self: self.town.living())
    @rule()
    def worker_dies(self) -> None:
        self._hand().send(9)

    # the end

    def teardown(self) -> None:
        if not self.town.job:
            self.town.close()
            self.store.close()
            return
        try:
            self._ends_well()
            self.town.check_moves()
        finally:
            self.town.close()
            self.store.close()

    def _ends_well(self) -> None:
        town = self.town
        self.arrives()
        town.at += 2 * max(LIMIT_S.values())
        with suppress(DrsError):
            verbs.terminate(town.asking, town.job, force=True)
        town.settle(18, each_s=5.0)
        assert town.state() is State.RELEASED, (town.state(), town.intent(), town.open())
        assert (town.living(), town.open(), town.intent()) == ([], [], Intent.REST)

    def _arrived(self) -> None:
        town = self.town
        state, intent, living = town.state(), town.intent(), town.living()
        told = (self.wish, self.failed, state, intent, [action.kind for action in town.open()], len(living))
        working = state in AT_WORK
        assert (intent is Intent.RUN) == working, told
        assert intent in (Intent.RUN, Intent.REST), told
        assert len(living) == working, told
        if state is not State.SCHEDULED:
            assert not town.open(), told
        match self.wish:
            case "start" | "restart" | "reset":
                assert working or (self.failed and state in AT_REST), told
            case "stop":
                assert state in AT_REST, told
            case "schedule":
                assert state is State.SCHEDULED, told
            case "terminate":
                assert state is State.RELEASED or (state is State.RELEASE_FAILED), told
            case "force":
                assert state is State.RELEASED, told
            case _:
                assert state is State.CONFIGURATION, told


Life.TestCase.settings = settings(
    max_examples=int(os.environ.get("OPENDRS_EXAMPLES", "30")), stateful_step_count=30, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
TestLife = Life.TestCase
