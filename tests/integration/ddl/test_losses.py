"""Every declared loss is counted at the source: exactly the rows that the target cannot hold as they are."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.types import COUNTING, counting
from opendrs.engines.postgres.types import LOSSES, losses
from tests.integration.ddl.sources import Source

DATES = {
    "0000-00-00": True,
    "2024-00-10": True,
    "2024-10-00": True,
    "2024-02-31": True,
    "2023-02-29": True,
    "2024-02-29": False,
    "2024-04-31": True,
    "0000-02-29": False,
    "0004-02-29": False,
    "0100-02-29": True,
    "1900-02-29": True,
    "9999-12-31": False,
    "2024-12-31": False,
    "1000-01-01": False,
}
JSON = {
    '{"a": 1.5, "b": "1. \\\\\\\\ \\\\" x"}': False,
    '"\\\\q"': True,
    "1.": True,
    "[1.,2]": True,
    '"1."': False,
    '"\\\\\\\\q"': False,
    '"\\\\u00e9\\\\n"': False,
    "-1.0e5": False,
}


def found(source: Source, loss: str, column: str) -> set[str]:
    (table,) = source.catalog().values()
    condition = counting(loss, table.column(column))
    assert condition is not None
    assert loss in {one.id for one in losses(table.column(column), narrowed=loss == "beyond-bigint")}
    return {str(row["id"]) for row in source.query(f"SELECT id FROM t WHERE {condition}")}


@pytest.mark.parametrize("type_name", ["DATE", "DATETIME", "DATETIME(6)"])
def test_impossible_dates(source: Source, type_name: str) -> None:
    source.run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    source.run(f"CREATE TABLE t (id INT, d {type_name})")
    for number, text in enumerate(DATES):
        source.run(f"INSERT INTO t VALUES ({number}, '{text}')")
    source.run("INSERT INTO t VALUES (99, NULL)")
    expected = {str(number) for number, impossible in enumerate(DATES.values()) if impossible}
    assert found(source, "impossible-date", "d") == expected
    source.run("SET SESSION sql_mode = 'TRADITIONAL'")
    assert found(source, "impossible-date", "d") == expected, "in a strict session too"


def test_zero_timestamps(source: Source) -> None:
    source.run("CREATE TABLE t (id INT, d TIMESTAMP(3) NULL)")
    source.run("INSERT INTO t VALUES (1, 0), (2, NULL), (3, '1970-01-01 00:00:01'), (4, '2038-01-19 03:14:07.999')")
    assert found(source, "zero-timestamp", "d") == {"1"}


@pytest.mark.parametrize("type_name", ["VARCHAR(20)", "TEXT CHARACTER SET utf16", "CHAR(9) CHARACTER SET latin1"])
def test_nul_characters(source: Source, type_name: str) -> None:
    source.run(f"CREATE TABLE t (id INT, d {type_name})")
    source.run(
        "INSERT INTO t VALUES (1, 'a'), (2, CONCAT('a', CHAR(0 USING utf8mb4), 'b')), (3, NULL), (4, ''), (5, CHAR(0 USING utf8mb4))"
    )
    source.run("INSERT INTO t VALUES (6, 'Ā')")  # in UTF-16 it has a zero byte
    assert found(source, "nul-in-text", "d") == {"2", "5"}


@pytest.mark.parametrize(
    ("charset", "code"), [("sjis", "8540"), ("gbk", "FEFE"), ("big5", "F9FE"), ("cp1251", "98"), ("ujis", "8FA2A1")]
)
@pytest.mark.parametrize("type_name", ["VARCHAR(20)", "TEXT"])
def test_codes_beyond_unicode(source: Source, charset: str, code: str, type_name: str) -> None:
    source.run(f"CREATE TABLE t (id INT, d {type_name} CHARACTER SET {charset})")
    source.run(f"INSERT INTO t VALUES (1, '?a?'), (2, _{charset} x'61{code}3F'), (3, NULL), (4, ''), (5, 'Wort')")
    assert found(source, "no-unicode", "d") == {"2"}


def test_numbers_beyond_bigint(source: Source) -> None:
    source.run("CREATE TABLE t (id INT, d BIGINT UNSIGNED)")
    source.run(
        "INSERT INTO t VALUES (1, 9223372036854775807), (2, 9223372036854775808), (3, 18446744073709551615), (4, 0)"
    )
    assert found(source, "beyond-bigint", "d") == {"2", "3"}


@pytest.mark.parametrize("source_name", ["mariadb", "mariadb11"])
def test_lax_json(source: Source) -> None:
    source.run("CREATE TABLE t (id INT, d JSON)")
    for number, text in enumerate(JSON):
        source.run(f"INSERT INTO t VALUES ({number}, '{text}')")
    assert found(source, "lax-json", "d") == {str(n) for n, lax in enumerate(JSON.values()) if lax}


def test_every_loss_of_a_value_is_counted() -> None:
    assert set(COUNTING) == set(LOSSES) - {"geometry-functions"}
