"""What the prechecks say about tables that the target has already, where those of the source are to arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.control import SCHEMA
from opendrs.engines.postgres.names import quote
from opendrs.engines.postgres.ownership import MADE
from opendrs.engines.postgres.prechecks_server import Objects
from opendrs.errors import DrsError, Fault
from opendrs.model.precheck import Unseen, Verdict, alarm, failed, for_each, how_many, named, passed, steps

Place = tuple[str, str]

# Only tables may be where a table is to arrive; indexes and sequences share their names with them.
KINDS: Final = {
    "r": "table", "p": "table", "v": "view", "m": "materialized view", "S": "sequence", "f": "foreign table",
    "i": "index", "I": "index", "c": "type", "t": "TOAST table",
}  # fmt: skip

REHEARSAL_S = 30
READ_ONLY: Final = "25006"  # SQLSTATE read_only_sql_transaction
WANTED: Final = "json_to_recordset($1::json) AS w(s text, t text)"
RELATIONS: Final = f"""
    SELECT n.nspname, c.relname, c.relkind, c.oid, pg_has_role(c.relowner, 'USAGE'),
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
             AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
             AND has_table_privilege(c.oid, 'DELETE')
      FROM {WANTED} JOIN pg_namespace n ON n.nspname = w.s
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
     ORDER BY 1, 2"""
COLUMNS: Final = f"""
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
      FROM {WANTED} JOIN pg_namespace n ON n.nspname = w.s
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE a.attgenerated = ''"""
UNIQUES: Final = f"""
    SELECT n.nspname, c.relname, (
        SELECT json_agg(a.attname) FROM unnest(i.indkey::int2[]) AS k(number)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number)
      FROM {WANTED} JOIN pg_namespace n ON n.nspname = w.s
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
      JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid
     WHERE i.indpred IS NULL AND i.indexprs IS NULL AND i.indnatts = i.indnkeyatts"""
TRIGGERS: Final = f"""
    SELECT n.nspname, c.relname, g.tgname
      FROM {WANTED} JOIN pg_namespace n ON n.nspname = w.s
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
      JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
     WHERE g.tgname NOT LIKE 'opendrs\\_%'
     ORDER BY 1, 2, 3"""


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in the target that has the name of a table that is to arrive."""

    place: Place
    kind: str
    owned: bool
    readable: bool
    writable: bool

    def __str__(self) -> str:
        return ".".join(self.place)

    @property
    def sql(self) -> str:
        return f"{quote(self.place[0])}.{quote(self.place[1])}"


def _wanted(objects: Objects) -> str:
    places = sorted({(target["schema"], target["table"]) for target in objects.targets.values()})
    return json.dumps([{"s": schema, "t": table} for schema, table in places])


def _relations(objects: Objects) -> list[Relation]:
    rows = objects.server.session.query(RELATIONS, _wanted(objects))
    return [
        Relation((schema or "", table or ""), KINDS.get(kind or "", kind or ""), *(one == "t" for one in privileges))
        for schema, table, kind, _, *privileges in rows
    ]


# --- a job with a load ------------------------------------------------------------------------------


def empty(objects: Objects) -> list[Verdict]:
    """Tables with rows are in the way, as is whatever else has the name of one. What the job has made is not: it goes
    when the job begins anew, and is what it goes on with when it does not."""
    own, filled = _of_job(objects)
    relations = [one for one in _relations(objects) if one.place not in own | filled]
    others = [one for one in relations if one.kind != "table"]
    closed = [one for one in relations if one.kind == "table" and not (one.readable and one.owned)]
    tables = [one for one in relations if one.kind == "table" and one not in closed]
    full, locked = _with_rows(objects, tables)
    verdicts = []
    if others:
        shown = named(f"{one.kind} {one}" for one in others)
        verdicts.append(failed(f"The target has something else of the name of a table: {shown}", _rename(others)))
    if closed:
        remedy = for_each(f"ALTER TABLE {one.sql} OWNER TO {quote(objects.server.account)};" for one in closed)
        verdicts.append(failed(f"The target has tables that belong to others: {named(closed)}", remedy))
    if full:
        verdicts.append(
            failed(
                f"The target has tables with rows in them: {named(full)}",
                steps(
                    "If nobody needs their rows:",
                    f"TRUNCATE {', '.join(one.sql for one in full)};",
                    "Or let the tables arrive in another schema: --map DB=SCHEMA.",
                ),
            )
        )
    if locked:
        verdicts.append(failed(f"The target has tables that cannot be read: {named(locked)}", "Unlock or repair them."))
    verdicts += _as_made(objects, tables)
    if filled:
        names = [f"{quote(schema)}.{quote(table)}" for schema, table in sorted(filled)]
        verdicts.append(
            alarm(
                f"The job found tables in the target and has filled them; it does not drop them when it begins anew:"
                f" {named('.'.join(place) for place in sorted(filled))}",
                steps("Before it begins anew, if nobody needs their rows:", f"TRUNCATE {', '.join(names)};"),
            )
        )
    if not verdicts:
        there = [f"{how_many(len(tables), 'table')} there already, empty and as they must be"] if tables else []
        there += [f"{how_many(len(own), 'table')} there that the job has made"] if own else []
        verdicts.append(passed("; ".join(there) or "No table is there yet"))
    return verdicts


def _of_job(objects: Objects) -> tuple[set[Place], set[Place]]:
    """Places of the tables that the job has made, and of those that it has found there."""
    server = objects.server
    if not server.job or server.value(f"SELECT to_regclass('{SCHEMA}.made') IS NOT NULL") != "t":
        return set(), set()
    made = server.session.query(MADE, _wanted(objects), server.job)
    known = server.session.query(
        f"SELECT target->>'schema', target->>'table' FROM {SCHEMA}.tables WHERE job = $1", server.job
    )
    own = {(schema or "", table or "") for schema, table in made}
    return own, {(schema or "", table or "") for schema, table in known} - own


def _with_rows(objects: Objects, tables: Iterable[Relation]) -> tuple[list[Relation], list[str]]:
    """Which of the tables have rows, and which cannot be asked."""
    full: list[Relation] = []
    locked: list[str] = []
    for one in tables:
        try:
            if objects.server.value(f"SELECT EXISTS (SELECT FROM {one.sql})") == "t":
                full.append(one)
        except DrsError as error:
            locked.append(f"{one} ({error.message})")
    return full, locked


def _as_made(objects: Objects, tables: Sequence[Relation]) -> list[Verdict]:
    """A table that is there is taken as it is, and so it must be what would be made."""
    found = _columns(objects)
    other = []
    for name, target in objects.targets.items():
        relation = next((one for one in tables if one.place == (target["schema"], target["table"])), None)
        if relation is None:
            continue
        wanted = {column["name"]: _printed(column["type"]) for column in target["columns"]}
        has = found.get(relation.place, {})
        extra = [column for column in has.keys() - wanted.keys() if has[column].required]
        if extra or any(column not in has or has[column].type != sql for column, sql in wanted.items()):
            other.append((name, relation))
    if not other:
        return []
    remedy = for_each(f"DROP TABLE {relation.sql};" for _, relation in other)
    shown = named(relation for _, relation in other)
    return [failed(f"The target has tables that are not like those of the source: {shown}", remedy)]


def _printed(sql: str) -> str:
    """A type of the map as format_type() prints it."""
    return sql.replace("varchar", "character varying")


def _rename(relations: Iterable[Relation]) -> str:
    words = {"type": "TYPE", "index": "INDEX", "sequence": "SEQUENCE", "view": "VIEW"}
    return steps(
        "Rename it, such as:",
        for_each(
            f"ALTER {words.get(one.kind, one.kind.upper())} {one.sql} RENAME TO {quote(one.place[1][:50] + '_before')};"
            for one in relations
        ),
    )


def rehearsal(objects: Objects) -> Verdict:
    """Makes tables with their indexes, one at a time, and takes each back: no other session sees any of it. As
    many as can be made in the time; of thousands, one is like another."""
    query = objects.server.session.query
    there = {relation.place for relation in _relations(objects)}
    absent = [
        table
        for table in objects.arrival.catalog.tables
        if (objects.targets[table.name]["schema"], objects.targets[table.name]["table"]) not in there
    ]
    refused: list[str] = []
    rehearsed, end = 0, time.monotonic() + REHEARSAL_S
    for table in absent:
        if time.monotonic() > end:
            break
        rehearsed += 1
        target = objects.targets[table.name]
        made = ddl.create_table(table, target, keys=True)
        made += ddl.secondary_indexes(table, target, policy=objects.arrival.policy.indexes)
        query("BEGIN")
        try:
            for statement in made.statements:
                query(statement)
        except DrsError as error:
            if error.fault is Fault.PRIVILEGE_MISSING or error.retry == "network":
                raise
            if READ_ONLY in error.message:
                raise Unseen("Nothing can be tried in a target that takes no writes", "") from error
            refused.append(f"{table.name}: {error.message}")
        finally:
            query("ROLLBACK")
    if refused:
        return failed(
            f"The target refuses tables: {named(refused, most=5)}",
            "Report it: the translation of the table's definition is wrong. Leave the tables out until then.",
        )
    rest = f" (of {len(absent)}, in {REHEARSAL_S} s)" if rehearsed < len(absent) else ""
    return passed(f"Made with indexes and taken back: {how_many(rehearsed, 'table')}{rest}")


# --- a job that only follows the log ----------------------------------------------------------------


def existing(objects: Objects) -> list[Verdict]:
    """The tables, their columns, and the privileges to write them: nothing is made."""
    there = {one.place: one for one in _relations(objects) if one.kind == "table"}
    targets = {(target["schema"], target["table"]): name for name, target in objects.targets.items()}
    absent = [name for place, name in targets.items() if place not in there]
    verdicts = []
    if absent:
        verdicts.append(
            failed(
                f"A job that only follows the log needs the tables to be there; missing: {named(absent)}",
                "Load them first: --task full+incremental.",
            )
        )
    closed = [one for one in there.values() if not one.writable]
    if closed:
        privileges = "SELECT, INSERT, UPDATE, DELETE"
        verdicts.append(
            failed(
                f"The account may not write {named(closed)}",
                steps(
                    *(
                        objects.server.grant("USAGE", f"SCHEMA {quote(s)}")
                        for s in sorted({o.place[0] for o in closed})
                    ),
                    for_each(objects.server.grant(privileges, one.sql) for one in closed),
                ),
            )
        )
    verdicts += _differences(objects, there)
    return verdicts or [passed(f"There, with the columns that are needed: {how_many(len(targets), 'table')}")]


class Has(NamedTuple):
    """A column of a table that is there. `required`: NOT NULL, and without a default."""

    type: str
    required: bool


def _columns(objects: Objects) -> dict[Place, dict[str, Has]]:
    found: dict[Place, dict[str, Has]] = {}
    for schema, table, column, sql, required in objects.server.session.query(COLUMNS, _wanted(objects)):
        found.setdefault((schema or "", table or ""), {})[column or ""] = Has(sql or "", required == "t")
    return found


def _differences(objects: Objects, there: Collection[Place]) -> list[Verdict]:
    found = _columns(objects)
    missing: list[str] = []
    extra: list[str] = []
    for name, target in objects.targets.items():
        place = (target["schema"], target["table"])
        if place not in there:
            continue
        wanted = {column["name"] for column in target["columns"]}
        has = found.get(place, {})
        missing += [f"{name}.{column}" for column in sorted(wanted - has.keys())]
        extra += [f"{name}.{column}" for column in sorted(has.keys() - wanted) if has[column].required]
    verdicts = []
    if missing:
        verdicts.append(failed(f"The target lacks columns: {named(missing)}", "Add them: ALTER TABLE ... ADD COLUMN."))
    if extra:
        verdicts.append(
            failed(
                f"The target has columns that the source lacks, NOT NULL and without a default: {named(extra)}",
                "Give them a default: ALTER TABLE ... ALTER COLUMN ... SET DEFAULT.",
            )
        )
    return verdicts


def keys(objects: Objects) -> Verdict:
    """Without an index on the key, every change scans the table; and a unique one makes sure that one row is hit."""
    unique: dict[Place, list[frozenset[str]]] = {}
    for schema, table, columns in objects.server.session.query(UNIQUES, _wanted(objects)):
        unique.setdefault((schema or "", table or ""), []).append(frozenset(json.loads(columns or "[]")))
    lacking = []
    for name, target in objects.targets.items():
        key = frozenset(target.get("key") or ())
        if key and key not in unique.get((target["schema"], target["table"]), []):
            lacking.append((name, target))
    if lacking:
        remedy = for_each(
            f"CREATE UNIQUE INDEX ON {quote(t['schema'])}.{quote(t['table'])} ({', '.join(map(quote, t['key']))});"
            for _, t in lacking
        )
        return alarm(f"The target has no unique index on the key of {named(name for name, _ in lacking)}", remedy)
    return passed("Every key of the source is unique in the target")


def triggers(objects: Objects) -> Verdict:
    found = objects.server.session.query(TRIGGERS, _wanted(objects))
    if found:
        remedy = for_each(
            f"ALTER TABLE {quote(s or '')}.{quote(t or '')} DISABLE TRIGGER {quote(g or '')};" for s, t, g in found
        )
        shown = named(f"{trigger} of {schema}.{table}" for schema, table, trigger in found)
        return alarm(f"Triggers of the target act on what the job writes: {shown}", remedy)
    return passed("No trigger of the target acts on what the job writes")
