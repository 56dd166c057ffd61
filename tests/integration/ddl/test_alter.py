"""What the changes of a statement make of the old definition is what the catalog lists behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.model.catalog import Table, TableName
from opendrs.model.evolution import applied
from tests.integration.ddl.cases import BASE, SERVERS, alterations
from tests.integration.ddl.sources import Source, comparable, differences


def follow(source: Source, statement: str, tables: dict[TableName, Table]) -> dict[TableName, Table]:
    """The tables as our reading of the statement leaves them."""
    meaning = parse(statement, source.session, source.scope(tables))
    if not isinstance(meaning, Ignored):
        for alteration in meaning:
            tables = applied(tables, alteration)
    return tables


def compare(source: Source, tables: dict[TableName, Table]) -> None:
    catalog = source.catalog()
    assert sorted(catalog) == sorted(tables)
    for name, table in tables.items():
        ours = comparable(replace(table, engine=catalog[name].engine), source.session.flavour, numbering=False)
        theirs = comparable(catalog[name], source.session.flavour, numbering=False)
        assert differences(ours, theirs) == [], source.shown(name)


@pytest.mark.parametrize(("source_name", "sql"), [(server, sql) for server in SERVERS for sql in alterations(server)])
def test_alterations(source: Source, source_name: str, sql: str) -> None:
    for statement in BASE.split(";\n"):
        source.run(statement)
    tables = source.catalog()
    for statement in sql.split("; "):
        source.run(statement)  # first of all it must be a statement that the server takes
        tables = follow(source, statement, tables)
        compare(source, tables)
