"""A table of every type that a condition may be about, and what a server and we say of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from opendrs._core import RowFilter
from opendrs.engines.mysql.catalog import read_catalog, read_session
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.filtering import answers
from opendrs.engines.mysql.filters import Compiled, compiled
from opendrs.model.catalog import Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.selection import Selection
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import PASSWORD, USER

# name -> (type, values as SQL); NULL is among the values of each
COLUMNS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "i": ("INT", ("-7", "-1", "0", "1", "2", "7", "2147483647", "NULL")),
    "u": ("BIGINT UNSIGNED", ("0", "1", "9007199254740993", "18446744073709551615", "NULL")),
    "d": ("DECIMAL(20,4)", ("-1.5", "0", "0.0001", "1.5000", "1.5001", "99999999.9999", "NULL")),
    "w": ("DECIMAL(60,20)", ("-1.5", "0", "1.5", "1234567890123456789012345678901234567890.00000000000000000001", "NULL")),
    "f": ("FLOAT", ("-0.0", "0.1", "0.5", "16777216", "NULL")),
    "g": ("DOUBLE", ("-0.0", "0.1", "0.5", "9007199254740992", "1e300", "NULL")),
    "y": ("YEAR", ("0", "1901", "1999", "2024", "2155", "NULL")),
    "b": ("BIT(8)", ("b'0'", "b'101'", "b'11111111'", "NULL")),
    "day": ("DATE", ("'0000-00-00'", "'2024-00-10'", "'2024-02-29'", "'2024-02-31'", "'2024-03-01'", "NULL")),
    "at": (
        "DATETIME(6)",
        ("'0000-00-00 00:00:00'", "'2024-02-29 00:00:00'", "'2024-02-29 23:59:59.5'", "'2024-02-31 01:00:00'", "NULL"),
    ),
    "ts": (
        "TIMESTAMP(3) NULL",
        ("'0000-00-00 00:00:00'", "'2024-02-29 00:00:00'", "'2024-02-29 23:59:59.5'", "NULL"),
    ),
    "t": ("TIME(2)", ("'-838:59:59'", "'-00:00:00.5'", "'00:00:00'", "'23:59:59.99'", "'100:00:00'", "NULL")),
    "v": (
        "VARCHAR(40)",
        ("''", "' '", "'open'", "'OPEN'", "'open '", "'öpen'", "'Öpen '", "'strasse'", "'straße'", "'100%'", "'100x'",
         "'a_c'", "'abc'", "'a\\\\c'", "X'01'", "'日本'", "NULL"),
    ),
    "c": ("CHAR(10) CHARACTER SET latin1", ("''", "'open'", "'OPEN'", "'öpen'", "NULL")),
    "k": (
        "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        ("''", "'open'", "'OPEN'", "'open '", "'open\\t'", "'öpen'", "'日本'", "NULL"),
    ),
    "e": ("ENUM('open','shut','ÖFFEN')", ("'open'", "'shut'", "'ÖFFEN'", "NULL")),
    "s": ("SET('a','b','c')", ("''", "'a'", "'a,c'", "NULL")),
    "x": ("VARBINARY(10)", ("''", "x'00'", "x'ff'", "x'ff00'", "NULL")),
    "z": ("BINARY(3)", ("''", "x'ff'", "x'ff0001'", "NULL")),
}  # fmt: skip


def make(server: FamilyServer, database: str, rows: int) -> Table:
    """Each row has of each column one of its values, in turns that have no common measure."""
    columns = ", ".join(f"`{name}` {kind}" for name, (kind, _) in COLUMNS.items())
    server.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
    lines = []
    for row in range(rows):
        turn = row
        values = [str(row)]
        for place, (_, choices) in enumerate(COLUMNS.values()):
            values.append(choices[(turn * (place + 1) + row // len(choices)) % len(choices)])
        lines.append(f"({', '.join(values)})")
    server.execute(f"SET SESSION sql_mode = ''; INSERT INTO {database}.t VALUES {', '.join(lines)}")
    with session_at(server) as session:
        selection = Selection(tables=frozenset({TableName(database, "t")}))
        return read_catalog(session.query, selection, read_session(session.query).flavour).tables[0]


def session_at(server: FamilyServer) -> Session:
    return Session(Endpoint.parse(f"mysql://{USER}:{PASSWORD}@127.0.0.1:{server.port}?tls=disable"))


def said_by_server(session: Session, table: Table, condition: Compiled) -> set[int]:
    name = f"`{table.name.schema}`.`{table.name.table}`"
    return {int(row["id"] or "") for row in session.query(f"SELECT id FROM {name} WHERE {condition.sql}")}


def said_by_us(session: Session, table: Table, condition: Compiled) -> set[int]:
    """The table read as the snapshot reads it, and judged as the log is."""
    core = RowFilter(json.dumps(table.to_json()), json.dumps(condition.node), "iud")
    names = ", ".join(f"`{column.name}`" for column in table.columns)
    reader = session.read(
        f"SELECT {names} FROM `{table.name.schema}`.`{table.name.table}` ORDER BY id", [], json.dumps(table.to_json())
    )
    batches = []
    while (batch := reader.next_batch(10_000, 1 << 26)) is not None:
        batches.append(batch)
    kept: list[bool] = []
    for batch in batches:
        for (number, text), verdict in answers(session, condition, core.undecided(batch)).items():
            core.teach(number, text, verdict)
        kept += core.kept(batch)
    return {number for number, keeps in enumerate(kept) if keeps}


def read(text: str, table: Table) -> Compiled:
    return compiled(text, table)
