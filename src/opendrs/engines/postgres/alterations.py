"""Changes of the source's schema as SQL of the target, one alteration at a time.

Where only the source knows what a change did to the rows that are there (AUTO_INCREMENT numbers, UUIDs, a
conversion that servers do differently) the statements go through for an empty table only: else a guard
raises the SQLSTATE of `GUARD`, and the table has to be loaded again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from opendrs.engines.postgres import ddl, foreign_keys, indexes
from opendrs.engines.postgres.column_changes import Walk, add_column, drop_column, modify_column, retype, set_default
from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import block, index_name, literal, qualified, quote, schema_name
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.model.alteration import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    Alteration,
    AlterTable,
    Change,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropCheck,
    DropColumn,
    DropDatabase,
    DropForeignKey,
    DropIndex,
    DropTable,
    ForgetTable,
    ModifyColumn,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
    SetCharset,
    SetComment,
    SetDefault,
    SetNextAuto,
    TruncateTable,
)
from opendrs.model.catalog import ForeignKey, Table, TableName
from opendrs.model.job import IndexPolicy
from opendrs.model.rules import NO_RULE, TableRule


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of the job at one moment, and where they are in the target."""

    tables: Mapping[TableName, Table]
    targets: Mapping[TableName, Layout]


def render(
    alteration: Alteration,
    before: Schema,
    after: Schema,
    *,
    constrained: bool = True,
    invalid_dates: str = "stop",
    policy: IndexPolicy = "all",
    schema: str | None = None,
    rule: TableRule = NO_RULE,
) -> Rendered:
    """The statements that carry out an alteration.

    before, after  all tables of the job on both sides of it (model.evolution.applied)
    constrained    the target has secondary indexes and foreign keys already; else they are made later, from
                   the definitions, and are left out here
    invalid_dates  the job's policy
    policy         the job's, for indexes
    schema         target schema of a database that is created or dropped; None: as PostgreSQL's rules say
    rule           what the job says of the table that is altered
    """
    own = _own(alteration, before, after, constrained, invalid_dates, policy, schema, rule)
    return _with_foreign_keys(alteration, own, before, after) if constrained else own


def _own(
    alteration: Alteration,
    before: Schema,
    after: Schema,
    constrained: bool,
    invalid_dates: str,
    policy: IndexPolicy,
    schema: str | None,
    rule: TableRule,
) -> Rendered:
    """The statements, but for foreign keys of which nothing is said."""
    match alteration:
        case CreateDatabase(name):
            return Rendered((ddl.create_schema(schema or schema_name(name)),))
        case DropDatabase(name):
            return _drop_database(schema or schema_name(name), name, before)
        case CreateTable(table):
            return _create(table.name, before, after, constrained, policy)
        case DropTable(name):
            return Rendered((ddl.drop_table(before.targets[name]),)) if name in before.targets else Rendered()
        case ForgetTable(name):
            return _forget(name, before)
        case RenameTable(old, new):
            return _rename(before.tables[old], before.targets[old], after.targets[new])
        case TruncateTable(name):
            return _truncate(name, before)
        case AlterTable():
            return _alter(alteration, before, after, constrained, invalid_dates, policy, rule)
        case ChangeViews():
            return Rendered()  # made anew behind everything else, see Schema.make_views
        case _:
            assert_never(alteration)


# --- foreign keys between what was there and what comes or goes ----------------------------------------


def _with_foreign_keys(alteration: Alteration, own: Rendered, before: Schema, after: Schema) -> Rendered:
    """The statements, and around them the foreign keys of other statements that they make impossible, or possible:
    a parent is dropped, made, renamed, emptied, or loses and gets the key that is referred to."""
    renamed = {alteration.new: alteration.old} if isinstance(alteration, RenameTable) else {}
    emptied = alteration.name if isinstance(alteration, TruncateTable) else None
    lost, gained = [], []
    for name, table in after.tables.items():
        was = renamed.get(name, name)
        if was not in before.tables:
            continue
        had = {key.name: key for key in before.tables[was].foreign_keys}
        for key in table.foreign_keys:
            if key.name not in had:
                continue
            there = bool(_made(before, was, had[key.name]).statements)
            wanted = _made(after, name, key)
            gone = there and (not wanted.statements or (key.referenced == emptied and name != emptied))
            if gone:
                lost.append(Rendered((foreign_keys.drop(before.targets[was], key.name),)))
            if gone or not there:
                gained.append(wanted if wanted.statements or gone else Rendered())
    return Rendered.joined([*lost, own, *gained])


def _made(schema: Schema, name: TableName, key: ForeignKey) -> Rendered:
    """A foreign key as it is made over rows that may not know of it yet."""
    return foreign_keys.foreign_key(schema.tables[name], key, schema.tables, schema.targets, validate="later")


# --- whole tables -----------------------------------------------------------------------------------


def _create(name: TableName, before: Schema, after: Schema, constrained: bool, policy: IndexPolicy) -> Rendered:
    if name in before.tables:  # IF NOT EXISTS
        return Rendered()
    table, target = after.tables[name], after.targets[name]
    made = ddl.create_table(table, target, keys=True)
    if not constrained:
        return made
    made += ddl.secondary_indexes(table, target, policy=policy)
    keys = (foreign_keys.foreign_key(table, key, after.tables, after.targets) for key in table.foreign_keys)
    return made + _retyped(before, after, name, "bigint") + Rendered.joined(keys)


def _drop_database(schema: str, database: str, before: Schema) -> Rendered:
    """Drops the job's tables of the database; the schema goes if nothing else is in it."""
    drops = [ddl.drop_table(target) for name, target in before.targets.items() if name.schema == database]
    drop = block(f"DROP SCHEMA IF EXISTS {quote(schema)}; EXCEPTION WHEN dependent_objects_still_exist THEN NULL;")
    return Rendered((*drops, drop)) + reported("schema-kept", schema)


def _truncate(name: TableName, before: Schema) -> Rendered:
    """TRUNCATE, which numbers anew. Foreign keys that refer to the table go before it and come behind it:
    PostgreSQL refuses it where there is one, and MySQL does it with foreign_key_checks=0 whatever refers."""
    return Rendered((f"TRUNCATE TABLE {before.targets[name].sql} RESTART IDENTITY",))


def _forget(name: TableName, before: Schema) -> Rendered:
    """The table stays with its rows. Foreign keys from and to it would hold what is followed against what is not."""
    keys = [
        foreign_keys.drop(before.targets[table.name], key.name)
        for table in before.tables.values()
        for key in table.foreign_keys
        if name in (table.name, key.referenced)
    ]
    return Rendered(tuple(keys)) + reported("left-selection", str(name))


def _rename(table: Table, old: Layout, new: Layout) -> Rendered:
    """Table and indexes, whose names are made from the table's."""
    pairs = [(index_name(old.table, i), index_name(new.table, i)) for i in _index_names(table)]
    if old.schema == new.schema:
        statements = [f"ALTER TABLE IF EXISTS {old.sql} RENAME TO {quote(new.table)}"] if old.table != new.table else []
        statements += [indexes.rename(old, before, after) for before, after in pairs if before != after]
        return Rendered(tuple(statements))
    # On its way to another schema everything has a name that neither schema has.
    moving = {name: index_name(f"{old.schema}__{name}", "moving") for name in (old.table, *(b for b, _ in pairs))}
    table_moving = moving[old.table]
    statements = [ddl.create_schema(new.schema), f"ALTER TABLE IF EXISTS {old.sql} RENAME TO {quote(table_moving)}"]
    statements += [indexes.rename(old, before, moving[before]) for before, _ in pairs]
    statements.append(f"ALTER TABLE IF EXISTS {qualified(old.schema, table_moving)} SET SCHEMA {quote(new.schema)}")
    statements.append(f"ALTER TABLE IF EXISTS {qualified(new.schema, table_moving)} RENAME TO {quote(new.table)}")
    statements += [indexes.rename(new, moving[before], after) for before, after in pairs]
    return Rendered(tuple(statements))


def _index_names(table: Table) -> list[str]:
    return (["PRIMARY"] if table.primary else []) + [index.name for index in table.indexes]


# --- ALTER TABLE ------------------------------------------------------------------------------------


def _alter(
    alteration: AlterTable,
    before: Schema,
    after: Schema,
    constrained: bool,
    invalid_dates: str,
    policy: IndexPolicy,
    rule: TableRule,
) -> Rendered:
    walk = Walk.start(
        alteration.name, before.tables, before.targets, after.targets, constrained, invalid_dates, policy, rule
    )
    changes = list(alteration.changes)
    while changes and isinstance(changes[0], DropForeignKey):
        _change(changes.pop(0), walk)
    # A foreign key that comes or goes may make other columns bigint, or numeric again. A bigint may refer to
    # a numeric, and not the other way round: so those that refer are bigint before what they refer to, and
    # numeric after it.
    walk.add(_retyped(before, after, alteration.name, "bigint"))
    walk.settle(lambda column: _untouched(before, after, alteration.name, column))
    for change in changes:
        _change(change, walk)
    walk.add(_retyped(before, after, alteration.name, "numeric(20,0)"))
    return walk.rendered


def _retyped(before: Schema, after: Schema, altered: TableName, wanted: str) -> Rendered:
    """Columns that nobody named, and that become `wanted` because of a foreign key elsewhere."""
    found: dict[TableName, list[str]] = {}
    for name, layout in after.targets.items():
        old = before.targets.get(name)
        for place in layout.columns if old is not None else ():
            had = old.find(place.source) if old is not None else None
            changed = had is not None and had.type != place.type and place.type == wanted
            if changed and (name != altered or _untouched(before, after, name, place.source)):
                found.setdefault(name, []).append(place.source)
    sign = -1 if wanted == "bigint" else 1
    order = sorted(found, key=lambda name: sign * _depth(name, after.tables))
    return Rendered(tuple(retype(after.targets[name], found[name], wanted) for name in order))


def _untouched(before: Schema, after: Schema, name: TableName, column: str) -> bool:
    """Whether the column is at the source as it was; else the change of the column itself says its type."""
    try:
        return before.tables[name].column(column).native == after.tables[name].column(column).native
    except KeyError:
        return False


def _depth(name: TableName, tables: Mapping[TableName, Table], seen: frozenset[TableName] = frozenset()) -> int:
    """How many foreign keys lie above a table, at most."""
    if name in seen or name not in tables:
        return 0
    above = [_depth(key.referenced, tables, seen | {name}) + 1 for key in tables[name].foreign_keys]
    return max(above, default=0)


def _change(change: Change, walk: Walk) -> None:
    """One change: its statements, and what it makes of the table on the way."""
    match change:
        case AddColumn():
            add_column(change, walk)
        case DropColumn(name):
            drop_column(name, walk)
        case ModifyColumn():
            modify_column(change, walk)
        case RenameColumn(old, new):
            walk.rename(old, new)
        case SetDefault():
            set_default(change, walk)
        case AddIndex(index, primary):
            walk.follow(change)
            _add_index(index.name if not primary else "PRIMARY", walk)
            return
        case DropIndex(name):
            walk.run(indexes.drop(walk.layout, name))
        case RenameIndex(old, new):
            walk.run(indexes.rename(walk.layout, walk.layout.index(old), walk.layout.index(new)))
        case AddForeignKey(key):
            if walk.constrained:
                walk.add(foreign_keys.foreign_key(walk.table, key, walk.tables, walk.targets))
        case DropForeignKey(name) | DropCheck(name):
            walk.run(foreign_keys.drop(walk.layout, name))
        case AddCheck(check):
            sql, reports = ddl.check(check, walk.table, walk.layout)
            walk.add(reports)
            if sql:
                walk.run(f"ALTER TABLE {walk.layout.sql} ADD {sql}")
        case RenameConstraint(old, new):
            walk.run(foreign_keys.rename(walk.layout, old, new))
        case SetComment(comment):
            walk.run(f"COMMENT ON TABLE {walk.layout.sql} IS {literal(comment) if comment else 'NULL'}")
        case SetCharset():
            pass  # text is UTF-8 here
        case SetNextAuto():
            walk.follow(change)
            walk.number()
            return
        case _:
            assert_never(change)
    walk.follow(change)


def _add_index(name: str, walk: Walk) -> None:
    if name == "PRIMARY":
        walk.add(indexes.primary_key(walk.table, walk.layout))
        return
    own = next(index for index in walk.table.indexes if index.name.lower() == name.lower())
    if walk.constrained or own in indexes.identifying(walk.table):
        walk.add(indexes.index(walk.table, walk.layout, own, policy=walk.indexes))
