"""Random definitions and changes, without a server: whatever is understood can be persisted, carried out and
rendered; whatever is not is a Fault, and never another error."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.alterations import Schema, render
from opendrs.engines.postgres.layout import Layout, layouts
from opendrs.engines.postgres.types import narrowed_columns
from opendrs.errors import DrsError
from opendrs.model.alteration import CreateTable
from opendrs.model.catalog import Table, TableName
from opendrs.model.evolution import applied
from tests.golden.ddl.reading import FLAVOURS, read, scope, session
from tests.integration.ddl.statements import alteration, creation

SERVERS = st.sampled_from(sorted(FLAVOURS))
T = TableName("shop", "t")
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)


def places(tables: dict[TableName, Table]) -> dict[TableName, Layout]:
    return layouts(tables.values(), lambda name: name)


def created(statement: str, server: str) -> dict[TableName, Table] | None:
    """The schema behind the statement; None if it is not understood."""
    tables = read(["CREATE TABLE parent (id INT PRIMARY KEY)"], server)
    try:
        found = parse(statement, session(server), scope(tables))
    except DrsError:
        return None
    assert not isinstance(found, Ignored)
    (create,) = found
    assert isinstance(create, CreateTable)
    return tables | {create.table.name: create.table}


@slow
@given(creation(), SERVERS)
def test_a_definition_can_be_kept_and_rendered(statement: str, server: str) -> None:
    tables = created(statement, server)
    if tables is None:
        return
    table = tables[T]
    assert Table.from_json(json.loads(json.dumps(table.to_json()))) == table
    rendered = ddl.every_table(tables.values(), places(tables))
    names = [place.name for place in places(tables)[T].columns]
    assert len(set(names)) == len(names)
    assert any(statement.startswith("CREATE TABLE") for statement in rendered.statements)


@slow
@given(st.data(), creation(), SERVERS)
def test_a_change_can_be_carried_out_and_rendered(data: st.DataObject, statement: str, server: str) -> None:
    tables = created(statement, server)
    for _ in range(3):
        if tables is None or T not in tables:
            return
        change = data.draw(alteration(tables[T]))
        try:
            found = parse(change, session(server), scope(tables))
        except DrsError:
            continue
        for one in [] if isinstance(found, Ignored) else found:
            try:
                after = applied(tables, one)
            except ValueError:  # CREATE TABLE of one that is there
                break
            rendered = render(one, Schema(tables, places(tables)), Schema(after, places(after)))
            assert all(statement.strip() for statement in rendered.statements)
            tables = after


def test_an_index_on_a_beginning_follows_its_column_to_another_name_and_kind() -> None:
    tables = created("CREATE TABLE t (a INT, b BLOB, KEY k (b(20)), KEY l (a, b(30)))", "mysql")
    assert tables is not None
    (change,) = parse("ALTER TABLE t CHANGE b c TEXT", session("mysql"), scope(tables))
    after = applied(tables, change)
    statements = render(change, Schema(tables, places(tables)), Schema(after, places(after))).statements
    assert statements[-2:] == (
        'CREATE INDEX IF NOT EXISTS "t__k" ON "shop"."t" ((left("c", 20)))',
        'CREATE INDEX IF NOT EXISTS "t__l" ON "shop"."t" ("a", (left("c", 30)))',
    )


@st.composite
def graphs(draw: st.DrawFn) -> list[Table]:
    """Tables of 64 unsigned bits, tied at random."""
    count = draw(st.integers(1, 6))
    statements = []
    for number in range(count):
        auto = " AUTO_INCREMENT" if draw(st.booleans()) else ""
        keys = draw(st.lists(st.integers(0, count - 1), max_size=2, unique=True))
        refer = "".join(f", FOREIGN KEY (x) REFERENCES t{other} (id)" for other in keys)
        statements.append(f"CREATE TABLE t{number} (id BIGINT UNSIGNED{auto} PRIMARY KEY, x BIGINT UNSIGNED{refer})")
    return list(read(statements, "mysql").values())


@slow
@given(graphs())
def test_both_ends_of_a_foreign_key_are_of_one_type(tables: list[Table]) -> None:
    narrowed = narrowed_columns(tables)
    for table in tables:
        for column in table.columns:
            assert not column.auto or (table.name, column.name) in narrowed
        for key in table.foreign_keys:
            assert ((table.name, key.columns[0]) in narrowed) == (
                (key.referenced, key.referenced_columns[0]) in narrowed
            )
    # And no more than that: a table that nothing ties to a numbering column keeps its type.
    if not any(column.auto for table in tables for column in table.columns):
        assert narrowed == frozenset()
