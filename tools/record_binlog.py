"""Record binary logs of real servers as fixtures of the decoder.

    python -m tools.record_binlog [CASE ...]

Starts each server through the test harness, runs the statements of `tools/binlog_cases.py`, and writes
tests/golden/binlog/<server-version>/<case>/:

how.sql       the statements, with the server's version and settings
events.bin    the log file
tables.json   what the decoder is told: start, selection, tables behind each schema change

`expected.txt` is written by `OPENDRS_GOLDEN=write cargo test --release -p opendrs-binlog --test golden` and is
to be read before it is committed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from tests.harness.catalogue import create
from tests.harness.server import Options
from tools.binlog_cases import CASES, DATABASE, Case

OUT: Final = Path(__file__).parent.parent / "tests/golden/binlog"
SERVERS: Final = ("mariadb", "mariadb11", "mysql")
DDL: Final = re.compile(r"\s*(CREATE|ALTER|DROP|RENAME|TRUNCATE)\s+(?!TEMPORARY|USER|ROLE)", re.I)
INTEGERS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
TEXTS: Final = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
BLOBS: Final = {"varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
PLAIN: Final = {
    "float": "float32",
    "double": "float64",
    **{name: name for name in ("year", "date", "enum", "set", "json", "vector", "uuid", "inet4", "inet6")},
}
GEOMETRIES: Final = {"geometry", "point", "linestring", "polygon", "geomcollection", "geometrycollection"}


def main() -> int:
    wanted = set(sys.argv[1:])
    for name in SERVERS:
        cases = [case for case in CASES if name in case.servers and (not wanted or case.name in wanted)]
        for settings in {tuple(sorted(case.settings.items())) for case in cases}:
            with create(name, Options(settings=dict(settings))) as server:
                for case in cases:
                    if tuple(sorted(case.settings.items())) == settings:
                        record(server, name, case)
    return 0


def record(server: Any, name: str, case: Case) -> None:
    version = re.match(r"[0-9]+\.[0-9]+", server.version)
    product = "mysql" if name == "mysql" else "mariadb"
    folder = OUT / f"{product}-{version.group() if version else 'unknown'}" / case.name
    folder.mkdir(parents=True, exist_ok=True)
    server.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    server.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    server.execute("FLUSH BINARY LOGS")
    log = server.execute("SHOW BINARY LOGS")[-1][0]
    changes = []
    with server.connect(DATABASE) as connection, server.connect(DATABASE) as observer:
        cursor = connection.cursor()
        for statement in case.statements:
            cursor.execute(statement)
            cursor.fetchall()
            if DDL.match(statement):
                changes.append(tables(observer.cursor(), case))
    server.execute("FLUSH BINARY LOGS")
    (folder / "events.bin").write_bytes((server.data / log).read_bytes())
    settings = "".join(f"-- {key}={value}\n" for key, value in sorted(case.settings.items()))
    statements = "".join(f"{statement};\n" for statement in case.statements)
    (folder / "how.sql").write_text(f"-- {server.version}, the harness's settings\n{settings}{statements}")
    (folder / "tables.json").write_text(json.dumps(told(case, log, changes), indent=1, ensure_ascii=False) + "\n")
    print(folder.relative_to(OUT.parent.parent.parent), flush=True)


def told(case: Case, log: str, changes: list[list[dict[str, Any]]]) -> dict[str, Any]:
    start = {"version": 1, "kind": "mysql-file", "server": "golden", "file": {"file": log, "pos": 4}}
    form: dict[str, Any] = {"start": start, "selection": {"databases": [DATABASE]}, "changes": changes}
    if case.not_transactional:
        form["not_transactional"] = list(case.not_transactional)
    if case.part_bytes is not None:
        form["part_bytes"] = case.part_bytes
    return form


def tables(cursor: Any, case: Case) -> list[dict[str, Any]]:
    """Every table of the database as the decoder wants it."""
    cursor.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_name",
        (DATABASE,),
    )
    names = [row[0] for row in cursor.fetchall() if row[0] not in case.unregistered]
    return [{"name": {"schema": DATABASE, "table": name}, "columns": columns(cursor, name)} for name in names]


def columns(cursor: Any, table: str, database: str = DATABASE) -> list[dict[str, Any]]:
    cursor.execute(
        "SELECT column_name, data_type, column_type, is_nullable, character_set_name, numeric_precision,"
        " numeric_scale, datetime_precision, character_maximum_length, extra, generation_expression"
        " FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (database, table),
    )
    specs = []
    for row in cursor.fetchall():
        name, data_type, native, nullable, charset, precision, scale, fraction, length, extra, expression = row
        spec: dict[str, Any] = {"name": name, "type": logical(data_type, native, precision, scale, fraction, length)}
        spec |= {"nullable": nullable == "YES", "native": native}
        if charset is not None:
            spec["charset"] = charset
        if " GENERATED" in extra.upper():
            spec["generated"] = {"expression": expression} if expression == "ROW END" else True
        if data_type in ("enum", "set"):
            spec["members"] = members(native)
        specs.append(spec)
    return specs


def logical(
    data_type: str, native: str, precision: int | None, scale: int | None, fraction: int | None, length: int | None
) -> dict[str, Any]:
    if data_type in INTEGERS:
        return {"kind": "int", "bits": INTEGERS[data_type], "unsigned": "unsigned" in native}
    if data_type == "decimal":
        return {"kind": "decimal", "precision": precision, "scale": scale}
    if data_type == "bit":
        return {"kind": "bits", "length": precision}
    if data_type in ("time", "datetime", "timestamp"):
        return {"kind": data_type, "fraction": fraction or 0}
    if data_type in TEXTS:
        return {"kind": "text"}
    if data_type == "binary":
        return {"kind": "binary", "fixed": length}
    if data_type in BLOBS:
        return {"kind": "binary"}
    if data_type in GEOMETRIES:
        return {"kind": "geometry"}
    return {"kind": PLAIN[data_type]}


def members(native: str) -> list[str]:
    return [member.replace("''", "'") for member in re.findall(r"'((?:[^']|'')*)'", native)]


if __name__ == "__main__":
    sys.exit(main())
