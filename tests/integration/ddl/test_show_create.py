"""What the parser makes of SHOW CREATE TABLE, and of the statement itself, is what the catalog lists."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.model.alteration import CreateTable
from opendrs.model.catalog import Table, TableName
from tests.integration.ddl.sources import Source, comparable, differences, zoo

CASES = [(server, name) for server in ("mariadb", "mariadb11", "mysql") for name, _ in zoo(server)]


def parsed(source: Source, statement: str, tables: dict[TableName, Table]) -> Table:
    found = parse(statement, source.session, source.scope(tables))
    assert not isinstance(found, Ignored)
    (create,) = found
    assert isinstance(create, CreateTable)
    return create.table


@pytest.mark.parametrize(("source_name", "name"), CASES)
def test_the_zoo(source: Source, source_name: str, name: str) -> None:
    statements = dict(zoo(source_name))[name]
    flavour = source.session.flavour
    as_written: dict[TableName, Table] = {}
    for statement in statements:
        source.run(statement)
        table = parsed(source, statement, as_written)
        as_written[table.name] = table
    catalog = source.catalog()
    for table_name, table in catalog.items():
        shown = source.shown(table_name)
        expected = comparable(table, flavour)
        assert differences(comparable(parsed(source, shown, catalog), flavour), expected) == [], shown
        assert differences(comparable(as_written[table_name], flavour), expected) == [], shown
    assert {n.table.lower() for n in catalog} == {n.table.lower() for n in as_written}
