"""Flink reads what a job publishes, and has the rows of the source then."""

from __future__ import annotations

from typing import Any, Final

import pytest

from opendrs.model.publishing import Format
from tests.harness.flink import Change, read
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale

# Of each column its type at the source, in Flink for canal-json and for debezium-json, and how SQL says its value.
COLUMNS: Final = {
    "a": ("INT", "INT", "INT", "{}"),
    "b": ("VARCHAR(20)", "STRING", "STRING", "{}"),
    "tiny": ("TINYINT UNSIGNED", "SMALLINT", "SMALLINT", "{}"),
    "big": ("BIGINT", "BIGINT", "BIGINT", "{}"),
    "huge": ("BIGINT UNSIGNED", "DECIMAL(20, 0)", "DECIMAL(20, 0)", "CAST({} AS CHAR)"),
    "money": ("DECIMAL(20,4)", "DECIMAL(20, 4)", "DECIMAL(20, 4)", "CAST({} AS CHAR)"),
    "wide": ("DECIMAL(60,20)", "STRING", "STRING", "CAST({} AS CHAR)"),
    "real_": ("DOUBLE", "DOUBLE", "DOUBLE", "{}"),
    "flag": ("BIT(1)", "TINYINT", "BOOLEAN", "{}+0"),
    "year_": ("YEAR", "INT", "INT", "CAST({} AS UNSIGNED)"),
    "day_": ("DATE", "DATE", "DATE", "CAST({} AS CHAR)"),
    "at": ("DATETIME(6)", "TIMESTAMP(6)", "TIMESTAMP(6)", "CAST({} AS CHAR)"),
    "since": ("TIMESTAMP(3) NULL", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "CAST({} AS CHAR)"),
    "clock": ("TIME", "TIME", "TIME", "CAST({} AS CHAR)"),
    "long_": ("LONGTEXT", "STRING", "STRING", "{}"),
    "raw": ("VARBINARY(20)", "BYTES", "BYTES", "LOWER(HEX({}))"),
    "doc": ("JSON", "STRING", "STRING", "CAST({} AS CHAR)"),
    "kind": ("ENUM('x','y z')", "STRING", "STRING", "{}"),
}
ROWS: Final = (
    "1, 'é<&>''', 255, -9223372036854775808, 18446744073709551615, -1.5, 1.00000000000000000001, 1e-7, 1, 2155,"
    " '9999-12-31', '2024-02-29 23:59:59.999999', '2038-01-19 03:14:07.125', '23:59:59', '😀\\\"\\\\', x'00ff80', '[1, null]', 'y z'",
    "1, 'two', 0, 9223372036854775807, 0, 99999999999.9999, -3, 1.7976931348623157e308, 0, 1901, '1000-01-01',"
    " '1000-01-01 00:00:00', '1970-01-01 00:00:01', '00:00:00', '', x'', '{}', 'x'",
    "2, 'nulls'" + ", NULL" * (len(COLUMNS) - 2),
    "3, 'goes'" + ", NULL" * (len(COLUMNS) - 2),
)


def fill(tale: Tale, shift: int) -> str:
    values = (row.replace(row[0], str(int(row[0]) + shift), 1) for row in ROWS)
    return ";\n".join(f"INSERT INTO t VALUES ({row})" for row in values)


def held(changes: list[Change], key: int) -> set[tuple[Any, ...]]:
    """The rows of a table that takes these changes by the first columns."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for kind, row in changes:
        if kind in ("+I", "+U"):
            rows[row[:key]] = row
        else:
            assert rows.pop(row[:key]) == row, "it takes back what it had"
    return set(rows.values())


def at_source(tale: Tale, form: Format) -> set[tuple[Any, ...]]:
    asked = ", ".join(how.format(f"`{name}`") for name, (_, _, _, how) in COLUMNS.items())
    with tale.source.connect(tale.name) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"SELECT {asked} FROM t")
        rows = cursor.fetchall()
    return {tuple(map(lambda name, value: as_flink(name, value, form), COLUMNS, row)) for row in rows}


def as_flink(name: str, value: Any, form: Format) -> Any:
    if value is None:
        return None
    match name:
        case "flag" if form == "debezium-json":
            return bool(value)
        case "at" | "since":
            whole, _, fraction = value.partition(".")
            digits = fraction.rstrip("0")
            digits += "0" * (-len(digits) % 3)  # as Java prints an instant
            return (
                whole + (f".{digits}" if digits else "") + ("Z" if name == "since" and form == "debezium-json" else "")
            )
    return value


@pytest.mark.parametrize(
    ("server", "form", "release"), [("mysql", "debezium-json", "2.3"), ("mariadb", "canal-json", "1.20")]
)
def test_flink_has_the_rows_of_the_source(
    request: pytest.FixtureRequest, kafka: Kafka, tell: NewTale, server: str, form: Format, release: str
) -> None:
    source: FamilyServer = request.getfixturevalue(server)
    tale = tell(source, kafka, topic_policy=1, format=form, partition_policy=2)
    columns = ", ".join(f"`{name}` {native}" for name, (native, _, _, _) in COLUMNS.items())
    tale.at_source(f"CREATE TABLE t ({columns}, PRIMARY KEY (a, b));\nSET time_zone = '+00:00';\n{fill(tale, 0)}")
    tale.play()
    tale.at_source(f"SET time_zone = '+00:00';\n{fill(tale, 10)}")
    tale.at_source("""
UPDATE t SET money = NULL, long_ = 'later', raw = x'01', since = NULL WHERE a IN (1, 11);
UPDATE t SET huge = 7, doc = '{"a": 1}' WHERE a IN (2, 12);
DELETE FROM t WHERE b = 'goes';
UPDATE t SET a = a + 100 WHERE b = 'two';
REPLACE INTO t (a, b) VALUES (2, 'nulls')
""")
    tale.play()
    types = {name: canal if form == "canal-json" else debezium for name, (_, canal, debezium, _) in COLUMNS.items()}
    found = read(form, types, tale.values(f"{tale.name}-t"), release=release)  # type: ignore[arg-type]
    assert held(found, 2) == at_source(tale, form)
    assert {kind for kind, _ in found} == {"+I", "-U", "+U", "-D"}
