"""A random walk over the life of jobs, through the SDK: whatever is asked in whatever order, whatever the workers
say, and wherever the service is killed, each change of a state is one of the table, each answer has its shape, and
each job can be ended."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import huaweicloudsdkdrs.v5 as v5
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from opendrs.model.lifecycle import ALLOWED, LIFECYCLE, Intent, State, Verb
from opendrs.store import actions, jobs
from opendrs.worker.outcome import Exit, Outcome
from tests.integration.api.jobs import creation
from tests.integration.api.test_orders import ASKED, FAILED
from tests.integration.api.world import moves, open_world

LEGAL = {(source, target) for (source, _), target in LIFECYCLE.items()}
# Refused although the state allows it: prechecks are missing, or something of the kind is under way.
NOT_NOW = {"DRS.M00304", "DRS.10050050"}
STEPS_TO_THE_END = 12


class Walk(RuleBasedStateMachine):
    """Jobs, and everything that may happen to them."""

    names = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.world = self._stack.enter_context(open_world(folder))
        self.sdk = self.world.sdk()
        self.made = 0
        self.counted = 0

    @rule(target=names, task=st.sampled_from(["FULL_TRANS", "FULL_INCR_TRANS", "INCR_TRANS"]))
    def create(self, task: str) -> str:
        self.made += 1
        return str(self.sdk.call("create_job", body=creation(f"job-{self.made}", task_type=task)).id)

    @rule(target=names)
    def create_ready(self) -> str:
        job = self.create("FULL_INCR_TRANS")
        self.world.configured(self.sdk, job)
        return job

    @rule(job=names, verb=st.sampled_from([verb for verb in Verb if verb is not Verb.DELETE]))
    def ask(self, job: str, verb: Verb) -> None:
        self._ask(job, verb)

    @rule(job=consumes(names))
    def delete(self, job: str) -> None:
        self._ask(job, Verb.DELETE)

    def _ask(self, job: str, verb: Verb) -> None:
        with self.world.store.read() as connection:
            before = jobs.find(connection, job)
        if before is None:  # deleted before
            code = "DRS.M05003" if verb is Verb.SPEED else "DRS.10000010"
            assert self.sdk.refusal(lambda: ASKED[verb](self.sdk, job)) == code
            return
        try:
            ASKED[verb](self.sdk, job)
        except ClientRequestException as error:
            allowed = before.state in ALLOWED[verb]
            assert error.error_code in (NOT_NOW if allowed else {"DRS.M00304", "DRS.10050044"}), error
            assert self.world.state(job) is before.state
        else:
            assert before.state in ALLOWED[verb]

    @rule()
    def attend(self) -> None:
        self.world.step()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule(well=st.booleans())
    def errand(self, well: bool) -> None:
        action = self.world.take()
        if action is not None:
            self.world.finish(action, well=well)

    @rule(number=st.integers(0, 20), state=st.sampled_from([State.FULL, State.FULL_DONE, State.INCREMENTAL]))
    def worker_says(self, number: int, state: State) -> None:
        if working := list(self.world.workers.working):
            self.world.workers.says(working[number % len(working)], state)

    @rule(number=st.integers(0, 20), how=st.sampled_from(["fails", "rests", "done"]))
    def worker_ends(self, number: int, how: str) -> None:
        working = list(self.world.workers.working)
        if not working:
            return
        job = working[number % len(working)]
        state = self.world.state(job) if self._there(job) else State.FULL
        following = state in (State.INCREMENTAL, State.INCREMENTAL_FAILED)
        match how:
            case "fails":
                self.world.workers.ends(job, State.INCREMENTAL_FAILED if following else State.FULL_FAILED, FAILED)
            case "rests":
                self.world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
            case _:
                self.world.workers.ends(job, State.FULL_DONE, Outcome(exit=Exit.DONE))

    @rule(job=names)
    def look(self, job: str) -> None:
        if self._there(job):
            for view in ("overview", "detail", "progress", "log"):
                self.sdk.detail(job, view)
            self.sdk.call("show_actions", job_id=job)
            self.sdk.call("show_timeline", job_id=job, x_language="en-us")
            self.sdk.call("show_progress_data", job_id=job, type="table")
            self.sdk.call("show_increment_components_detail", job_id=job)
            self.sdk.call("list_job_parameters", job_id=job)
            self.sdk.call("list_job_history_parameters", job_id=job)
        self.sdk.call("list_jobs", job_type="sync")

    @invariant()
    def moves_are_legal(self) -> None:
        found = moves(self.world.store)
        for _, before, after in found[self.counted :]:
            assert (before, after) in LEGAL, (before, after)
        self.counted = len(found)

    def _there(self, job: str) -> bool:
        with self.world.store.read() as connection:
            return jobs.find(connection, job) is not None

    def teardown(self) -> None:
        try:
            with self.world.store.read() as connection:
                left = [record.id for record in jobs.every(connection)]
            for job in left:
                self._end(job)
        finally:
            self._stack.close()

    def _end(self, job: str) -> None:
        """Whatever has become of it, it can be ended, and then nothing of it is under way."""
        for _ in range(STEPS_TO_THE_END):
            state = self.world.state(job)
            if state in ALLOWED[Verb.DELETE]:
                break
            if state in ALLOWED[Verb.TERMINATE]:
                self.sdk.act(job, "terminate", force_delete=True)
            self.world.step()
            if job in self.world.workers.working and self.world.workers.working[job].pausing:
                self.world.workers.ends(job, State.PAUSED, Outcome(exit=Exit.PAUSED))
            self.world.run_errands()
        with self.world.store.read() as connection:
            found = jobs.find(connection, job)
            assert found is not None and found.state in ALLOWED[Verb.DELETE], found
            assert found.intent is Intent.REST
            open_ = actions.open_kinds(connection, [job])
        assert not open_, open_
        self.sdk.call("delete_job", job_id=job)
        assert v5 is not None


TestWalk = Walk.TestCase
TestWalk.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
