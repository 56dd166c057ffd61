"""Indexes in PostgreSQL: primary keys, unique and secondary indexes, on whole columns or their beginnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from opendrs.engines.postgres.expressions import value
from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import block, column_name, literal, qualified, quote
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.engines.postgres.types import target_type
from opendrs.model.catalog import Column, Index, IndexPart, Table
from opendrs.model.job import IndexPolicy

# A B-tree entry holds a third of a page at most; a character takes up to 4 bytes.
ENTRY_BYTES_MAX: Final = 2700
UNTRANSLATABLE: Final = {"fulltext": "index-fulltext", "spatial": "index-spatial", "vector": "index-vector"}
SHORTENED: Final = ("text", "binary", "geometry", "json")


def wanted(own: Index, policy: IndexPolicy) -> bool:
    """Whether the job makes the index at all."""
    return own.unique or policy == "all"


def guarded(test: str, statement: str) -> str:
    """A statement that runs only if a query finds nothing: for what has no IF NOT EXISTS."""
    return block(f"IF NOT EXISTS ({test}) THEN {statement}; END IF;")


def primary_key(table: Table, target: Layout | Mapping[str, Any]) -> Rendered:
    """The primary key, or for want of one nothing. May be repeated."""
    layout = Layout.of(target)
    if table.primary is None:
        return Rendered()
    name = layout.index("PRIMARY")
    if not table.primary.columns:  # parts of columns: no constraint can say that
        columns = ", ".join([*(_part(part, table, layout, None) for part in table.primary.parts), *_apart(layout)])
        sql = f"CREATE UNIQUE INDEX IF NOT EXISTS {quote(name)} ON {layout.sql} ({columns})"
        return Rendered((sql,)) + reported("primary-prefix", table.name)
    names = [named(column, table, layout) for column in table.primary.columns]
    if None in names:
        return reported("index-functional", f"{table.name}.PRIMARY", "A column of it is not carried over.")
    columns = ", ".join([*(own for own in names if own), *_apart(layout)])
    has = f"SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {literal(layout.sql)}::regclass AND contype = 'p'"
    add = f"ALTER TABLE {layout.sql} ADD CONSTRAINT {quote(name)} PRIMARY KEY ({columns})"
    return Rendered((guarded(has, add),)) + _case(table.primary, table)


def key(table: Table, target: Layout | Mapping[str, Any]) -> Rendered:
    """What finds the row of a key: the primary key, else the unique index that `table.key` comes from."""
    unique = Rendered.joined(index(table, target, unique) for unique in identifying(table))
    return primary_key(table, target) + unique


def identifying(table: Table) -> tuple[Index, ...]:
    """The unique index that stands in for a primary key, if the table needs one and has it."""
    if table.primary is not None and table.key == table.primary.columns:
        return ()
    return next(((index,) for index in table.indexes if index.unique and index.columns == table.key), ())


def index(
    table: Table,
    target: Layout | Mapping[str, Any],
    own: Index,
    *,
    concurrently: bool = False,
    policy: IndexPolicy = "all",
) -> Rendered:
    """A secondary index. May be repeated; CONCURRENTLY cannot be in a transaction and may leave an invalid index."""
    layout = Layout.of(target)
    what = f"{table.name}.{own.name}"
    if not wanted(own, policy):
        return reported("index-left-out", what)
    if own.kind in UNTRANSLATABLE:
        return reported(UNTRANSLATABLE[own.kind], what)
    if any(part.expression for part in own.parts):
        return reported("index-functional", what, "; ".join(part.expression for part in own.parts if part.expression))
    if any(named(part.column, table, layout) is None for part in own.parts):
        return reported("index-functional", what, "A column of it is not carried over.")
    if documents := [part.column for part in own.parts if table.column(part.column).type.kind == "json"]:
        # MariaDB's json is a text; PostgreSQL's has no order, and its text is not fixed enough for an index.
        return reported("index-json", what, f"Columns: {', '.join(documents)}.")
    cut = fitted(own, table)
    name = layout.index(own.name)
    words = f"{'UNIQUE ' * own.unique}INDEX {'CONCURRENTLY ' * concurrently}IF NOT EXISTS"
    apart = _apart(layout) if own.unique else []
    parts = ", ".join([*(_part(part, table, layout, own) for part in cut.parts), *apart])
    statements = [f"CREATE {words} {quote(name)} ON {layout.sql} ({parts})"]
    if own.comment:
        statements.append(f"COMMENT ON INDEX {qualified(layout.schema, name)} IS {literal(own.comment)}")
    reports = _case(own, table)
    if cut != own:
        reports += reported("index-shortened", what)
    return Rendered(tuple(statements)) + reports


def _apart(layout: Layout) -> list[str]:
    """Additional columns that belong to every key: rows of other source tables may have the same."""
    return [quote(name) for name in layout.apart]


def _part(part: IndexPart, table: Table, layout: Layout, own: Index | None) -> str:
    """One part as SQL: a column, its beginning, or (MariaDB's UNIQUE on long text) its hash."""
    column, name = table.column(part.column), named(part.column, table, layout)
    direction = " DESC" * part.descending
    kind = column.type.kind
    if part.prefix is not None:
        cut = f"left({name}, {part.prefix})" if kind == "text" else f"substring({name} from 1 for {part.prefix})"
        return f"({cut}){direction}"
    hashed = own is not None and own.unique and own.kind == "hash" and column.length is None
    if hashed and kind in ("text", "binary"):
        return f"md5({name}){direction}"
    return f"{name}{direction}"


def named(column: str, table: Table, layout: Layout) -> str | None:
    """The quoted name of a column, written or calculated by the target; None if it does not have it."""
    place = layout.find(column)
    if place is not None:
        return quote(place.name)
    own = table.column(column)
    calculated = own.generated is not None and not own.hidden
    sql = value(own.generated.expression, own, target_type(own).sql, table, layout) if own.generated else None
    return quote(column_name(own.name)) if calculated and sql is not None else None


def fitted(own: Index, table: Table) -> Index:
    """The index, with parts that are too long for an entry cut to what surely fits. A unique one stays whole."""
    if own.unique or any(part.expression for part in own.parts):
        return own
    sizes = [_bytes(part, table.column(part.column)) for part in own.parts]
    if sum(sizes) <= ENTRY_BYTES_MAX:
        return own
    long = [number for number, size in enumerate(sizes) if size > ENTRY_BYTES_MAX // len(sizes)]
    room = (ENTRY_BYTES_MAX - sum(size for number, size in enumerate(sizes) if number not in long)) // len(long)
    parts = list(own.parts)
    for number in long:
        characters = table.column(parts[number].column).type.kind == "text"
        parts[number] = replace(parts[number], prefix=room // 4 if characters else room)
    return replace(own, parts=tuple(parts))


def _bytes(part: IndexPart, column: Column) -> int:
    """The most bytes that a part takes, if it is of a kind that can be cut; others are small."""
    kind = column.type.kind
    length = part.prefix if part.prefix is not None else column.length
    if kind not in SHORTENED:
        return 0
    return ENTRY_BYTES_MAX + 1 if length is None else length * (4 if kind == "text" else 1)


def _case(own: Index, table: Table) -> Rendered:
    """Reports of what UNIQUE no longer means."""
    if not own.unique:
        return Rendered()
    what = f"{table.name}.{own.name}"
    found = Rendered()
    columns = [table.column(part.column) for part in own.parts if part.column]
    loose = [c.name for c in columns if c.type.kind == "text" and not (c.collation or "").endswith("0900_bin")]
    if loose:
        found += reported("unique-case", what, f"Columns: {', '.join(loose)}.")
    if any(part.prefix is not None for part in own.parts):
        found += reported("index-prefix-unique", what)
    if own.kind == "hash" and any(c.type.kind in ("text", "binary") and c.length is None for c in columns):
        found += reported("index-hashed", what)
    return found


def drop(layout: Layout, name: str) -> str:
    """Removes an index, or the primary key, by its name at the source."""
    if name.upper() == "PRIMARY":
        return f"ALTER TABLE {layout.sql} DROP CONSTRAINT IF EXISTS {quote(layout.index(name))}"
    return f"DROP INDEX IF EXISTS {qualified(layout.schema, layout.index(name))}"


def rename(layout: Layout, old: str, new: str) -> str:
    """Gives an index another name; both are the target's."""
    return f"ALTER INDEX IF EXISTS {qualified(layout.schema, old)} RENAME TO {quote(new)}"
