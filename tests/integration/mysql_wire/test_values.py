"""Every type, read through the binary protocol and held against what the server prints."""

from __future__ import annotations

import json
import struct
from typing import Any

import pyarrow
import pytest

from opendrs import _core
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.integration.mysql_wire.sources import INT, NUMBERED, TEXT, connect, make_numbered, read_all, spec

MIN_DATE = -(2**31)
MIN_INSTANT = -(2**63)


def whole(bits: int, unsigned: bool = False) -> dict[str, Any]:
    return {"kind": "int", "bits": bits, "unsigned": unsigned}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"kind": "decimal", "precision": precision, "scale": scale}


# (column type, logical type, values as SQL, values as Arrow gives them to Python)
COMMON: list[tuple[str, dict[str, Any], list[str], list[Any]]] = [
    ("TINYINT", whole(8), ["-128", "127"], [-128, 127]),
    ("TINYINT UNSIGNED", whole(8, True), ["0", "255"], [0, 255]),
    ("TINYINT(3) UNSIGNED ZEROFILL", whole(8, True), ["7", "255"], [7, 255]),
    ("BOOLEAN", whole(8), ["TRUE", "FALSE"], [1, 0]),
    ("SMALLINT", whole(16), ["-32768", "32767"], [-32768, 32767]),
    ("SMALLINT UNSIGNED", whole(16, True), ["0", "65535"], [0, 65535]),
    ("MEDIUMINT", whole(24), ["-8388608", "8388607"], [-8388608, 8388607]),
    ("MEDIUMINT UNSIGNED", whole(24, True), ["0", "16777215"], [0, 16777215]),
    ("INT", whole(32), ["-2147483648", "2147483647"], [-(2**31), 2**31 - 1]),
    ("INT UNSIGNED", whole(32, True), ["0", "4294967295"], [0, 2**32 - 1]),
    ("BIGINT", whole(64), ["-9223372036854775808", "9223372036854775807"], [-(2**63), 2**63 - 1]),
    ("BIGINT UNSIGNED", whole(64, True), ["0", "18446744073709551615"], [0, 2**64 - 1]),
    ("DECIMAL(15,2)", decimal(15, 2), ["-9999999999999.99", "0.01"], ["-9999999999999.99", "0.01"]),
    ("DECIMAL(38,0)", decimal(38, 0), ["9" * 38, "-1"], ["9" * 38, "-1"]),
    (
        "DECIMAL(65,30)",
        decimal(65, 30),
        ["9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1"],
        ["9" * 35 + "." + "9" * 30, "-1E-30"],
    ),
    ("FLOAT", {"kind": "float32"}, ["1.1", "-3.4028234e38"], [1.1, -3.4028234e38]),
    ("DOUBLE", {"kind": "float64"}, ["0.1", "-1.7976931348623157e308"], [0.1, -1.7976931348623157e308]),
    ("YEAR", {"kind": "year"}, ["0", "2155"], [0, 2155]),
    ("BIT(1)", {"kind": "bits", "length": 1}, ["b'1'", "b'0'"], [1, 0]),
    ("BIT(64)", {"kind": "bits", "length": 64}, ["b'" + "1" * 64 + "'", "b'10'"], [2**64 - 1, 2]),
    ("DATE", {"kind": "date"}, ["'1000-01-01'", "'9999-12-31'"], [-354285, 2932896]),
    (
        "DATE",
        {"kind": "date"},
        ["'0000-00-00'", "'2024-02-31'"],
        [MIN_DATE, MIN_DATE + (2024 << 9 | 2 << 5 | 31)],
    ),
    (
        "TIME(6)",
        {"kind": "time", "fraction": 6},
        ["'-838:59:59.000000'", "'838:59:58.999999'"],
        [-3020399 * 10**6, 3020399 * 10**6 - 1],
    ),
    ("TIME", {"kind": "time", "fraction": 0}, ["'00:00:00'", "'-00:00:01'"], [0, -(10**6)]),
    (
        "DATETIME(6)",
        {"kind": "datetime", "fraction": 6},
        ["'1969-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"],
        [-1, MIN_INSTANT],
    ),
    (
        "TIMESTAMP(6) NULL",
        {"kind": "timestamp", "fraction": 6},
        ["'1970-01-01 00:00:01.000001'", "'0000-00-00 00:00:00'"],
        [1000001, MIN_INSTANT],
    ),
    ("CHAR(5)", TEXT, ["'ab '", "'🦊é'"], ["ab", "🦊é"]),
    ("VARCHAR(50) CHARACTER SET latin1", TEXT, ["'é€ '", "''"], ["é€ ", ""]),
    ("VARCHAR(50) CHARACTER SET sjis", TEXT, ["'日本'", "'a'"], ["日本", "a"]),
    ("VARCHAR(50) CHARACTER SET utf16", TEXT, ["'🦊'", "'a'"], ["🦊", "a"]),
    ("LONGTEXT", TEXT, ["REPEAT('xyz', 100000)", "'a\\0b'"], ["xyz" * 100000, "a\0b"]),
    ("BINARY(5)", {"kind": "binary", "fixed": 5}, ["'ab'", "0x0001020000"], [b"ab\0\0\0", b"\0\1\2\0\0"]),
    ("VARBINARY(20)", {"kind": "binary"}, ["0xFF00", "''"], [b"\xff\0", b""]),
    ("LONGBLOB", {"kind": "binary"}, ["REPEAT(0xFE, 70000)", "0x00"], [b"\xfe" * 70000, b"\0"]),
    ("ENUM('a','b,c','it''s')", {"kind": "enum"}, ["'b,c'", "'it''s'"], ["b,c", "it's"]),
    ("SET('x','y','z')", {"kind": "set"}, ["'z,x'", "''"], ["x,z", ""]),
]


@pytest.mark.parametrize("number", range(len(COMMON)), ids=[f"{n}-{case[0]}" for n, case in enumerate(COMMON)])
def test_common_types_are_exact(source: FamilyServer, database: NewDatabase, number: int) -> None:
    native, logical, values, expected = COMMON[number]
    check(source, database, native, logical, values, expected)


def check(
    source: FamilyServer,
    database: NewDatabase,
    native: str,
    logical: dict[str, Any],
    values: list[str],
    expected: list[Any],
) -> None:
    name = database(source)
    with source.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        cursor.execute(f"CREATE TABLE t (id INT PRIMARY KEY, v {native})")
        for key, value in enumerate([*values, "NULL"]):
            cursor.execute(f"INSERT INTO t VALUES ({key}, {value})")
    with connect(source, database=name) as ours:
        found = read_all(ours, "SELECT id, v FROM t ORDER BY id", spec(name, "t", [("id", INT), ("v", logical)]))
        column = found.column("v").combine_chunks()
        assert plain(column) == [*(close(logical, value) for value in expected), None]
        printed = [row["v"] for row in ours.query("SELECT v FROM t ORDER BY id")]
        assert printed[-1] is None
        if logical["kind"] == "decimal":
            assert [format(value, "f") for value in column.to_pylist()[:2]] == printed[:2]
        elif logical["kind"] in ("text", "enum", "set", "binary"):
            assert column.to_pylist() == printed
        elif logical["kind"] == "int":
            assert [int(value) for value in printed[:2] if value] == column.to_pylist()[:2]


def close(logical: dict[str, Any], value: Any) -> Any:
    """What a single-precision column makes of a number."""
    return struct.unpack("f", struct.pack("f", value))[0] if logical["kind"] == "float32" else value


def plain(column: pyarrow.Array) -> list[Any]:
    kind = column.type
    if pyarrow.types.is_date32(kind):
        column = column.cast(pyarrow.int32())
    elif pyarrow.types.is_timestamp(kind) or pyarrow.types.is_duration(kind):
        column = column.cast(pyarrow.int64())
    elif pyarrow.types.is_decimal(kind):
        return [None if value is None else str(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def test_json(source: FamilyServer, database: NewDatabase) -> None:
    expected = ['{"a": [1, 2.5, null], "ü": "🦊"}', "3.0"]
    check(source, database, "JSON", {"kind": "json"}, [f"'{value}'" for value in expected], expected)


def test_geometry(source: FamilyServer, database: NewDatabase) -> None:
    point = struct.pack("<IBIdd", 0, 1, 1, 1.5, -2.5)
    other = struct.pack("<IBIdd", 4326 if source.name == "mysql" else 0, 1, 1, 10.0, 20.0)
    second = "ST_GeomFromText('POINT(20 10)', 4326)" if source.name == "mysql" else "POINT(10, 20)"
    check(source, database, "GEOMETRY", {"kind": "geometry"}, ["POINT(1.5, -2.5)", second], [point, other])


def test_types_of_mariadb(source: FamilyServer, database: NewDatabase) -> None:
    if source.name == "mysql":
        pytest.skip("MariaDB's own types")
    uuid = "123e4567-e89b-12d3-a456-426655440000"
    values, expected = (
        [f"'{uuid}'", "'00000000-0000-0000-0000-000000000000'"],
        [bytes.fromhex(uuid.replace("-", "")), bytes(16)],
    )
    check(source, database, "UUID", {"kind": "uuid"}, values, expected)
    check(source, database, "INET4", {"kind": "inet4"}, ["'10.0.0.255'", "'0.0.0.0'"], [b"\n\0\0\xff", bytes(4)])
    values, expected = ["'::1'", "'::ffff:1.2.3.4'"], [bytes(15) + b"\1", bytes(10) + b"\xff\xff\1\2\3\4"]
    check(source, database, "INET6", {"kind": "inet6"}, values, expected)


def test_vectors(source: FamilyServer, database: NewDatabase) -> None:
    if source.name == "mariadb-10":
        pytest.skip("VECTOR came with MariaDB 11.7 and MySQL 9.0")
    make = "VEC_FromText" if source.name == "mariadb-11" else "STRING_TO_VECTOR"
    expected = [struct.pack("<3f", 1, 2.5, -3), struct.pack("<3f", 0, 0, 0)]
    check(source, database, "VECTOR(3)", {"kind": "vector"}, [f"{make}('[1,2.5,-3]')", f"{make}('[0,0,0]')"], expected)


# --- rows ---------------------------------------------------------------------------------------


def test_a_row_of_more_than_16_mib(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    limit = int(source.execute("SELECT @@max_allowed_packet")[0][0])
    sizes = [1, 16 * 2**20 - 12, 16 * 2**20 - 11, 16 * 2**20 - 10, 17 * 2**20, 40 * 2**20, 2]
    sizes = [size for size in sizes if size < limit - 1000]
    assert max(sizes) > 16 * 2**20
    for key, size in enumerate(sizes):
        source.execute(f"INSERT INTO {name}.t VALUES ({key}, REPEAT('a', {size}))")
    with connect(source) as ours:
        found = read_all(ours, f"SELECT id, v FROM {name}.t ORDER BY id", table)
        assert [len(value.as_py()) for value in found.column("v")] == sizes
        # Text protocol, and the connection is still in step.
        printed = ours.query(f"SELECT v FROM {name}.t ORDER BY id")
        assert [len(row["v"] or "") for row in printed] == sizes
        ours.ping()
    with connect(source, row_bytes_max=17 * 2**20) as ours, pytest.raises(_core.MysqlError) as raised:
        read_all(ours, f"SELECT id, v FROM {name}.t ORDER BY id", table)
    assert raised.value.kind == "too_large"


def test_batches_are_bounded_and_pages_go_on(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    columns: list[tuple[str, dict[str, Any]]] = [("a", INT), ("b", TEXT), ("v", TEXT)]
    source.execute(f"CREATE TABLE {name}.t (a INT, b VARCHAR(20), v VARCHAR(2000), PRIMARY KEY (a, b))")
    rows = [(a, f"b{b:03}", "x" * 1000) for a in range(10) for b in range(100)]
    with source.connect(name) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
    table = spec(name, "t", columns, key=("a", "b"))
    seen: list[tuple[int, str]] = []
    with connect(source, database=name) as ours:
        where, params = "TRUE", "[]"
        while True:
            reader = ours.read(f"SELECT a, b, v FROM t WHERE {where} ORDER BY a, b LIMIT 150", params, table)
            count = 0
            while (batch := reader.next_batch(1000, 20_000)) is not None:
                assert batch.num_rows <= 21
                page = pyarrow.record_batch(batch).to_pydict()
                seen += zip(page["a"], page["b"], strict=True)
                count += batch.num_rows
                last = json.loads(reader.last_key() or "")
                assert last == [{"int": seen[-1][0]}, {"text": seen[-1][1]}]
            if count == 0:
                break
            where, params = "a > ? OR (a = ? AND b > ?)", json.dumps([last[0], last[0], last[1]])
    assert seen == [(a, b) for a, b, _ in rows]


def test_keys_of_every_kind_find_their_row_again(source: FamilyServer, database: NewDatabase) -> None:
    """What `last_key` gives is exactly what the server compares with."""
    name = database(source)
    with source.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        for number, (native, logical, values, _) in enumerate(COMMON):
            if logical["kind"] in ("enum", "set") or native.startswith("LONG"):
                continue
            table = f"k{number}"
            cursor.execute(f"CREATE TABLE {table} (v {native})")
            cursor.execute(f"INSERT INTO {table} VALUES {', '.join(f'({value})' for value in values)}")
    with connect(source, database=name) as ours:
        for number, (native, logical, values, _) in enumerate(COMMON):
            if logical["kind"] in ("enum", "set") or native.startswith("LONG"):
                continue
            table = spec(name, f"k{number}", [("v", logical)], key=("v",))
            reader = ours.read(f"SELECT v FROM k{number}", "[]", table)
            keys = []
            while reader.next_batch(1, 1) is not None:
                keys.append(reader.last_key() or "")
            assert len(keys) == len(values)
            for key in keys:
                found = read_all(ours, f"SELECT v FROM k{number} WHERE v = ?", table, json.loads(key))
                assert found.num_rows == 1, (native, key)


def test_text_of_every_character_set(source: FamilyServer, database: NewDatabase) -> None:
    """Whatever a set has of these characters arrives as the server itself converts it."""
    name = database(source)
    sets = [row[0] for row in source.execute("SHOW CHARACTER SET") if row[0] != "binary"]
    assert len(sets) >= 38
    text = "plain ~[]{|} ÄéñßøŁžЖюאש가각日本語あア你們ไทยΑβ€₤"
    with source.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for charset in sets:
            cursor.execute(f"CREATE TABLE `{charset}` (id INT PRIMARY KEY, v TEXT CHARACTER SET {charset})")
            cursor.execute(f"INSERT INTO `{charset}` VALUES (1, CONVERT(%s USING {charset}))", (text,))
            for id_, character in enumerate(text, 2):
                cursor.execute(f"INSERT INTO `{charset}` VALUES ({id_}, CONVERT(%s USING {charset}))", (character,))
    with connect(source, database=name) as ours:
        for charset in sets:
            read = read_all(ours, f"SELECT id, v FROM `{charset}` ORDER BY id", spec(name, charset, NUMBERED))
            shown = source.execute(f"SELECT CONVERT(v USING utf8mb4) FROM {name}.`{charset}` ORDER BY id")
            assert read.column("v").to_pylist() == [row[0] for row in shown], charset


@pytest.mark.parametrize(
    ("charset", "code"), [("sjis", "8540"), ("gbk", "FEFE"), ("big5", "F9FE"), ("cp1251", "98"), ("ujis", "8FA2A1")]
)
def test_a_code_beyond_unicode_is_no_question_mark(
    source: FamilyServer, database: NewDatabase, charset: str, code: str
) -> None:
    name = database(source)
    source.execute(f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET {charset})")
    source.execute(f"INSERT INTO {name}.t VALUES (1, _{charset} x'61{code}')")
    with connect(source) as ours, pytest.raises(_core.MysqlError) as raised:
        read_all(ours, f"SELECT id, v FROM {name}.t", spec(name, "t", NUMBERED))
    assert raised.value.kind == "value"
    assert raised.value.message == f"column v: the bytes 61{code.lower()} are not valid in character set {charset}"


def test_what_does_not_fit_is_said(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    table = make_numbered(source, name)
    source.execute(f"INSERT INTO {name}.t VALUES (1, 'x')")

    def kind(sql: str, described: str = table, params: list[Any] | None = None) -> str:
        with connect(source, database=name) as ours:
            with pytest.raises(_core.MysqlError) as raised:
                read_all(ours, sql, described, params or [])
            return raised.value.kind

    assert kind("SELECT id FROM t") == "schema_mismatch"
    assert kind("SELECT v, id FROM t") == "schema_mismatch"
    assert kind("SELECT id, id AS v FROM t") == "schema_mismatch"
    assert kind("SELECT id, v FROM t", spec(name, "t", [("id", INT), ("v", {"kind": "date"})])) == "schema_mismatch"
    assert kind("SELECT id, v FROM no_such_table") == "server"
    assert kind("SELECT id, v FROM t WHERE id = ?") == "misuse"
    assert kind("DO 1") == "misuse"
    assert kind("SELECT id, v FROM t WHERE id = ?", params=[{"date": "soon"}]) == "misuse"
    with connect(source, database=name) as ours:
        # An error of the server leaves the connection usable; so does a wrong parameter.
        for sql, params in (("SELECT id, v FROM nowhere", "[]"), ("SELECT id, v FROM t WHERE id = ?", "[]")):
            with pytest.raises(_core.MysqlError):
                ours.read(sql, params, table)
        reader = ours.read("SELECT id, v FROM t", "[]", table)
        with pytest.raises(_core.MysqlError) as raised:
            ours.ping()
        assert raised.value.kind == "misuse"
        while reader.next_batch(1, 1) is not None:
            pass
        ours.ping()


# --- sessions -----------------------------------------------------------------------------------


def test_the_session_is_as_it_must_be(source: FamilyServer) -> None:
    limit = "max_statement_time" if source.name.startswith("mariadb") else "max_execution_time"
    with source.connect() as connection, connection.cursor() as cursor:
        changed = {"sql_mode": "'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'", "time_zone": "'+05:00'"}
        changed |= {"sql_select_limit": "3", limit: "1", "autocommit": "0", "transaction_isolation": "'READ-COMMITTED'"}
        if source.name.startswith("mariadb-10"):
            changed["tx_isolation"] = changed.pop("transaction_isolation")
        kept = {}
        for variable in changed:
            cursor.execute(f"SELECT @@global.{variable}")
            kept[variable] = cursor.fetchone()[0]
        try:
            for variable, value in changed.items():
                cursor.execute(f"SET GLOBAL {variable} = {value}")
            with connect(source, read_only=True) as ours:
                names = ", ".join(f"@@{variable} AS {variable}" for variable in changed)
                (found,) = ours.query(f"SELECT {names}, @@character_set_results AS charset")
                with pytest.raises(_core.MysqlError, match="READ ONLY"):
                    ours.execute("CREATE DATABASE never_made")
        finally:
            for variable, value in kept.items():
                cursor.execute(f"SET GLOBAL {variable} = %s", (value,))
    assert found.pop("charset") == "utf8mb4"
    assert "ANSI_QUOTES" not in (found["sql_mode"] or "")
    assert "PAD_CHAR" not in (found["sql_mode"] or "")
    assert found["time_zone"] == "+00:00"
    assert found["sql_select_limit"] == "18446744073709551615"
    assert float(found[limit] or "") == 0
    assert found["autocommit"] == "1"
    assert "REPEATABLE-READ" in found.values()


def test_a_canceller_ends_what_waits(source: FamilyServer) -> None:
    import threading

    with connect(source) as ours:
        timer = threading.Timer(0.3, ours.cancel)
        timer.start()
        with pytest.raises(_core.MysqlError) as raised:
            ours.query("SELECT SLEEP(100)")
        timer.join()
        assert raised.value.kind == "interrupted"
        with pytest.raises(_core.MysqlError):
            ours.ping()


def test_a_killed_session_is_a_closed_connection(source: FamilyServer) -> None:
    with connect(source) as ours:
        source.execute(f"KILL {ours.connection_id}")
        with pytest.raises(_core.MysqlError) as raised:
            for _ in range(3):
                ours.query("SELECT 1 AS x")
        assert raised.value.kind in ("net.closed", "server", "misuse")


def test_procedures_and_many_results(source: FamilyServer, database: NewDatabase) -> None:
    name = database(source)
    source.execute(f"CREATE PROCEDURE {name}.p() BEGIN SELECT 1 AS a; SELECT 2 AS b; END")
    with connect(source) as ours:
        source.execute(f"GRANT EXECUTE ON {name}.* TO opendrs@'%'")
        assert ours.query(f"CALL {name}.p()") == [{"a": "1"}]
        ours.execute(f"CALL {name}.p()")
        assert ours.query("SELECT 3 AS c") == [{"c": "3"}]


def test_one_statement_is_one_statement(source: FamilyServer) -> None:
    with connect(source) as ours, pytest.raises(_core.MysqlError) as raised:
        ours.query("SELECT 1; SELECT 2")
    assert raised.value.code == 1064


def test_text_is_quoted(source: FamilyServer) -> None:
    nasty = "a'b\\c\"d\0\n\x1a`ü🦊"
    with connect(source) as ours:
        (row,) = ours.query(f"SELECT {_core.mysql_quote_text(nasty)} AS {_core.mysql_quote_name('a`b')}")
    assert row == {"a`b": nasty}
