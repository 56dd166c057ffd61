"""Every type, read from the log and held against the server's own SELECT and against other decoders."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.binlog.canonical import decoded, expression, plain, selected
from tests.integration.binlog.samples import samples
from tools.record_binlog import columns

SEED = 20261123
# What the log tells of columns stands in lists of some of them only: whoever is wrong about which is wrong
# about those behind.
NEIGHBOURS = """u TINYINT UNSIGNED NOT NULL DEFAULT 200, s SMALLINT NOT NULL DEFAULT -1,
    l VARCHAR(5) CHARACTER SET latin1 DEFAULT 'é', t VARCHAR(5) CHARACTER SET utf8mb4 DEFAULT '茶',
    e ENUM('ä','ö') CHARACTER SET latin1 DEFAULT 'ö', f SET('é','x') CHARACTER SET utf8mb4 DEFAULT 'é'"""
GOLDEN = Path(__file__).parent.parent.parent / "golden/binlog"


def product(server: FamilyServer) -> str:
    if "MariaDB" not in server.version:
        return "mysql"
    return "mariadb" if server.version.startswith("10.") else "mariadb11"


def changed(server: FamilyServer, database: str) -> tuple[bytes, dict[str, list[dict[str, Any]]]]:
    """Fill one table a type, change a few rows, and return the log and the tables' columns."""
    server.execute("FLUSH BINARY LOGS")
    log = server.execute("SHOW BINARY LOGS")[-1][0]
    tables = {}
    with server.connect(database) as connection:
        cursor = connection.cursor()
        cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        for number, (native, values) in enumerate(samples(product(server), SEED)):
            table = f"t{number}"
            cursor.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, v {native}, {NEIGHBOURS})")
            rows = values if "NOT NULL" in native else [*values, "NULL"]
            for id_, value in enumerate(rows):
                cursor.execute(f"INSERT INTO {table} (id, v) VALUES ({id_}, {value})")
            cursor.execute(f"UPDATE {table} SET id = id + 1000 WHERE id < 2")
            cursor.execute(f"DELETE FROM {table} WHERE id = 1001")
            tables[table] = columns(cursor, table, database)
    server.execute("FLUSH BINARY LOGS")
    return (server.data / log).read_bytes(), tables


def replayed(log: bytes, database: str, tables: dict[str, list[dict[str, Any]]]) -> dict[str, dict[Any, list[Any]]]:
    """The rows that stand at the end; every before image must be the row as it stood."""
    start = {"version": 1, "kind": "mysql-file", "server": "s", "file": {"file": "f", "pos": 4}}
    decoder = _core.BinlogDecoder(json.dumps(start))
    decoder.select(json.dumps({"databases": [database]}))
    for name, specs in tables.items():
        decoder.register(json.dumps({"name": {"schema": database, "table": name}, "columns": specs}))
    state: dict[str, dict[Any, list[Any]]] = {name: {} for name in tables}
    for at, length in _core.binlog_events(log):
        decoder.feed(log[at : at + length])
        while taken := decoder.take():
            if isinstance(taken, _core.SchemaChange):
                decoder.resume()
            elif isinstance(taken, _core.Window):
                for _, name, batch in taken.tables:
                    _apply(state[name], pa.record_batch(batch))
    return state


def _apply(rows: dict[Any, list[Any]], batch: pa.RecordBatch) -> None:
    for op, _, _, _, *values in zip(*map(plain, batch.columns), strict=True):
        if op in (1, 3):
            rows[values[0]] = values
        else:
            assert rows.pop(values[0]) == values


@pytest.mark.parametrize("metadata", ["MINIMAL", "FULL"])
def test_the_log_says_what_select_says(source: FamilyServer, database: NewDatabase, metadata: str) -> None:
    schema = database(source)
    before = source.execute("SELECT @@binlog_row_metadata")[0][0]
    source.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
    try:
        log, tables = changed(source, schema)
    finally:
        source.execute(f"SET GLOBAL binlog_row_metadata = {before}")
    found = replayed(log, schema, tables)
    with source.connect(schema, conv={}) as connection:
        cursor = connection.cursor()
        cursor.execute("SET time_zone = '+00:00'")
        for name, specs in tables.items():
            kinds = [spec["type"]["kind"] for spec in specs]
            wanted = ", ".join(expression(spec["name"], kind) for spec, kind in zip(specs, kinds, strict=True))
            cursor.execute(f"SELECT {wanted} FROM {name}")
            expected = {
                row[0]: [selected(value, kind) for value, kind in zip(row, kinds, strict=True)]
                for row in cursor.fetchall()
            }
            ours = {
                str(id_): [decoded(value, spec["type"]) for value, spec in zip(values, specs, strict=True)]
                for id_, values in found[name].items()
            }
            assert ours == expected, specs[1]["native"]


PRINTED = re.compile(rb"^### (INSERT INTO|UPDATE|DELETE FROM) `golden`\.`(\w+)`", re.M)
OPS = {1: b"INSERT INTO", 2: b"UPDATE", 4: b"DELETE FROM"}


@pytest.mark.parametrize("case", ["numbers", "texts", "temporals", "foreign_keys"])
def test_the_servers_own_program_prints_the_same_changes(source: FamilyServer, case: str) -> None:
    own = product(source)
    version = ".".join(source.version.split(".")[:2])
    folder = GOLDEN / f"{'mysql' if own == 'mysql' else 'mariadb'}-{version}" / case
    if not folder.is_dir():
        pytest.skip(f"no log of {version} was recorded")
    program = source.programs.path("mysqlbinlog" if own == "mysql" else "mariadb-binlog")
    printed = subprocess.run(
        [program, "--no-defaults", "-vv", "--base64-output=decode-rows", folder / "events.bin"],
        check=True,
        capture_output=True,
    ).stdout
    expected = Counter((op, table.decode()) for op, table in PRINTED.findall(printed))
    told = json.loads((folder / "tables.json").read_text())
    log = (folder / "events.bin").read_bytes()
    assert expected == counted(log, told)


def counted(log: bytes, told: dict[str, Any]) -> Counter[tuple[bytes, str]]:
    decoder = _core.BinlogDecoder(json.dumps(told["start"]))
    decoder.select(json.dumps(told["selection"]))
    changes = iter(told["changes"])
    found: Counter[tuple[bytes, str]] = Counter()
    for at, length in _core.binlog_events(log):
        decoder.feed(log[at : at + length])
        while taken := decoder.take():
            if isinstance(taken, _core.SchemaChange):
                for table in next(changes):
                    decoder.register(json.dumps(table))
                decoder.resume()
            elif isinstance(taken, _core.Window):
                for _, name, batch in taken.tables:
                    ops = pa.record_batch(batch).column("op").to_pylist()
                    found.update((OPS[op], name) for op in ops if op in OPS)
    return found
