"""Makes and changes the schema of the target: puts renderer and sessions together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from opendrs.engines.postgres import alterations, cascade, ddl, foreign_keys, indexes
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.names import block, literal, quote, schema_name
from opendrs.engines.postgres.rendered import Rendered
from opendrs.engines.postgres.shape import Target, layout_of
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import Alteration, AlterTable, CreateDatabase, DropDatabase
from opendrs.model.catalog import ForeignKey, Index, Table, TableName
from opendrs.model.engine import Objects
from opendrs.model.job import Policy
from opendrs.model.rules import NO_RULE
from opendrs.model.selection import Selection

Report = Callable[[str, str], None]
State = tuple[Mapping[TableName, Table], Mapping[TableName, Target]]
"""Definitions and shapes of all tables of the job at one moment."""


class SchemaSettings(Protocol):
    """What of a job decides about its schema."""

    @property
    def selection(self) -> Selection: ...
    @property
    def policy(self) -> Policy: ...


def _layouts(state: State) -> alterations.Schema:
    tables, targets = state
    return alterations.Schema(tables, {name: layout_of(target) for name, target in targets.items()})


Group = tuple[TableName | None, Sequence[str]]
"""Statements that make one index, and the table that it counts for; None: it is counted already."""


class Count:
    """How many indexes of each table are there; several lanes make them."""

    def __init__(self, objects: Objects | None) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._tables: dict[TableName, tuple[int, int]] = {}

    def begin(self, name: TableName, made: int, total: int) -> None:
        self._tables[name] = (made, total)
        self._tell(name, made, total)

    def made(self, name: TableName) -> None:
        """One more."""
        with self._lock:
            made, total = self._tables[name]
            self._tables[name] = (made + 1, total)
            self._tell(name, made + 1, total)

    def _tell(self, name: TableName, made: int, total: int) -> None:
        if self._objects is not None:
            self._objects.indexes(name, made, total)


WORK_MEM = "SET maintenance_work_mem = '256MB'"


class Schema:
    """Statements for tables of a job.

    job      whose tables they are
    guard    makes sure, for the rest of a transaction, that no newer worker has the job
    policy   which indexes are made, and how many side by side
    report   told of everything that is not carried over: (what, why)
    objects  told of the indexes of each table that are there; None: nobody wants to know
    """

    def __init__(
        self,
        job: str,
        guard: Callable[[Session], None],
        policy: Policy,
        report: Report,
        objects: Objects | None = None,
    ) -> None:
        self._job = job
        self._guard = guard
        self._lanes = policy.readers
        self._indexes = policy.indexes
        self._report = report
        self._objects = objects
        self.constrained = False  # what a load does without is there

    def told(self, rendered: Rendered) -> Sequence[str]:
        """The statements; the reports are passed on."""
        for report in rendered.reports:
            self._report(report.object, report.text)
        return rendered.statements

    def create(self, table: Table, target: Target) -> Sequence[str]:
        """An empty table without keys, for the load."""
        return self.told(ddl.create_table(table, target, keys=False))

    def drop(self, target: Target) -> Sequence[str]:
        return [ddl.drop_table(target)]

    def drop_empty(self, target: Target) -> Sequence[str]:
        """Drops a table, unless it has rows: then it is not one that we have just made."""
        name = layout_of(target).sql
        there = f"SELECT FROM {name}"
        gone = f"IF NOT EXISTS ({there}) THEN {ddl.drop_table(target)}; END IF;"
        return [block(f"IF pg_catalog.to_regclass({literal(name)}) IS NOT NULL THEN {gone} END IF;")]

    def key(self, table: Table, target: Target) -> Sequence[str]:
        """What finds a row, and whatever the stand-ins of foreign keys need so as not to scan the table."""
        acting = {key.columns[0].lower() for key in table.foreign_keys if key.acts}
        supporting = [
            indexes.index(table, target, index)
            for index in table.indexes
            if not index.unique and indexes.wanted(index, self._indexes) and index.parts[0].column.lower() in acting
        ]
        return self.told(Rendered.joined([indexes.key(table, target), *supporting]))

    def keyed(self, table: Table, target: Target) -> None:
        """The key is there; the other indexes come later."""
        wanted = [own for own in table.indexes if indexes.index(table, target, own, policy=self._indexes).statements]
        Count(self._objects).begin(table.name, *self._counted(table, target, wanted))

    @staticmethod
    def _counted(table: Table, target: Target, wanted: Sequence[Index]) -> tuple[int, int]:
        """How many indexes a table has together with its key, and how many it will have; `wanted`: besides the primary
        key."""
        primary = int(bool(indexes.primary_key(table, target).statements))
        return primary + sum(own in wanted for own in indexes.identifying(table)), primary + len(wanted)

    def number(self, table: Table, target: Target, *, forward: bool = False) -> Sequence[str]:
        """What lets the target number new rows from where the source would. May be repeated."""
        return self.told(ddl.identity(table, target, forward=forward))

    def alter(self, alteration: Alteration, before: State, after: State, settings: SchemaSettings) -> Sequence[str]:
        """What carries out a change of the source's schema."""
        schema = None
        if isinstance(alteration, CreateDatabase | DropDatabase):
            schema = settings.selection.target(TableName(alteration.name, "")).schema
        rendered = alterations.render(
            alteration,
            _layouts(before),
            _layouts(after),
            constrained=self.constrained,
            invalid_dates=settings.policy.invalid_dates,
            policy=self._indexes,
            schema=schema_name(schema) if schema else None,
            rule=settings.selection.rule(alteration.name) if isinstance(alteration, AlterTable) else NO_RULE,
        )
        return self.told(rendered)

    def validate(self, session: Session, targets: Mapping[TableName, Target]) -> None:
        """Holds foreign keys that came over rows against these rows. One that does not hold yet stays one for new
        rows, until the next change of the schema or start of the job: a dump that is restored brings the parents
        behind the children."""
        schemas = sorted({target["schema"] for target in targets.values()})
        for schema, table, name in session.query(foreign_keys.unvalidated(schemas)) if schemas else ():
            where = f"{quote(schema or '')}.{quote(table or '')}"
            error = session.attempt(f"ALTER TABLE {where} VALIDATE CONSTRAINT {quote(name or '')}")
            if error is not None:
                self._report(f"{schema}.{table}.{name}", f"The foreign key holds for new rows only: {error.message}")

    def constrain(
        self, open_session: Callable[[], Session], tables: Sequence[Table], targets: Mapping[TableName, Target]
    ) -> None:
        """Indexes, then foreign keys, then numbering. May be repeated."""
        known, count = {table.name: table for table in tables}, Count(self._objects)
        groups: list[Group] = []
        for table in tables:
            of_keys = indexes.identifying(table)
            every = [
                (own, self.told(indexes.index(table, targets[table.name], own, policy=self._indexes)))
                for own in table.indexes
            ]
            # A key is there since the load of its table.
            groups += [(None if own in of_keys else table.name, found) for own, found in every if found]
            count.begin(table.name, *self._counted(table, targets[table.name], [own for own, found in every if found]))
        self._side_by_side(open_session, groups, count.made)
        with open_session() as session:
            for table in tables:
                for key in table.foreign_keys:
                    self.foreign_key(session, table, key, known, targets)
            for table in tables:
                self._run(session, self.number(table, targets[table.name]))

    def _run(self, session: Session, statements: Sequence[str]) -> None:
        """All of them or none, and none once a newer worker has the job."""
        with session.transaction():
            self._guard(session)
            for statement in statements:
                session.execute(statement)

    def _side_by_side(
        self,
        open_session: Callable[[], Session],
        groups: Sequence[Group],
        made: Callable[[TableName], None],
    ) -> None:
        """The statements of one group follow each other: a comment comes behind its index. `made` is told of the table
        of each group that is there."""
        lanes = [groups[n :: self._lanes] for n in range(self._lanes)]

        def run(own: Sequence[Group]) -> None:
            with open_session() as session:
                session.execute(WORK_MEM)
                for name, statements in own:
                    for statement in statements:
                        self._run(session, [statement])
                    if name is not None:
                        made(name)

        with ThreadPoolExecutor(self._lanes, thread_name_prefix="index") as pool:
            for done in [pool.submit(run, own) for own in lanes if own]:
                done.result()

    def stand_in(self, child: Table, key: ForeignKey, targets: Mapping[TableName, Target]) -> Sequence[str]:
        """What does in place of a foreign key what it does to other rows."""
        return cascade.make(child, key, targets, self._job) if key.acts else ()

    def foreign_key(
        self,
        session: Session,
        table: Table,
        key: ForeignKey,
        tables: Mapping[TableName, Table],
        targets: Mapping[TableName, Target],
    ) -> None:
        """The key and its actions take over from the trigger in one transaction; then the rows are checked."""
        rendered = foreign_keys.foreign_key(table, key, tables, targets, validate="later")
        statements = self.told(rendered)
        if not statements:
            return
        self._run(session, [*cascade.drop(table, key, self._job), *statements])
        try:
            self._run(session, [foreign_keys.validation(table, key, targets[table.name])])
        except DrsError as error:
            if error.fault is not Fault.TARGET_REFUSED:
                raise
            # The source has rows without a parent (foreign_key_checks=0), or finds the parent by collation only.
            drop = foreign_keys.drop(layout_of(targets[table.name]), key.name)
            self._run(session, [*self.stand_in(table, key, targets), drop])
            self._report(f"{table.name}.{key.name}", f"The foreign key does not hold for the rows: {error.message}")
