"""What `tools/record_binlog.py` records: statements, and the servers that run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DATABASE: Final = "golden"
ALL: Final = ("mariadb", "mariadb11", "mysql")
MARIADB: Final = ("mariadb", "mariadb11")
MYSQL: Final = ("mysql",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded log.

    settings           of the server, over the harness's own
    not_transactional  tables whose rows a rollback leaves alone
    unregistered       tables that the decoder is not told of
    part_bytes         limit of a transaction, if not the usual one
    """

    name: str
    servers: tuple[str, ...] = ALL
    statements: tuple[str, ...]
    settings: Mapping[str, str | int] = field(default_factory=dict)
    not_transactional: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    part_bytes: int | None = None


def _numbers() -> tuple[str, ...]:
    integers = ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT")
    definitions = [f"i{n} {name}, u{n} {name} UNSIGNED" for n, name in enumerate(integers)]
    definitions += ["d1 DECIMAL(9,0), d2 DECIMAL(15,2), d3 DECIMAL(38,10), d4 DECIMAL(65,30), d5 DECIMAL(1,1)"]
    definitions += ["f FLOAT, d DOUBLE, b1 BIT(1), b10 BIT(10), b64 BIT(64), y YEAR"]
    low = ["-128,0", "-32768,0", "-8388608,0", "-2147483648,0", "-9223372036854775808,0"]
    high = ["127,255", "32767,65535", "8388607,16777215", "2147483647,4294967295"]
    high += ["9223372036854775807,18446744073709551615"]
    nines = "9" * 9, "9" * 13 + ".99", "9" * 28 + "." + "9" * 10, "9" * 35 + "." + "9" * 30, "0.9"
    rest = "-1.5,2.2250738585072014e-308,0,0,0,0", "3.4e38,1.7976931348623157e308,1,1023,18446744073709551615,2155"
    negative = ",".join("-" + digits for digits in nines)
    return (
        f"CREATE TABLE t (id INT PRIMARY KEY, {', '.join(definitions)})",
        f"INSERT INTO t VALUES (1,{','.join(low)},{negative},{rest[0]})",
        f"INSERT INTO t VALUES (2,{','.join(high)},{','.join(nines)},{rest[1]})",
        "INSERT INTO t (id) VALUES (3)",
        "UPDATE t SET i4 = 5, d2 = -0.05, y = 1901 WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
    )


def _temporals() -> tuple[str, ...]:
    definitions = ", ".join(f"t{n} TIME({n}), d{n} DATETIME({n}), s{n} TIMESTAMP({n}) NULL" for n in range(7))
    rows = (
        ("838:59:59", "9999-12-31 23:59:59", "2038-01-19 03:14:07", "9999-12-31"),
        ("-838:59:59", "0000-00-00 00:00:00", "0000-00-00 00:00:00", "0000-00-00"),
        ("-00:00:00.100001", "2024-00-10 01:02:03.000001", "1970-01-01 00:00:01.5", "2024-00-10"),
        ("-12:34:56.654321", "1000-01-01 00:00:00.12", "2024-02-29 12:00:00.000001", "2023-02-31"),
    )
    inserts = (
        f"INSERT INTO t VALUES ({n}, '{day}', " + ", ".join(f"'{time}','{moment}','{stamp}'" for _ in range(7)) + ")"
        for n, (time, moment, stamp, day) in enumerate(rows)
    )
    return (
        "SET time_zone = '+00:00'",
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        f"CREATE TABLE t (id INT PRIMARY KEY, day DATE, {definitions})",
        *inserts,
    )


def _texts() -> tuple[str, ...]:
    samples = {
        "latin1": "é€ ",
        "utf8mb4": "é😀",
        "gbk": "你好",
        "big5": "你好",
        "sjis": "あｱ",
        "cp932": "①あ",
        "ujis": "あｱ",
        "euckr": "가",
        "ucs2": "a你",
        "utf16": "😀",
        "utf16le": "😀",
        "utf32": "😀",
        "cp1251": "Привет",
        "swe7": "ÄÖ",
        "hebrew": "א",
    }
    definitions = ", ".join(
        f"c_{name} CHAR(7) CHARACTER SET {name}, v_{name} VARCHAR(200) CHARACTER SET {name},"
        f" t_{name} TEXT CHARACTER SET {name}"
        for name in samples
    )
    values = ", ".join(f"'{text}', '{text}', '{text}'" for text in samples.values())
    return (
        f"CREATE TABLE t (id INT PRIMARY KEY, {definitions})",
        f"INSERT INTO t VALUES (1, {values})",
        "INSERT INTO t (id) VALUES (2)",
        "CREATE TABLE m (id INT PRIMARY KEY, e ENUM('a','b,c','d''e','é'), l ENUM('é','ü') CHARACTER SET latin1,"
        " s SET('x','y','é'), b BINARY(5), vb VARBINARY(300), bl BLOB, lb LONGBLOB, tt TINYTEXT, mt MEDIUMTEXT)",
        "INSERT INTO m VALUES (1,'b,c','ü','x,é',x'6100',x'00ff',x'',x'00', REPEAT('t',255), REPEAT('é',70000))",
        "INSERT INTO m VALUES (2,'é','é','',x'',x'',NULL,REPEAT('b',70000),'','')",
    )


JSON = '{"a": 1, "b": "' + "x" * 300 + '", "c": [1, 2, 3, {"d": 1}], "k e": 5}'

CASES: Final = (
    Case(name="numbers", statements=_numbers()),
    Case(name="temporals", statements=_temporals()),
    Case(
        name="old_temporals",
        servers=MARIADB,
        statements=_temporals(),
        settings={"mysql56_temporal_format": "OFF"},
    ),
    Case(name="texts", statements=_texts()),
    Case(name="no_metadata", statements=_texts(), settings={"binlog_row_metadata": "MINIMAL"}),
    Case(name="no_checksums", statements=_numbers(), settings={"binlog_checksum": "NONE"}),
    Case(
        name="mariadb_types",
        servers=MARIADB,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, u UUID, i4 INET4, i6 INET6, c VARCHAR(500) COMPRESSED,"
            " x TEXT COMPRESSED, b BLOB COMPRESSED, j JSON, g GEOMETRY)",
            "INSERT INTO t VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '1.2.3.0', '2001:db8::',"
            " REPEAT('é',200), REPEAT('y',3000), '', '{\"a\": 1}', ST_GeomFromText('POINT(1 2)'))",
            "INSERT INTO t VALUES (2, '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::', '', 'short',"
            " REPEAT(x'00',500), '[]', ST_GeomFromText('LINESTRING(0 0,1 1)'))",
        ),
    ),
    Case(
        name="vectors",
        servers=("mariadb11",),
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3) NOT NULL)",
            "INSERT INTO t VALUES (1, Vec_FromText('[1,2,3]')), (2, Vec_FromText('[0.1,-2e10,0]'))",
        ),
    ),
    Case(
        name="mysql_types",
        servers=MYSQL,
        statements=(
            "SET time_zone = '+00:00'",
            "SET sql_mode = ''",
            "CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3), g GEOMETRY, j JSON, o JSON)",
            "INSERT INTO t VALUES (1, STRING_TO_VECTOR('[1,2,3]'), ST_GeomFromText('POINT(1 2)'),"
            " '[1, -1, 70000, 1e15, 1.5e-20, -0.0, 18446744073709551615, true, null, \"a\\\\nb\\\\u0001é\"]',"
            " JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.5' AS TIME(6)),"
            " 'dt', CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)), 'n', CAST(-0.05 AS DECIMAL(5,2)),"
            " 'b', CAST(REPEAT('ab', 60) AS BINARY), 'y', CAST(2024 AS YEAR)))",
            "INSERT INTO t VALUES (2, NULL, NULL, '{}', JSON_ARRAY(CAST('0000-00-00' AS DATE), x'00ff', b'101'))",
        ),
    ),
    Case(
        name="partial_json",
        servers=MYSQL,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON, k JSON, x INT)",
            "SET binlog_row_value_options = PARTIAL_JSON",
            f"INSERT INTO t VALUES (1, '{JSON}', '{JSON}', 1), (2, '{JSON}', NULL, 2)",
            "UPDATE t SET j = JSON_SET(j, '$.a', JSON_OBJECT('q', 1.5))",
            "UPDATE t SET j = JSON_REMOVE(j, '$.c[1]'), x = 5",
            "UPDATE t SET k = JSON_SET(k, '$.\"k e\"', 'zz'), j = JSON_INSERT(j, '$.new', 7) WHERE id = 1",
            "UPDATE t SET j = JSON_ARRAY_INSERT(j, '$.c[0]', 'ins'), k = JSON_REMOVE(k, '$.b')",
            "UPDATE t SET j = JSON_REPLACE(j, '$.b', 'short'), k = NULL",
        ),
    ),
    Case(
        name="compressed_transactions",
        servers=MYSQL,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x TEXT)",
            "SET binlog_transaction_compression = ON",
            "INSERT INTO t VALUES (1, REPEAT('a', 10000))",
            "BEGIN",
            "INSERT INTO t VALUES (2, 'b')",
            "SAVEPOINT s",
            "UPDATE t SET x = 'c'",
            "COMMIT",
            "CREATE TABLE u AS SELECT * FROM t",
            "DELETE FROM t WHERE id = 1",
        ),
    ),
    Case(
        name="compressed_parts",
        servers=MYSQL,
        part_bytes=4000,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x TEXT)",
            "SET binlog_transaction_compression = ON",
            "BEGIN",
            *(f"INSERT INTO t VALUES ({n}, REPEAT('a', 1000))" for n in range(10)),
            "COMMIT",
            "DELETE FROM t WHERE id = 1",
        ),
    ),
    Case(
        name="compressed_events",
        servers=MARIADB,
        settings={"log_bin_compress": "ON"},
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x TEXT)",
            "INSERT INTO t VALUES (1, REPEAT('a', 5000)), (2, REPEAT('b', 3000))",
            "UPDATE t SET x = REPEAT('c', 4000)",
            "DELETE FROM t WHERE id = 2",
            f"CREATE TABLE u (a INT COMMENT '{'é' * 300}')",
        ),
    ),
    Case(
        name="tagged_gtids",
        servers=MYSQL,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "SET gtid_next = 'AUTOMATIC:blue_1'",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (2)",
            "SET gtid_next = 'AUTOMATIC'",
            "INSERT INTO t VALUES (3)",
        ),
    ),
    Case(
        name="foreign_keys",
        statements=(
            "CREATE TABLE p (id INT PRIMARY KEY)",
            "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
            "INSERT INTO p VALUES (1), (2)",
            "INSERT INTO c VALUES (1, 1), (2, 2)",
            "DELETE FROM p WHERE id = 1",
        ),
    ),
    Case(
        name="schema_changes",
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x INT)",
            "INSERT INTO t VALUES (1, 1)",
            "ALTER TABLE t ADD COLUMN y VARCHAR(10) DEFAULT 'é'",
            "INSERT INTO t VALUES (2, 2, 'b')",
            "CREATE TABLE u ENGINE = InnoDB SELECT * FROM t",
            "INSERT INTO u VALUES (3, 3, 'c')",
            "SET sql_mode = 'ANSI_QUOTES'",
            'CREATE TABLE "q" (a INT)',
            "RENAME TABLE q TO r",
            "TRUNCATE r",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TEMPORARY TABLE tmp (a INT)",
            "INSERT INTO tmp VALUES (1)",
            "DROP TEMPORARY TABLE tmp",
            "ANALYZE TABLE t",
            "DROP TABLE r",
        ),
    ),
    Case(
        name="two_phase_alter",
        servers=MARIADB,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "SET binlog_alter_two_phase = 1",
            "INSERT INTO t VALUES (1)",
            "ALTER TABLE t ADD COLUMN x INT",
            "INSERT INTO t VALUES (2, 2)",
        ),
    ),
    Case(
        name="sequences",
        servers=MARIADB,
        statements=(
            "CREATE SEQUENCE s",
            "SELECT NEXTVAL(s)",
            "SELECT SETVAL(s, 5000)",
            "CREATE TABLE t (id INT PRIMARY KEY DEFAULT NEXTVAL(s), x INT)",
            "INSERT INTO t (x) VALUES (1)",
        ),
    ),
    Case(
        name="versioned",
        servers=MARIADB,
        statements=(
            "CREATE TABLE w (id INT PRIMARY KEY, y INT GENERATED ALWAYS AS (id + 1) VIRTUAL,"
            " z INT GENERATED ALWAYS AS (id * 2) STORED, i INT INVISIBLE DEFAULT 7, e INT DEFAULT 3)",
            "INSERT INTO w (id) VALUES (1), (2)",
            "UPDATE w SET i = 8 WHERE id = 2",
        ),
    ),
    Case(
        name="history",
        servers=MARIADB,
        statements=(
            "CREATE TABLE h (id INT PRIMARY KEY, v INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START,"
            " e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
            "INSERT INTO h (id, v) VALUES (1, 1), (2, 2), (3, 3)",
            "UPDATE h SET v = 10 WHERE id < 3",
            "DELETE FROM h WHERE id = 2",
            "BEGIN",
            "UPDATE h SET v = 11 WHERE id = 1",
            "SAVEPOINT a",
            "DELETE FROM h WHERE id = 3",
            "ROLLBACK TO SAVEPOINT a",
            "UPDATE h SET id = 9 WHERE id = 3",
            "COMMIT",
            "DELETE HISTORY FROM h",
        ),
    ),
    Case(
        name="foreign_keys_off",
        servers=ALL,
        statements=(
            "CREATE TABLE p (id INT PRIMARY KEY)",
            "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
            "INSERT INTO p VALUES (1), (2)",
            "INSERT INTO c VALUES (1, 1), (2, 2), (3, 2)",
            "DELETE FROM p WHERE id = 1",
            "SET foreign_key_checks = 0",
            "DELETE FROM p WHERE id = 2",
            "INSERT INTO c VALUES (9, 9)",
            "SET foreign_key_checks = 1",
            "DELETE FROM c WHERE id = 9",
        ),
    ),
    Case(
        name="generated",
        servers=MYSQL,
        statements=(
            "CREATE TABLE w (id INT PRIMARY KEY, y INT GENERATED ALWAYS AS (id + 1) VIRTUAL,"
            " z INT GENERATED ALWAYS AS (id * 2) STORED, i INT INVISIBLE DEFAULT 7, j JSON, KEY ((id + 5)),"
            " KEY k ((CAST(j->'$.a' AS UNSIGNED ARRAY))))",
            "SET sql_generate_invisible_primary_key = 1",
            "CREATE TABLE g (x INT)",
            "INSERT INTO w (id, j) VALUES (1, '{\"a\": [1, 2]}'), (2, NULL)",
            "UPDATE w SET i = 8 WHERE id = 2",
            "INSERT INTO g VALUES (7)",
        ),
    ),
    Case(
        name="xa",
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x INT)",
            "XA START 'a', 'b', 7",
            "INSERT INTO t VALUES (1, 1)",
            "XA END 'a', 'b', 7",
            "XA PREPARE 'a', 'b', 7",
            "XA COMMIT 'a', 'b', 7",
            "XA START 'r'",
            "INSERT INTO t VALUES (2, 1)",
            "XA END 'r'",
            "XA PREPARE 'r'",
            "XA ROLLBACK 'r'",
            "XA START 'o'",
            "INSERT INTO t VALUES (3, 1)",
            "XA END 'o'",
            "XA COMMIT 'o' ONE PHASE",
        ),
    ),
    Case(
        name="xa_compressed",
        servers=MYSQL,
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x TEXT)",
            "SET binlog_transaction_compression = ON",
            "XA START 'a'",
            "INSERT INTO t VALUES (1, REPEAT('a', 3000))",
            "XA END 'a'",
            "XA PREPARE 'a'",
            "XA COMMIT 'a'",
            "XA START 'o'",
            "INSERT INTO t VALUES (3, REPEAT('o', 3000))",
            "XA END 'o'",
            "XA COMMIT 'o' ONE PHASE",
        ),
    ),
    Case(
        name="savepoints",
        servers=MARIADB,  # MySQL refuses to mix engines in a transaction with GTIDs
        not_transactional=("m",),
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x INT)",
            "CREATE TABLE m (id INT PRIMARY KEY) ENGINE = MyISAM",
            "BEGIN",
            "INSERT INTO t VALUES (1, 1)",
            "SAVEPOINT a",
            "INSERT INTO t VALUES (2, 1)",
            "INSERT INTO m VALUES (1)",
            "ROLLBACK TO a",
            "INSERT INTO t VALUES (3, 1)",
            "COMMIT",
            "BEGIN",
            "INSERT INTO t VALUES (9, 1)",
            "INSERT INTO m VALUES (2)",
            "ROLLBACK",
        ),
    ),
    Case(
        name="savepoints_in_parts",
        servers=MARIADB,
        part_bytes=60,
        not_transactional=("m",),
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY, x INT)",
            "CREATE TABLE m (id INT PRIMARY KEY) ENGINE = MyISAM",
            "BEGIN",
            "INSERT INTO t VALUES (1, 1), (2, 1)",
            "SAVEPOINT a",
            "INSERT INTO t VALUES (3, 1), (4, 1)",
            "INSERT INTO m VALUES (1)",
            "ROLLBACK TO a",
            "INSERT INTO t VALUES (5, 1)",
            "COMMIT",
            "INSERT INTO t VALUES (6, 1)",
        ),
    ),
    Case(
        name="statement_format",
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, x INT)",
            "INSERT INTO t (x) VALUES (1)",
            "SET SESSION binlog_format = STATEMENT",
            "INSERT INTO t (x) VALUES (2)",
        ),
    ),
    Case(
        name="minimal_image",
        statements=(
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, x INT)",
            "INSERT INTO t (x) VALUES (1)",
            "SET SESSION binlog_row_image = MINIMAL",
            "UPDATE t SET x = 2",
        ),
    ),
    Case(
        name="not_registered",
        unregistered=("t",),
        statements=("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"),
    ),
)
