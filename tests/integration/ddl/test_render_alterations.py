"""Every alteration, rendered and run on PostgreSQL: definition and rows are as if made anew behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.alterations import Schema, render
from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import quote
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.evolution import applied
from tests.integration.ddl.cases import BASE, STATEMENTS
from tests.integration.ddl.sources import Source
from tests.integration.ddl.targets import Target, placed

ROWS = """
INSERT INTO q (k, code) VALUES (10, 'x'), (20, 'y'), (30, 'Z');
INSERT INTO t (id, a, b, c, d, e, f, q) VALUES (1, 10, 'b1', 'text one', 1.25, 'x', '2020-01-02 03:04:05.678', 1), (2, 20, 'b2', NULL, -7.5, 'y', NULL, NULL), (3, NULL, NULL, '', 99999.99, NULL, '1999-12-31 23:59:59', 3)
"""

# What only the source knows: the target stops, with rows in the table.
GUARDED = {
    "ALTER TABLE t MODIFY e ENUM('x','y','z') NOT NULL": "what a NULL becomes where the column had a default",
    "ALTER TABLE t MODIFY COLUMN b VARCHAR(10) NOT NULL DEFAULT 'y' AFTER id": "the same",
    "ALTER TABLE t CHANGE c x TEXT, CHANGE f c DATETIME": "fewer digits behind the second are cut or rounded",
    "ALTER TABLE t MODIFY b VARCHAR(20) AFTER z, CHANGE e z INT": "the number of a member of an ENUM",
    "ALTER TABLE t ADD SYSTEM VERSIONING; ALTER TABLE t ADD n INT; ALTER TABLE t DROP SYSTEM VERSIONING": "when",
}
MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def cases() -> list[tuple[str, str]]:
    """Each statement on one server that takes it: the reading of all servers is tested elsewhere."""
    found = []
    for number, line in enumerate(STATEMENTS.strip().splitlines()):
        sql, _, servers = line.partition(" -- servers: ")
        names = servers.split() if servers else ["mysql", "mariadb"]
        if "none" not in names:
            found.append((names[number % len(names)], sql))
    return found


@pytest.mark.parametrize(("source_name", "sql"), cases())
def test_alterations(source: Source, source_name: str, sql: str, target: Target) -> None:
    for statement in (BASE + ";\n" + ROWS).split(";\n"):
        source.run(statement)
    tables = source.catalog()
    layouts = placed(tables.values())
    target.run(ddl.every_table(tables.values(), layouts))
    copy_rows(source, target, tables, layouts)
    source.run(f"SET SESSION timestamp = {MOMENT.timestamp()}")
    if sql in GUARDED:
        with pytest.raises(AssertionError, match=r"only the source knows|had NULL there"):
            follow(source, sql, target, tables, layouts)
        return
    tables, layouts = follow(source, sql, target, tables, layouts)
    same_rows(source, target, tables, layouts)
    same_definition(target, tables, layouts)


def follow(
    source: Source, sql: str, target: Target, tables: dict[TableName, Table], layouts: dict[TableName, Layout]
) -> tuple[dict[TableName, Table], dict[TableName, Layout]]:
    """Runs the statements at the source, and what they mean in the target."""
    session = replace(source.session, moment=MOMENT)
    for statement in sql.split("; "):
        source.run(statement)
        meaning = parse(statement, session, source.scope(tables))
        for alteration in [] if isinstance(meaning, Ignored) else meaning:
            after = applied(tables, alteration)
            after_layouts = placed(after.values())
            target.run(render(alteration, Schema(tables, layouts), Schema(after, after_layouts)))
            tables, layouts = after, after_layouts
    return tables, layouts


def copy_rows(source: Source, target: Target, tables: dict[TableName, Table], layouts: dict[TableName, Layout]) -> None:
    with target.connection.transaction():
        target.connection.execute("SET CONSTRAINTS ALL DEFERRED")
        for name, table in tables.items():
            columns = [c for c in table.columns if layouts[name].find(c.name)]
            names = ", ".join(layouts[name].column(c.name) for c in columns)
            marks = ", ".join(f"%s::{layouts[name].place(c.name).type}" for c in columns)
            for values in rows_of_source(source, table, columns):
                row = [_written(value, column) for value, column in zip(values, columns, strict=True)]
                target.connection.execute(f"INSERT INTO {layouts[name].sql} ({names}) VALUES ({marks})".encode(), row)


def _written(value: Any, column: Column) -> Any:
    if column.type.kind == "bits" and value is not None:
        return f"{int.from_bytes(value, 'big'):0{column.type.length}b}"
    return value


def rows_of_source(source: Source, table: Table, columns: list[Column]) -> list[tuple[Any, ...]]:
    quoted = {c.name: "`" + c.name.replace("`", "``") + "`" for c in columns}
    # As text a FLOAT has six digits; as a double it has all.
    wanted = ", ".join(quoted[c.name] + " + 0e0" * (c.type.kind == "float32") for c in columns)
    with source.connection.cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM `{table.name.table}`")
        return list(cursor.fetchall())


def same_rows(source: Source, target: Target, tables: dict[TableName, Table], layouts: dict[TableName, Layout]) -> None:
    for name, table in tables.items():
        columns = [c for c in table.columns if layouts[name].find(c.name)]
        ours = target.rows(
            f"SELECT {', '.join(read_target(c, layouts[name]) for c in columns)} FROM {layouts[name].sql}"
        )
        theirs = rows_of_source(source, table, columns)
        kinds = [c.type.kind for c in columns]
        assert sorted(_row(row, kinds) for row in ours) == sorted(_row(row, kinds) for row in theirs), table.name


def read_target(column: Column, layout: Layout) -> str:
    name = layout.column(column.name)
    if column.type.kind == "float32":
        return f"{name}::float8"
    return f"{name}::text" if column.type.kind in ("json", "bits", "uuid", "inet4", "inet6") else name


def _row(row: tuple[Any, ...], kinds: list[str]) -> str:
    return repr([plain(value, kind) for value, kind in zip(row, kinds, strict=True)])


def plain(value: Any, kind: str) -> Any:
    """The same for both drivers."""
    if value is None:
        return None
    if kind == "bits" and isinstance(value, bytes):
        return int.from_bytes(value, "big")
    if kind == "bits":
        return int(value, 2)
    if kind == "json":
        return json.loads(value)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value).normalize() + 0
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, date | timedelta):
        return str(value)
    return value


def same_definition(target: Target, tables: dict[TableName, Table], layouts: dict[TableName, Layout]) -> None:
    """The tables as they are, and as they would be made anew in other schemas."""
    anew = {name: replace(table, name=TableName("anew_" + name.schema, name.table)) for name, table in tables.items()}
    anew = {
        name: replace(
            table,
            foreign_keys=tuple(
                replace(k, referenced=TableName("anew_" + k.referenced.schema, k.referenced.table))
                for k in table.foreign_keys
            ),
        )
        for name, table in anew.items()
    }
    others = placed(anew.values())
    target.run(ddl.every_table(anew.values(), others))
    for name, table in tables.items():
        layout, other = layouts[name], others[anew[name].name]
        assert target.columns(layout) == target.columns(other), table.name
        assert _without_schema(target.indexes(layout), layout) == _without_schema(target.indexes(other), other)
        assert _without_schema(target.constraints(layout), layout) == _without_schema(target.constraints(other), other)


def _without_schema(found: dict[str, Any], layout: Layout) -> dict[str, str]:
    schemas = (layout.schema, quote(layout.schema))
    texts = {name: str(definition) for name, definition in found.items()}
    for schema in sorted(schemas, key=len, reverse=True):
        texts = {name: text.replace(f"{schema}.", "") for name, text in texts.items()}
    return texts
