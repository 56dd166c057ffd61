"""Our own tables in the target: the fence, the checkpoint, the schema history, the progress of the load.

They live in the schema `_opendrs` of the target database. Whatever is made durable in the target is made so
in one transaction with its record here, and every such transaction is guarded by the epoch: a worker that
was overtaken finds another epoch and can commit nothing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar, cast

from opendrs.engines.postgres.connect import Session, literal
from opendrs.engines.postgres.shape import Target
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Checkpoint, Chunk, Key, LoadedChunk, Phase, TableProgress
from opendrs.model.dirty import DirtyOp, DirtyRow, Resolved
from opendrs.model.position import Position

SCHEMA = "_opendrs"
VERSION = 1
DIVISION_BY_ZERO = "SQLSTATE 22012"
LOCKED = "SQLSTATE 55P03"
ABSENT = ("SQLSTATE 42P01", "SQLSTATE 3F000")  # a table, a schema
RESETTING = "resetting"  # in place of a phase: a reset is under way (`resetting.py`)
PORTION = 200  # tables, or keys of tables, in one transaction
LOCK = 0x6F70656E647273  # advisory lock under which the tables are made: two jobs may begin at once

TABLES = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.version (version integer NOT NULL)",
    f"INSERT INTO {SCHEMA}.version SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM {SCHEMA}.version)",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.job (
        job text PRIMARY KEY, epoch bigint NOT NULL, phase text, position text,
        updated_at timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 50)""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.tables (
        job text, source_schema text, source_table text, definition json NOT NULL, target json NOT NULL,
        loaded boolean NOT NULL, upper json, low text, rows bigint NOT NULL, nbytes bigint NOT NULL,
        PRIMARY KEY (job, source_schema, source_table))""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.chunks (
        job text, source_schema text, source_table text, ordinal integer, lower json, upper json,
        rows bigint NOT NULL, nbytes bigint NOT NULL, exact text,
        PRIMARY KEY (job, source_schema, source_table, ordinal))""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.suspects (
        job text, source_schema text, source_table text, foreign_key text, key json, refers json)""",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.made (job text, oid oid, PRIMARY KEY (job, oid))",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.conflicts (
        number bigserial PRIMARY KEY, job text NOT NULL, source_schema text NOT NULL, source_table text NOT NULL,
        key text NOT NULL, op text NOT NULL, reason text NOT NULL, statement text NOT NULL, resolved text NOT NULL,
        at timestamptz NOT NULL, UNIQUE (job, source_schema, source_table, key))""",
    # Looked for first: whoever alters a table waits for all who use it.
    f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = '{SCHEMA}.job'::regclass
        AND attname = 'edit') THEN ALTER TABLE {SCHEMA}.job ADD COLUMN edit text; END IF; END $$""",
)

ParsePosition = Callable[[str], Position]
Suspect = tuple[tuple[TableName, str], tuple[str, ...], tuple[str, ...]]
"""Table and foreign key, the row's own key, and what it refers to (`cascade.py`)."""


Item = TypeVar("Item")


def portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of a size that one transaction bears."""
    rest = iter(items)
    while some := list(itertools.islice(rest, PORTION)):
        yield some


def application(job: str, epoch: int) -> str:
    """application_name of our sessions: how a successor finds those of an overtaken worker."""
    return f"opendrs/{job[:32]}/{epoch}"


def begun(session: Session, job: str) -> bool:
    """Whether the target holds a checkpoint of the job; changes nothing."""
    if session.value(f"SELECT to_regclass('{SCHEMA}.job')") is None:
        return False
    return bool(session.query(f"SELECT FROM {SCHEMA}.job WHERE job = $1 AND phase IS NOT NULL", job))


def known(session: Session, job: str) -> bool:
    """Whether the target knows the job at all; changes nothing."""
    if session.value(f"SELECT to_regclass('{SCHEMA}.job')") is None:
        return False
    return bool(session.query(f"SELECT FROM {SCHEMA}.job WHERE job = $1", job))


def last_edit(session: Session, job: str) -> str:
    """The last change of the job's selection that was carried out."""
    if session.value(f"SELECT to_regclass('{SCHEMA}.job')") is None:
        return ""
    rows = session.query(f"SELECT edit FROM {SCHEMA}.job WHERE job = $1", job)
    return (rows[0][0] if rows else None) or ""


def drop_unused(session: Session) -> bool:
    """Drops the schema if no job is in it. One that begins at this moment makes it anew (`Control.install`), and of one
    that is in the middle of something it is not known: then it stays. Returns whether it is gone."""
    try:
        with session.transaction():
            session.query(f"SELECT pg_advisory_xact_lock({LOCK})")
            if session.value(f"SELECT to_regclass('{SCHEMA}.job')") is None:
                return True
            if session.query(f"SELECT FROM {SCHEMA}.job LIMIT 1"):
                return False
            session.execute("SET LOCAL lock_timeout = '1s'")
            session.execute(f"LOCK TABLE {SCHEMA}.job IN ACCESS EXCLUSIVE MODE")
            if session.query(f"SELECT FROM {SCHEMA}.job LIMIT 1"):
                return False
            session.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    except DrsError as error:
        if LOCKED in error.message or error.fault is Fault.PRIVILEGE_MISSING:  # somebody else's, or in use
            return False
        raise
    return True


class Control:
    """The control tables, as one job's worker of one epoch uses them."""

    def __init__(self, job: str, epoch: int, parse_position: ParsePosition) -> None:
        self.job = job
        self.epoch = epoch
        self._parse = parse_position

    def make(self, session: Session) -> None:
        with session.transaction():
            session.query(f"SELECT pg_advisory_xact_lock({LOCK})")
            for statement in TABLES:
                session.execute(statement)
            version = session.value(f"SELECT version FROM {SCHEMA}.version")
        if version != str(VERSION):
            raise DrsError(Fault.UNSUPPORTED, what=f"control schema {SCHEMA} of version {version}")

    def install(self, session: Session) -> None:
        """Installs the epoch. Sessions of overtaken workers are ended first: one that was stopped in the
        middle of a transaction would keep its locks for as long as it sleeps."""
        while True:
            session.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND application_name LIKE $1 AND split_part(application_name, '/', 3)::bigint < $2::bigint"
                " AND usename = current_user",
                application(self.job, 0)[:-1] + "%",
                str(self.epoch),
            )
            session.execute("SET lock_timeout = '1s'")
            try:
                rows = session.query(
                    f"INSERT INTO {SCHEMA}.job AS j (job, epoch) VALUES ($1, $2::bigint) ON CONFLICT (job) DO UPDATE"
                    " SET epoch = EXCLUDED.epoch WHERE j.epoch < EXCLUDED.epoch RETURNING epoch",
                    self.job,
                    str(self.epoch),
                )
            except DrsError as error:
                if LOCKED in error.message:  # ask the holder again to go
                    continue
                if any(state in error.message for state in ABSENT):  # the last job has just been released
                    self.make(session)
                    continue
                raise
            finally:
                session.execute("SET lock_timeout = 0")
            if not rows:
                raise DrsError(Fault.FENCED, epoch=self.epoch)
            return

    def held(self, session: Session) -> bool:
        """Whether the epoch is installed already."""
        rows = session.query(f"SELECT epoch FROM {SCHEMA}.job WHERE job = $1", self.job)
        return bool(rows) and int(rows[0][0] or 0) == self.epoch

    def guard(self, session: Session) -> None:
        """Holds the epoch for the rest of the transaction, or raises FENCED."""
        if not session.query(
            f"SELECT 1 FROM {SCHEMA}.job WHERE job = $1 AND epoch = $2::bigint FOR SHARE", self.job, str(self.epoch)
        ):
            raise DrsError(Fault.FENCED, epoch=self.epoch)

    def mark(self, session: Session, phase: str | None) -> None:
        """Takes the checkpoint away, in a guarded transaction; `phase` stands in its place."""
        session.query(
            f"UPDATE {SCHEMA}.job SET phase = $2, position = NULL, updated_at = now() WHERE job = $1", self.job, phase
        )

    def clear(self, session: Session) -> None:
        """Forgets everything of the job but its epoch, in a guarded transaction."""
        for table in ("tables", "chunks", "suspects", "made", "conflicts"):
            session.query(f"DELETE FROM {SCHEMA}.{table} WHERE job = $1", self.job)

    def note_edit(self, session: Session, edit: str) -> None:
        """The selection was changed so, in the open transaction."""
        session.query(f"UPDATE {SCHEMA}.job SET edit = $2 WHERE job = $1", self.job, edit)

    def absorb(self, session: Session, giver: str) -> Mapping[TableName, Target]:
        """Takes over what another job has made and forgets the rest of it, in the open transaction: no worker of it can
        commit anything more. Returns the shapes of its tables."""
        other = Control(giver, self.epoch, self._parse)
        _, targets = other.read(session)
        for function in other.stand_ins(session):
            session.execute(f'DROP FUNCTION IF EXISTS {SCHEMA}."{function}"() CASCADE')
        for table in ("made", "conflicts"):
            session.query(f"UPDATE {SCHEMA}.{table} SET job = $1 WHERE job = $2", self.job, giver)
        for table in ("tables", "chunks", "suspects", "job"):
            session.query(f"DELETE FROM {SCHEMA}.{table} WHERE job = $1", giver)
        return targets

    def remove(self, session: Session) -> None:
        """Takes the job out, its epoch too: no worker of it can commit anything more."""
        with session.transaction():
            self.guard(session)
            self.clear(session)
            session.query(f"DELETE FROM {SCHEMA}.job WHERE job = $1", self.job)

    def stand_ins(self, session: Session) -> list[str]:
        """Names of the functions that triggers on tables of the job call in place of foreign keys (`cascade.py`), and
        no trigger on tables of others."""
        rows = session.query(
            f"""SELECT p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_trigger g ON g.tgfoid = p.oid
                  JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
                  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE p.pronamespace = '{SCHEMA}'::regnamespace
                 GROUP BY p.proname HAVING bool_and(EXISTS (SELECT FROM {SCHEMA}.tables t WHERE t.job = $1
                   AND t.target->>'schema' = n.nspname::text AND t.target->>'table' = c.relname::text))""",
            self.job,
        )
        return [name or "" for (name,) in rows]

    def save(self, session: Session, position: Position | None, phase: Phase) -> None:
        """Writes the checkpoint in the open transaction, or raises FENCED."""
        self._guarded(session, self._saving(position, phase))

    def commit(self, session: Session, position: Position | None, phase: Phase) -> None:
        """Writes the checkpoint and commits, in one round trip; or raises FENCED, and nothing is committed."""
        self._guarded(session, f"{self._saving(position, phase)}; COMMIT")

    def _saving(self, position: Position | None, phase: Phase) -> str:
        """SQL that fails if the epoch is another one, so that what follows it in a round trip is not done."""
        at = literal(position.dump()) if position else "NULL"
        return (
            f"WITH mine AS (UPDATE {SCHEMA}.job SET position = {at}, phase = {literal(phase.value)}, updated_at = now()"
            f" WHERE job = {literal(self.job)} AND epoch = {self.epoch} RETURNING 1)"
            " SELECT 1 / count(*) FROM mine"
        )

    def _guarded(self, session: Session, sql: str) -> None:
        try:
            session.execute(sql)
        except DrsError as error:
            if DIVISION_BY_ZERO in error.message:
                raise DrsError(Fault.FENCED, epoch=self.epoch) from error
            raise

    def put(self, session: Session, progress: TableProgress, target: Target) -> None:
        """Writes definition and progress of a table in the open transaction."""
        name = progress.table.name
        session.query(
            f"""INSERT INTO {SCHEMA}.tables
                (job, source_schema, source_table, definition, target, loaded, upper, low, rows, nbytes)
                VALUES ($1, $2, $3, $4::json, $5::json, $6::boolean, $7::json, $8, $9::bigint, $10::bigint)
                ON CONFLICT (job, source_schema, source_table) DO UPDATE SET definition = EXCLUDED.definition,
                target = EXCLUDED.target, loaded = EXCLUDED.loaded, upper = EXCLUDED.upper, low = EXCLUDED.low,
                rows = EXCLUDED.rows, nbytes = EXCLUDED.nbytes""",
            self.job,
            name.schema,
            name.table,
            json.dumps(progress.table.to_json()),
            json.dumps(target),
            "true" if progress.loaded else "false",
            _key_text(progress.upper),
            progress.low.dump() if progress.low else None,
            str(progress.rows),
            str(progress.nbytes),
        )

    def drop(self, session: Session, name: TableName) -> None:
        for table in ("tables", "chunks"):
            session.query(
                f"DELETE FROM {SCHEMA}.{table} WHERE job = $1 AND source_schema = $2 AND source_table = $3",
                self.job,
                name.schema,
                name.table,
            )

    def add_chunk(self, session: Session, loaded: LoadedChunk) -> None:
        chunk = loaded.chunk
        session.query(
            f"INSERT INTO {SCHEMA}.chunks VALUES"
            " ($1, $2, $3, $4::integer, $5::json, $6::json, $7::bigint, $8::bigint, $9)",
            self.job,
            chunk.table.schema,
            chunk.table.table,
            str(chunk.ordinal),
            _key_text(chunk.lower),
            _key_text(chunk.upper),
            str(loaded.rows),
            str(loaded.nbytes),
            loaded.exact.dump() if loaded.exact else None,
        )

    def drop_chunks(self, session: Session, name: TableName) -> None:
        session.query(
            f"DELETE FROM {SCHEMA}.chunks WHERE job = $1 AND source_schema = $2 AND source_table = $3",
            self.job,
            name.schema,
            name.table,
        )

    def unbegun(self, session: Session) -> list[tuple[TableName, Target | None]]:
        """Tables noted by a begin that was cut short before its checkpoint; with their shapes, if it made them."""
        rows = session.query(
            f"SELECT source_schema, source_table, loaded, target FROM {SCHEMA}.tables WHERE job = $1", self.job
        )
        return [
            (TableName(schema or "", table or ""), None if loaded == "t" else json.loads(target or ""))
            for schema, table, loaded, target in rows
        ]

    def suspects(self, session: Session, count: int) -> list[Suspect]:
        """Some of those that were noted, each once, ordered by table and foreign key."""
        rows = session.query(
            "SELECT DISTINCT source_schema, source_table, foreign_key, key::text, refers::text"
            f" FROM {SCHEMA}.suspects WHERE job = $1 ORDER BY 1, 2, 3 LIMIT {count}",
            self.job,
        )
        return [
            (
                (TableName(schema or "", table or ""), foreign_key or ""),
                tuple(json.loads(key or "[]")),
                tuple(json.loads(refers or "[]")),
            )
            for schema, table, foreign_key, key, refers in rows
        ]

    def forget_suspects(self, session: Session, suspects: Sequence[Suspect]) -> None:
        for (name, foreign_key), key, refers in suspects:
            session.query(
                f"DELETE FROM {SCHEMA}.suspects WHERE job = $1 AND source_schema = $2 AND source_table = $3"
                " AND foreign_key = $4 AND key::jsonb = $5::jsonb AND refers::jsonb = $6::jsonb",
                self.job,
                name.schema,
                name.table,
                foreign_key,
                json.dumps(key),
                json.dumps(refers),
            )

    def note_conflicts(self, session: Session, rows: Sequence[DirtyRow]) -> None:
        """Writes conflicts that were resolved, in the open transaction."""
        facts = [
            {
                "source_schema": row.table.schema, "source_table": row.table.table, "key": row.key, "op": row.op,
                "reason": row.reason, "statement": row.statement, "resolved": row.resolved, "at": row.at.isoformat(),
            }
            for row in rows
        ]  # fmt: skip
        columns = "source_schema, source_table, key, op, reason, statement, resolved, at"
        session.query(
            f"INSERT INTO {SCHEMA}.conflicts (job, {columns}) SELECT $1, {columns} FROM json_to_recordset($2::json)"
            " AS x (source_schema text, source_table text, key text, op text, reason text, statement text,"
            " resolved text, at timestamptz) ON CONFLICT DO NOTHING",
            self.job,
            json.dumps(facts),
        )

    def conflicts(self, session: Session, *, behind: int, count: int) -> list[tuple[int, DirtyRow]]:
        """Some of those that are noted, in order, with their numbers; from behind a number on."""
        rows = session.query(
            "SELECT number, source_schema, source_table, key, op, reason, statement, resolved, at"
            f" FROM {SCHEMA}.conflicts WHERE job = $1 AND number > $2::bigint ORDER BY number LIMIT {count}",
            self.job,
            str(behind),
        )
        return [
            (
                int(number or 0),
                DirtyRow(
                    key=key or "", table=TableName(schema or "", table or ""), op=cast(DirtyOp, op), kind="conflict",
                    reason=reason or "", statement=statement or "", resolved=cast(Resolved, resolved),
                    at=datetime.fromisoformat(at or ""),
                ),
            )
            for number, schema, table, key, op, reason, statement, resolved, at in rows
        ]  # fmt: skip

    def forget_conflicts(self, session: Session, numbers: Sequence[int]) -> None:
        session.query(
            f"DELETE FROM {SCHEMA}.conflicts WHERE job = $1 AND number = ANY ($2::bigint[])",
            self.job,
            f"{{{','.join(map(str, numbers))}}}",
        )

    def read(self, session: Session) -> tuple[Checkpoint | None, Mapping[TableName, Target]]:
        """The checkpoint, None if the job has not begun; and the shapes of its tables."""
        rows = session.query(f"SELECT phase, position FROM {SCHEMA}.job WHERE job = $1", self.job)
        if not rows or rows[0][0] is None:
            return None, {}
        phase, position = rows[0]
        if phase == RESETTING:
            raise DrsError(Fault.RESET_UNFINISHED)
        tables, targets = self._tables(session)
        for loaded in self._chunks(session):
            name = loaded.chunk.table
            known = tables[name]
            tables[name] = replace(
                known,
                chunks=(*known.chunks, loaded),
                rows=known.rows + loaded.rows,
                nbytes=known.nbytes + loaded.nbytes,
            )
        at = self._parse(position) if position else None
        return Checkpoint(phase=Phase(phase or ""), position=at, tables=tables), targets

    def _tables(self, session: Session) -> tuple[dict[TableName, TableProgress], dict[TableName, Target]]:
        tables: dict[TableName, TableProgress] = {}
        targets: dict[TableName, Target] = {}
        for definition, target, loaded, upper, low, rows, nbytes in session.query(
            f"SELECT definition, target, loaded, upper, low, rows, nbytes FROM {SCHEMA}.tables WHERE job = $1"
            " ORDER BY source_schema, source_table",
            self.job,
        ):
            table = Table.from_json(json.loads(definition or ""))
            tables[table.name] = TableProgress(
                table=table,
                loaded=loaded == "t",
                upper=_key(upper),
                low=self._parse(low) if low else None,
                rows=int(rows or 0),
                nbytes=int(nbytes or 0),
            )
            targets[table.name] = json.loads(target or "")
        return tables, targets

    def _chunks(self, session: Session) -> list[LoadedChunk]:
        rows = session.query(
            f"SELECT source_schema, source_table, ordinal, lower, upper, rows, nbytes, exact FROM {SCHEMA}.chunks"
            " WHERE job = $1 ORDER BY 1, 2, 3",
            self.job,
        )
        return [
            LoadedChunk(
                chunk=Chunk(
                    table=TableName(schema or "", table or ""),
                    ordinal=int(ordinal or 0),
                    lower=_key(lower),
                    upper=_key(upper),
                ),
                rows=int(count or 0),
                nbytes=int(nbytes or 0),
                exact=self._parse(exact) if exact else None,
            )
            for schema, table, ordinal, lower, upper, count, nbytes, exact in rows
        ]


def _key_text(key: Key | None) -> str | None:
    return None if key is None else json.dumps(key)


def _key(text: str | None) -> Key | None:
    return None if text is None else tuple(json.loads(text))
