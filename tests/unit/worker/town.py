"""A service without processes: the store, the verbs, the attendant, the watches and the runner are the real ones; the
clock, the processes, and who is faster or dies where, are the test's.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy import text

from opendrs.control import creation, verbs
from opendrs.control.asking import Asking
from opendrs.control.creation import NewJob
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Action, Kind
from opendrs.model.caller import Caller
from opendrs.model.checkpoint import Phase
from opendrs.model.endpoint import Endpoint
from opendrs.model.lifecycle import LIFECYCLE, Intent, State
from opendrs.model.links import LINKS
from opendrs.store import actions, checkpoints, events, jobs, leases
from opendrs.store.database import Store
from opendrs.store.events import Event
from opendrs.store.jobs import Head
from opendrs.store.leases import Holder
from opendrs.store.sealing import Seal
from opendrs.telemetry import Mask
from opendrs.worker import errands, process
from opendrs.worker.assembly import Place
from opendrs.worker.attending import Attendant
from opendrs.worker.document import Document
from opendrs.worker.heart import Heart, LeaseLost
from opendrs.worker.journal import Journal
from opendrs.worker.order import Order
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.report import Report
from opendrs.worker.runner import Runner
from opendrs.worker.runners import Runners
from opendrs.worker.watch import Watch

PROJECT = "0123456789abcdef0123456789abcdef"
CALLER = Caller(user_id="u", user_name="ada", domain="d", project_id=PROJECT, project_name="p")
PROBES = (
    "CREATE TABLE IF NOT EXISTS moves (job TEXT, a TEXT, b TEXT)",
    "CREATE TRIGGER IF NOT EXISTS moved AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state"
    " BEGIN INSERT INTO moves VALUES (NEW.id, OLD.state, NEW.state); END",
)
AT_WORK = frozenset({State.STARTING, State.FULL, State.INCREMENTAL})

_pids = itertools.count(5_000_000)  # no machine has so many


class Cut(BaseException):
    """The process that did this is dead, from here on."""


class Gate:
    """A store as one process sees it: at its next writing transaction somebody else may be faster, and behind one
    the process may be dead."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.url, self.engine = store.url, store.engine
        self.first: Callable[[], object] | None = None
        self.cut_after: int | None = None

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._store.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Any]:
        first, self.first = self.first, None
        if first is not None:
            first()
        with self._store.write() as connection:
            yield connection
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after <= 0:
                self.cut_after = None
                raise Cut


class Hand:
    """The process of a worker."""

    def __init__(self, town: Town, order: Order, epoch: int) -> None:
        self._town = town
        self.order = order
        self.epoch = epoch
        self.holder = Holder(owner="worker", pid=next(_pids), started_at=1.0, host=process.host())
        self.ended: int | None = None
        self.asked = False
        self._report = Report()
        self._heart: Heart | None = None
        self._steps = 0

    # as a watch sees it

    def running(self) -> bool:
        return self.ended is None

    def status(self) -> int | None:
        return self.ended

    def send(self, signum: int) -> bool:
        if self.ended is not None:
            return False
        if signum == 9 or self._heart is None:
            self.ended = -int(signum)
        self.asked = True
        return True

    # what it does

    def begin(self) -> None:
        if self._heart is not None:
            return
        with self._town.store.write() as connection:
            if not leases.take(connection, self.order.job.id, self.epoch, self.holder):
                self.ended = Exit.FENCED
                return
            saved = checkpoints.load(connection, self.order.job.id)
            if self.order.options.reset:
                checkpoints.clear(connection, self.order.job.id)
                told = Event(name=events.RESET, message="anew", fields={"epoch": self.epoch})
                events.append(connection, self.order.job.id, [told])
        if saved is not None and not self.order.options.reset:
            self._report.resumed_in(saved.phase)
        self._heart = Heart(
            self._town.store, self.order.job.id, self.epoch, me=self.holder, report=self._report,
            journal=Journal(Mask()), timing=self.order.timing, lost=lambda: None, obey=self._obey,
            speed=lambda windows: None,
        )  # fmt: skip

    def _obey(self, name: str) -> None:
        self.asked = self.asked or name == "pause"

    def say(self, phase: Phase, *, saved: bool = True) -> None:
        """It has come to a phase; `saved`: and to a checkpoint."""
        self.begin()
        if self._heart is None or self.ended is not None:
            return
        self._report.phase(phase)
        if saved:
            self._report.save(None, phase)
        with self._holding():
            self._heart.beat()

    def finish(self, outcome: Outcome) -> None:
        """Its last word, and its end."""
        self.begin()
        if self._heart is None or self.ended is not None:
            return
        with self._holding():
            self._heart._last_word(outcome)
            self.ended = outcome.exit

    @contextmanager
    def _holding(self) -> Iterator[None]:
        try:
            yield
        except LeaseLost:
            self.ended = Exit.FENCED

    def work(self) -> None:
        """What a good worker does next."""
        if self.ended is not None:
            return
        if self.asked:
            self.finish(Outcome(exit=Exit.PAUSED))
            return
        self.say((Phase.LOADING, Phase.CATCHING_UP, Phase.FOLLOWING)[min(self._steps, 2)])
        self._steps += 1


class Desk:
    """A supervisor whose watches the test steps."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.watches: dict[str, Watch] = {}

    def ensure(self, order: Order, *, pausing: bool = False) -> None:
        found = self.watches.get(order.job.id)
        if found is not None and found.outcome is None:
            return
        town = self._town
        watch = Watch(
            store=cast(Store, town.watching), order=order, launch=town.launch, alive=town.alive,
            stopped=lambda holder: False, send=town.send, clock=lambda: town.at,
        )  # fmt: skip
        if pausing:
            watch.pause()
        self.watches[order.job.id] = watch

    def watched(self, job_id: str) -> bool:
        return job_id in self.watches and self.watches[job_id].outcome is None

    def take_outcome(self, job_id: str) -> Outcome | None:
        watch = self.watches.get(job_id)
        if watch is None or watch.outcome is None or watch.overtaken:
            return None
        del self.watches[job_id]
        return watch.outcome

    def pause(self, job_id: str) -> None:
        self.watches[job_id].pause()

    def kill(self, job_id: str) -> None:
        self.watches[job_id].kill()

    def step(self) -> None:
        for watch in list(self.watches.values()):
            if watch.outcome is None:
                watch.step()


@dataclass
class Town:
    """One job of one service."""

    store: Store
    folder: Path
    job: str = ""
    at: float = 1000.0
    target_up: bool = True
    hands: list[Hand] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.seal = Seal(b"k" * 32)
        self.asking = Asking(store=self.store, seal=self.seal, caller=CALLER)
        with self.store.write() as connection:
            for probe in PROBES:
                connection.execute(text(probe))
        myself = process.myself
        self.stack.enter_context(
            patch.object(process, "myself", lambda owner: self.runner.me if owner == "worker" else myself(owner))
        )
        self.stack.enter_context(patch.object(process, "send", self.send))
        self.stack.enter_context(patch.object(errands, "function", self._errand))
        self.stack.enter_context(patch("opendrs.worker.releasing.release", self._release_target))
        self.start_service()

    # processes

    def start_service(self) -> None:
        """The service, anew: whatever the last one had in its memory is gone; its workers are not."""
        self.gate, self.watching, self.errand_gate = Gate(self.store), Gate(self.store), Gate(self.store)
        self.desk = Desk(self)
        self.place = Place(store=cast(Store, self.gate), seal=self.seal, folder=self.folder)
        self.attendant = Attendant(place=self.place, supervisor=self.desk, clock=lambda: self.at)
        document = Document(state=self.store.url, key=b"k" * 32, folder=self.folder)
        popen = cast("subprocess.Popen[bytes]", SimpleNamespace(poll=lambda: 0))
        self.runners = Runners(
            store=self.store, document=document, spawn=lambda document: popen, alive=self.alive,
            clock=lambda: self.at,
        )  # fmt: skip
        self.runner = self._new_runner()

    def _new_runner(self) -> Runner:
        me = Holder(owner="worker", pid=next(_pids), started_at=1.0, host=process.host())
        self.runner_alive = True
        place = Place(store=cast(Store, self.errand_gate), seal=self.seal, folder=self.folder)
        return Runner(place=place, me=me)

    def launch(self, order: Order, epoch: int, life: int) -> Hand:
        del life
        self.hands.append(Hand(self, order, epoch))
        return self.hands[-1]

    def living(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.running()]

    def alive(self, holder: Holder) -> bool | None:
        if holder.owner == "supervisor":
            return True  # this very process, in whose memory the watches are
        if process.same(holder, self.runner.me):
            return self.runner_alive
        return any(process.same(hand.holder, holder) for hand in self.living())

    def send(self, holder: Holder, signum: int) -> bool:
        if process.same(holder, self.runner.me):
            self.runner_alive = False
            return True
        return any(hand.send(signum) for hand in self.living() if process.same(hand.holder, holder))

    # what happens

    def create(self, task: Any = "full+incremental") -> None:
        ends = [Endpoint.parse("mysql://a:secret@b"), Endpoint.parse("postgresql://a:secret@b/c")]
        facts = {"source_endpoint": {}, "target_endpoint": {}}
        new = NewJob(
            name=f"job-{next(_pids)}", description="", job_type="sync", link=LINKS[0], job_direction="non-dbs",
            net_type="vpc", task=task, source=ends[0], target=ends[1], places=(), facts=facts,
        )  # fmt: skip
        self.job = creation.create(self.asking, new).id

    def attend(self) -> None:
        """A step of the attendant; if it dies in it, the whole service does."""
        try:
            self.attendant.step()
        except Cut:
            self.start_service()

    def watch(self) -> None:
        try:
            self.desk.step()
        except Cut:
            self.start_service()

    def errand(self) -> bool:
        """The runner does what waits; if it dies in it, another one comes."""
        self.runners.step()
        if not self.runner_alive:
            self.runner = self._new_runner()
        try:
            return self.runner.once()
        except Cut:
            self.runner_alive = False
            return True

    def _errand(self, kind: Kind) -> Callable[[errands.Errand], errands.Result]:
        if kind is Kind.TERMINATE:
            from opendrs.worker.errands import terminate

            return terminate.run
        return lambda errand: {"passed": True, "findings": []}

    def _release_target(self, job: object, epoch: int) -> None:
        if not self.target_up:
            raise DrsError(Fault.TARGET_UNREACHABLE, endpoint="t", reason="down")

    def settle(self, rounds: int, *, each_s: float = 2.0) -> None:
        """Everybody does what is to be done, for a while."""
        for _ in range(rounds):
            self.attend()
            self.watch()
            for hand in self.living():
                hand.work()
            self.errand()
            self.at += each_s

    def settle_until_hand(self) -> None:
        """Until there is a worker."""
        for _ in range(20):
            if self.living():
                return
            self.attend()
            self.watch()
            self.at += 1.0
        raise AssertionError("nobody came")

    def ready(self) -> None:
        """Built, checked, and not started."""
        self.create()
        self.settle(3)
        verbs.precheck(self.asking, self.job, {"mode": "forStartJob"})
        self.settle(3)
        assert self.state() is State.CONFIGURATION

    def running(self) -> Hand:
        self.ready()
        verbs.start(self.asking, self.job)
        self.settle(6)
        assert self.state() is State.INCREMENTAL
        (hand,) = self.living()
        return hand

    def later(self, seconds: float) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    # what is there

    def head(self) -> Head:
        with self.store.read() as connection:
            found = jobs.head(connection, PROJECT, self.job)
        assert found is not None
        return found

    def state(self) -> State:
        return self.head().state

    def intent(self) -> Intent:
        return self.head().intent

    def open(self) -> list[Action]:
        with self.store.read() as connection:
            return actions.pending(connection, self.job, frozenset(Kind))

    def check_moves(self) -> None:
        """Every change of the state was one of the table."""
        legal = {(source.value, target.value) for (source, _), target in LIFECYCLE.items()}
        with self.store.read() as connection:
            moves = connection.execute(text("SELECT a, b FROM moves WHERE job = :job"), {"job": self.job}).all()
        assert {tuple(move) for move in moves} <= legal

    def close(self) -> None:
        self.stack.close()
        with suppress(Exception), self.store.write() as connection:
            jobs.remove(connection, self.job)
