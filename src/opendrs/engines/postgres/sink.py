"""PostgreSQL as a target: rows, checkpoint and schema history in one transaction, guarded by the epoch."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from opendrs._core import PgApplier, PgError, RecordBatch
from opendrs.engines.postgres import cascade, ownership, shape
from opendrs.engines.postgres.conflicts import Conflicts, Remember, place_of
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.control import Control, ParsePosition, application, portions
from opendrs.engines.postgres.kept_views import KeptViews
from opendrs.engines.postgres.loader import Loader
from opendrs.engines.postgres.loosening import ForeignKeys
from opendrs.engines.postgres.schema import Schema, State
from opendrs.engines.postgres.shape import Target
from opendrs.engines.postgres.sharing import demand_alone, sharers
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration, AlterTable, ForgetTable
from opendrs.model.catalog import ForeignKey, Table, TableName, View
from opendrs.model.checkpoint import Checkpoint, Phase, TableProgress
from opendrs.model.ddl_policy import carried
from opendrs.model.endpoint import Endpoint
from opendrs.model.engine import Objects, SchemaChanged
from opendrs.model.event import Batch, SchemaChange, Window
from opendrs.model.event import Control as SavepointControl
from opendrs.model.evolution import applied
from opendrs.model.job import Policy
from opendrs.model.position import Position
from opendrs.model.selection import Selection

# Engines of the source whose changes a rollback undoes.
TRANSACTIONAL = frozenset({"", "innodb", "rocksdb", "tokudb", "ndbcluster"})
# The source is told to forget what was committed: where commits do not wait for the disk, ours do.
WAIT_FOR_THE_DISK = (
    "SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'"
)
LOCK_WAIT_S = 5  # for a table that others write to
SUSPECTS_MAX = 200  # of which the source is asked at once


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What a sink is opened with.

    job, epoch       whose worker we are; older epochs can commit nothing once we are open
    parse_position   reads the source's positions back
    views            the source's views of the selection, asked for when everything else is there
    report           told of everything that is not carried over: (what, why)
    objects          told of what is made beside tables and rows; None: nobody wants to know
    remember         takes conflicts with others who write to the target; None: nobody does
    installed        the epoch is installed already
    """

    job: str
    epoch: int
    selection: Selection
    policy: Policy
    parse_position: ParsePosition
    views: Callable[[], Sequence[View]]
    report: Callable[[str, str], None]
    objects: Objects | None = None
    remember: Remember | None = None
    installed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Rows of one table that may have gone with their parent: each one's key, and what it refers to by `key`."""

    child: Table
    key: ForeignKey
    rows: Sequence[tuple[cascade.Texts, cascade.Texts]]


class Sink:
    """Writes on one session; the load writes on one session a lane."""

    append_only = False

    def __init__(self, endpoint: Endpoint, settings: SinkSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._control = Control(settings.job, settings.epoch, settings.parse_position)
        self._session = self._open_session()
        self._applier: PgApplier = self._session.applier()
        self._schema = Schema(settings.job, self._control.guard, settings.policy, settings.report, settings.objects)
        self._foreign_keys = ForeignKeys(self._schema, settings.report)
        self._views = KeptViews(
            settings.job, settings.views, settings.selection.target, self._schema.told, settings.objects
        )
        self._ids: dict[TableName, int] = {}  # tables that the applier knows, in their present shape
        self._numbers = itertools.count()
        self._tables: dict[TableName, TableProgress] = {}
        self._targets: dict[TableName, Target] = {}
        self._changed: dict[TableName, TableProgress | None] = {}
        self._savepoints: list[str] = []
        self._conflicts = Conflicts(self._control, settings.remember)
        self._ordinals = 0  # of the parts that were written of a transaction
        self._at: Position | None = None  # behind what was written
        self._saved: Position | None = None  # behind what was flushed
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever is not flushed is forgotten."""
        self._session.close()

    def _open_session(self) -> Session:
        session = Session(self._endpoint, application(self._settings.job, self._settings.epoch))
        session.execute(WAIT_FOR_THE_DISK)
        return session

    def known(self) -> dict[TableName, tuple[Table, Target]]:
        """Definitions and shapes of all tables, as of the last flush and what was altered since."""
        return {name: (progress.table, self._targets[name]) for name, progress in self._tables.items()}

    @property
    def control(self) -> Control:
        return self._control

    def open(self) -> Checkpoint | None:
        if not self._settings.installed:
            self._control.make(self._session)
            self._control.install(self._session)
        checkpoint, targets = self._control.read(self._session)
        if checkpoint is not None:
            self._tables = dict(checkpoint.tables)
            # What becomes of values that the target cannot hold is as the job says now, not as it was when it began.
            said = (self._settings.selection, self._settings.policy)
            self._targets = {name: shape.judged(name, target, *said) for name, target in targets.items()}
            self._at = self._saved = checkpoint.position
            self._schema.constrained = checkpoint.phase not in (Phase.LOADING, Phase.CATCHING_UP)
        if self._schema.constrained:
            self._foreign_keys.look(self._session, self._definitions(), self._targets)
            with self._guarded():
                self._schema.validate(self._session, self._targets)
        self._conflicts.durable(self._session)
        return checkpoint

    # the load

    def begin(self, checkpoint: Checkpoint) -> None:
        """In several transactions: a target has no locks for thousands of tables in one."""
        for names in portions(self._control.unbegun(self._session)):
            with self._guarded():
                for name, target in names:
                    self._run(self._schema.drop_empty(target) if target is not None else ())
                    self._control.drop(self._session, name)
        self._tables = dict(checkpoint.tables)
        self._targets = self._shapes(self._tables)
        for tables in portions(self._tables.items()):
            with self._guarded():
                for name, progress in tables:
                    if not progress.loaded:
                        self._run(self._schema.create(progress.table, self._targets[name]))
                    self._control.put(self._session, progress, self._targets[name])
                self._note(self._targets[name] for name, _ in tables)
        acting = cascade.acting(self._definitions(), self._targets)
        for keys in portions([one for one in acting if not self._tables[one[0].name].loaded]):
            with self._guarded():
                for child, key in keys:
                    self._run(cascade.make(child, key, self._targets, self._settings.job))
        with self._guarded():
            self._control.save(self._session, checkpoint.position, checkpoint.phase)
        self._at = self._saved = checkpoint.position

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A transaction of a worker that nobody has overtaken."""
        with self._session.transaction():
            self._control.guard(self._session)
            yield

    def _shapes(self, tables: Mapping[TableName, TableProgress]) -> dict[TableName, Target]:
        definitions = [progress.table for progress in tables.values()]
        return shape.targets(definitions, self._settings.selection, self._settings.policy)

    def _make_cascades(self, wanted: Callable[[Table, Any], bool]) -> None:
        for child, key in cascade.acting(self._definitions(), self._targets):
            if wanted(child, key):
                self._run(cascade.make(child, key, self._targets, self._settings.job))

    def _note(self, targets: Iterable[Target]) -> None:
        """Tables that this transaction has made are the job's own."""
        ownership.note_tables(self._session, self._settings.job, targets)
        ownership.forget_gone(self._session, self._settings.job)

    def _run(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._session.execute(statement)

    def restart(self, progress: TableProgress) -> None:
        name = progress.table.name
        old = self._targets.get(name)
        self._tables = {**self._tables, name: progress}
        new = self._shapes(self._tables)[name]
        with self._guarded():
            self._run(self._schema.drop(old or new))
            self._targets[name] = new
            self._run(self._schema.create(progress.table, new))
            self._note([new])
            self._control.drop_chunks(self._session, name)
            self._control.put(self._session, progress, new)
            # With the table went the triggers on it, and those that name its columns may be wrong.
            self._make_cascades(lambda table, key: name in (table.name, key.referenced))
        self._ids.pop(name, None)

    def together(self, name: TableName) -> list[TableName]:
        return sharers(name, self._targets) if name in self._targets else []

    def forget(self, name: TableName) -> None:
        with self._guarded():
            if name in self._targets:
                self._run(self._schema.drop(self._targets[name]))
            self._control.drop(self._session, name)
        self._tables.pop(name, None)
        self._targets.pop(name, None)
        self._ids.pop(name, None)

    @contextmanager
    def loader(self) -> Iterator[Loader]:
        with self._open_session() as session:
            yield Loader(session, self._control, self._targets)

    def finish_table(self, progress: TableProgress) -> None:
        """On a session of its own: lanes finish tables side by side."""
        name = progress.table.name
        target = self._targets[name]
        with self._open_session() as session:
            with session.transaction():
                session.execute("SET LOCAL maintenance_work_mem = '256MB'")
                self._control.guard(session)
                for statement in self._schema.key(progress.table, target):
                    session.execute(statement)
                self._control.drop_chunks(session, name)
                self._control.put(session, progress, target)
            session.execute(f"ANALYZE {shape.layout_of(target).sql}")
        self._schema.keyed(progress.table, target)
        with self._lock:
            self._tables = {**self._tables, name: progress}

    # the log

    def write(self, window: Window, *, idempotent: bool) -> None:
        if not self._session.in_transaction:
            self._session.execute("BEGIN")
            self._savepoints.clear()
        unchecked, changed = self._foreign_keys.unchecked(window, self._each_definition())
        if changed and self._schema.constrained:
            self._foreign_keys.loosen(self._session, changed, self._definitions(), self._targets)
        places = sorted({0, *(control.changes for control in window.controls), *itertools.chain(*unchecked)})
        for start, end in zip(places, [*places[1:], None], strict=True):
            for control in window.controls:
                if control.changes == start:
                    self._obey(control)
            if unchecked:
                off = any(first <= start < behind for first, behind in unchecked)
                self._session.execute(f"SET LOCAL {cascade.UNCHECKED} = '{'on' if off else 'off'}'")
            self._apply(window, idempotent, start, end)
        self._ordinals = 0 if window.position is not None else self._ordinals + window.ordinals
        self._at = window.position or self._at

    def _apply(self, window: Window, idempotent: bool, start: int, end: int | None) -> None:
        """The changes from `start` up to `end`, by their ordinal in the window."""
        tables: list[tuple[int, Batch]] = []
        loose: list[int] = []
        for changes in window.tables:
            batch = changes.batch
            if start or end is not None:
                assert isinstance(batch, RecordBatch)
                first = batch.rows_below(start)
                last = batch.num_rows if end is None else batch.rows_below(end)
                batch = batch.slice(first, last - first)
            if batch.num_rows:
                tables.append((self._registered(changes.table), batch))
                # A table without a key was read at one exact moment: nothing of it is ever replayed.
                if idempotent and self._tables[changes.table].table.key:
                    loose.append(self._ids[changes.table])
        if not tables:
            return
        mode = self._settings.policy.apply
        if idempotent and self._acting:
            mode = "transactional"  # what stands in for foreign keys needs the order of the log
            self._session.execute(cascade.catching_up(self._ahead(), self._settings.job))
            self._refuse_moves(window)
        on_conflict = "stop" if idempotent else self._settings.policy.conflict
        place = place_of(self._at, self._ordinals)
        try:
            with self._session.translated("apply changes"):
                resolved = self._applier.apply(tables, mode, loose, on_conflict)["resolved"]
        except DrsError as error:
            if error.fault is Fault.CONFLICT and isinstance(error.__cause__, PgError):
                self._session.rollback()
                among = [changes.table for changes in window.tables]
                self._conflicts.stopped(error.__cause__, self._targets, among, place_of(self._saved, 0))
            raise
        if resolved:
            names = {number: name for name, number in self._ids.items()}
            self._conflicts.note(self._session, resolved, names, place)

    def _ahead(self) -> list[tuple[Table, ForeignKey]]:
        """Foreign keys of tables whose rows are newer than what is about to be applied (a window ends where a table
        begins to be followed)."""
        acting = cascade.acting(self._definitions(), self._targets)
        at = self._at
        lows = {child.name: self._tables[child.name].low for child, _ in acting}
        ahead = {name for name, low in lows.items() if low is not None and (at is None or not at.covers(low))}
        return [(child, key) for child, key in acting if child.name in ahead]

    @property
    def _acting(self) -> bool:
        return any(target["referenced_with_actions"] for target in self._targets.values())

    def _refuse_moves(self, window: Window) -> None:
        """A key that other tables follow has changed, while their rows show different moments."""
        definitions = self._definitions()
        for changes in window.tables:
            columns = cascade.referenced_columns(changes.table, definitions)
            assert isinstance(changes.batch, RecordBatch)
            if columns and changes.batch.updates_change(columns):
                also = cascade.affected(changes.table, definitions)
                raise SchemaChanged(changes.table, "a key changed that foreign keys follow", also)

    def _definitions(self) -> list[Table]:
        return list(self._each_definition())

    def _each_definition(self) -> Iterator[Table]:
        """For who may need none of them: there may be thousands, and a window is a few milliseconds."""
        return (progress.table for progress in self._tables.values())

    def _registered(self, name: TableName) -> int:
        known = self._ids.get(name)
        if known is None:
            known = self._ids[name] = next(self._numbers)
            with self._session.translated(f"look at {name}"):
                self._applier.register(known, json.dumps(self._targets[name]))
        return known

    def _obey(self, control: SavepointControl) -> None:
        """Savepoints of a transaction that comes in parts. Nothing else shares its target transaction."""
        if control.action != "savepoint":
            kept = [
                name for name, progress in self._tables.items() if progress.table.engine.lower() not in TRANSACTIONAL
            ]
            if kept:
                raise DrsError(
                    Fault.LOG_UNSUPPORTED,
                    position="a large transaction",
                    reason=f"it is rolled back in part, while {kept[0]} is of an engine without transactions",
                )
        match control.action:
            case "savepoint":
                with self._session.translated("apply changes"):
                    self._applier.release()
                self._savepoints.append(control.name.lower())
                self._session.execute(f"SAVEPOINT opendrs_{len(self._savepoints)}")
            case "rollback_to":
                # The newest of that name; those set behind it go with what they kept.
                while self._savepoints[-1] != control.name.lower():
                    self._savepoints.pop()
                self._session.execute(f"ROLLBACK TO SAVEPOINT opendrs_{len(self._savepoints)}")
            case "rollback":
                self._session.rollback()
                self._session.execute("BEGIN")
                self._savepoints.clear()

    def alter(
        self,
        change: SchemaChange,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        if not self._session.in_transaction:
            self._session.execute("BEGIN")
        self._carry_out(change, alterations, tables)

    def exchange(
        self,
        edit: str,
        selection: Selection,
        joining: Mapping[TableName, TableProgress],
        giver: str,
        leaving: Sequence[TableName],
    ) -> None:
        """Tables that come are whole, with their keys; foreign keys between them and those that were here have
        stand-ins for a while, like all that must wait."""
        if not self._session.in_transaction:
            self._session.execute("BEGIN")
        self._control.note_edit(self._session, edit)
        self._carry_out(None, [ForgetTable(name) for name in leaving], dict.fromkeys(leaving))
        self._settings = replace(self._settings, selection=selection)
        self._views.arrive(selection.target)
        if joining:
            self._join(joining, giver)

    def _join(self, joining: Mapping[TableName, TableProgress], giver: str) -> None:
        before_tables, before = self._definitions(), dict(self._targets)
        theirs = self._control.absorb(self._session, giver)
        self._conflicts.arrive()
        definitions = {table.name: table for table in before_tables}
        self._tables = {**self._tables, **joining}
        definitions |= {name: progress.table for name, progress in joining.items()}
        self._targets = self._shapes(self._tables)
        # What foreign keys between the two make of the types of columns, on either side.
        alteration = AlterTable(next(iter(joining)), ())
        self._alter(alteration, (definitions, {**before, **theirs}), (definitions, self._targets))
        self._changed.update(joining)
        for name in [name for name, target in before.items() if self._targets[name] != target]:
            self._changed.setdefault(name, self._tables[name])
            self._ids.pop(name, None)
        self._realign_cascades(before_tables, before)

    def _carry_out(
        self,
        change: SchemaChange | None,
        alterations: Sequence[Alteration],
        tables: Mapping[TableName, TableProgress | None],
    ) -> None:
        """`change`: what at the source it comes from; None: the user has changed the selection."""
        before, before_tables = dict(self._targets), self._definitions()
        told: list[Alteration] = []
        definitions: Mapping[TableName, Table] = {name: progress.table for name, progress in self._tables.items()}
        for alteration in alterations:
            after = applied(definitions, alteration)
            targets = shape.targets(after.values(), self._settings.selection, self._settings.policy)
            wanted = alteration if change is None else self._carried(alteration, change)
            if wanted is not None:
                self._alter(wanted, (definitions, self._targets), (after, targets))
                told.append(wanted)
            definitions, self._targets = after, targets
        if self._schema.constrained:
            self._views.restore(self._session, told, self._targets)
            self._schema.validate(self._session, self._targets)
        self._note(self._targets[name] for name, progress in tables.items() if progress is not None)
        for name, progress in tables.items():
            self._changed[name] = progress
            if progress is None:
                self._tables.pop(name, None)
            else:
                self._tables[name] = progress
        # A foreign key may give columns of other tables another type.
        for name in [name for name, target in self._targets.items() if before.get(name) != target]:
            self._changed.setdefault(name, self._tables[name])
        for name in self._changed:
            self._ids.pop(name, None)
        self._realign_cascades(before_tables, before)

    def _carried(self, alteration: Alteration, change: SchemaChange) -> Alteration | None:
        """What of an alteration the job's policy carries over."""
        wanted, skipped = carried(alteration, self._settings.policy)
        if skipped:
            self._settings.report(
                str(getattr(alteration, "name", "")), f"The job's policy leaves out: {', '.join(skipped)}."
            )
        if wanted is not None:
            position = change.position.dump() if change.position else "a transaction"
            demand_alone(wanted, self._targets, position, change.statement)
        return wanted

    def _realign_cascades(self, tables: Sequence[Table], targets: Mapping[TableName, Target]) -> None:
        """Triggers that stand in for foreign keys name tables and columns as they were: `tables` and `targets`."""
        now = cascade.acting(self._definitions(), self._targets)
        for child, key in cascade.acting(tables, targets):
            same = all(targets[name] == self._targets.get(name) for name in (child.name, key.referenced))
            if not same or (child, key) not in now:
                self._run(cascade.drop(child, key, self._settings.job))
        if self._schema.constrained:
            self._foreign_keys.stand_in(self._session, self._definitions(), self._targets)
        else:
            self._make_cascades(lambda table, key: table.name in self._changed or key.referenced in self._changed)

    def _alter(self, alteration: Alteration, before: State, after: State) -> None:
        if self._schema.constrained:
            self._views.make_room(self._session, alteration, before[1])
        self._run(self._schema.alter(alteration, before, after, self._settings))

    def flush(self, position: Position | None, phase: Phase) -> None:
        if not self._session.in_transaction:
            self._session.execute("BEGIN")
        try:
            for name, progress in self._changed.items():
                if progress is None:
                    self._control.drop(self._session, name)
                else:
                    self._control.put(self._session, progress, self._targets[name])
            self._conflicts.forget(self._session)
            self._control.commit(self._session, position, phase)
        except BaseException:
            self._session.rollback()
            raise
        self._changed.clear()
        self._views.durable()
        self._at = self._saved = position
        self._schema.constrained = phase not in (Phase.LOADING, Phase.CATCHING_UP)
        self._foreign_keys.tighten(self._open_session, self._definitions(), self._targets)
        self._conflicts.durable(self._session)

    def rollback(self) -> None:
        self._session.rollback()
        self._at, self._ordinals = self._saved, 0
        self._views.forget()
        if self._changed:
            # What a schema change made of our knowledge went with its transaction.
            self._changed.clear()
            checkpoint, targets = self._control.read(self._session)
            assert checkpoint is not None
            self._tables, self._targets, self._ids = dict(checkpoint.tables), dict(targets), {}

    def suspects(self) -> Iterator[Suspects]:
        """Rows that only the source can judge, in portions. Each is forgotten when the next is asked for."""
        acting = {
            (child.name, key.name): (child, key) for child, key in cascade.acting(self._definitions(), self._targets)
        }
        if not acting:
            return
        with self._guarded():
            for child, key in acting.values():
                self._session.execute(cascade.suspect_orphans(child, key, self._targets, self._settings.job))
        while found := self._control.suspects(self._session, SUSPECTS_MAX):
            for name, group in itertools.groupby(found, key=lambda row: row[0]):
                if name in acting:
                    child, key = acting[name]
                    yield Suspects(child=child, key=key, rows=[(own, refers) for _, own, refers in group])
            self._control.forget_suspects(self._session, found)

    def settle(self, suspects: Suspects, gone: Sequence[tuple[cascade.Texts, cascade.Texts]]) -> None:
        """Does to those that are gone at the source what the deletion of their parent does."""
        if not gone:
            return
        with self._guarded():
            self._session.execute(
                cascade.act_on(suspects.child, suspects.key, self._targets[suspects.child.name], gone)
            )

    def count(self, suspects: Suspects, refers: cascade.Texts) -> int:
        """How many rows here refer to what is given."""
        sql = cascade.count_of(suspects.child, suspects.key, self._targets[suspects.child.name], refers)
        return int(self._session.value(sql) or 0)

    def constrain(self, tables: Mapping[TableName, TableProgress]) -> None:
        definitions = [progress.table for progress in tables.values()]
        self._session.rollback()
        self._schema.constrain(self._open_session, definitions, self._targets)
        with self._open_session() as session, session.transaction():
            self._control.guard(session)
            self._views.make(session, self._targets)
        self._views.durable()

    def leave(self) -> None:
        """Nobody will follow the log again: foreign keys that were away, what stands in for some, and numbering. What
        the target refuses is reported, for it is no reason to stay."""
        self.rollback()
        report = self._settings.report
        if self._schema.constrained:
            try:
                self._foreign_keys.tighten(self._open_session, self._definitions(), self._targets, calm=True)
            except DrsError as error:
                if error.fault is not Fault.TARGET_REFUSED:
                    raise
                report("foreign keys", f"They are not all there again: {error.message}")
        for functions in portions(self._control.stand_ins(self._session)):
            with self._guarded():
                self._run([cascade.drop_named(function) for function in functions])
        there = ownership.existing(self._session, ((t["schema"], t["table"]) for t in self._targets.values()))
        for name, progress in self._tables.items():
            target = self._targets[name]
            if (target["schema"], target["table"]) not in there:
                continue
            try:
                with self._guarded():
                    self._number_in_use(progress.table, target)
            except DrsError as error:
                if error.fault is not Fault.TARGET_REFUSED:
                    raise
                report(str(name), f"Its numbering was not set right: {error.message}")

    def _number_in_use(self, table: Table, target: Target) -> None:
        """The table may have other writers by now: what they are about to write counts."""
        statements = self._schema.number(table, target, forward=True)
        if statements:
            self._session.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
            self._session.execute(f"LOCK TABLE {shape.layout_of(target).sql} IN SHARE ROW EXCLUSIVE MODE")
            self._run(statements)

    def rest(self, tables: Mapping[TableName, TableProgress]) -> None:
        """Foreign keys that were away, and numbering: rows came with their numbers, no sequence was asked for them."""
        self.rollback()
        self._foreign_keys.tighten(self._open_session, self._definitions(), self._targets, calm=True)
        for progress in tables.values():
            with self._guarded():
                self._run(self._schema.number(progress.table, self._targets[progress.table.name]))
