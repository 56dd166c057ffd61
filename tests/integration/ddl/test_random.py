"""Random tables, and random changes of them: our reading agrees with the server's catalog at every step."""

from __future__ import annotations

import os

import pymysql
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opendrs.model.catalog import TableName
from tests.integration.ddl.sources import Source, comparable, differences
from tests.integration.ddl.statements import alteration, creation
from tests.integration.ddl.test_alter import compare, follow
from tests.integration.ddl.test_show_create import parsed

EXAMPLES = int(os.environ.get("OPENDRS_DDL_EXAMPLES", "25"))
STEPS = 6
TRIES = 12  # a table of random columns is often refused


def accepted(source: Source, statement: str) -> bool:
    try:
        source.run(statement)
    except pymysql.Error:
        return False
    return True


@pytest.mark.parametrize("source_name", ["mariadb", "mariadb11", "mysql"])
def test_random_changes(source: Source) -> None:
    name = TableName(source.database, "t")
    source.run("SET SESSION foreign_key_checks = 0")  # so that tables go in any order

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        for known in source.catalog():
            source.run(f"DROP TABLE `{known.table}`")
        source.run("CREATE TABLE parent (id INT PRIMARY KEY)")
        tables = source.catalog()
        creations = (data.draw(creation(), label="create") for _ in range(TRIES))
        first = next((sql for sql in creations if accepted(source, sql)), None)
        if first is None:
            return
        tables = follow(source, first, tables)
        compare(source, tables)
        shown = parsed(source, source.shown(name), tables)
        catalog = comparable(source.catalog()[name], source.session.flavour)
        assert differences(comparable(shown, source.session.flavour), catalog) == []
        for _ in range(STEPS):
            statement = data.draw(alteration(tables[name]), label="alter")
            if accepted(source, statement):
                tables = follow(source, statement, tables)
                compare(source, tables)

    run()
