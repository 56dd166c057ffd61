"""The same log through python-mysql-replication: another reading of the format, by other people."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.binlog.test_values import replayed
from tools.record_binlog import columns

# Types and values that it reads without loss: of empty binary strings it makes text.
TABLE = """CREATE TABLE t (id INT PRIMARY KEY, i BIGINT, u INT UNSIGNED, d DECIMAL(38,10), f DOUBLE, s VARCHAR(300),
    c CHAR(5), b VARBINARY(20), e ENUM('x','y'), y YEAR)"""
ROWS = (
    "INSERT INTO t VALUES (1, -9223372036854775808, 4294967295, -1.5, 0.1, 'é', 'a', x'6100', 'y', 2155)",
    "INSERT INTO t VALUES (2, NULL, 0, 12345678901234567890.0123456789, -1e300, REPEAT('z', 299), '', x'00ff', 'x', 1901)",
    "INSERT INTO t (id) VALUES (3), (4), (5)",
    "UPDATE t SET s = CONCAT(COALESCE(s, ''), '!'), i = id",
    "DELETE FROM t WHERE id = 4",
)


@pytest.mark.filterwarnings("ignore")
def test_python_mysql_replication_reads_the_same_rows(source: FamilyServer, database: NewDatabase) -> None:
    schema = database(source)
    source.execute("FLUSH BINARY LOGS")
    log = source.execute("SHOW BINARY LOGS")[-1][0]
    before = source.execute("SELECT @@gtid_binlog_pos")[0][0] if "MariaDB" in source.version else None
    for statement in (TABLE, *ROWS):
        source.execute(statement, database=schema)
    with source.connect(schema) as connection:
        specs = columns(connection.cursor(), "t", schema)
    other = _other(source, schema, log, before)
    source.execute("FLUSH BINARY LOGS")
    ours = replayed((source.data / log).read_bytes(), schema, {"t": specs})["t"]
    names = [spec["name"] for spec in specs]
    named = {id_: dict(zip(names, values, strict=True)) for id_, values in ours.items()}
    assert named.keys() == other.keys()
    for id_, row in named.items():
        differing = {name: (value, other[id_][name]) for name, value in row.items() if value != other[id_][name]}
        assert not differing


def _other(source: FamilyServer, schema: str, log: str, before: str | None) -> dict[Any, dict[str, Any]]:
    """Its rows; of MariaDB it begins behind a GTID position, and would take a file and a place for nothing."""
    login = urllib.parse.urlsplit(source.url())
    stream = BinLogStreamReader(
        connection_settings={
            "host": login.hostname,
            "port": login.port,
            "user": login.username,
            "passwd": urllib.parse.unquote(login.password or ""),
        },
        server_id=4242,
        log_file=log,
        log_pos=4,
        auto_position=before,
        resume_stream=True,
        only_schemas=[schema],
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
        is_mariadb=before is not None,
    )
    rows: dict[Any, dict[str, Any]] = {}
    for event in stream:
        for row in event.rows:
            if isinstance(event, WriteRowsEvent):
                rows[row["values"]["id"]] = row["values"]
            elif isinstance(event, UpdateRowsEvent):
                assert rows.pop(row["before_values"]["id"]) == row["before_values"]
                rows[row["after_values"]["id"]] = row["after_values"]
            else:
                assert rows.pop(row["values"]["id"]) == row["values"]
    stream.close()
    return rows
