"""Expressions of MySQL as PostgreSQL's, as far as they mean the same with certainty: translation.py has the rules.

Its parser takes more time to load than all the rest of a worker, and few tables need it: it is loaded when the
first expression is met.
"""

from __future__ import annotations

from opendrs.engines.postgres.layout import Layout
from opendrs.model.catalog import Column, Table


def condition(sql: str, table: Table, layout: Layout) -> str | None:
    """A condition on columns of a table; None if it does not translate with certainty."""
    from opendrs.engines.postgres import translation

    return translation.condition(sql, table, layout)


def value(sql: str, column: Column, type_sql: str, table: Table, layout: Layout) -> str | None:
    """An expression over columns of a table, cast to the type of `column`; None if uncertain."""
    from opendrs.engines.postgres import translation

    return translation.value(sql, column, type_sql, table, layout)


def constant(sql: str, column: Column, type_sql: str) -> str | None:
    """An expression without columns, cast to the type of `column`; None if uncertain."""
    from opendrs.engines.postgres import translation

    return translation.constant(sql, column, type_sql)
