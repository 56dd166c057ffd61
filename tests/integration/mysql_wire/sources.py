"""What these tests say to the compiled client, and what they read from the servers to compare."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow

from opendrs import _core
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import PASSWORD, USER

SERVER_ID = 4_000_000_001
UUID = "9f0c2b4e-0000-4000-8000-00000000d125"


def options(server: FamilyServer, **changes: Any) -> dict[str, Any]:
    """Connection options for the user `opendrs`, without TLS unless told otherwise."""
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "password": PASSWORD,
        "tls": {"mode": "disable"},
        **changes,
    }


def connect(server: FamilyServer, **changes: Any) -> _core.MysqlConnection:
    return _core.MysqlConnection(json.dumps(options(server, **changes)))


def spec(schema: str, table: str, columns: Sequence[tuple[str, dict[str, Any]]], key: Sequence[str] = ("id",)) -> str:
    """JSON of a table for the compiled readers."""
    described = [
        {"name": name, "type": kind, **({"charset": "utf8mb4"} if kind["kind"] == "text" else {})}
        for name, kind in columns
    ]
    return json.dumps({"name": {"schema": schema, "table": table}, "key": list(key), "columns": described})


INT: dict[str, Any] = {"kind": "int", "bits": 32}
TEXT: dict[str, Any] = {"kind": "text"}
NUMBERED: list[tuple[str, dict[str, Any]]] = [("id", INT), ("v", TEXT)]  # what most tests need: a key and a text


def make_numbered(server: FamilyServer, database: str, table: str = "t") -> str:
    server.execute(f"CREATE TABLE {database}.{table} (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET utf8mb4)")
    return spec(database, table, NUMBERED)


def read_all(
    connection: _core.MysqlConnection, sql: str, table: str, params: Sequence[Any] = (), **limits: int
) -> pyarrow.Table:
    reader = connection.read(sql, json.dumps(list(params)), table)
    batches = []
    limits = {"rows_max": 10_000, "bytes_max": 1 << 20, **limits}
    while (batch := reader.next_batch(**limits)) is not None:
        batches.append(pyarrow.record_batch(batch))
    return pyarrow.Table.from_batches(batches) if batches else pyarrow.table({})


# --- positions ----------------------------------------------------------------------------------


def position(server: FamilyServer, **changes: Any) -> str:
    """Where the server's log ends now, by GTID."""
    if server.name.startswith("mariadb"):
        # Of a primary: its own log, whatever it may have replicated.
        gtid = server.execute("SELECT @@gtid_binlog_pos")[0][0]
        form = {"kind": "mariadb-gtid", "server": "", "gtid": gtid}
    else:
        ((uuid, gtid),) = server.execute("SELECT @@server_uuid, @@gtid_executed")
        form = {"kind": "mysql-gtid", "server": uuid, "gtid": gtid.replace("\n", "")}
    return json.dumps({"version": 1, **form, **changes})


def file_position(server: FamilyServer, **changes: Any) -> str:
    """Where the log of a MySQL server ends now, by file and offset."""
    file, pos, *_ = server.execute("SHOW BINARY LOG STATUS")[0]
    uuid = server.execute("SELECT @@server_uuid")[0][0]
    form = {"kind": "mysql-file", "server": uuid, "file": {"file": file, "pos": pos}}
    return json.dumps({"version": 1, **form, **changes})


def covers(position: str, other: str) -> bool:
    return _core.BinlogPosition(position).covers(_core.BinlogPosition(other))


# --- the log ------------------------------------------------------------------------------------


def log_options(server: FamilyServer, database: str, **changes: Any) -> dict[str, Any]:
    return {
        "connection": options(server),
        "server_id": SERVER_ID,
        "uuid": UUID,
        "host": "opendrs-test",
        "reconnect_for_s": 0.0,
        "selection": {"databases": [database]},
        **changes,
    }


@contextmanager
def open_log(
    server: FamilyServer, database: str, start: str, tables: Sequence[str] = (), **changes: Any
) -> Iterator[_core.MysqlLog]:
    with _core.MysqlLog(json.dumps(log_options(server, database, **changes)), start) as log:
        for table in tables:
            log.register(table)
        yield log


def stats(log: _core.MysqlLog) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(log.stats())
    return found


class Followed:
    """Rows of one table of NUMBERED columns, as the windows of a log leave them."""

    def __init__(self) -> None:
        self.rows: dict[int, str | None] = {}
        self.windows: list[_core.Window] = []
        self.statements: list[str] = []
        self.position: str | None = None

    def take(self, event: object, log: _core.MysqlLog) -> None:
        if isinstance(event, _core.SchemaChange):
            self.statements.append(event.sql)
            self.position = event.position or self.position
            log.resume()
        elif isinstance(event, _core.Window):
            self.windows.append(event)
            for _, _, batch in event.tables:
                self._apply(pyarrow.record_batch(batch).to_pydict())
            self.position = event.position or self.position
        else:
            assert isinstance(event, _core.Heartbeat)
            self.position = event.position

    def _apply(self, columns: dict[str, list[Any]]) -> None:
        for op, key, value in zip(columns["op"], columns["id"], columns["v"], strict=True):
            if op == 1:
                assert key not in self.rows, f"row {key} came twice"
                self.rows[key] = value
            elif op in (2, 4):
                assert self.rows.pop(key) == value
            else:
                self.rows[key] = value

    def until(self, log: _core.MysqlLog, position: str, timeout_s: float = 60) -> None:
        """Follow the log until it covers a position."""
        deadline = time.monotonic() + timeout_s
        while self.position is None or not covers(self.position, position):
            assert time.monotonic() < deadline, f"at {self.position}, not at {position}; {log.stats()}"
            event = log.next(0.5)
            if event is not None:
                self.take(event, log)


def table_rows(server: FamilyServer, database: str, table: str = "t") -> dict[int, str]:
    return dict(server.execute(f"SELECT id, v FROM {database}.{table}"))
