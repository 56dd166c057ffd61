"""Foreign keys that the source does not heed for a while: changes made with foreign_key_checks=0.

They may leave children without a parent, which a foreign key would refuse, and parents may go without their
children, which its actions would take along. So before the first of them, the foreign keys of their tables are
taken away; triggers that such changes do not set off do what the keys did (`cascade.py`). When there have been no
such changes for a while, the keys are made again. Those that the rows no longer allow are reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from opendrs._core import RecordBatch
from opendrs.engines.postgres import foreign_keys
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.schema import Report, Schema
from opendrs.engines.postgres.shape import Target, layout_of
from opendrs.model.catalog import ForeignKey, Table, TableName
from opendrs.model.event import Window

CALM_S = 30.0  # a dump that is restored makes many such changes, one soon after the other

Known = tuple[TableName, str]
"""Table and name of a foreign key."""


def within(tables: Iterable[Table], targets: Mapping[TableName, Target]) -> list[tuple[Table, ForeignKey]]:
    """Foreign keys from a table of the job to a table of the job."""
    return [(table, key) for table in tables for key in table.foreign_keys if key.referenced in targets]


class ForeignKeys:
    """The foreign keys of a job whose log is followed."""

    def __init__(self, schema: Schema, report: Report, *, calm_s: float = CALM_S) -> None:
        self._schema = schema
        self._report = report
        self._calm_s = calm_s
        self._loose: set[Known] = set()  # to be made again
        self._changed_at = 0.0

    def look(self, session: Session, tables: Iterable[Table], targets: Mapping[TableName, Target]) -> None:
        """Finds those that are not there: an earlier worker has taken them away, or the rows did not allow them."""
        missing = self._missing(session, tables, targets)
        self._loose = {(table.name, key.name) for table, key in missing}
        self._changed_at = time.monotonic()

    def stand_in(self, session: Session, tables: Iterable[Table], targets: Mapping[TableName, Target]) -> None:
        """After a change of the schema: whatever is not there is done by a trigger that fits the tables of now."""
        for table, key in self._missing(session, tables, targets):
            self._loose.add((table.name, key.name))
            self._changed_at = time.monotonic()
            for statement in self._schema.stand_in(table, key, targets):
                session.execute(statement)

    def _missing(
        self, session: Session, tables: Iterable[Table], targets: Mapping[TableName, Target]
    ) -> list[tuple[Table, ForeignKey]]:
        wanted = within(tables, targets)
        if not wanted:
            return []
        there = set(
            session.query(
                "SELECT n.nspname, c.relname, k.conname FROM pg_catalog.pg_constraint k"
                " JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f'"
            )
        )
        missing = []
        for table, key in wanted:
            layout = layout_of(targets[table.name])
            if (layout.schema, layout.table, foreign_keys.name_of(key)) not in there:
                missing.append((table, key))
        return missing

    def unchecked(self, window: Window, tables: Iterable[Table]) -> tuple[list[tuple[int, int]], set[TableName]]:
        """Ranges of ordinals of changes that were made with foreign_key_checks=0 to tables with foreign keys, from
        either side; and those tables."""
        found: dict[TableName, list[tuple[int, int]]] = {}
        for changes in window.tables:
            assert isinstance(changes.batch, RecordBatch)
            if ranges := changes.batch.unchecked():
                found[changes.table] = ranges
        if not found:  # nearly always, and a job may have thousands of tables
            return [], set()
        changed = {
            name
            for table in tables
            for key in table.foreign_keys
            for name in (table.name, key.referenced)
            if name in found
        }
        joined: list[tuple[int, int]] = []
        for first, behind in sorted(one for name in changed for one in found[name]):
            if joined and joined[-1][1] == first:
                joined[-1] = (joined[-1][0], behind)
            else:
                joined.append((first, behind))
        return joined, changed

    def loosen(
        self,
        session: Session,
        names: Container[TableName],
        tables: Sequence[Table],
        targets: Mapping[TableName, Target],
    ) -> None:
        """Takes away, in the open transaction, what would not heed that changes of the named tables are unchecked."""
        concerned = [(t, k) for t, k in within(tables, targets) if t.name in names or k.referenced in names]
        self._changed_at = time.monotonic()
        fresh = [(table, key) for table, key in concerned if (table.name, key.name) not in self._loose]
        if not fresh:
            return
        # What was deferred so far is whole; a table with checks to be made cannot be altered.
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, key in fresh:
            session.execute(foreign_keys.drop(layout_of(targets[table.name]), key.name))
            for statement in self._schema.stand_in(table, key, targets):
                session.execute(statement)
            self._loose.add((table.name, key.name))
            self._report(
                f"{table.name}.{key.name}",
                "The source was changed with foreign_key_checks=0: the foreign key is away until that is over.",
            )
        session.execute("SET CONSTRAINTS ALL DEFERRED")

    def tighten(
        self,
        open_session: Callable[[], Session],
        tables: Sequence[Table],
        targets: Mapping[TableName, Target],
        *,
        calm: bool = False,
    ) -> None:
        """Makes again what was taken away, if there were no such changes for a while, or will be none (`calm`); tries
        each once."""
        if not self._loose or not (calm or time.monotonic() > self._changed_at + self._calm_s):
            return
        known = {table.name: table for table in tables}
        with open_session() as session:
            for table, key in within(tables, targets):
                if (table.name, key.name) in self._loose:
                    self._schema.foreign_key(session, table, key, known, targets)
        self._loose.clear()
