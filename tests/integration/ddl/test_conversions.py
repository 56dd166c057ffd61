"""A change of a column's type gives the target the values that it gives the source, or stops.

Every pair of types, with values of the first that may or may not fit the second, in lax sql_mode, where
servers convert whatever they are given.
"""

from __future__ import annotations

from contextlib import closing

import pymysql
import pytest

from opendrs.engines.mysql.columns import column_type
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import Lexer
from opendrs.engines.mysql.types import TYPES
from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.alterations import Schema, render
from opendrs.engines.postgres.conversions import RULES
from opendrs.engines.postgres.layout import Layout
from opendrs.model.catalog import Table, TableName
from opendrs.model.evolution import applied
from tests.harness.fixtures import NewDatabase
from tests.harness.postgres import Postgres
from tests.integration.ddl.sources import Source
from tests.integration.ddl.targets import Target, placed
from tests.integration.ddl.test_render_alterations import copy_rows, plain, read_target, rows_of_source

MYSQL = Flavour("mysql", 90000)
TEXTS = ("''", "'a'", "'abc  '", "'12'", "'ab, c'", "'größe'", "'x,y'", '\'{"b": [1, 2.50], "a": null}\'')
VALUES: dict[str, tuple[str, ...]] = {
    "TINYINT": ("0", "-128", "127", "NULL"),
    "SMALLINT UNSIGNED": ("0", "65535", "300"),
    "INT": ("0", "-2147483648", "2147483647", "12345"),
    "INT(6) ZEROFILL": ("0", "42", "1234567"),
    "BIGINT UNSIGNED": ("0", "18446744073709551615", "9223372036854775808"),
    "DECIMAL(10,2)": ("0", "-1.5", "2.5", "0.005", "12345678.99", "-0.49"),
    "DECIMAL(5,4) UNSIGNED": ("0", "1.2345", "9.9999"),
    "FLOAT": ("0", "0.1", "-1.5", "2.5", "1e20", "123456.789"),
    "DOUBLE": ("0", "0.1", "-1.5", "2.5", "3.5", "1e20", "1e-5", "0.30000000000000004"),
    "DOUBLE UNSIGNED": ("0", "0.1", "2.5"),
    "BIT(8)": ("b'0'", "b'101'", "b'11111111'"),
    "BIT(12)": ("b'0'", "b'101'"),
    "YEAR": ("2024", "0", "1901"),
    "DATE": ("'2020-01-02'", "'1000-01-01'", "'9999-12-31'"),
    "TIME": ("'10:11:12'", "'-100:00:01'", "'838:59:59'"),
    "TIME(3)": ("'10:11:12.345'", "'-0:00:00.001'"),
    "DATETIME": ("'2020-01-02 03:04:05'", "'1000-01-01 00:00:00'"),
    "DATETIME(6)": ("'2020-01-02 03:04:05.678901'", "'2020-01-02 23:59:59.999999'"),
    "TIMESTAMP": ("'2020-01-02 03:04:05'",),
    "TIMESTAMP(6)": ("'2020-01-02 03:04:05.678901'",),
    "CHAR(5)": ("''", "'a'", "'abc'", "'größe'"),
    "VARCHAR(20)": TEXTS[:-1],
    "VARCHAR(3)": ("''", "'a  '", "'abc'"),
    "VARCHAR(20) CHARACTER SET latin1": ("''", "'größe'", "'12'"),
    "TEXT": TEXTS,
    "LONGTEXT": TEXTS,
    "BINARY(4)": ("'ab'", "x'00ff'", "''"),
    "VARBINARY(10)": ("'ab'", "x'00ff00'", "''", "'12'"),
    "BLOB": ("'ab'", "x'00ff00'", "''", "'größe'"),
    "ENUM('a','b','x')": ("'a'", "'x'"),
    "ENUM('A','c','x','a')": ("'c'", "'x'"),
    "ENUM('x','c')": ("'c'", "'x'"),
    "SET('x','y','z')": ("''", "'x,z'", "'y'"),
    "SET('z','x','y')": ("'z'", "'x,y'"),
    "SET('x','y','z','w')": ("'x,w'",),
    "JSON": ('\'{"b": [1, 2.50], "a": null}\'', "'\"text\"'", "'12'"),
}


@pytest.mark.parametrize("source_name", ["mariadb", "mysql"])
@pytest.mark.parametrize("old", VALUES)
def test_conversions(source: Source, postgres: Postgres, database: NewDatabase, old: str) -> None:
    wanted = [new for new in VALUES if new != old and (kind(old), kind(new)) in RULES]
    columns = ", ".join(f"c{number} {old}" for number, _ in enumerate(wanted))
    source.run(f"CREATE TABLE t (id INT PRIMARY KEY, {columns}) ROW_FORMAT=DYNAMIC")
    for number, value in enumerate(VALUES[old]):
        source.run(f"INSERT INTO t VALUES ({number}{f', {value}' * len(wanted)})")
    tables = source.catalog()
    layouts = placed(tables.values())
    with closing(Target(postgres, database(postgres))) as target:
        _try_all(source, target, old, wanted, tables, layouts)


def _try_all(
    source: Source,
    target: Target,
    old: str,
    wanted: list[str],
    tables: dict[TableName, Table],
    layouts: dict[TableName, Layout],
) -> None:
    target.run(ddl.every_table(tables.values(), layouts))
    copy_rows(source, target, tables, layouts)
    results: dict[str, list[str]] = {"converted": [], "stopped": [], "refused": []}
    for number, new in enumerate(wanted):
        outcome = "converted"
        statement = f"ALTER TABLE t MODIFY c{number} {new}"
        try:
            source.run(statement)
            tables, layouts = carried_out(source, target, statement, tables, layouts)
            same_column(source, target, tables, layouts, f"c{number}", statement)
        except pymysql.Error:
            outcome = "refused"
        except AssertionError as error:
            if "same_column" in str(error):
                raise
            outcome = "stopped"
        results[outcome].append(new)
        if outcome != "converted":  # the two sides went different ways
            gone = f"ALTER TABLE t DROP COLUMN c{number}"
            source.run(gone)
            tables, layouts = carried_out(source, target, gone, tables, layouts)
    print(old, {outcome: len(names) for outcome, names in results.items()}, results["converted"])


def kind(declared: str) -> str:
    return "json" if declared == "JSON" else TYPES[column_type(Cursor(Lexer(declared, MYSQL))).name].kind


def carried_out(
    source: Source, target: Target, statement: str, tables: dict[TableName, Table], layouts: dict[TableName, Layout]
) -> tuple[dict[TableName, Table], dict[TableName, Layout]]:
    meaning = parse(statement, source.session, source.scope(tables))
    assert not isinstance(meaning, Ignored)
    after = applied(tables, meaning[0])
    there = placed(after.values())
    target.run(render(meaning[0], Schema(tables, layouts), Schema(after, there)))
    return after, there


def same_column(
    source: Source,
    target: Target,
    tables: dict[TableName, Table],
    layouts: dict[TableName, Layout],
    name: str,
    statement: str,
) -> None:
    ((table_name, table),) = tables.items()
    column = table.column(name)
    kinds = ["int", column.type.kind]
    ours = target.rows(f"SELECT id, {read_target(column, layouts[table_name])} FROM {layouts[table_name].sql}")
    theirs = rows_of_source(source, table, [table.column("id"), column])
    one, other = (
        sorted(repr([plain(v, k) for v, k in zip(r, kinds, strict=True)]) for r in rows) for rows in (ours, theirs)
    )
    assert one == other, f"same_column: {statement}"
