"""What a worker asks of a pair of engines; and how a job into Kafka begins anew, is let go, and goes on."""

from __future__ import annotations

import ast
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast, get_args

import pytest

from opendrs.engines.kafka import control
from opendrs.engines.memory.position import Lsn, parse_position
from opendrs.engines.mysql.position import LogPosition
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Checkpoint, Chunk, LoadedChunk, Phase, TableProgress
from opendrs.model.endpoint import Endpoint, EngineName
from opendrs.model.event import SchemaChange
from opendrs.model.finding import Finding
from opendrs.model.job import Job, Policy
from opendrs.model.links import PAIRS
from opendrs.model.precheck import Precheck
from opendrs.model.publishing import Publishing
from opendrs.pipeline import faultpoints
from opendrs.pipeline.run import Settings
from opendrs.store import checkpoints, events, jobs, leases
from opendrs.store.database import Store, open_store
from opendrs.store.leases import Holder
from opendrs.worker import admission, checking, flows, releasing, resetting
from opendrs.worker import replicate as replicating
from opendrs.worker.checking import TargetChecks, checks_of
from opendrs.worker.flows import Flow, flow_of, mysql_kafka
from opendrs.worker.hooks import Hooks
from opendrs.worker.order import Options
from opendrs.worker.resetting import reset_first
from tests.unit.engines.kafka.fakes import (
    CARTS,
    ORDERS,
    Brokers,
    Client,
    Opened,
    Rows,
    here,
    table,
    window,
    worker,
)

__all__ = ("here",)

MYSQL, POSTGRES = Endpoint.parse("mysql://a@h"), Endpoint.parse("postgresql://a@h/d")
KAFKA = Endpoint.parse("kafka://h")
POLICY = Policy(readers=2)
JOB = Job(id="j", source=MYSQL, target=KAFKA, task="full+incremental", policy=POLICY)


class Killed(BaseException):
    pass


class At:
    """Dies at a fault point, and remembers which were passed."""

    def __init__(self, name: str = "") -> None:
        self.name, self.passed = name, list[str]()

    def here(self, name: str) -> None:
        self.passed.append(name)
        if name == self.name:
            raise Killed


@cache
def _empty_store() -> Store:
    return open_store(f"sqlite:///{tempfile.mkdtemp(prefix='opendrs-test-')}/state.db")


def hooks(faults: Any = None, **more: Any) -> Hooks:
    facts: dict[str, Any] = {
        "stop": threading.Event(), "progress": None, "checkpoints": None, "proof": threading.Event(),
        "objects": None, "dirty": None, "limit": None, "faults": faults or At(), "log": logging.getLogger("test"),
        "folder": Path("/nowhere"), "options": Options(), "store": _empty_store(),
    }  # fmt: skip
    return Hooks(**{**facts, **more})


# --- which module ---


def test_every_permitted_pair_has_a_flow_and_no_other_has() -> None:
    assert flows._MODULES.keys() == PAIRS


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_a_flow_does_all_that_a_worker_asks(pair: tuple[EngineName, EngineName]) -> None:
    ends = {"mysql": MYSQL, "postgresql": POSTGRES, "kafka": KAFKA}
    flow = flow_of(replace(JOB, source=ends[pair[0]], target=ends[pair[1]]))
    wanted = [name for name in vars(Flow) if not name.startswith("_")]
    assert wanted and all(callable(getattr(flow, name)) for name in wanted)
    assert flow.__name__.endswith(f"{pair[0]}_{pair[1].removesuffix('ql')}")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("source", "target"), [(POSTGRES, MYSQL), (MYSQL, MYSQL), (KAFKA, POSTGRES)])
def test_a_pair_that_nobody_wrote_is_unsupported(source: Endpoint, target: Endpoint) -> None:
    with pytest.raises(DrsError) as raised:
        flow_of(replace(JOB, source=source, target=target))
    assert raised.value.fault is Fault.UNSUPPORTED


@pytest.mark.parametrize("module", [flows, replicating, releasing, resetting, admission], ids=lambda one: one.__name__)
def test_drivers_are_loaded_with_the_flow_that_needs_them(module: ModuleType) -> None:
    """Whoever looks for a flow, or asks it for something, loads no engine for that."""
    nodes = ast.walk(ast.parse(Path(str(module.__file__)).read_text()))
    imported = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert imported and not [name for name in imported if name.startswith(("opendrs.engines", "opendrs.worker.flows."))]


# --- checks ---


@pytest.mark.parametrize("engine", sorted(checking._TARGETS))
def test_checks_of_a_target_say_all_that_a_check_asks(engine: EngineName) -> None:
    found = checks_of(engine)
    assert all(hasattr(found, name) for name in vars(TargetChecks) if not name.startswith("_"))
    assert all(isinstance(row, Precheck) and row.side == "target" for row in found.rows)
    assert {*found.arrival_rows} <= {*found.catalog_rows} and found.rows


def test_every_target_of_a_flow_has_checks() -> None:
    assert checking._TARGETS.keys() == {target for _, target in PAIRS} <= set(get_args(EngineName))


def test_what_a_target_makes_of_a_policy() -> None:
    policy = Policy(consistent=False, server_id=7)
    assert checks_of("postgresql").policy_of(policy) == policy
    # A load of a history shows one moment, whatever was asked for: its lock is checked for.
    assert checks_of("kafka").policy_of(policy) == replace(policy, consistent=True)


def test_who_does_what_foreign_keys_do() -> None:
    assert checks_of("postgresql").stands_in and not checks_of("kafka").stands_in


# --- a job into Kafka ---


@pytest.fixture
def brokers(here: Brokers, monkeypatch: pytest.MonkeyPatch) -> Brokers:
    """A job whose load goes on: two tables, of which one has a chunk, and one that is whole."""
    monkeypatch.setattr(mysql_kafka, "Client", lambda endpoint: Client(here))
    monkeypatch.setattr(mysql_kafka, "Opened", Opened)
    monkeypatch.setattr(mysql_kafka, "parse_position", parse_position)
    return here


def begun(phase: Phase = Phase.LOADING, *, epoch: int = 1, readers: int = 2) -> None:
    made = worker(replace(POLICY, readers=readers), epoch=epoch)
    made.sink.open()
    progress = {
        one.name: TableProgress(table=one, loaded=phase is not Phase.LOADING) for one in (table(), table(CARTS))
    }
    made.sink.begin(Checkpoint(phase=phase, position=Lsn(1), tables=progress))
    if phase is Phase.LOADING:
        with made.sink.loader() as lane:
            lane.begin(table(), Chunk(table=ORDERS, ordinal=0, upper=("2",)))
            lane.write(Rows([1, 2]))
            lane.commit(LoadedChunk(chunk=Chunk(table=ORDERS, ordinal=0, upper=("2",)), rows=2, nbytes=16))


def state(here: Brokers) -> tuple[bool, bool, int]:
    """Whether a reset is under way, whether there is a checkpoint, and how many records there are."""
    kept = here.kept()
    return kept.resetting, kept.checkpoint is not None, len(kept.keys)


def test_a_job_that_has_not_been_there_yet(brokers: Brokers) -> None:
    assert not mysql_kafka.begun(JOB) and not mysql_kafka.half_reset(JOB)
    assert brokers.topics == set(), "to ask makes nothing"


def test_a_job_that_has_begun(brokers: Brokers) -> None:
    made = worker(POLICY)
    made.sink.open()
    assert not mysql_kafka.begun(JOB), "it was opened, and nothing more"
    begun(epoch=1000)
    assert mysql_kafka.begun(JOB) and not mysql_kafka.half_reset(JOB)


def test_a_reset_forgets_in_order(brokers: Brokers) -> None:
    begun()
    before, seen = list(brokers.messages), []
    faults = At()
    mysql_kafka.reset(JOB, 2, hooks(faults), lambda: seen.append(state(brokers)))
    # When the state store forgets, the target has the mark and still knows everything.
    assert seen == [(True, False, 4)]
    assert faults.passed == [faultpoints.RESET_MARKED, faultpoints.RESET_FORGOTTEN]
    kept = brokers.kept()
    assert (kept.keys, kept.epoch, kept.next_id, kept.resetting) == (frozenset({b'["job"]'}), 2, 1, False)
    assert not mysql_kafka.begun(JOB) and not mysql_kafka.half_reset(JOB)
    assert brokers.messages == before, "what is published belongs to its readers"


@pytest.mark.parametrize(("at", "forgotten"), [(faultpoints.RESET_MARKED, False), (faultpoints.RESET_FORGOTTEN, True)])
def test_a_reset_that_is_cut_short_is_seen_and_ended_by_the_next(brokers: Brokers, at: str, forgotten: bool) -> None:
    begun()
    calls: list[str] = []
    with pytest.raises(Killed):
        mysql_kafka.reset(JOB, 2, hooks(At(at)), lambda: calls.append("forget"))
    assert calls == ["forget"] * forgotten
    assert state(brokers) == (True, False, 4) and mysql_kafka.half_reset(JOB)
    # Nobody works over half a reset.
    with pytest.raises(DrsError) as raised:
        worker(POLICY, epoch=3).sink.open()
    assert raised.value.fault is Fault.RESET_UNFINISHED
    mysql_kafka.reset(JOB, 4, hooks(), lambda: calls.append("forget"))
    assert calls == ["forget"] * (forgotten + 1)
    assert state(brokers) == (False, False, 1)


def test_a_reset_whose_store_knows_a_newer_worker_takes_nothing_away(brokers: Brokers) -> None:
    begun()

    def fenced() -> None:
        raise DrsError(Fault.FENCED, epoch=2)

    with pytest.raises(DrsError):
        mysql_kafka.reset(JOB, 2, hooks(), fenced)
    assert state(brokers) == (True, False, 4)


def test_a_reset_by_an_overtaken_worker_does_nothing(brokers: Brokers) -> None:
    begun(epoch=7)
    records, generations = list(brokers.records), dict(brokers.generations)
    with pytest.raises(DrsError) as raised:
        mysql_kafka.reset(JOB, 6, hooks(), lambda: pytest.fail("the store forgets nothing"))
    assert raised.value.fault is Fault.FENCED
    assert (brokers.records, brokers.generations) == (records, generations)


def test_who_is_overtaken_while_it_fences_resets_nothing(brokers: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(epoch=7)
    original = Opened.__init__

    def overtaken(self: Opened, *arguments: Any, **named: Any) -> None:
        monkeypatch.setattr(Opened, "__init__", original)
        worker(POLICY, epoch=9).sink.open()
        original(self, *arguments, **named)

    monkeypatch.setattr(Opened, "__init__", overtaken)
    with pytest.raises(DrsError) as raised:
        mysql_kafka.reset(JOB, 8, hooks(), lambda: pytest.fail("the store forgets nothing"))
    assert raised.value.fault is Fault.FENCED and not brokers.kept().resetting


def test_a_reset_fences_every_lane_that_there_has_been(brokers: Brokers) -> None:
    """A chunk that is committed behind a reset would be the first of the new life."""
    begun(readers=4)
    old = worker(replace(POLICY, readers=4), epoch=2)
    old.sink.open()
    with old.sink.loader() as lane:
        lane.begin(table(CARTS), Chunk(table=CARTS, ordinal=0))
        lane.write(Rows([9]))
        mysql_kafka.reset(JOB, 3, hooks(), lambda: None)
        with pytest.raises(DrsError):
            lane.commit(LoadedChunk(chunk=Chunk(table=CARTS, ordinal=0), rows=1, nbytes=8))
    assert {brokers.generations[f"opendrs.j.{lane}"] for lane in range(4)} != {0}
    assert brokers.kept().lanes == 4 and brokers.kept().keys == {b'["job"]'}


def test_a_job_that_has_not_begun_can_be_reset(brokers: Brokers) -> None:
    calls: list[str] = []
    mysql_kafka.reset(JOB, 1, hooks(), lambda: calls.append("forget"))
    assert calls == ["forget"] and brokers.topics == {"_opendrs.j"} and state(brokers) == (False, False, 1)


def test_behind_a_reset_all_begins_anew(brokers: Brokers) -> None:
    begun()
    mysql_kafka.reset(JOB, 2, hooks(), lambda: None)
    made = worker(POLICY, epoch=3)
    assert made.sink.open() is None
    made.sink.begin(
        Checkpoint(phase=Phase.FOLLOWING, position=Lsn(5), tables={ORDERS: TableProgress(table=table(), loaded=True)})
    )
    made.sink.write(window(6, 1), idempotent=False)
    made.sink.flush(Lsn(6), Phase.FOLLOWING)
    assert brokers.ids() == [1, 2, 1]


# --- letting go ---


def test_what_the_job_remembered_goes_and_what_is_published_stays(brokers: Brokers) -> None:
    begun()
    old = worker(POLICY, epoch=2)
    old.sink.open()
    messages = list(brokers.messages)
    mysql_kafka.release(JOB, 3, lambda what, why: pytest.fail(what))
    assert brokers.topics == {"shop-orders", "shop-carts"} and brokers.messages == messages
    old.main.producer.begin()
    with pytest.raises(DrsError):
        old.main.producer.commit(0, [])
    mysql_kafka.release(JOB, 3, lambda what, why: pytest.fail(what))


@pytest.mark.parametrize("fault", [Fault.PRIVILEGE_MISSING, Fault.TARGET_UNREACHABLE])
def test_a_topic_that_cannot_be_deleted_is_reported(brokers: Brokers, fault: Fault) -> None:
    begun()
    brokers.refusing["delete"] = DrsError(fault, endpoint="h", what="delete", reason="their words")
    told: list[tuple[str, str]] = []
    if fault is Fault.PRIVILEGE_MISSING:
        mysql_kafka.release(JOB, 2, lambda what, why: told.append((what, why)))
        assert [what for what, _ in told] == ["the topic _opendrs.j"] and "their words" in told[0][1]
    else:
        with pytest.raises(DrsError):
            mysql_kafka.release(JOB, 2, lambda what, why: told.append((what, why)))
    assert "_opendrs.j" in brokers.topics


def test_an_overtaken_worker_lets_nothing_go(brokers: Brokers) -> None:
    begun(epoch=7)
    with pytest.raises(DrsError) as raised:
        mysql_kafka.release(JOB, 6, lambda what, why: None)
    assert raised.value.fault is Fault.FENCED and "_opendrs.j" in brokers.topics


def test_a_job_that_remembers_elsewhere(brokers: Brokers) -> None:
    job = replace(JOB, policy=replace(POLICY, publishing=Publishing(checkpoint_topic="mine")))
    brokers.topics |= {"mine", "_opendrs.j"}
    done = control.job_record(epoch=1, lanes=0, position=Lsn(1), phase=Phase.DONE, next_id=1, tables=0)
    brokers.records += control.of_job(JOB.id, [done])
    assert mysql_kafka.begun(job)
    other = list(control.of_job("another", [control.job_record(
        epoch=5, lanes=0, position=Lsn(1), phase=Phase.DONE, next_id=1, tables=0)]))  # fmt: skip
    brokers.records += other
    mysql_kafka.release(job, 2, lambda what, why: None)
    # A topic that the user has named may be that of other jobs too.
    assert brokers.topics == {"mine", "_opendrs.j"} and not mysql_kafka.begun(job)
    assert control.read("another", brokers.records, parse_position).epoch == 5


# --- working ---


@pytest.mark.parametrize(("task", "until", "high"), [("full+incremental", "never", False), ("full", "caught-up", True)])
def test_a_job_is_handed_to_the_pipeline_as_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, task: Any, until: Any, high: bool
) -> None:
    handed: dict[str, Any] = {}

    class Run:
        def __init__(self, **facts: Any) -> None:
            handed.update(facts)

        def __call__(self) -> Phase:
            assert handed["sink"].opened
            return Phase.DONE

    class Sink:
        def __init__(self, endpoint: Endpoint, settings: Any) -> None:
            handed["settings of the sink"], self.endpoint, self.opened = settings, endpoint, False

        def __enter__(self) -> Sink:
            self.opened = True
            return self

        def __exit__(self, *error: object) -> None:
            self.opened = False

    source = SimpleNamespace(create_statement=lambda name: "CREATE")
    monkeypatch.setattr(mysql_kafka, "Run", Run)
    monkeypatch.setattr(mysql_kafka, "Sink", Sink)
    monkeypatch.setattr(mysql_kafka, "source_of", lambda job, hooks: source)
    given = hooks(options=Options(until=until))
    job = replace(JOB, task=task, policy=replace(POLICY, readers=5, ddl="refuse"))
    assert mysql_kafka.work(job, 4, given, installed=False) is Phase.DONE
    # Every load shows one moment, and no statement stops the job: messages tell the columns of their rows.
    assert handed["settings"] == Settings(task=task, readers=5, consistent=True, ddl="carry", until_high=high)
    assert (handed["source"], handed["stop"], handed["faults"]) == (source, given.stop, given.faults)
    of_sink = handed["settings of the sink"]
    assert (of_sink.job, of_sink.epoch, of_sink.policy, of_sink.selection) == ("j", 4, job.policy, job.selection)
    assert of_sink.create_statement(ORDERS) == "CREATE"
    assert not handed["sink"].opened


PLACED = '{"version":1,"kind":"mysql-gtid","server":"s","gtid":"","file":{"file":"binlog.000003","pos":1234}}'
UNPLACED = '{"version":1,"kind":"mysql-gtid","server":"s","gtid":""}'


@pytest.mark.parametrize(
    ("position", "place"),
    [
        (LogPosition(PLACED), ("binlog.000003", 1234)),
        (LogPosition(UNPLACED), (None, 0)),
        (None, (None, 0)),
    ],
)
def test_where_a_statement_is_from(position: Any, place: tuple[str | None, int]) -> None:
    change = SchemaChange(alterations=(), statement="", position=position, last_commit_s=2.5)
    assert mysql_kafka._place(change) == (2_500_000, None, *place)


# --- beginning anew, for any flow ---


class FakeFlow:
    def __init__(self, half: bool | DrsError = False) -> None:
        self.half, self.resets = half, list[int]()

    def half_reset(self, job: Job) -> bool:
        if isinstance(self.half, DrsError):
            raise self.half
        return self.half

    def reset(self, job: Job, epoch: int, hooks: Hooks, forget: Callable[[], None]) -> None:
        self.resets.append(epoch)
        forget()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path}/state.db")
    with found.write() as connection:
        jobs.create(connection, JOB)
    yield found
    found.engine.dispose()


DOWN = DrsError(Fault.TARGET_UNREACHABLE, endpoint="h", reason="down")


@pytest.mark.parametrize(
    ("asked", "half", "done"),
    [(False, False, False), (True, False, True), (False, True, True), (True, DOWN, True), (False, DOWN, False)],
)
def test_a_job_is_reset_if_that_was_asked_for_or_has_not_ended(
    store: Store, tmp_path: Path, asked: bool, half: bool | DrsError, done: bool
) -> None:
    flow, given = FakeFlow(half), hooks(store=store, folder=tmp_path)
    if asked:
        given.reset.set()
    assert reset_first(cast(Flow, flow), JOB, 5, given) is done
    assert flow.resets == [5] * done
    assert not given.reset.is_set(), "what was asked for is done"


def test_the_store_forgets_with_the_target(store: Store, tmp_path: Path) -> None:
    (tmp_path / resetting.SPOOL).mkdir()
    with store.write() as connection:
        checkpoints.save(connection, "j", epoch=1, phase=Phase.FOLLOWING, position="p")
    given = hooks(store=store, folder=tmp_path)
    given.reset.set()
    assert reset_first(cast(Flow, FakeFlow()), JOB, 5, given)
    with store.read() as connection:
        assert checkpoints.load(connection, "j") is None
        assert events.reset_since(connection, "j", 5)
    assert not (tmp_path / resetting.SPOOL).exists()


def test_a_store_that_knows_a_newer_worker_forgets_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / resetting.SPOOL).mkdir()
    with store.write() as connection:
        checkpoints.save(connection, "j", epoch=1, phase=Phase.FOLLOWING, position="p")
        holder = Holder(owner="worker", pid=1, started_at=1.0, host="h")
        assert leases.claim(connection, "j", holder, {}, above=8) == 9
    given = hooks(store=store, folder=tmp_path)
    given.reset.set()
    with pytest.raises(DrsError) as raised:
        reset_first(cast(Flow, FakeFlow()), JOB, 5, given)
    assert raised.value.fault is Fault.FENCED and given.reset.is_set()
    with store.read() as connection:
        assert checkpoints.load(connection, "j") is not None
    assert (tmp_path / resetting.SPOOL).exists()


# --- held against the prechecks ---


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were checked. What is found is one failure."""
    found: list[str] = []

    def check_job(job: Job, accepted: object) -> list[Finding]:
        found.append(job.id)
        return [Finding(item="dstThing", group="network", result="FAILED", message="no")]

    monkeypatch.setattr(checking, "check_job", check_job)
    return found


@pytest.mark.parametrize(
    ("check", "begun", "looked"), [(False, False, False), (True, True, False), (True, False, True), (True, DOWN, True)]
)
def test_a_job_that_has_not_begun_is_checked(
    store: Store, checked: list[str], check: bool, begun: bool | DrsError, looked: bool
) -> None:
    """Where nobody can say whether it has, the prechecks tell why."""

    def answer(job: Job) -> bool:
        if isinstance(begun, DrsError):
            raise begun
        return begun

    flow, given = cast(Flow, SimpleNamespace(begun=answer)), hooks(store=store, options=Options(check=check))
    if looked:
        with pytest.raises(DrsError) as raised:
            admission.admit(flow, JOB, given)
        assert raised.value.fault is Fault.PRECHECK_FAILED
    else:
        admission.admit(flow, JOB, given)
    assert checked == ["j"] * looked


def test_a_job_that_the_store_knows_to_have_begun_is_not_checked(store: Store, checked: list[str]) -> None:
    with store.write() as connection:
        checkpoints.save(connection, "j", epoch=1, phase=Phase.FOLLOWING, position="p")

    def ask(job: Job) -> bool:
        raise AssertionError("the target is not asked")

    admission.admit(cast(Flow, SimpleNamespace(begun=ask)), JOB, hooks(store=store))
    assert checked == []


def test_the_parts_of_a_worker_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of a former life goes before the job is checked, and is checked before it works."""
    done: list[Any] = []
    flow = SimpleNamespace(work=lambda job, epoch, hooks, installed: done.append((epoch, installed)) or Phase.DONE)
    monkeypatch.setattr(replicating, "flow_of", lambda job: flow)
    monkeypatch.setattr(replicating, "reset_first", lambda *_: done.append("reset") or True)
    monkeypatch.setattr(replicating, "admit", lambda *_: done.append("admit"))
    assert replicating.replicate(JOB, 6, hooks()) is Phase.DONE
    assert done == ["reset", "admit", (6, True)]


def test_letting_go_is_the_flows_business(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    flow = SimpleNamespace(release=lambda job, epoch, report: done.append((job, epoch, report)))
    monkeypatch.setattr(releasing, "flow_of", lambda job: flow)
    releasing.release(JOB, 6)
    assert done == [(JOB, 6, releasing._warn)]
