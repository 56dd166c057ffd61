"""Takes away what a job has made in the target, so that it can begin anew.

Thousands of tables are too many for one transaction. So the job is marked first, and the mark goes with the last
of it: whoever finds the mark goes on. Meanwhile the job has no checkpoint, and nobody can work at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from opendrs.engines.postgres import cascade
from opendrs.engines.postgres.connect import Session, quote
from opendrs.engines.postgres.control import RESETTING, SCHEMA, Control, portions
from opendrs.engines.postgres.ownership import OWN, OWN_VIEWS
from opendrs.errors import DrsError, Fault
from opendrs.model.precheck import named

# What is not the job's, and would have to go with a table of the job: views, and foreign keys of other tables.
_DEPENDENT: Final = f"""
    WITH own AS ({OWN}), mine AS (SELECT oid FROM own UNION SELECT oid FROM ({OWN_VIEWS}) AS v)
    SELECT DISTINCT n.nspname, c.relname FROM mine
      JOIN pg_catalog.pg_depend d ON d.refobjid = mine.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.classid = 'pg_catalog.pg_rewrite'::regclass
      JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
      JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid NOT IN (SELECT oid FROM mine)
    UNION
    SELECT n.nspname, c.relname FROM own
      JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.confrelid = own.oid
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT EXISTS (SELECT FROM {SCHEMA}.tables t WHERE t.job = $1
                         AND t.target->>'schema' = n.nspname::text AND t.target->>'table' = c.relname::text)
     ORDER BY 1, 2"""
_FOREIGN_KEYS: Final = f"""
    WITH own AS ({OWN})
    SELECT n.nspname, c.relname, k.conname FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'f' AND (k.conrelid IN (SELECT oid FROM own) OR k.confrelid IN (SELECT oid FROM own))
     ORDER BY k.oid"""


def unfinished(session: Session, job: str) -> bool:
    """Whether a reset of the job was begun and did not end; changes nothing."""
    if session.value(f"SELECT pg_catalog.to_regclass('{SCHEMA}.job')") is None:
        return False
    return bool(session.query(f"SELECT FROM {SCHEMA}.job WHERE job = $1 AND phase = $2", job, RESETTING))


class Reset:
    """One reset, of a job whose epoch is installed. Every step may be repeated."""

    def __init__(self, session: Session, control: Control) -> None:
        self._session = session
        self._control = control
        self._job = control.job

    def mark(self) -> None:
        """From here on the job has no checkpoint. Raises RESET_BLOCKED, before anything is changed, if something that
        is not the job's depends on its tables."""
        with self._guarded():
            others = self._session.query(_DEPENDENT, self._job)
            if others:
                raise DrsError(Fault.RESET_BLOCKED, names=named(f"{schema}.{name}" for schema, name in others))
            self._control.mark(self._session, RESETTING)

    def drop(self, between: Callable[[], None]) -> None:
        """Drops what the job has made, in portions."""
        with self._guarded():
            views = self._session.query(OWN_VIEWS, self._job)
            if views:
                self._session.execute(f"DROP VIEW {', '.join(_qualified(s, v) for _, s, v in views)}")
        for keys in portions(self._session.query(_FOREIGN_KEYS, self._job)):
            with self._guarded():
                for schema, table, key in keys:
                    where = _qualified(schema, table)
                    self._session.execute(f"ALTER TABLE {where} DROP CONSTRAINT IF EXISTS {quote(key or '')}")
        for functions in portions(self._control.stand_ins(self._session)):
            with self._guarded():
                for function in functions:
                    self._session.execute(cascade.drop_named(function))
        for tables in portions(self._session.query(OWN, self._job)):
            with self._guarded():
                # Without CASCADE: what has come to depend on them since the mark is not ours to take along.
                self._session.execute(f"DROP TABLE {', '.join(_qualified(s, t) for _, s, t in tables)}")
            between()

    def finish(self) -> None:
        """The job is as one that has not begun."""
        with self._guarded():
            self._control.clear(self._session)
            self._control.mark(self._session, None)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._session.transaction():
            self._control.guard(self._session)
            yield


def _qualified(schema: str | None, name: str | None) -> str:
    return f"{quote(schema or '')}.{quote(name or '')}"
