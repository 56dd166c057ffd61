"""Build binary logs of servers that cannot be started here, from the documented format.

    python -m tests.golden.binlog.build

Writes tests/golden/binlog/built/<case>/{how.txt,events.bin,tables.json}. Independent of the decoder: nothing
of it is used here. Sources: MySQL source documentation ("Binary Log Event"), MariaDB knowledge base
("Replication Protocol"), MDEV-32570.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

OUT: Final = Path(__file__).parent / "built"
UUID: Final = bytes(range(16))
TABLE: Final[dict[str, Any]] = {
    "name": {"schema": "golden", "table": "t"},
    "columns": [
        {"name": "id", "type": {"kind": "int", "bits": 32}, "native": "int"},
        {"name": "x", "type": {"kind": "text"}, "charset": "latin1", "nullable": True, "native": "varchar(20)"},
    ],
}
QUERY, STOP, ROTATE, INTVAR, FDE, XID, TABLE_MAP = 2, 3, 4, 5, 15, 16, 19
INCIDENT, GTID, ANONYMOUS, HEARTBEAT_V2, PARTIAL, EXECUTE_LOAD = 26, 33, 34, 41, 172, 18
MARIADB_GTID, GTID_LIST = 162, 163
WRITE1, WRITE2, UPDATE2, DELETE2 = 23, 30, 31, 32
IGNORABLE, ARTIFICIAL = 0x80, 0x20


class Log:
    """A log file that grows event by event."""

    def __init__(self, version: str, *, checksums: bool = True) -> None:
        self.bytes = bytearray(b"\xfebin")
        self.checksums = checksums
        self.version = version
        self.format()

    def event(self, kind: int, body: bytes, *, flags: int = 0, end: int | None = None) -> None:
        crc = self.checksums or kind == FDE
        size = 19 + len(body) + 4 * crc
        end = len(self.bytes) + size if end is None else end
        event = struct.pack("<IBIIIH", 1_700_000_000, kind, 7, size, end, flags) + body
        self.bytes += event + (struct.pack("<I", zlib.crc32(event)) if crc else b"")

    def format(self, created: int = 1) -> None:
        lengths = bytearray(42)
        lengths[TABLE_MAP - 1] = 8
        body = struct.pack("<H50sIB", 4, self.version.encode(), created, 19) + lengths + bytes([self.checksums])
        self.event(FDE, body)

    def query(self, sql: str, *, kind: int = QUERY, variables: bytes = b"", own: bytes = b"") -> None:
        fixed = struct.pack("<IIBHH", 5, 0, 6, 0, len(variables))
        self.event(kind, fixed + own + variables + b"golden\0" + sql.encode())

    def anonymous(self) -> None:
        """As MySQL 5.7 writes it: with the logical clock, without commit times."""
        self.event(ANONYMOUS, b"\0" + bytes(16) + struct.pack("<QBQQ", 0, 2, 0, 1))

    def gtid(self, number: int) -> None:
        """As MySQL 8.0 writes it: with commit times, length and server version."""
        body = b"\0" + UUID + struct.pack("<QBQQ", number, 2, 0, 1)
        body += struct.pack("<Q", 1_700_000_000_000_000 + number)[:7] + b"\xfc\x00\x01" + struct.pack("<I", 80036)
        self.event(GTID, body)

    def mariadb_gtid(self, sequence: int, flags: int = 0) -> None:
        self.event(MARIADB_GTID, struct.pack("<QIB6x", sequence, 0, flags))

    def table_map(self, table: bytes = b"t") -> None:
        head = struct.pack("<IHH", 9, 0, 1) + b"\x06golden\0" + bytes([len(table)]) + table + b"\0"
        self.event(TABLE_MAP, head + bytes([2, 3, 15, 2]) + struct.pack("<H", 20) + b"\x02")

    def rows(self, kind: int, *images: tuple[int, str | None]) -> None:
        self.event(kind, rows(kind, *images))

    def xid(self) -> None:
        self.event(XID, struct.pack("<Q", 1))


def rows(kind: int, *images: tuple[int, str | None]) -> bytes:
    head = struct.pack("<IHH", 9, 0, 1) + (b"\x02\x00" if kind >= WRITE2 else b"") + b"\x02\x03"
    return head + (b"\x03" if kind == UPDATE2 else b"") + b"".join(image(*values) for values in images)


def image(id_: int, x: str | None) -> bytes:
    if x is None:
        return b"\xfe" + struct.pack("<i", id_)
    text = x.encode("latin1")
    return b"\xfc" + struct.pack("<i", id_) + bytes([len(text)]) + text


def mysql_5_7() -> Log:
    log = Log("5.7.44-log")
    log.anonymous()
    log.query("BEGIN")
    log.table_map()
    log.rows(WRITE2, (1, "é"), (2, None))
    log.table_map()
    log.rows(UPDATE2, (1, "é"), (1, "b"))
    log.rows(DELETE2, (2, None))
    log.xid()
    log.anonymous()
    log.query("DELETE FROM `golden`.`t`")  # a MEMORY table after a restart of the server
    log.anonymous()
    log.query("BEGIN")
    log.table_map()
    log.rows(WRITE2, (3, "c"))
    log.query("ROLLBACK")
    return log


def mysql_5_6() -> Log:
    """No GTIDs at all, no checksums."""
    log = Log("5.6.51-log", checksums=False)
    log.query("BEGIN")
    log.table_map()
    log.rows(WRITE1, (1, "a"))
    log.xid()
    log.query("ALTER TABLE t COMMENT 'x'")
    return log


def mysql_8_0() -> Log:
    log = Log("8.0.36")
    for number in (1, 2):
        log.gtid(number)
        log.query("BEGIN")
        log.table_map()
        log.rows(WRITE2, (number, "a"))
        log.xid()
        log.event(HEARTBEAT_V2, b"\x01\x04file\x02\x01\x04\x00", flags=ARTIFICIAL)
        log.event(99, b"new", flags=IGNORABLE)
    return log


def unknown_event() -> Log:
    log = Log("8.0.36")
    log.event(99, b"new")
    return log


def incident() -> Log:
    log = Log("8.0.36")
    log.event(INCIDENT, struct.pack("<HB", 1, 4) + b"lost")
    return log


def fragments(number_first: bool, keep: int = 3) -> Callable[[], Log]:
    def make() -> Log:
        log = Log("12.3.1-MariaDB-log")
        log.event(GTID_LIST, struct.pack("<I", 0), flags=ARTIFICIAL, end=0)
        log.mariadb_gtid(1)
        log.table_map()
        body = rows(WRITE1, *((n, "f" * 20) for n in range(1, 8)))
        event = struct.pack("<IBIIIH", 1_700_000_000, WRITE1, 7, 19 + len(body), 0, 0) + body
        third = len(event) // 3
        pieces = [event[:third], event[third : 2 * third], event[2 * third :]]
        for number, piece in enumerate(pieces[:keep], 1):
            order = (number, 3) if number_first else (3, number)
            size = struct.pack("<Q", len(event)) if number == 1 else b""
            log.event(PARTIAL, struct.pack("<IIB", *order, number == 1) + size + piece)
        log.xid()
        return log

    return make


def mariadb_10_4() -> Log:
    log = Log("10.4.32-MariaDB-log")
    log.mariadb_gtid(1)
    log.table_map()
    log.rows(WRITE1, (1, "a"))
    log.xid()
    log.mariadb_gtid(2, flags=1)
    log.query("DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`")
    return log


def restart_within() -> Log:
    """The server was killed within a transaction; its next file begins with a format description."""
    log = Log("8.0.36")
    log.gtid(1)
    log.query("BEGIN")
    log.table_map()
    log.rows(WRITE2, (1, "lost"))
    log.format(created=2)
    log.gtid(2)
    log.query("BEGIN")
    log.table_map()
    log.rows(WRITE2, (2, "kept"))
    log.xid()
    return log


def load_data() -> Log:
    log = Log("8.0.36")
    log.gtid(1)
    log.query("BEGIN")
    log.query("LOAD DATA INFILE 'x' INTO TABLE `t`", kind=EXECUTE_LOAD, own=struct.pack("<IIIB", 1, 0, 5, 0))
    return log


def variables_without_statement() -> Log:
    log = Log("8.0.36")
    log.gtid(1)
    log.query("BEGIN")
    log.event(INTVAR, struct.pack("<BQ", 2, 7))
    log.table_map()
    return log


CASES: Final[dict[str, tuple[Callable[[], Log], dict[str, Any]]]] = {
    "mysql-5.7": (mysql_5_7, {}),
    "mysql-5.6": (mysql_5_6, {}),
    "mysql-8.0": (mysql_8_0, {}),
    "mariadb-10.4": (mariadb_10_4, {}),
    "mariadb-12.3-fragments": (fragments(True), {}),
    "mariadb-12.3-fragments-documented-order": (fragments(False), {}),
    "mariadb-12.3-fragment-missing": (fragments(True, keep=2), {}),
    "unknown-event": (unknown_event, {}),
    "incident": (incident, {}),
    "restart-within": (restart_within, {}),
    "restart-within-parts": (restart_within, {"part_bytes": 1}),
    "load-data": (load_data, {}),
    "variables-without-statement": (variables_without_statement, {}),
}


def main() -> int:
    start = {"version": 1, "kind": "mysql-file", "server": "built", "file": {"file": "file", "pos": 4}}
    for name, (make, more) in CASES.items():
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        log = make()
        (folder / "events.bin").write_bytes(log.bytes)
        (folder / "how.txt").write_text(f"built by tests/golden/binlog/build.py as {log.version} would write it\n")
        form = {"start": start, "selection": {"databases": ["golden"]}, "tables": [TABLE], **more}
        (folder / "tables.json").write_text(json.dumps(form, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
