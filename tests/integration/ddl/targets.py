"""PostgreSQL as the rendered SQL meets it: run, and read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from opendrs.engines.postgres.layout import Layout, layouts
from opendrs.engines.postgres.rendered import Rendered
from opendrs.model.catalog import Table, TableName
from tests.harness.postgres import Postgres

SESSION = "SET search_path = ''; SET TimeZone = 'UTC'"


class Target:
    """A database of a server, used as our sessions do: UTC, and no search path."""

    def __init__(self, server: Postgres, database: str) -> None:
        self.connection: psycopg.Connection[Any] = server.connect(database)
        self.connection.execute(SESSION)

    def close(self) -> None:
        self.connection.close()

    def run(self, rendered: Rendered | Iterable[str]) -> None:
        """Runs all statements in one transaction, as the sink does."""
        statements = rendered.statements if isinstance(rendered, Rendered) else tuple(rendered)
        with self.connection.transaction():
            for statement in statements:
                try:
                    self.connection.execute(statement.encode())
                except psycopg.Error as error:
                    raise AssertionError(f"{error}\n{statement}") from error

    def rows(self, sql: str) -> list[Any]:
        return self.connection.execute(sql.encode()).fetchall()

    def columns(self, layout: Layout) -> dict[str, tuple[str, bool, str | None, str, str | None]]:
        """name -> (type, NOT NULL, default, identity, comment)"""
        found = self.rows(
            "SELECT attname, pg_catalog.format_type(atttypid, atttypmod), attnotnull,"
            " pg_catalog.pg_get_expr(d.adbin, d.adrelid), attidentity::text,"
            " pg_catalog.col_description(attrelid, attnum)"
            " FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = attrelid AND adnum = attnum"
            f" WHERE attrelid = '{_text(layout.sql)}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return {row[0]: tuple(row[1:]) for row in found}

    def indexes(self, layout: Layout) -> dict[str, tuple[bool, bool, str]]:
        """name -> (unique, primary, columns or expressions)"""
        found = self.rows(
            "SELECT c.relname, i.indisunique, i.indisprimary, pg_catalog.pg_get_indexdef(i.indexrelid)"
            " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
            f" WHERE i.indrelid = '{_text(layout.sql)}'::regclass AND i.indisvalid"
        )
        return {row[0]: (row[1], row[2], row[3].partition(" USING btree ")[2]) for row in found}

    def constraints(self, layout: Layout) -> dict[str, str]:
        """name -> definition, of foreign keys and checks"""
        found = self.rows(
            "SELECT conname, pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint"
            f" WHERE conrelid = '{_text(layout.sql)}'::regclass AND contype IN ('f', 'c')"
        )
        return dict(found)


def _text(sql: str) -> str:
    return sql.replace("'", "''")


def placed(tables: Iterable[Table]) -> dict[TableName, Layout]:
    """Every table in the schema of its database."""
    return layouts(tables, lambda name: name)
