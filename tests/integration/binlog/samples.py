"""Extreme and random values of every column type, as SQL."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

Sample = tuple[str, list[str]]  # column type, values as SQL

INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
DECIMALS = [(1, 0), (1, 1), (5, 2), (9, 0), (9, 9), (10, 3), (15, 2), (18, 0), (18, 18), (19, 5), (38, 10)]
DECIMALS += [(30, 30), (39, 0), (65, 30), (65, 0)]
LETTERS = {
    "latin1": "é€",
    "utf8mb4": "é😀",
    "ascii": "abc",
    "gbk": "你好",
    "gb2312": "你好",
    "big5": "你好",
    "euckr": "가",
    "sjis": "あｱ",
    "cp932": "①あ",
    "ujis": "あｱ",
    "eucjpms": "あｱ",
    "ucs2": "a你",
    "utf16": "😀",
    "utf16le": "😀",
    "utf32": "😀",
    "cp1251": "Привет",
    "koi8r": "Привет",
    "hebrew": "א",
    "swe7": "ÄÖ",
    "tis620": "ก",
    "latin2": "ł",
}


def samples(product: str, seed: int) -> Iterator[Sample]:
    chance = random.Random(seed)
    yield from _numbers(chance)
    yield from _times()
    yield from _texts(product)
    yield from _bytes()
    yield "JSON", [_text(document) for document in _documents(chance)]
    yield "GEOMETRY", ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 1)')"]
    yield from _of_mysql() if product == "mysql" else _of_mariadb(product)


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _numbers(chance: random.Random) -> Iterator[Sample]:
    for name, bits in INTEGERS.items():
        yield name, [str(n) for n in (0, -1, 1, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, chance.getrandbits(bits - 1))]
        yield f"{name} UNSIGNED", [str(n) for n in (0, 2**bits - 1, 2 ** (bits - 1), chance.getrandbits(bits))]
    for precision, scale in DECIMALS:
        before, behind = precision - scale, f".{'9' * scale}" if scale else ""
        nines = ("9" * before or "0") + behind
        drawn = [str(chance.randrange(10**precision)).zfill(precision + 1) for _ in range(6)]
        values = [f"{text[: len(text) - scale]}.{text[len(text) - scale :]}".rstrip(".") for text in drawn]
        yield f"DECIMAL({precision},{scale})", ["0", nines, f"-{nines}", *values]
    yield "FLOAT", ["0", "-1.5", "3.4e38", "1.17549e-38", "0.1"]
    yield "DOUBLE", ["0", "-1.5", "1.7976931348623157e308", "2.2250738585072014e-308", repr(chance.random())]
    for bits in (1, 7, 8, 9, 33, 63, 64):
        yield f"BIT({bits})", ["0", "1", str(2**bits - 1)]
    yield "YEAR", ["0", "1901", "2155"]


def _times() -> Iterator[Sample]:
    days = "0000-00-00", "1000-01-01", "9999-12-31", "2024-02-29", "2024-00-10", "2023-02-31", "0001-01-01"
    yield "DATE", [_text(day) for day in days]
    for digits in range(7):
        part = f".{'123456'[:digits]}" if digits else ""
        nines = f".{'9' * digits}" if digits else ""
        clock = (
            "838:59:59",
            "-838:59:59",
            f"-00:00:00{part}",
            f"-12:34:56{part}",
            f"-00:59:59{nines}",
            f"12:34:56{part}",
        )
        yield f"TIME({digits})", [_text(time) for time in clock]
        moments = "0000-00-00 00:00:00", f"1000-01-01 00:00:00{part}", f"9999-12-31 23:59:59{nines}"
        odd = f"2024-00-00 12:00:00{part}", f"1969-12-31 23:59:59{part}"
        yield f"DATETIME({digits})", [_text(moment) for moment in moments + odd]
        stamps = "0000-00-00 00:00:00", f"1970-01-01 00:00:01{part}", f"2038-01-19 03:14:07{part}"
        yield f"TIMESTAMP({digits}) NULL", [_text(stamp) for stamp in stamps]


def _texts(product: str) -> Iterator[Sample]:
    letters = LETTERS | ({"gb18030": "你😀"} if product == "mysql" else {})
    for charset, text in letters.items():
        for kind in ("CHAR(9)", "VARCHAR(300)", "TEXT"):
            yield f"{kind} CHARACTER SET {charset}", [_text(value) for value in ("", "a", "  b  ", text)]
    for kind, length in {"TINYTEXT": 255, "MEDIUMTEXT": 70_000, "LONGTEXT": 70_000, "CHAR(255)": 255}.items():
        yield f"{kind} CHARACTER SET utf8mb4", [f"REPEAT('x', {length})", "REPEAT('é', 100)"]
    yield "ENUM('a','b,c','d''e','é')", ["'b,c'", "'d''e'", "'é'"]
    yield f"ENUM({','.join(_text(f'm{n}') for n in range(300))})", ["'m0'", "'m299'"]
    yield "ENUM('é','ü') CHARACTER SET latin1", ["'ü'"]
    for count in (1, 8, 9, 17, 24, 25, 33, 64):
        names = [f"s{n}" for n in range(count)]
        yield f"SET({','.join(map(_text, names))})", ["''", _text(",".join(names)), _text(names[-1])]


def _bytes() -> Iterator[Sample]:
    values = ["x''", "x'00'", "x'610000'", "x'0000000000'", "x'fffe'"]
    for kind in ("BINARY(5)", "VARBINARY(5)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"):
        yield kind, values
    yield "BINARY(200)", ["x''", "REPEAT('x', 200)"]
    yield "VARBINARY(3000)", ["REPEAT('x', 3000)"]


def _documents(chance: random.Random) -> list[str]:
    numbers = (
        "1 -1 32767 -32768 65535 65536 -2147483648 4294967295 -9223372036854775808 18446744073709551615 1.0 0.1 -0.0"
    )
    doubles = "1e14 1e15 1e16 123456789012345.6 1e-5 1e-14 1e-15 1.5e-20 5e-324 1.7976931348623157e308 1e20"
    fixed = [*numbers.split(), *doubles.split(), "null", "true", '"x"', "[]", "{}", '[1,[2,[3]],{"a":null}]']
    fixed += ['"a\\"b\\\\c\\n\\t\\u0001\\b\\f\\r/é😀"', '{"b":1,"a":2,"aa":3,"":4}', json.dumps(["x" * 40_000] * 2)]
    fixed += [json.dumps(list(range(3000))), json.dumps({f"k{n}": n * 100_000 for n in range(3000)})]
    return fixed + [json.dumps(_document(chance, 0), ensure_ascii=False) for _ in range(100)]


def _document(chance: random.Random, depth: int) -> Any:
    if depth > 3 or chance.random() < 0.4:
        number = chance.random() * 10.0 ** chance.randrange(-20, 25)
        return chance.choice([None, True, chance.randrange(-(10**12), 10**12), number, "s" * chance.randrange(5), 'é"'])
    if chance.random() < 0.5:
        return [_document(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {"k" * chance.randrange(4) + str(n): _document(chance, depth + 1) for n in range(chance.randrange(5))}


def _of_mysql() -> Iterator[Sample]:
    yield (
        "JSON",
        [
            "JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.5' AS TIME(6)))",
            "JSON_ARRAY(CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)), CAST('0000-00-00' AS DATE))",
            "JSON_ARRAY(CAST(1.50 AS DECIMAL(10,2)), CAST(-0.05 AS DECIMAL(5,2)), 1e22, CAST(2024 AS YEAR))",
            "JSON_ARRAY(CAST('12345678901234567890123456789012345.5' AS DECIMAL(65,30)))",
            "JSON_ARRAY(x'00ff', b'101', CAST(REPEAT('a', 57) AS BINARY), CAST(REPEAT('a', 58) AS BINARY))",
            "JSON_OBJECT('g', ST_GeomFromText('POINT(1 2)'))",
        ],
    )
    yield "VECTOR(3)", ["STRING_TO_VECTOR('[1,2,3]')", "STRING_TO_VECTOR('[0.1,-2e10,0]')"]


def _of_mariadb(product: str) -> Iterator[Sample]:
    uuids = ["123e4567-e89b-12d3-a456-426655440000", "00000000-0000-0000-0000-000000000000"]
    uuids += ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    yield "UUID", [_text(value) for value in uuids]
    yield "INET6", [_text(value) for value in ("::", "::1", "2001:db8::ff00:42:8329", "ff00::")]
    yield "INET4", [_text(value) for value in ("0.0.0.0", "255.255.255.255", "1.2.3.0")]
    yield "VARCHAR(2000) COMPRESSED", ["''", "'abc'", "REPEAT('x', 1500)", "REPEAT('é', 300)"]
    yield "TEXT COMPRESSED", ["''", "REPEAT('x', 5000)"]
    yield "BLOB COMPRESSED", ["''", "REPEAT(x'00', 5000)"]
    yield "LONGTEXT COMPRESSED CHARACTER SET latin1", ["REPEAT('é', 500)"]
    if product == "mariadb11":
        yield "VECTOR(3) NOT NULL", ["Vec_FromText('[1,2,3]')", "Vec_FromText('[0.1,-2e10,0]')"]
