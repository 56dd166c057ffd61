"""Changes of columns: what they do to the definition in the target, and to the rows that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from opendrs.engines.postgres import ddl, expressions, indexes
from opendrs.engines.postgres.conversions import using
from opendrs.engines.postgres.defaults import INVALID_DATES, default_sql, implicit_sql, literal_sql, moves
from opendrs.engines.postgres.layout import Layout, Place, carried
from opendrs.engines.postgres.names import block, column_name, literal, quote
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.engines.postgres.types import target_type
from opendrs.model.alteration import AddColumn, Change, ModifyColumn, SetDefault
from opendrs.model.catalog import Column, Index, Table, TableName
from opendrs.model.evolution import change_table
from opendrs.model.job import IndexPolicy
from opendrs.model.rules import TableRule

GUARD: Final = "OD001"
"""SQLSTATE that a guard raises: rows are there, and what the change made of them only the source knows."""


@dataclass(slots=True)
class Walk:
    """One ALTER TABLE on its way: the table between two changes, and the statements so far.

    finally_   where the table is behind the last change: it says the types of the columns
    """

    name: TableName
    tables: dict[TableName, Table]
    targets: dict[TableName, Layout]
    finally_: Layout
    constrained: bool
    invalid_dates: str
    indexes: IndexPolicy
    rule: TableRule
    statements: list[Rendered] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        name: TableName,
        tables: Mapping[TableName, Table],
        targets: Mapping[TableName, Layout],
        finally_: Mapping[TableName, Layout],
        constrained: bool,
        invalid_dates: str,
        indexes: IndexPolicy,
        rule: TableRule,
    ) -> Self:
        return cls(name, dict(tables), dict(targets), finally_[name], constrained, invalid_dates, indexes, rule)

    @property
    def table(self) -> Table:
        return self.tables[self.name]

    @property
    def layout(self) -> Layout:
        return self.targets[self.name]

    @property
    def rendered(self) -> Rendered:
        return Rendered.joined(self.statements)

    def run(self, *statements: str) -> None:
        self.statements.append(Rendered(statements))

    def add(self, rendered: Rendered) -> None:
        self.statements.append(rendered)

    def follow(self, change: Change) -> None:
        """The table behind a change."""
        change_table(self.tables, self.name, change)

    def settle(self, untouched: Callable[[str], bool]) -> None:
        """Columns that no change of their own makes bigint, or numeric again: their tables see to that."""
        for place in self.layout.columns:
            last = self.finally_.find(place.source)
            if last is not None and {last.type, place.type} == {"bigint", "numeric(20,0)"} and untouched(place.source):
                self.put(place.source, replace(place, type=last.type))

    def put(self, old: str | None, place: Place | None) -> None:
        """Replaces, adds (no `old`) or removes (no `place`) a column of the layout."""
        kept = [place if old is not None and p.source.lower() == old.lower() else p for p in self.layout.columns]
        if old is None:
            kept.append(place)
        columns = tuple(p for p in kept if p is not None)
        self.targets[self.name] = replace(self.layout, columns=columns)

    def place_of(self, column: Column) -> Place:
        """Where a column of the source stands behind this ALTER TABLE."""
        known = self.finally_.find(column.name)
        if known is not None:
            return known
        # A name on the way only: the type is the column's own.
        arriving = self.rule.arrives(column.name) or column.name
        return Place(source=column.name, name=column_name(arriving), type=target_type(column).sql)

    def leaves_out(self, column: str) -> bool:
        return self.rule.arrives(column) is None

    def rename(self, old: str, new: str) -> None:
        place = self.layout.find(old)
        if place is None:
            return
        renamed = replace(place, source=new, name=column_name(self.rule.arrives(new) or new))
        if renamed.name != place.name:
            self.run(f"ALTER TABLE {self.layout.sql} RENAME COLUMN {quote(place.name)} TO {quote(renamed.name)}")
        self.put(old, renamed)
        last = self.finally_.find(new)
        if last is not None and {last.type, place.type} == {"bigint", "numeric(20,0)"}:  # tied by a key as well
            self.run(retype(self.layout, [new], last.type))
            self.put(new, replace(renamed, type=last.type))

    def alter(self, place: Place, action: str) -> None:
        self.run(f"ALTER TABLE {self.layout.sql} ALTER COLUMN {quote(place.name)} {action}")

    def number(self) -> None:
        """Sets the sequence of the numbering column, if there is one."""
        place = ddl.numbered(self.table, self.layout)
        if place is not None:
            self.run(ddl.next_number(self.table, self.layout, place))

    def only_if_empty(self, what: str, where: str = "") -> None:
        """Goes on for a table without rows only (`where`: without such rows)."""
        message = literal(f"{what} of {self.name}: rows are there, and only the source knows their values now")
        self.stop_if(f"SELECT FROM {self.layout.sql}{where}", message)

    def stop_if(self, test: str, message: str) -> None:
        """Raises GUARD if a query finds anything; `message` is SQL."""
        fault = f"RAISE EXCEPTION USING ERRCODE = '{GUARD}', MESSAGE = {message}"
        self.run(block(f"IF EXISTS ({test}) THEN {fault}; END IF;"))


def retype(layout: Layout, columns: Iterable[str], type_sql: str) -> str:
    """The other of the two types of 64 unsigned bits; nothing is lost, or the statement fails. All columns at
    once: one may refer to another."""
    named = (layout.column(column) for column in columns)
    actions = ", ".join(f"ALTER COLUMN {name} TYPE {type_sql} USING {name}::{type_sql}" for name in named)
    return f"ALTER TABLE {layout.sql} {actions}"


# --- ADD COLUMN -------------------------------------------------------------------------------------


def add_column(change: AddColumn, walk: Walk) -> None:
    column = change.column
    if change.if_not_exists and any(c.name.lower() == column.name.lower() for c in walk.table.columns):
        return
    if column.hidden or walk.leaves_out(column.name):
        return
    if not carried(column):
        _add_generated(column, walk)
        return
    place = walk.place_of(column)
    walk.put(None, place)
    _reports(column, place, walk)
    first = _fill(change, place, walk)
    own = default_sql(column, place.type) if column.generated is None else None
    filled_later = column.generated is not None
    line = f"{quote(place.name)} {place.type}" + (f" DEFAULT {first}" if first else "")
    line += " NOT NULL" * (place.not_null and not filled_later)
    walk.run(f"ALTER TABLE {walk.layout.sql} ADD COLUMN IF NOT EXISTS {line}")
    if first != own:
        walk.alter(place, f"SET DEFAULT {own}" if own else "DROP DEFAULT")
    if column.auto and place.type in ddl.NUMBERING:
        walk.alter(place, "ADD GENERATED BY DEFAULT AS IDENTITY")
    if column.generated is not None:
        _recalculate(column, place, walk, with_column=True)
        if place.not_null:
            walk.alter(place, "SET NOT NULL")
    _comment(column, place, walk, had="")
    if change.after is not None and change.after.lower() != walk.table.columns[-1].name.lower():
        walk.add(reported("column-order", f"{walk.name}.{column.name}"))


def _fill(change: AddColumn, place: Place, walk: Walk) -> str | None:
    """The value that rows which are there get, as SQL; None: NULL."""
    column = change.column
    if column.auto:
        walk.only_if_empty(f"ADD COLUMN {column.name} AUTO_INCREMENT")
        return None
    if column.generated is not None:
        return None
    if change.fill is not None:
        return literal_sql(column, change.fill.text)
    if column.default is not None:
        sql = default_sql(column, place.type)
        if sql is None or moves(column):
            impossible = INVALID_DATES.get(walk.invalid_dates) if column.default.kind == "literal" else None
            if impossible is not None:
                return impossible
            walk.only_if_empty(f"ADD COLUMN {column.name} DEFAULT {column.default.text}")
            return sql
        return sql
    if column.nullable:
        return None
    implicit = implicit_sql(column, walk.invalid_dates)
    if implicit is None:
        walk.only_if_empty(f"ADD COLUMN {column.name} NOT NULL")
    return None if implicit == "NULL" else implicit


def _add_generated(column: Column, walk: Walk) -> None:
    """A generated column whose values the log does not carry."""
    type_sql = target_type(column).sql
    text = column.generated.expression if column.generated else ""
    sql = expressions.value(text, column, type_sql, walk.table, walk.layout)
    if sql is None:
        walk.add(reported("generated-absent", f"{walk.name}.{column.name}"))
        return
    line = f"{quote(column_name(column.name))} {type_sql} GENERATED ALWAYS AS ({sql}) STORED"
    walk.run(f"ALTER TABLE {walk.layout.sql} ADD COLUMN IF NOT EXISTS {line}")


def _recalculate(column: Column, place: Place, walk: Walk, *, with_column: bool) -> None:
    """The values of a generated column that is a plain one here."""
    table = replace(walk.table, columns=(*walk.table.columns, column)) if with_column else walk.table
    text = column.generated.expression if column.generated else ""
    sql = expressions.value(text, column, place.type, table, walk.layout)
    if sql is None:
        walk.only_if_empty(f"{column.name} AS ({text})")
    else:
        walk.run(f"UPDATE {walk.layout.sql} SET {quote(place.name)} = {sql}")


def _reports(column: Column, place: Place, walk: Walk) -> None:
    what = f"{walk.name}.{column.name}"
    if column.generated is not None:
        walk.add(reported("generated-values", what, f"It was: {column.generated.expression}."))
    elif column.default is not None and not column.auto and default_sql(column, place.type) is None:
        walk.add(reported("default", what, f"It was: {column.default.text}."))
    if column.on_update:
        walk.add(reported("on-update", what))
    if column.auto and place.type not in ddl.NUMBERING:
        walk.add(reported("auto-type", what))


def _comment(column: Column, place: Place, walk: Walk, *, had: str) -> None:
    if column.comment != had:
        text = literal(column.comment) if column.comment else "NULL"
        walk.run(f"COMMENT ON COLUMN {walk.layout.sql}.{quote(place.name)} IS {text}")


# --- DROP COLUMN ------------------------------------------------------------------------------------


def drop_column(name: str, walk: Walk) -> None:
    """PostgreSQL drops an index with any of its columns; MySQL takes the column out of it."""
    if walk.leaves_out(name):
        return  # the target may have another column of that name
    place = walk.layout.find(name)
    dropped = quote(place.name) if place else quote(column_name(name))
    shrunk = [index for index in _indexes(walk.table) if _has(index, name) and len(index.parts) > 1]
    walk.run(*(indexes.drop(walk.layout, index.name) for index in shrunk))
    walk.run(f"ALTER TABLE {walk.layout.sql} DROP COLUMN IF EXISTS {dropped}")
    if place is not None:
        walk.put(name, None)
    rest = [replace(i, parts=tuple(p for p in i.parts if p.column.lower() != name.lower())) for i in shrunk]
    for index in rest:
        _make(index, walk, walk.table)


def _indexes(table: Table) -> list[Index]:
    return ([table.primary] if table.primary else []) + list(table.indexes)


def _has(index: Index, column: str) -> bool:
    return any(part.column.lower() == column.lower() for part in index.parts)


def _has_expression(index: Index, column: str, table: Table) -> bool:
    """Whether the column is in the index by its beginning or its hash."""
    hashed = index.unique and index.kind == "hash"
    parts = (part for part in indexes.fitted(index, table).parts if part.column.lower() == column.lower())
    return any(hashed or part.prefix is not None for part in parts)


def _make(index: Index, walk: Walk, table: Table) -> None:
    if index.name == "PRIMARY":
        walk.add(indexes.primary_key(replace(table, primary=index), walk.layout))
    elif walk.constrained and indexes.wanted(index, walk.indexes):
        walk.add(indexes.index(table, walk.layout, index))


# --- MODIFY and CHANGE COLUMN -----------------------------------------------------------------------


def modify_column(change: ModifyColumn, walk: Walk) -> None:
    old, new = walk.table.column(change.old), change.column
    walk.rename(change.old, new.name)
    had = walk.layout.find(new.name)
    if new.hidden or walk.leaves_out(new.name) or (had is None and not carried(new)):
        return
    place = walk.place_of(new)
    if had is None or carried(old) != carried(new):
        # What the log carries of it is new: the column is made anew.
        drop_column(new.name, walk)
        add_column(AddColumn(new), walk)
        return
    walk.put(new.name, place)
    _reports(new, place, walk)
    dropped = _change_type(old, new, had, place, walk)
    _change_default(old, new, place, walk, retyped=had.type != place.type)
    if had.not_null != place.not_null:
        if place.not_null:
            _fill_nulls(old, new, place, walk)
        walk.alter(place, "SET NOT NULL" if place.not_null else "DROP NOT NULL")
    if new.auto and not old.auto and place.type in ddl.NUMBERING:
        _begin_numbering(place, walk)
    if new.generated is not None and (old.generated is None or old.generated.expression != new.generated.expression):
        _recalculate(new, place, walk, with_column=False)
    _comment(new, place, walk, had=old.comment)
    if change.after is not None:
        walk.add(reported("column-order", f"{walk.name}.{new.name}"))
    if dropped and new.type.kind in indexes.SHORTENED:
        behind = dict(walk.tables)
        change_table(behind, walk.name, change)
        for index in _indexes(behind[walk.name]):
            if index.name in dropped:
                _make(index, walk, behind[walk.name])


def _change_type(old: Column, new: Column, had: Place, place: Place, walk: Walk) -> list[str]:
    """Another type, or other values under the same type (a shorter ENUM, CHAR's blanks). The names of the
    indexes that are gone: an expression in them holds the type."""
    name = quote(place.name)
    sql = using(name, old, new, place.type)
    if old.auto and not new.auto:
        walk.alter(place, "DROP IDENTITY IF EXISTS")
    if had.type == place.type and sql in ("", f"{name}::{place.type}"):
        return []
    if sql is None:
        walk.only_if_empty(f"MODIFY COLUMN {new.name} {old.native} TO {new.native}", f" WHERE {name} IS NOT NULL")
        sql = f"NULL::{place.type}"
    if had.type == place.type:
        walk.run(f"UPDATE {walk.layout.sql} SET {name} = {sql} WHERE {name} IS DISTINCT FROM {sql}")
        return []
    other_kind = old.type.kind != new.type.kind
    dropped = [i.name for i in _indexes(walk.table) if other_kind and _has_expression(i, old.name, walk.table)]
    walk.run(*(indexes.drop(walk.layout, name) for name in dropped))
    if old.default is not None and not old.auto:
        walk.alter(place, "DROP DEFAULT")
    walk.alter(place, f"TYPE {place.type}" + (f" USING {sql}" if sql else ""))
    return dropped


def _fill_nulls(old: Column, column: Column, place: Place, walk: Walk) -> None:
    """Without a strict sql_mode NULL becomes the type's own default; in one there is no NULL to be found.

    MariaDB takes the default that the column had, where it can do without copying the table.
    """
    name = quote(place.name)
    if old.default is not None:
        message = literal(f"NOT NULL on {walk.name}.{column.name} changed rows that had NULL there")
        walk.stop_if(f"SELECT FROM {walk.layout.sql} WHERE {name} IS NULL", message)
        return
    # The error value of an ENUM, and not its first member as in a new column.
    implicit = "''" if column.type.kind == "enum" else implicit_sql(column, walk.invalid_dates)
    if implicit is not None and implicit != "NULL":
        walk.run(f"UPDATE {walk.layout.sql} SET {name} = {implicit} WHERE {name} IS NULL")


def _change_default(old: Column, new: Column, place: Place, walk: Walk, *, retyped: bool) -> None:
    if new.auto or (old.auto and new.default is None):
        return
    before, now = default_sql(old, place.type), default_sql(new, place.type)
    if before != now or (retyped and now is not None):
        walk.alter(place, f"SET DEFAULT {now}" if now is not None else "DROP DEFAULT")


def _begin_numbering(place: Place, walk: Walk) -> None:
    """MySQL numbers the rows that have 0 there, in an order of its own."""
    name = quote(place.name)
    message = literal(f"AUTO_INCREMENT on {walk.name}.{place.source} numbered rows that had 0 there")
    walk.stop_if(f"SELECT FROM {walk.layout.sql} WHERE {name} = 0", message)
    walk.alter(place, "DROP DEFAULT")
    walk.alter(place, "ADD GENERATED BY DEFAULT AS IDENTITY")


def set_default(change: SetDefault, walk: Walk) -> None:
    place = walk.layout.find(change.column)
    if place is None:
        return
    column = replace(walk.table.column(change.column), default=change.default)
    sql = default_sql(column, place.type)
    walk.alter(place, f"SET DEFAULT {sql}" if sql is not None else "DROP DEFAULT")
    if sql is None and change.default is not None:
        walk.add(reported("default", f"{walk.name}.{change.column}", f"It is: {change.default.text}."))
