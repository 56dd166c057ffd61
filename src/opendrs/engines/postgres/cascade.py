"""Referential actions while the target has no foreign keys yet.

MySQL before 9.6 and MariaDB do not log what ON DELETE CASCADE and the like do to the rows of other tables:
the target must do it itself, exactly once. Foreign keys cannot be made before the log is caught up with (a
load without locks may hold a child without its parent for a while), so until then triggers act in their
place. They are dropped in the transaction that makes the foreign key.

A load without locks shows the tables at different moments, so that a parent may be missing here when the
log says that it was deleted, while children of it are still here. Three rules make up for that:
- the deletion of a parent acts on its children even if the parent is not here (the apply puts it back first);
- children that are here before their parent arrives, or have none when the log is caught up with, are suspects:
  a deletion that went through a table in between may have left them behind, or they are so at the source too
  (foreign_key_checks=0). Only the source can tell (`worker/judging.py`);
- a change of a referenced key cannot be replayed so: the tables concerned are loaded anew.

What was done at the source with foreign_key_checks=0 sets off nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from opendrs.engines.postgres.connect import literal, quote
from opendrs.engines.postgres.control import SCHEMA
from opendrs.engines.postgres.names import body_literal
from opendrs.engines.postgres.shape import Target
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import ForeignKey, Table, TableName

Texts = tuple[str, ...]
"""Values as PostgreSQL prints them."""


def acting(tables: Iterable[Table], targets: Mapping[TableName, Target]) -> list[tuple[Table, ForeignKey]]:
    """Foreign keys with actions, from a table of the job to a table of the job."""
    return [(table, key) for table in tables for key in table.foreign_keys if key.acts and key.referenced in targets]


def trigger_name(child: Table, key: ForeignKey, job: str = "") -> str:
    """Name of the trigger that stands in for a foreign key, and of its function. Without the job: as it was when two
    jobs that bring tables of one name into one database had it in common."""
    text = f"{child.name}\0{key.name}\0{key.columns}" + f"\0{job}" * bool(job)
    return f"opendrs_{hashlib.sha256(text.encode()).hexdigest()[:24]}"


# Set in transactions that replay the log over rows of different moments.
CATCHING_UP = "opendrs.catching_up"
# Names of triggers that do nothing: the rows of their tables are newer than what is replayed.
AHEAD = "opendrs.ahead"
# Set for changes that were made with foreign_key_checks=0.
UNCHECKED = "opendrs.unchecked"


def catching_up(ahead: Iterable[tuple[Table, ForeignKey]], job: str) -> str:
    """What a transaction that replays the log begins with."""
    names = " ".join(trigger_name(child, key, job) for child, key in ahead)
    return f"SET LOCAL {CATCHING_UP} = 'on'; SET LOCAL {AHEAD} = '{names}'"


def make(child: Table, key: ForeignKey, targets: Mapping[TableName, Target], job: str) -> list[str]:
    """Statements that make the trigger anew."""
    name, former = trigger_name(child, key, job), trigger_name(child, key)
    parent = targets[key.referenced]
    referenced = [_column(parent, column) for column in key.referenced_columns]
    columns = [_column(targets[child.name], column) for column in key.columns]
    same = " AND ".join(f"c.{quote(own)} = OLD.{quote(other)}" for own, other in zip(columns, referenced, strict=True))
    moved = " OR ".join(f"NEW.{quote(column)} IS DISTINCT FROM OLD.{quote(column)}" for column in referenced)
    arrived = " AND ".join(
        f"c.{quote(own)} = NEW.{quote(other)}" for own, other in zip(columns, referenced, strict=True)
    )
    table = _qualified(targets[child.name])
    on_insert = _suspicion(child, key, targets[child.name], job, arrived)
    on_delete = _statement(key.on_delete, table, columns, referenced, same, deleted=True)
    on_update = _statement(key.on_update, table, columns, referenced, same, deleted=False)
    body = f"""BEGIN
  IF pg_catalog.current_setting('{UNCHECKED}', true) = 'on' THEN RETURN NULL; END IF;
  IF pg_catalog.strpos(pg_catalog.current_setting('{AHEAD}', true), '{name}') > 0 THEN RETURN NULL; END IF;
  IF TG_OP = 'INSERT' THEN {on_insert}
  ELSIF TG_OP = 'DELETE' THEN {on_delete or "NULL;"}
  ELSIF {moved} THEN {on_update or "NULL;"}
  END IF;
  RETURN NULL;
END"""
    function = f"{SCHEMA}.{quote(name)}"
    return [
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body_literal(body)}",
        f"DROP TRIGGER IF EXISTS {quote(former)} ON {_qualified(parent)}",
        f"DROP TRIGGER IF EXISTS {quote(former + '_i')} ON {_qualified(parent)}",
        f"DROP TRIGGER IF EXISTS {quote(name)} ON {_qualified(parent)}",
        f"CREATE TRIGGER {quote(name)} AFTER DELETE OR UPDATE OF {', '.join(map(quote, referenced))}"
        f" ON {_qualified(parent)} FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER IF EXISTS {quote(name + '_i')} ON {_qualified(parent)}",
        f"CREATE TRIGGER {quote(name + '_i')} AFTER INSERT ON {_qualified(parent)} FOR EACH ROW"
        f" WHEN (pg_catalog.current_setting('{CATCHING_UP}', true) = 'on') EXECUTE FUNCTION {function}()",
    ]


def drop(child: Table, key: ForeignKey, job: str) -> list[str]:
    """Statements that remove the trigger with its function."""
    return [drop_named(trigger_name(child, key)), drop_named(trigger_name(child, key, job))]


def drop_named(function: str) -> str:
    """Removes the function of that name, and the triggers that call it."""
    return f"DROP FUNCTION IF EXISTS {SCHEMA}.{quote(function)}() CASCADE"


def suspect_orphans(child: Table, key: ForeignKey, targets: Mapping[TableName, Target], job: str) -> str:
    """Puts children without a parent among the suspects."""
    parent = targets[key.referenced]
    columns = [_column(targets[child.name], column) for column in key.columns]
    pairs = zip(columns, (_column(parent, column) for column in key.referenced_columns), strict=True)
    same = " AND ".join(f"p.{quote(other)} = c.{quote(own)}" for own, other in pairs)
    whole = " AND ".join(f"c.{quote(column)} IS NOT NULL" for column in columns)
    alone = f"{whole} AND NOT EXISTS (SELECT FROM {_qualified(parent)} p WHERE {same})"
    return _suspicion(child, key, targets[child.name], job, alone)


def _suspicion(child: Table, key: ForeignKey, target: Target, job: str, which: str) -> str:
    """Notes each child `c` for which the condition holds: its key, and what it refers to, as texts."""
    own, refers = (
        ", ".join(f"c.{quote(_column(target, column))}::text" for column in columns)
        for columns in (child.key, key.columns)
    )
    facts = ", ".join(map(literal, (job, child.name.schema, child.name.table, key.name)))
    return (
        f"INSERT INTO {SCHEMA}.suspects SELECT {facts}, pg_catalog.json_build_array({own}),"
        f" pg_catalog.json_build_array({refers}) FROM {_qualified(target)} c WHERE {which};"
    )


def act_on(child: Table, key: ForeignKey, target: Target, rows: Sequence[tuple[Texts, Texts]]) -> str:
    """Does to children what the deletion of their parent does; each is given by its key and what it refers to."""
    columns = [_column(target, column) for column in key.columns]
    names = [*(_column(target, column) for column in child.key), *columns]
    which = " OR ".join(
        "(" + " AND ".join(f"c.{quote(n)} = {literal(v)}" for n, v in zip(names, (*own, *refers), strict=True)) + ")"
        for own, refers in rows
    )
    return _statement(key.on_delete, _qualified(target), columns, [], which, deleted=True)


def count_of(child: Table, key: ForeignKey, target: Target, refers: Texts) -> str:
    """How many children refer to what is given as texts."""
    columns = [_column(target, column) for column in key.columns]
    same = " AND ".join(f"c.{quote(n)} = {literal(v)}" for n, v in zip(columns, refers, strict=True))
    return f"SELECT count(*) FROM {_qualified(target)} c WHERE {same}"


def affected(name: TableName, tables: Iterable[Table]) -> list[TableName]:
    """Tables whose rows a change of the table may change, directly or not."""
    known = list(tables)
    found: list[TableName] = []
    waiting = [name]
    while waiting:
        parent = waiting.pop()
        children = [t.name for t in known for key in t.foreign_keys if key.acts and key.referenced == parent]
        fresh = [child for child in children if child not in found and child != name]
        found += dict.fromkeys(fresh)
        waiting += fresh
    return found


def referenced_columns(name: TableName, tables: Iterable[Table]) -> list[str]:
    """Columns of the table that foreign keys with actions refer to."""
    keys = (key for table in tables for key in table.foreign_keys if key.acts and key.referenced == name)
    return sorted({column for key in keys for column in key.referenced_columns})


def _statement(action: str, table: str, columns: list[str], referenced: list[str], same: str, *, deleted: bool) -> str:
    match action:
        case "CASCADE" if deleted:
            return f"DELETE FROM {table} c WHERE {same};"
        case "CASCADE":
            new = ", ".join(f"{quote(o)} = NEW.{quote(r)}" for o, r in zip(columns, referenced, strict=True))
            return f"UPDATE {table} c SET {new} WHERE {same};"
        case "SET NULL":
            return f"UPDATE {table} c SET {', '.join(f'{quote(o)} = NULL' for o in columns)} WHERE {same};"
        case "SET DEFAULT":
            return f"UPDATE {table} c SET {', '.join(f'{quote(o)} = DEFAULT' for o in columns)} WHERE {same};"
    return ""


def _qualified(target: Target) -> str:
    return f"{quote(target['schema'])}.{quote(target['table'])}"


def _column(target: Target, source: str) -> str:
    """The target's name of a source column; MySQL compares column names without case."""
    for column in target["columns"]:
        if column["source"].lower() == source.lower():
            return str(column["name"])
    what = f"a foreign key with actions over the generated column {target['source']['table']}.{source}"
    raise DrsError(Fault.UNSUPPORTED, what=what)
