"""Equal values have equal canonical texts on both sides; unequal ones have not."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from opendrs.compare.canonical import Compared, source_sums, target_sums
from opendrs.model.catalog import Column
from opendrs.model.job import Policy
from opendrs.model.types import Logical
from opendrs.worker.proving import compared
from tests.harness.fixtures import NewDatabase

# (column, logical type, type at the source, type in the target, how the source shows it to the target)
COLUMNS = (
    ("whole", Logical(kind="int", bits=64), "bigint", "bigint", "{}"),
    ("big", Logical(kind="int", bits=64, unsigned=True), "bigint unsigned", "numeric(20)", "{}"),
    ("exact", Logical(kind="decimal", precision=30, scale=5), "decimal(30,5)", "numeric(30,5)", "{}"),
    ("single", Logical(kind="float32"), "float", "real", "{} + 0e0"),
    ("double_", Logical(kind="float64"), "double", "double precision", "{}"),
    ("calendar", Logical(kind="year"), "year", "smallint", "{} + 0"),
    ("flags", Logical(kind="bits", length=11), "bit(11)", "bit(11)", "LPAD(BIN({} + 0), 11, '0')"),
    ("day", Logical(kind="date"), "date", "date", "CAST({} AS CHAR)"),
    ("span", Logical(kind="time", fraction=6), "time(6)", "interval(6)", "CAST({} AS CHAR)"),
    ("wall", Logical(kind="datetime", fraction=6), "datetime(6)", "timestamp(6)", "CAST({} AS CHAR)"),
    ("instant", Logical(kind="timestamp", fraction=3), "timestamp(3) NULL", "timestamptz(3)", "CAST({} AS CHAR)"),
    ("words", Logical(kind="text"), "varchar(200)", "varchar(200)", "{}"),
    ("bytes_", Logical(kind="binary"), "blob", "bytea", "{}"),
)


def doubles(rng: random.Random) -> list[float]:
    """Ends of the range, every other power of two with its neighbours, and random bits."""
    made = [0.0, 1.0, -1.0, 0.1, 1 / 3, 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324, 1e-310, 2.0**53 - 1]
    for power in range(-1074, 1024, 2):
        made += [2.0**power, -(2.0**power), 2.0**power * (1 - 2**-53) if power > -1000 else 2.0**power]
    while len(made) < 2500:
        (value,) = struct.unpack("<d", rng.randbytes(8))
        if value == value and abs(value) != float("inf"):
            made.append(value)
    return made


def row(rng: random.Random, double: float) -> list[Any]:
    single = struct.unpack("<f", struct.pack("<f", double))[0] if abs(double) < 3e38 else 1.5
    day = f"{rng.choice([0, 1, 999, 1969, 2024, 9999]):04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    span = f"{rng.choice(['', '-'])}{rng.randint(0, 837):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    return [
        rng.randint(-(2**63), 2**63 - 1),
        rng.randint(0, 2**64 - 1),
        f"{rng.randint(-(10**24), 10**24)}.{rng.randint(0, 99999):05d}",
        single,
        double,
        rng.choice([0, 1901, 2155]),
        rng.randint(0, 2047),
        day,
        f"{span}.{rng.randint(0, 999999):06d}",
        f"{day} 12:34:56.{rng.randint(0, 999999):06d}",
        f"2024-05-06 07:08:09.{rng.randint(0, 999):03d}",
        rng.choice(["", "é☕👍,:N", "a,b", "N", "\\", None]),
        rng.randbytes(rng.randint(0, 9)),
    ]


def for_target(value: Any, kind: str) -> Any:
    if kind in ("date", "datetime") and str(value).startswith("0000"):
        return f"0001{value[4:]} BC"  # PostgreSQL's name of the year 0
    return f"{value}+00" if kind == "timestamp" else value


@pytest.mark.parametrize("source", ["mariadb", "mysql"])
def test_both_dialects_agree(source: str, request: pytest.FixtureRequest, postgres: Any, database: NewDatabase) -> None:
    server = request.getfixturevalue(source)
    rng = random.Random(20260101)
    name = database(server)
    with server.connect(name) as connection, connection.cursor() as ours, postgres.connect() as there:
        ours.execute("SET time_zone = '+00:00', sql_mode = ''")
        ours.execute("CREATE TABLE t (" + ", ".join(f"{c} {native}" for c, _, native, _, _ in COLUMNS) + ")")
        rows = [row(rng, double) for double in doubles(rng)]
        ours.executemany(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(COLUMNS))})", rows)
        there.execute("SET TimeZone = 'UTC'")
        there.execute("CREATE TEMP TABLE t (" + ", ".join(f"{c} {kind}" for c, _, _, kind, _ in COLUMNS) + ")")
        ours.execute("SELECT " + ", ".join(shown.format(c) for c, _, _, _, shown in COLUMNS) + " FROM t")
        casts = ", ".join("%s::float8::real" if c == "single" else f"%s::{kind}" for c, _, _, kind, _ in COLUMNS)
        kinds = [logical.kind for _, logical, _, _, _ in COLUMNS]
        with there.cursor() as cursor:
            for shown in ours.fetchall():
                values = [for_target(value, kind) for value, kind in zip(shown, kinds, strict=True)]
                cursor.execute(f"INSERT INTO t VALUES ({casts})", values)

        def sums(columns: list[Compared]) -> tuple[list[int], list[int]]:
            ours.execute(source_sums("t", columns, mariadb=source == "mariadb"))
            return [int(n) for n in ours.fetchone()], [
                int(n) for n in there.execute(target_sums("t", columns)).fetchone()
            ]

        every = [Compared(type=logical, source=c, target=c) for c, logical, _, _, _ in COLUMNS]
        for column in every:
            here, target = sums([column])
            assert here == target, column.source
        before, target = sums(every)
        assert before == target
        there.execute("BEGIN")
        # One value of one row, whatever its column, makes the sums differ.
        changes = (
            "whole = 7",
            "exact = exact + 0.00001",
            "double_ = 0.25",
            "span = '00:00:01'",
            "words = 'x'",
            "bytes_ = 'x'",
        )
        for change in changes:
            there.execute("SAVEPOINT s")
            there.execute(f"UPDATE t SET {change} WHERE ctid = (SELECT min(ctid) FROM t)")
            assert sums(every)[1] != before, change
            there.execute("ROLLBACK TO s")
        # Two equal rows do not vanish.
        there.execute("INSERT INTO t SELECT * FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
        there.execute("INSERT INTO t SELECT * FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
        assert sums(every)[1] != before


@pytest.mark.parametrize("source", ["mariadb", "mysql"])
def test_a_code_beyond_unicode_is_no_question_mark(
    source: str, request: pytest.FixtureRequest, postgres: Any, database: NewDatabase
) -> None:
    server = request.getfixturevalue(source)
    name = database(server)
    column = Column(name="v", type=Logical(kind="text"), native="varchar(20)", length=20, charset="sjis")
    columns = [compared(column, "v", Policy())]
    with server.connect(name) as connection, connection.cursor() as ours, postgres.connect() as there:
        ours.execute("CREATE TABLE t (v VARCHAR(20) CHARACTER SET sjis)")
        there.execute("CREATE TEMP TABLE t (v varchar(20))")
        there.execute("INSERT INTO t VALUES ('a?')")
        sums = target_sums("t", columns)
        for value, equal in (("'a?'", True), ("_sjis x'618540'", False)):
            ours.execute("DELETE FROM t")
            ours.execute(f"INSERT INTO t VALUES ({value})")
            ours.execute(source_sums("t", columns, mariadb=source == "mariadb"))
            (here,) = ours.fetchall()
            (other,) = there.execute(sums).fetchall()
            assert (list(map(str, here)) == list(map(str, other))) is equal, (here, other)
