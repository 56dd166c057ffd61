"""The path of a row, from a source to a target, and the one order that everything obeys:

flush the target, save the checkpoint, acknowledge the source.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar, assert_never

from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Key, Phase, TableProgress
from opendrs.model.ddl_policy import indispensable
from opendrs.model.engine import Checkpoints, Repeat, SchemaChanged, Sink, Snapshot, Source, Stream
from opendrs.model.event import Event, Heartbeat, SchemaChange, Window
from opendrs.model.job import DdlPolicy, Task
from opendrs.model.position import Position
from opendrs.pipeline import faultpoints
from opendrs.pipeline.barrier import Barrier, NoBarrier
from opendrs.pipeline.evolve import difference, evolved
from opendrs.pipeline.faultpoints import Faults, NoFaults
from opendrs.pipeline.flow import Flow, Threaded
from opendrs.pipeline.judge import Judge, NoJudge
from opendrs.pipeline.limiting import Limit, NoLimit
from opendrs.pipeline.meeting import Exchange, Meeting, NoMeeting
from opendrs.pipeline.progress import Progress, Silent, Watched
from opendrs.pipeline.publishing import refuse_new_keys, told
from opendrs.pipeline.snapshotting import Load, Stopped, unchanged
from opendrs.pipeline.state import State

POLL_S = 0.5
HEARTBEAT_SAVE_S = 5.0  # how often a position without changes is worth a commit in the target
QUEUE_BYTES_MAX = 32 << 20
LOOKS_MAX = 20  # at definitions that change in that very moment
RESTARTS_MAX = 5  # loads of one table begun anew in one run because its definition would not agree


Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is to work.

    task        what to do: the load, the log, or both
    readers     lanes of the load
    consistent  the load shows one moment (a short lock at the source); else each chunk its own
    ddl         refuse: a change of the schema that the target needs stops the run
    until_high  end when the log has been applied up to where it stood when the load ended
    """

    task: Task = "full+incremental"
    readers: int = 2
    consistent: bool = False
    ddl: DdlPolicy = "carry"
    until_high: bool = False


@dataclass(slots=True, kw_only=True)
class Run:
    """One worker's turn at a job, from opening the sink to the end, a pause or an error."""

    source: Source
    sink: Sink
    checkpoints: Checkpoints
    settings: Settings
    stop: threading.Event = field(default_factory=threading.Event)
    faults: Faults = field(default_factory=NoFaults)
    progress: Progress = field(default_factory=Silent)
    barrier: Barrier = field(default_factory=NoBarrier)
    judge: Judge = field(default_factory=NoJudge)
    limit: Limit = field(default_factory=NoLimit)
    meeting: Meeting = field(default_factory=NoMeeting)
    flow: Callable[[Stream], AbstractContextManager[Flow]] = lambda stream: Threaded(stream, nbytes_max=QUEUE_BYTES_MAX)
    _restarts: Counter[TableName] = field(default_factory=Counter)

    def __call__(self) -> Phase:
        """Returns the phase reached when there is nothing more to do. Raises Stopped when asked to pause."""
        checkpoint = self.sink.open()
        self.faults.here(faultpoints.OPENED)
        state = State.of(checkpoint or self._begin())
        self.progress.phase(state.phase)
        for progress in state.tables.values():
            self.progress.table(progress)
        while state.phase is not Phase.DONE:
            try:
                if state.position is None:
                    self._load(state)
                    self._settle(state, Phase.DONE)
                    continue
                # The log is pulled from the first second, so that a long load cannot lose it.
                with self.source.stream(state.position) as pulled:
                    self.progress.pulls(state.position, pulled)
                    stream = Watched(pulled, self.progress)
                    if self.sink.append_only:
                        stream.resume(state.known())
                        self._publish(state, stream)
                        return state.phase
                    self._load(state)
                    stream.resume(state.known())
                    self._follow_to_the_end(state, stream)
                    return state.phase
            except SchemaChanged as changed:
                self._restart(state, changed)
            except Repeat:
                self.sink.rollback()
                state.undo()
        return state.phase

    def _begin(self) -> Checkpoint:
        """The first checkpoint: the position first, the tables after, so that nothing can fall between."""
        loaded = self.settings.task == "incremental"
        chosen = self.source.chosen() if loaded else None
        if chosen is not None or self.sink.append_only:
            position, known = (chosen, self._as_of(chosen)) if chosen is not None else self._in_step()
            tables = {table.name: TableProgress(table=table, loaded=loaded) for table in known}
        else:
            position = None if self.settings.task == "full" else self.source.low()
            tables = self._steady(
                lambda: {
                    table.name: TableProgress(table=table, loaded=loaded, upper=None if loaded else self._bound(table))
                    for table in self.source.catalog().tables
                }
            )
        phase = Phase.FOLLOWING if loaded else Phase.LOADING
        checkpoint = Checkpoint(phase=phase, position=position, tables=tables)
        for progress in tables.values():
            # Thousands of them take a while to be made; until they are, none is whole.
            self.progress.table(replace(progress, loaded=False))
        self.sink.begin(checkpoint)
        self.faults.here(faultpoints.BEGUN)
        return checkpoint

    def _as_of(self, position: Position) -> Sequence[Table]:
        """The definitions of all tables at a position that lies back."""
        known = self.source.tables_at(position, self.stop.is_set)
        if known is None:
            raise Stopped
        return known

    def _in_step(self) -> tuple[Position | None, Sequence[Table]]:
        """A position, and the definitions of all tables as of it. Raises SCHEMA_MISMATCH if they change all the
        time."""
        for _ in range(LOOKS_MAX):
            before = self.source.catalog().tables
            position = None if self.settings.task == "full" else self.source.low()
            behind = {table.name: table for table in self.source.catalog().tables}
            moved = [table for table in before if table.name not in behind or not table.defined_as(behind[table.name])]
            if not moved and len(before) == len(behind):
                return position, before
        changed = moved[0].name if moved else next(iter(behind.keys() - {table.name for table in before}))
        reason = f"tables were altered, made or dropped at each of {LOOKS_MAX} looks; try again when that is over"
        raise DrsError(Fault.SCHEMA_MISMATCH, table=changed, position="the begin", reason=reason)

    def _bound(self, table: Table) -> Key | None:
        """The largest key of a table. Raises SchemaChanged if the table changed since it was listed."""
        with unchanged(table, self._outdated):
            return self.source.bound(table)

    @staticmethod
    def _steady(look: Callable[[], Seen]) -> Seen:
        """What is seen at the source; looked at again if a table changes in that very moment."""
        for attempt in range(RESTARTS_MAX + 1):
            try:
                return look()
            except SchemaChanged as changed:
                if attempt == RESTARTS_MAX:
                    raise _mismatch(changed, changed.name, None) from changed
        raise AssertionError("never here")

    def _outdated(self, table: Table) -> bool:
        now = next((other for other in self.source.catalog().tables if other.name == table.name), None)
        return now is None or not now.defined_as(table)

    def _load(self, state: State) -> None:
        """Loads what is not loaded. Behind it the log must be caught up with, as far as it reaches now."""
        if state.unloaded():
            with self.source.snapshot(consistent=self.settings.consistent or self.sink.append_only) as snapshot:
                stale = sorted(self._copy(state, snapshot))
            if stale:
                raise SchemaChanged(stale[0], "it changed while it was loaded", stale[1:])
            self.faults.here(faultpoints.LOADED)
        if state.position is not None and state.phase is Phase.LOADING:
            self._save(state, state.position, Phase.CATCHING_UP)
        if state.phase is Phase.CATCHING_UP or (self.settings.until_high and state.position is not None):
            state.high = self.source.high()

    def _copy(self, state: State, snapshot: Snapshot) -> set[TableName]:
        """Copies what is not loaded; returns the tables that changed meanwhile."""
        return Load(
            state=state, sink=self.sink, readers=self.settings.readers, stop=self.stop, faults=self.faults,
            progress=self.progress, outdated=self._outdated, append_only=self.sink.append_only, limit=self.limit,
        ).run(snapshot)  # fmt: skip

    def _publish(self, state: State, stream: Stream) -> None:
        """Loads and follows, for a target that keeps what it gets (`publishing.py`)."""
        try:
            with self.flow(stream) as flow:
                while state.unloaded():
                    self._load_as_of_now(state, stream, flow)
                self.faults.here(faultpoints.LOADED)
                if state.phase is Phase.LOADING:
                    self._settle(state, Phase.FOLLOWING)
                if self.settings.until_high:
                    state.high = self.source.high()
                self._follow(state, stream, flow)
        except Stopped:
            self._rest(state)
            raise
        self._rest(state)

    def _load_as_of_now(self, state: State, stream: Stream, flow: Flow) -> None:
        """The log up to the moment that a snapshot shows; then its rows, as many as can be had. Where the log is held
        no event is read that lies behind that moment and does not end at it."""
        flow.hold()
        moment = None
        try:
            with self.source.snapshot(consistent=True) as snapshot:
                moment = snapshot.exact
                assert moment is not None, "a consistent snapshot without a moment"
                flow.go_on(moment)
                self._reach(state, stream, flow, moment)
                for name in self._copy(state, snapshot):
                    self._restarts[name] += 1
                    if self._restarts[name] > RESTARTS_MAX:
                        raise _mismatch(SchemaChanged(name, "it is altered all the time"), name, state.position)
        finally:
            if moment is None:
                flow.go_on(None)

    def _reach(self, state: State, stream: Stream, flow: Flow, moment: Position) -> None:
        """Follows the log up to a moment. What was read behind it waits."""
        written: list[Event] = []
        while state.position is None or not state.position.covers(moment):
            if self.stop.is_set():
                raise Stopped
            events = flow.take(POLL_S)
            for number, event in enumerate(events, 1):
                self._take(state, stream, flow, written, event)
                if written and (at := written[-1].position) is not None and at.covers(moment):
                    self._commit(state, stream, written)
                    flow.put_back(events[number:])
                    break
            if _whole(written) and _worth_saving(written):
                self._commit(state, stream, written)  # no transaction of a target may last as long as the way may be

    def _restart(self, state: State, changed: SchemaChanged) -> None:
        """A table changed while it was loaded, or before the log of that time was applied: its load begins anew."""
        self.sink.rollback()
        state.undo()
        names = self._with_sharers((changed.name, *changed.also))
        if self.sink.append_only and (state.position is not None or state.is_there(names)):
            raise _mismatch(changed, changed.name, state.position) from changed
        state.judged = False
        for name in names:
            self._restart_one(state, name, changed)

    def _with_sharers(self, names: Iterable[TableName]) -> tuple[TableName, ...]:
        """What arrives as one begins anew as one."""
        found = {name: None for first in names for name in (first, *self.sink.together(first))}
        return tuple(found)

    def _restart_one(self, state: State, name: TableName, changed: SchemaChanged) -> None:
        self._restarts[name] += 1
        if state.phase is Phase.FOLLOWING or self._restarts[name] > RESTARTS_MAX:
            raise _mismatch(changed, name, state.position) from changed
        low = None if state.position is None else self.source.low()
        anew = self._steady(lambda: self._listed(name, low))
        if anew is None:
            self.sink.forget(name)
            state.tables.pop(name, None)
            state.gone[name] = low
            self.progress.forgotten(name)
            return
        self.sink.restart(anew)
        state.tables[name] = anew
        self.progress.table(anew)

    def _follow_to_the_end(self, state: State, stream: Stream) -> None:
        """Follows until asked to pause, or as far as was asked; whoever takes over the target finds it ready."""
        try:
            with self.flow(stream) as flow:
                self._follow(state, stream, flow)
        except Stopped:
            self._rest(state)
            raise
        self._rest(state)

    def _rest(self, state: State) -> None:
        if state.phase is Phase.FOLLOWING:
            self.sink.rest(state.tables)

    def _listed(self, name: TableName, low: Position | None) -> TableProgress | None:
        """A table whose load begins now; None if the source does not have it."""
        table = next((t for t in self.source.catalog().tables if t.name == name), None)
        return None if table is None else TableProgress(table=table, upper=self._bound(table), low=low, defined=low)

    def _follow(self, state: State, stream: Stream, flow: Flow) -> None:
        """Applies the log, group by group, until there is a reason to end.

        `written` holds the events since the last commit. All of them share one transaction of the target,
        except that the parts of a large source transaction share theirs with nothing before them.
        """
        written: list[Event] = []
        fixed: Position | None = None  # of the source; the target is on its way there
        saved_at = time.monotonic()
        while fixed is not None or not self._over(state, stream, written):
            if self.stop.is_set():
                raise Stopped
            if fixed is None and not written and state.phase is Phase.FOLLOWING:
                if self.meeting.wanted():
                    self._meet(state, stream, flow)
                if self.barrier.wanted():
                    fixed = self._fix(state, flow)
            for event in flow.take(POLL_S):
                self._take(state, stream, flow, written, event)
                if fixed is not None and event.position is not None and event.position.covers(fixed):
                    self._commit(state, stream, written)
                    self.barrier.fix_target(fixed)
                    fixed = None
            now = time.monotonic()
            if _whole(written) and (_worth_saving(written) or now > saved_at + HEARTBEAT_SAVE_S):
                self._commit(state, stream, written)
                saved_at = now

    def _take(self, state: State, stream: Stream, flow: Flow, written: list[Event], event: Event) -> None:
        """Writes one event, and commits where a change of the schema or the begin of a part demands it."""
        self.faults.here(faultpoints.WINDOW_TAKEN)
        match event:
            case Window():
                if event.position is None and _whole(written):
                    self._commit(state, stream, written)
                if state.phase is Phase.LOADING:
                    event = told(event, state.tables, self.source)
                self.sink.write(event, idempotent=state.phase is Phase.CATCHING_UP)
                self.faults.here(faultpoints.WINDOW_WRITTEN)
            case SchemaChange():
                self._commit(state, stream, written)
                with self._told(event):
                    changed = self._alter(state, event)
            case Heartbeat():
                if written and not _whole(written):
                    return  # between the parts of a transaction there is no position to save
            case _:
                assert_never(event)
        written.append(_light(event))
        if isinstance(event, SchemaChange):
            if event.position is not None:
                self._commit(state, stream, written)
            flow.resume(changed)

    def _fix(self, state: State, flow: Flow) -> Position | None:
        """Fixes a position for both sides. What was read before lies at or before it, for the source is asked last."""
        flow.hold()
        fixed = None
        try:
            fixed = self.barrier.fix_source()
        finally:
            flow.go_on(fixed)
        if fixed is not None and state.position is not None and state.position.covers(fixed):
            self.barrier.fix_target(fixed)
            return None
        return fixed

    def _meet(self, state: State, stream: Stream, flow: Flow) -> None:
        """Stands where whoever asked for it wants, and does there what is asked."""
        self._stand(state, stream, flow, None)
        assert state.position is not None, "a run without a log follows nothing"
        while (asked := self.meeting.at(state.position, state.tables)) is not None:
            if isinstance(asked, Exchange):
                self._exchange(state, stream, flow, asked)
                break
            self._stand(state, stream, flow, asked)
        flow.go_on(None)

    def _stand(self, state: State, stream: Stream, flow: Flow, at: Position | None) -> None:
        """Comes to a stand between two transactions, at a position or wherever that may be: all that was read is
        durable, and nothing is read behind it."""
        written: list[Event] = []
        if at is None or (state.position is not None and state.position.covers(at)):
            at = None
            flow.hold()
        else:
            flow.go_on(at, hold=True)
        while True:
            if self.stop.is_set():
                raise Stopped
            events = flow.take(0.0 if at is None else POLL_S)
            for event in events:
                self._take(state, stream, flow, written, event)
            if written and not _whole(written):
                if at is None:
                    flow.go_on(None)  # the rest of a transaction that comes in parts
                    flow.hold()
                continue
            self._commit(state, stream, written)
            if at is None and not events:
                return
            if at is not None and state.position is not None and state.position.covers(at):
                return

    def _exchange(self, state: State, stream: Stream, flow: Flow, asked: Exchange) -> None:
        """Tables come and go, in one commit with the position that they do it at."""
        tables = {name: progress for name, progress in state.tables.items() if name not in asked.leaving}
        tables |= asked.joining
        self.sink.exchange(asked.edit, asked.selection, asked.joining, asked.giver, asked.leaving)
        self.faults.here(faultpoints.EXCHANGED)
        state.alter(tables)
        self._save(state, state.position, state.phase)
        self.source.reselect(asked.selection)
        stream.reselect(asked.selection)
        flow.resume({**asked.joining, **dict.fromkeys(asked.leaving)})
        for progress in asked.joining.values():
            self.progress.table(progress)
        for name in asked.leaving:
            self.progress.forgotten(name)
        self.meeting.done(asked)

    def _over(self, state: State, stream: Stream, written: list[Event]) -> bool:
        """Whether the run is over: the mark is passed, and nobody waits for a proof or for tables."""
        at = written[-1].position if written else state.position
        if state.high is not None and at is not None and state.high.reached(at):
            self._commit(state, stream, written)
            self._pass(state)
        return self.settings.until_high and state.passed and not self.barrier.wanted() and not self.meeting.busy()

    def _pass(self, state: State) -> None:
        """Behind the mark, constraints are made and transactions are kept whole."""
        if state.phase is Phase.CATCHING_UP:
            if not state.judged and self.judge(self._restarts):
                state.judged, state.high = True, self.source.high()
                return
            self._settle(state, Phase.FOLLOWING)
        state.high, state.passed = None, True

    def _alter(self, state: State, change: SchemaChange) -> dict[TableName, TableProgress | None]:
        """Carries out a change of the schema, in the transaction that will hold the position behind it."""
        catching_up = state.phase is Phase.CATCHING_UP
        alterations, after = evolved(state.tables, change, catching_up=catching_up, gone=state.gone)
        changed = difference(state.tables, after)
        if self.settings.ddl == "refuse":
            _refuse(change, alterations, state)
        if state.phase is Phase.LOADING:
            refuse_new_keys(state.tables, changed, change)
        if alterations:
            with _named(change):
                self.sink.alter(change, alterations, changed)
            self.faults.here(faultpoints.ALTERED)
        state.alter(after)
        return changed

    @contextmanager
    def _told(self, change: SchemaChange) -> Iterator[None]:
        """A change of the schema is told of before it is carried out: while the target holds locks for it, nobody waits
        for anything else."""
        self.progress.altering(change)
        try:
            yield
        except DrsError as error:
            self.progress.refused(change, error)
            raise

    def _commit(self, state: State, stream: Stream, written: list[Event]) -> None:
        """Makes the written events durable, remembers it, and lets the source forget: in this order."""
        if not written:
            return
        position = written[-1].position
        assert position is not None, "a part of a transaction was about to be committed"
        self._save(state, position, state.phase)
        stream.acknowledge(position)
        self.faults.here(faultpoints.ACKNOWLEDGED)
        for event in written:
            self.progress.applied(event)
        written.clear()

    def _save(self, state: State, position: Position | None, phase: Phase) -> None:
        self.sink.flush(position, phase)
        self.faults.here(faultpoints.FLUSHED)
        self.checkpoints.save(position, phase)
        self.faults.here(faultpoints.SAVED)
        before = state.durable()
        state.position = position
        for name, progress in difference(before or state.tables, state.tables).items():
            if progress is None:
                self.progress.forgotten(name)
            else:
                self.progress.table(progress)
        if phase is not state.phase:
            state.phase = phase
            self.progress.phase(phase)

    def _settle(self, state: State, phase: Phase) -> None:
        """The load is over: what it did without is made, and the next phase begins."""
        self.sink.constrain(state.tables)
        self.faults.here(faultpoints.CONSTRAINED)
        self._save(state, state.position, phase)


def _mismatch(changed: SchemaChanged, name: TableName, position: Position | None) -> DrsError:
    at = position.dump() if position else "the load"
    return DrsError(Fault.SCHEMA_MISMATCH, table=name, position=at, reason=changed.reason)


def _refuse(change: SchemaChange, alterations: Iterable[Alteration], state: State) -> None:
    """Raises DDL_REFUSED for a statement that the target is unfit without."""
    tables = {name: progress.table for name, progress in state.tables.items()}
    if any(indispensable(alteration, tables) for alteration in alterations):
        at = change.position.dump() if change.position else "a transaction"
        raise DrsError(Fault.DDL_REFUSED, position=at, statement=change.statement)


@contextmanager
def _named(change: SchemaChange) -> Iterator[None]:
    """What the target refuses to do is told together with the source's statement that asks for it."""
    try:
        yield
    except DrsError as error:
        if error.fault is not Fault.TARGET_REFUSED:
            raise
        raise DrsError(
            Fault.DDL_UNSUPPORTED,
            position=change.position.dump() if change.position else "a transaction",
            reason=error.message,
            statement=change.statement,
        ) from error


def _whole(written: list[Event]) -> bool:
    """Whether the last event ends a transaction."""
    return bool(written) and written[-1].position is not None


def _light(event: Event) -> Event:
    """The event without its rows: the parts of a large transaction are remembered until its end."""
    return replace(event, tables=(), origins=None) if isinstance(event, Window) else event


def _worth_saving(written: list[Event]) -> bool:
    return any(not isinstance(event, Heartbeat) for event in written)
