"""Foreign keys in PostgreSQL: deferrable, so that a transaction may be applied in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from opendrs.engines.postgres.indexes import guarded, named
from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import block, constraint_name, literal, quote
from opendrs.engines.postgres.rendered import Rendered, reported
from opendrs.model.catalog import Column, ForeignKey, Table, TableName

Tables = Mapping[TableName, Table]
Targets = Mapping[TableName, "Layout | Mapping[str, Any]"]


def foreign_key(
    table: Table, key: ForeignKey, tables: Tables, targets: Targets, *, validate: Literal["now", "later"] = "now"
) -> Rendered:
    """The foreign key; with `later` it holds for new rows only until `validation` runs. May be repeated."""
    what = f"{table.name}.{key.name}"
    other = tables.get(key.referenced)
    if other is None or key.referenced not in targets:
        return reported("foreign-key-outside", what, f"It refers to {key.referenced}.")
    if not _unique(other, key.referenced_columns):
        return reported("foreign-key-target", what)
    layout, referred = Layout.of(targets[table.name]), Layout.of(targets[key.referenced])
    if referred.apart:
        return reported(
            "foreign-key-apart", what, f"The keys of {key.referenced} have {', '.join(referred.apart)} too."
        )
    own = [named(column, table, layout) for column in key.columns]
    theirs = [named(column, other, referred) for column in key.referenced_columns]
    if None in own or None in theirs:
        return reported("foreign-key-absent", what)
    sql = (
        f"ALTER TABLE {layout.sql} ADD CONSTRAINT {quote(constraint_name(key.name))} FOREIGN KEY ({_list(own)})"
        f" REFERENCES {referred.sql} ({_list(theirs)}){_actions(key)} DEFERRABLE INITIALLY IMMEDIATE"
        f"{' NOT VALID' * (validate == 'later')}"
    )
    loose = [name for name in key.columns if _loose(table.column(name))]
    reports = reported("foreign-key-case", what, f"Columns: {', '.join(loose)}.") if loose else Rendered()
    return Rendered((guarded(_test(layout, key.name), sql),)) + reports


def validation(table: Table, key: ForeignKey, target: Layout | Mapping[str, Any]) -> str:
    """Holds a foreign key that was made NOT VALID against the rows that were there."""
    layout = Layout.of(target)
    return f"ALTER TABLE {layout.sql} VALIDATE CONSTRAINT {quote(constraint_name(key.name))}"


def unvalidated(schemas: Iterable[str]) -> str:
    """Query: (schema, table, name) of foreign keys that hold for new rows only."""
    return (
        "SELECT n.nspname, c.relname, o.conname FROM pg_catalog.pg_constraint o"
        " JOIN pg_catalog.pg_class c ON c.oid = o.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE o.contype = 'f' AND NOT o.convalidated AND n.nspname IN ({', '.join(map(literal, schemas))})"
    )


def _list(columns: Iterable[str | None]) -> str:
    return ", ".join(column for column in columns if column)


def _actions(key: ForeignKey) -> str:
    """RESTRICT cannot wait for the end of a transaction; in MySQL it means what NO ACTION does."""
    words = ""
    for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
        if action not in ("NO ACTION", "RESTRICT"):
            words += f" ON {event} {action}"
    return words


def _unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether a primary or unique key consists of just these columns; InnoDB takes any index."""
    wanted = sorted(column.lower() for column in columns)
    keys = [index for index in (table.primary, *table.indexes) if index is not None and index.unique]
    return any(sorted(column.lower() for column in index.columns) == wanted for index in keys if index.kind != "hash")


def _loose(column: Column) -> bool:
    """Whether the source takes values for equal that are not the same bytes."""
    return column.type.kind == "text" and not (column.collation or "").endswith("0900_bin")


def _test(layout: Layout, name: str) -> str:
    return (
        f"SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {literal(layout.sql)}::regclass"
        f" AND conname = {literal(constraint_name(name))}"
    )


def name_of(key: ForeignKey) -> str:
    """Its name in the target."""
    return constraint_name(key.name)


def drop(layout: Layout, name: str) -> str:
    """Removes a foreign key or a check."""
    return f"ALTER TABLE IF EXISTS {layout.sql} DROP CONSTRAINT IF EXISTS {quote(constraint_name(name))}"


def rename(layout: Layout, old: str, new: str) -> str:
    """Gives a foreign key or a check another name, if it was carried over."""
    before, after = constraint_name(old), constraint_name(new)
    statement = f"ALTER TABLE {layout.sql} RENAME CONSTRAINT {quote(before)} TO {quote(after)}"
    return block(f"IF EXISTS ({_test(layout, old)}) THEN {statement}; END IF;")
