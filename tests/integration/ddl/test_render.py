"""The zoo, read from the sources and made in the targets: what arrives is what was meant."""

from __future__ import annotations

from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.types import narrowed_columns, target_type
from opendrs.model.catalog import Table, TableName
from tests.integration.ddl.sources import Source, zoo
from tests.integration.ddl.targets import Target, placed


def whole_zoo(source: Source, server: str) -> dict[TableName, Table]:
    for _, statements in zoo(server):
        for statement in statements:
            source.run(statement)
    return source.catalog()


def test_the_zoo_arrives(source: Source, source_name: str, target: Target) -> None:
    tables = whole_zoo(source, source_name)
    layouts = placed(tables.values())
    rendered = ddl.every_table(tables.values(), layouts)
    target.run(rendered)
    target.run(rendered)  # may be repeated
    target.run(part for name, table in tables.items() for part in ddl.identity(table, layouts[name]).statements)
    narrowed = narrowed_columns(tables.values())
    for name, table in tables.items():
        layout = layouts[name]
        found = target.columns(layout)
        left_out = {c.name for c in table.columns if layout.find(c.name) is None}
        assert left_out == {c.name for c in table.columns if c.hidden or (c.generated and not c.generated.logged)}
        for column in table.columns:
            if column.name in left_out:
                # Calculated by the target, or reported.
                known = {r.object for r in rendered.reports if r.id == "generated-absent"}
                assert column.hidden or column.name in found or f"{name}.{column.name}" in known
                continue
            place = layout.place(column.name)
            type_sql, not_null, _, identity, comment = found[place.name]
            wanted = target_type(column, (name, column.name.lower()) in narrowed).sql
            assert type_sql == wanted.replace("varchar", "character varying"), column
            assert not_null == (not column.nullable), column
            assert (identity == "d") == (column.auto and place.type in ddl.NUMBERING)
            assert (comment or "") == column.comment
        indexes = target.indexes(layout)
        if table.primary is not None and table.primary.columns:
            assert indexes[layout.index("PRIMARY")][:2] == (True, True)
        made = {i.name for i in table.indexes if layout.index(i.name) in indexes}
        reported = {r.object.rpartition(".")[2] for r in rendered.reports if r.id.startswith("index-")}
        assert {i.name for i in table.indexes} - made <= reported, f"{name}: an index is gone without a word"
        for index in table.indexes:
            if index.name in made:
                assert indexes[layout.index(index.name)][0] == index.unique


def test_load_and_then_keys(source: Source, source_name: str, target: Target) -> None:
    """The order of a job: tables without keys, then key, numbering, indexes, foreign keys."""
    tables = whole_zoo(source, source_name)
    layouts = placed(tables.values())
    target.run(s for n, t in tables.items() for s in ddl.create_table(t, layouts[n], keys=False).statements)
    for name, table in tables.items():
        assert target.indexes(layouts[name]) == {}
        target.run(ddl.key(table, layouts[name]))
        target.run(ddl.identity(table, layouts[name]))
        target.run(ddl.identity(table, layouts[name]))
    for name, table in tables.items():
        for statement in ddl.secondary_indexes(table, layouts[name], concurrently=True).statements:
            target.connection.execute(statement.encode())
    for table in tables.values():
        target.run(ddl.foreign_keys_of(table, tables, layouts))
    numbers = TableName(source.database, "numbers")
    sequence = f"pg_catalog.pg_get_serial_sequence('{layouts[numbers].sql}', 'id')"
    assert target.rows(f"SELECT pg_catalog.nextval({sequence}::regclass)") == [(100,)]
