"""Every type goes in by COPY binary, by COPY text and by parameter, and comes out the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from opendrs._core import PgConnection, PgError
from tests.integration.postgres_wire.tables import Column, Table

# What `rust/columns` says: the smallest value of the type plus the packed parts.
ZERO_DATE = -(2**31)
PARTIAL_DATE = -(2**31) + (2024 << 9)  # 2024-00-00
ZERO_DATETIME = -(2**63)
LAST_DAY = 2932896  # 9999-12-31
YEAR_ZERO = -719528  # 0000-01-01
DAY_US = 86_400_000_000


def integer(bits: int, *, unsigned: bool = False) -> dict[str, Any]:
    return {"kind": "int", "bits": bits, "unsigned": unsigned}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"kind": "decimal", "precision": precision, "scale": scale}


def kind(name: str, **facts: Any) -> dict[str, Any]:
    return {"kind": name, **facts}


UUID = bytes.fromhex("00112233445566778899aabbccddeeff")
LONG = "9" * 35 + "." + "9" * 30

# (logical type, type in the target, [(value, what the target shows)])
CASES: list[tuple[dict[str, Any], str, list[tuple[Any, str | None]]]] = [
    (integer(8), "int2", [(-128, "-128"), (127, "127"), (None, None)]),
    (integer(8, unsigned=True), "int2", [(255, "255")]),
    (integer(8), "bool", [(0, "false"), (1, "true"), (None, None)]),
    (integer(16), "int2", [(-32768, "-32768"), (32767, "32767")]),
    (integer(16, unsigned=True), "int4", [(65535, "65535")]),
    (integer(24), "int4", [(-8388608, "-8388608")]),
    (integer(32), "int4", [(-(2**31), "-2147483648"), (2**31 - 1, "2147483647")]),
    (integer(32, unsigned=True), "int8", [(2**32 - 1, "4294967295")]),
    (integer(32, unsigned=True), "oid", [(2**32 - 1, "4294967295")]),
    (integer(64), "int8", [(-(2**63), "-9223372036854775808"), (2**63 - 1, "9223372036854775807")]),
    (integer(64, unsigned=True), "numeric(20)", [(2**64 - 1, "18446744073709551615"), (0, "0")]),
    (kind("year"), "int2", [(0, "0"), (2155, "2155")]),
    (decimal(15, 2), "numeric(15,2)", [(Decimal("9999999999999.99"), "9999999999999.99"), (Decimal("-0.01"), "-0.01")]),
    (decimal(5, 0), "numeric(5)", [(Decimal("-99999"), "-99999"), (Decimal("10000"), "10000")]),
    (decimal(30, 30), "numeric(30,30)", [(Decimal("0." + "0" * 29 + "1"), "0." + "0" * 29 + "1")]),
    (
        decimal(65, 30),
        "numeric(65,30)",
        [(Decimal(LONG), LONG), (Decimal("-" + LONG), "-" + LONG), (Decimal(0), "0." + "0" * 30)],
    ),
    (kind("float32"), "float4", [(0.1, "0.1"), (-0.0, "-0"), (3.4028235e38, "3.4028235e+38"), (1e-45, "1e-45")]),
    (kind("float32"), "float8", [(0.5, "0.5"), (0.1, "0.10000000149011612")]),
    (
        kind("float64"),
        "float8",
        [(0.1, "0.1"), (1.7976931348623157e308, "1.7976931348623157e+308"), (5e-324, "5e-324")],
    ),
    (
        kind("text"),
        "text",
        [("", ""), ("a\tb\\N\n\r\\.", "a\tb\\N\n\r\\."), ("\U0001f600é", "\U0001f600é"), (None, None)],
    ),
    (kind("text"), "varchar(5)", [("ééééé", "ééééé"), ("\\.", "\\.")]),
    (kind("text"), "char(4)", [("ab", "ab"), ("", "")]),
    (kind("enum"), "text", [("red", "red"), ("", "")]),
    (kind("set"), "text", [("a,b", "a,b"), ("", "")]),
    (kind("json"), "json", [('{"a":  1.0}', '{"a":  1.0}'), ("null", "null")]),
    (
        kind("json"),
        "jsonb",
        [('{"b": 1, "a": [1.50, null]}', '{"a": [1.50, null], "b": 1}'), ('"\\\\u0000"', '"\\\\u0000"')],
    ),
    (kind("binary"), "bytea", [(b"", "\\x"), (bytes(range(256)), "\\x" + bytes(range(256)).hex()), (None, None)]),
    (kind("geometry"), "bytea", [(b"\1\0\0\0\1", "\\x0100000001")]),
    (kind("bits", length=1), "bit(1)", [(1, "1"), (0, "0")]),
    (kind("bits", length=10), "bit(10)", [(513, "1000000001")]),
    (kind("bits", length=64), "varbit(64)", [(2**64 - 1, "1" * 64), (1, "0" * 63 + "1")]),
    (kind("bits", length=1), "bool", [(1, "true"), (0, "false")]),
    (kind("bits", length=63), "int8", [(2**63 - 1, str(2**63 - 1))]),
    (kind("date"), "date", [(0, "1970-01-01"), (LAST_DAY, "9999-12-31"), (YEAR_ZERO, "0001-01-01 BC"), (None, None)]),
    (kind("date"), "text", [(ZERO_DATE, "0000-00-00"), (PARTIAL_DATE, "2024-00-00"), (0, "1970-01-01")]),
    (kind("time", fraction=6), "time", [(0, "00:00:00"), (DAY_US - 1, "23:59:59.999999"), (DAY_US, "24:00:00")]),
    (
        kind("time", fraction=6),
        "interval",
        [(-3_020_399_999_999, "-838:59:59.999999"), (1, "00:00:00.000001"), (3_020_399_000_000, "838:59:59")],
    ),
    (kind("time", fraction=0), "text", [(-3_020_399_000_000, "-838:59:59"), (0, "00:00:00")]),
    (
        kind("datetime", fraction=6),
        "timestamp",
        [
            (-1, "1969-12-31 23:59:59.999999"),
            ((LAST_DAY + 1) * DAY_US - 1, "9999-12-31 23:59:59.999999"),
            (YEAR_ZERO * DAY_US, "0001-01-01 00:00:00 BC"),
        ],
    ),
    (kind("datetime", fraction=0), "timestamp(0)", [(1_000_000, "1970-01-01 00:00:01")]),
    (
        kind("datetime", fraction=3),
        "varchar(30)",
        [(1_500_000, "1970-01-01 00:00:01.500"), (ZERO_DATETIME, "0000-00-00 00:00:00.000")],
    ),
    (
        kind("timestamp", fraction=6),
        "timestamptz",
        [(1, "1970-01-01 00:00:00.000001+00"), (2_147_483_647_999_999, "2038-01-19 03:14:07.999999+00")],
    ),
    (kind("uuid"), "uuid", [(UUID, "00112233-4455-6677-8899-aabbccddeeff")]),
    (kind("inet4"), "inet", [(bytes([10, 0, 0, 255]), "10.0.0.255/32")]),
    (kind("inet6"), "inet", [(bytes(15) + b"\1", "::1/128"), (UUID, "11:2233:4455:6677:8899:aabb:ccdd:eeff/128")]),
    (kind("vector"), "float4[]", [(b"\0\0\x80\x3f\0\0\0\xc0", "{1,-2}"), (b"", "{}")]),
]


def label(case: tuple[dict[str, Any], str, Any]) -> str:
    return f"{'-'.join(str(fact) for fact in case[0].values())}-{case[1]}"


WAYS = ("copy-binary", "copy-text", "as-text", "parameter", "parameter-as-text")


@pytest.mark.parametrize("case", CASES, ids=label)
def test_values_come_back(connection: PgConnection, case: tuple[dict[str, Any], str, Any]) -> None:
    logical, target, values = case
    for at, way in enumerate(WAYS):
        # Without `binary` the client is told that it does not know the type: all goes as text.
        column = Column(name="c", logical=logical, type=target, binary=not way.endswith("as-text"))
        number = Column(name="n", logical=integer(32), type="int4")
        table = Table(name=f"t{at}", columns=(number, column), key=("n",))
        connection.execute(table.sql())
        write(connection, table, [(row, value) for row, (value, _) in enumerate(values)], way)
        found = connection.query(f"SELECT c::text FROM {table.qualified} ORDER BY n")
        assert found == [(shown,) for _, shown in values], way


def write(connection: PgConnection, table: Table, rows: list[tuple[Any, ...]], way: str) -> None:
    if way.startswith("parameter"):
        applier = connection.applier()
        applier.register(1, table.described())
        connection.execute("BEGIN")
        applier.apply([(1, table.changes((1, at, 0, row) for at, row in enumerate(rows)))], "transactional", [])
        connection.execute("COMMIT")
        return
    copy = connection.copy_in(table.described(), "binary" if way == "copy-binary" else "text")
    copy.write(table.batch(rows))
    assert copy.finish() == len(rows)


IMPOSSIBLE = [
    (kind("date"), "date", ZERO_DATE, {"null": None, "epoch": "1970-01-01", "minus_infinity": "-infinity"}),
    (
        kind("datetime", fraction=0),
        "timestamp",
        ZERO_DATETIME,
        {"null": None, "epoch": "1970-01-01 00:00:00", "minus_infinity": "-infinity"},
    ),
    (
        kind("timestamp", fraction=0),
        "timestamptz",
        ZERO_DATETIME,
        {"null": None, "epoch": "1970-01-01 00:00:00+00", "minus_infinity": "-infinity"},
    ),
]


@pytest.mark.parametrize("case", IMPOSSIBLE, ids=lambda case: case[1])
def test_impossible_dates_follow_the_policy(connection: PgConnection, case: tuple[Any, ...]) -> None:
    logical, target, value, shown = case
    for at, way in enumerate(WAYS):
        for policy, expected in shown.items():
            number = Column(name="n", logical=integer(32), type="int4")
            column = Column(name="c", logical=logical, type=target, binary=not way.endswith("as-text"))
            columns, policies = (number, column), {"impossible_date": policy}
            table = Table(name=f"t{at}_{policy}", columns=columns, key=("n",), policies=policies)
            connection.execute(table.sql())
            write(connection, table, [(1, value)], way)
            assert connection.query(f"SELECT c::text FROM {table.qualified}") == [(expected,)], way


@pytest.mark.parametrize(
    ("logical", "target", "value", "reason"),
    [
        (kind("date"), "date", ZERO_DATE, "impossible_date"),
        (kind("text"), "text", "a\0b", "nul_in_text"),
        (kind("json"), "jsonb", '"a\\u0000b"', "nul_in_text"),
        (integer(64, unsigned=True), "int8", 2**63, "out_of_range"),
        (integer(16), "bool", 2, "out_of_range"),
        (kind("time", fraction=0), "time", DAY_US + 1, "out_of_range"),
        (kind("time", fraction=0), "time", -1, "out_of_range"),
        (kind("vector"), "float4[]", b"abc", "malformed"),
    ],
)
def test_a_value_without_a_place_stops(
    connection: PgConnection, logical: dict[str, Any], target: str, value: Any, reason: str
) -> None:
    number = Column(name="n", logical=integer(32), type="int4")
    table = Table(name="t", columns=(number, Column(name="c", logical=logical, type=target)), key=("n",))
    connection.execute(table.sql())
    for way in ("copy-binary", "parameter"):
        with pytest.raises(PgError) as raised:
            write(connection, table, [(77, value)], way)
        error = raised.value
        assert (error.kind, error.reason) == ("value", reason)
        assert (error.schema, error.table, error.column, error.key) == ("app", "t", "c", "(n)=(77)")
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    assert connection.query("SELECT count(*) FROM app.t") == [("0",)], "the connection is of use, nothing was written"


def test_nul_is_removed_or_replaced(connection: PgConnection) -> None:
    for policy, expected in (("remove", "ab"), ("replace", "a\u2400b")):
        columns = (
            Column(name="n", logical=integer(32), type="int4"),
            Column(name="c", logical=kind("text"), type="text"),
            Column(name="j", logical=kind("json"), type="jsonb"),
        )
        table = Table(name=f"t_{policy}", columns=columns, key=("n",), policies={"nul_in_text": policy})
        connection.execute(table.sql())
        for number, way in enumerate(("copy-binary", "parameter")):
            write(connection, table, [(number, "a\0b", '"a\\u0000b"')], way)
        assert connection.query(f"SELECT DISTINCT c, j::text FROM {table.qualified}") == [
            (expected, json.dumps(expected, ensure_ascii=False))
        ]


@pytest.mark.parametrize(
    ("logical", "target", "described"),
    [
        (decimal(10, 3), "numeric(10,2)", "numeric"),
        (kind("datetime", fraction=6), "timestamp(3)", "timestamp"),
        (integer(64), "float8", "int8"),
        (kind("text"), "int4", "text"),
    ],
)
def test_a_target_that_would_change_values_is_refused(
    connection: PgConnection, logical: dict[str, Any], target: str, described: str
) -> None:
    made = Table(name="t", columns=(Column(name="c", logical=logical, type=target),))
    connection.execute(made.sql())
    table = Table(name="t", columns=(Column(name="c", logical=logical, type=described),))
    with pytest.raises(PgError) as raised:
        copy = connection.copy_in(table.described())
        copy.write(table.batch([(None,)]))
    assert raised.value.kind == "usage"
    connection.execute("SELECT 1")


def test_a_type_of_the_users_own_goes_as_text(connection: PgConnection) -> None:
    connection.execute(
        "CREATE TYPE app.colour AS ENUM ('red', 'green'); CREATE DOMAIN app.small AS int CHECK (VALUE < 10)"
    )
    columns = (
        Column(name="n", logical=integer(32), type="int4"),
        Column(name="c", logical=kind("text"), type="app.colour", binary=False),
        Column(name="d", logical=integer(32), type="app.small", binary=False),
    )
    table = Table(name="t", columns=columns, key=("n",))
    connection.execute(table.sql())
    write(connection, table, [(1, "red", 9)], "copy-text")
    write(connection, table, [(2, "green", 1)], "parameter")
    assert connection.query("SELECT * FROM app.t ORDER BY n") == [("1", "red", "9"), ("2", "green", "1")]
    with pytest.raises(PgError) as raised:
        write(connection, table, [(3, "blue", 1)], "copy-text")
    assert raised.value.sqlstate == "22P02"
