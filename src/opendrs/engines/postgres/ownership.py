"""Which tables and views of the target a job has made itself: only these may it ever take away again.

Each is noted by its oid, in the transaction that makes it. Whoever drops one and makes another of that name, or
renames one away, has something of his own then. What was made before there were such notes counts as somebody
else's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from opendrs.engines.postgres.connect import Row, Session
from opendrs.engines.postgres.control import SCHEMA
from opendrs.engines.postgres.shape import Target

Place = tuple[str, str]
"""Schema and name in the target."""

WANTED: Final = "json_to_recordset($1::json) AS w(s text, t text)"
_AT_PLACE: Final = (
    f"{WANTED} JOIN pg_catalog.pg_namespace n ON n.nspname = w.s"
    " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.t"
)
# The places of the job's tables that are what the job has made there, and no other job's as well.
OWN: Final = f"""
    SELECT c.oid, n.nspname, c.relname FROM {SCHEMA}.made m
      JOIN pg_catalog.pg_class c ON c.oid = m.oid AND c.relkind = 'r'
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE m.job = $1
       AND EXISTS (SELECT FROM {SCHEMA}.tables t WHERE t.job = m.job
                     AND t.target->>'schema' = n.nspname::text AND t.target->>'table' = c.relname::text)
       AND NOT EXISTS (SELECT FROM {SCHEMA}.tables t WHERE t.job <> m.job
                         AND t.target->>'schema' = n.nspname::text AND t.target->>'table' = c.relname::text)"""
OWN_VIEWS: Final = f"""
    SELECT c.oid, n.nspname, c.relname FROM {SCHEMA}.made m
      JOIN pg_catalog.pg_class c ON c.oid = m.oid AND c.relkind = 'v'
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE m.job = $1"""


# $1: places, $2: job. Those where something is that the job has made.
MADE: Final = f"SELECT n.nspname, c.relname FROM {_AT_PLACE} JOIN {SCHEMA}.made m ON m.oid = c.oid WHERE m.job = $2"


def places(names: Iterable[Place]) -> str:
    return json.dumps([{"s": schema, "t": table} for schema, table in names])


def note_tables(session: Session, job: str, targets: Iterable[Target]) -> None:
    """Notes those of the tables that the open transaction has made. A table's own columns are written once."""
    session.query(
        f"INSERT INTO {SCHEMA}.made SELECT $2, c.oid FROM {_AT_PLACE}"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum < 0 AND a.attname = 'tableoid'"
        " WHERE c.relkind = 'r' AND a.xmin = pg_catalog.pg_current_xact_id()::xid ON CONFLICT DO NOTHING",
        places((target["schema"], target["table"]) for target in targets),
        job,
    )


def note_views(session: Session, job: str, names: Iterable[Place]) -> None:
    """Notes views that the open transaction has made."""
    session.query(
        f"INSERT INTO {SCHEMA}.made SELECT $2, c.oid FROM {_AT_PLACE} WHERE c.relkind = 'v' ON CONFLICT DO NOTHING",
        places(names),
        job,
    )


def forget_gone(session: Session, job: str) -> None:
    """Oids of what is not there any more: one day they will be somebody else's."""
    session.query(
        f"DELETE FROM {SCHEMA}.made m WHERE m.job = $1 AND NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_class c WHERE c.oid = m.oid)",
        job,
    )


def existing(session: Session, names: Iterable[Place]) -> set[Place]:
    """Those of the places where something is."""
    return _places(session.query(f"SELECT n.nspname, c.relname FROM {_AT_PLACE}", places(names)))


def made(session: Session, job: str, names: Iterable[Place]) -> set[Place]:
    """Those of the places where something is that the job has made."""
    return _places(session.query(MADE, places(names), job))


def _places(rows: Iterable[Row]) -> set[Place]:
    return {(schema or "", name or "") for schema, name in rows}
