"""Column types as people declare them, and values at their edges, as SQL.

A value that the target cannot hold is in `lossy`: it is written only where a policy says what becomes of it,
or where the job is meant to stop.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

INTEGERS: Final = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
REPERTOIRE: Final = {
    "latin1": "aZ é€ß'\"\\",
    "utf8mb4": "aA é😀ﬁ字\u0301ß\u00a0\u2028Ⅷ%_'\"\\\t\n\r\x1a",
    "utf8mb3": "aA é字ﬁß",
    "ascii": "abc ~\x7f\t",
    "gbk": "你好a 啊",
    "sjis": "あｱ日a\\~",
    "cp932": "①あ日~",
    "ujis": "あｱ日",
    "big5": "你好",
    "euckr": "가a",
    "ucs2": "a你 é",
    "utf16": "a😀é 字",
    "utf32": "a😀é 字",
    "cp1251": "Привет Ж€",
    "koi8r": "Привет",
    "latin2": "łŁ é",
    "greek": "αΩ",
    "hebrew": "אב",
    "tis620": "กข",
    "swe7": "ÄÖ",
}
COLLATIONS: Final = {
    "utf8mb4": ("utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_german2_ci", "utf8mb4_turkish_ci"),
    "latin1": ("latin1_bin", "latin1_general_cs", "latin1_german1_ci", "latin1_swedish_ci"),
    "utf8mb3": ("utf8mb3_bin", "utf8mb3_general_ci"),
    "ucs2": ("ucs2_bin", "ucs2_general_ci"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One declaration.

    sql      the type, its character set included
    values   SQL of values that it holds
    lossy    SQL of values that it holds and PostgreSQL does not
    key      how an index takes it: "whole", "prefix" (column(n) only) or "never"
    short    whether all of its values are short
    extra    attributes that it must have
    calls    expressions over the column {0} for generated columns, with their types
    """

    sql: str
    values: tuple[str, ...]
    lossy: tuple[str, ...] = ()
    key: str = "whole"
    short: bool = True
    extra: str = ""
    calls: tuple[tuple[str, str], ...] = ()


def text(value: str) -> str:
    """A string as SQL that no character set or sql_mode of the session changes."""
    return f"_utf8mb4 x'{value.encode().hex()}'" if value else "''"


def plain(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def kind(chance: random.Random, product: str) -> Kind:
    """One of all."""
    makers: list[tuple[int, Any]] = [
        (5, integer), (2, decimal), (2, floating), (1, bits), (1, year), (1, day), (1, clock), (2, moment), (2, stamp),
        (6, partial(string, product=product)), (3, octets), (1, members), (1, document), (1, shape),
    ]  # fmt: skip
    makers.append((2, of_mysql if product == "mysql" else partial(of_mariadb, product=product)))
    (maker,) = chance.choices([maker for _, maker in makers], [weight for weight, _ in makers])
    made: Kind = maker(chance)
    return made


def integer(chance: random.Random) -> Kind:
    name = chance.choice(list(INTEGERS))
    width = chance.choice(("", "", "", "(1)", "(5)", "(20)"))
    sign = chance.choice(("", "", " UNSIGNED", " UNSIGNED", " ZEROFILL"))
    n = INTEGERS[name]
    low, high = (0, 2**n - 1) if sign else (-(2 ** (n - 1)), 2 ** (n - 1) - 1)
    drawn = {low, high, 0, 1, high // 2, low + 1, *(chance.randint(low, high) for _ in range(4))}
    calls = (("{0} IS NULL", "INT"), ("CAST({0} AS CHAR(30))", "VARCHAR(30)"))
    if n < 32:
        calls += (("{0} + 1", "BIGINT"), ("{0} * 2", "BIGINT"))
    return Kind(sql=f"{name}{width}{sign}", values=tuple(map(str, sorted(drawn))), calls=calls)


def decimal(chance: random.Random) -> Kind:
    precision, scale = chance.choice(((1, 0), (1, 1), (5, 2), (10, 0), (18, 18), (30, 30), (38, 10), (65, 0), (65, 30)))
    sign = chance.choice(("", "", " UNSIGNED", " ZEROFILL"))
    before, behind = precision - scale, f".{'9' * scale}" if scale else ""
    nines = ("9" * before or "0") + behind
    values = ["0", nines, "0" + (f".{'0' * (scale - 1)}1" if scale else "")]
    values += [] if sign else [f"-{nines}", "-0.0"]
    for _ in range(3):
        digits = str(chance.randrange(10**precision)).zfill(precision + 1)
        values.append(f"{digits[: len(digits) - scale]}.{digits[len(digits) - scale :]}".rstrip("."))
    return Kind(sql=f"{chance.choice(('DECIMAL', 'NUMERIC'))}({precision},{scale}){sign}", values=tuple(values))


def floating(chance: random.Random) -> Kind:
    single = (
        "0",
        "-0e0",
        "0.1",
        "1.5",
        "-1.5",
        "3.402823466e38",
        "-3.402823466e38",
        "1.17549435e-38",
        "1.4e-45",
        "16777217",
    )
    double = ("0", "-0e0", "0.1", "-1e300", "1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "1e15", "1e22", "123456789.123456789")  # fmt: skip
    drawn = tuple(repr(chance.uniform(-1, 1) * 10 ** chance.randint(-30, 30)) for _ in range(4))
    calls = (("{0} + 0e0", "DOUBLE"), ("{0} IS NULL", "INT"))
    return chance.choice(
        (
            Kind(sql="FLOAT", values=single + drawn, calls=calls),
            Kind(sql="DOUBLE", values=double + drawn, calls=calls),
            Kind(sql="FLOAT UNSIGNED", values=tuple(v for v in single + drawn if not v.startswith("-"))),
            Kind(sql="FLOAT(7,4)", values=("0", "999.9999", "-999.9999", "0.1", "0.00004")),
            Kind(sql="DOUBLE(20,5) ZEROFILL", values=("0", "0.1", "99999999999999.99999")),
            Kind(sql="FLOAT(53)", values=double + drawn),
        )
    )


def bits(chance: random.Random) -> Kind:
    n = chance.choice((1, 2, 7, 8, 9, 33, 63, 64))
    values = {0, 1, 2**n - 1, 2 ** (n - 1), *(chance.getrandbits(n) for _ in range(4))}
    return Kind(sql=f"BIT({n})", values=tuple(f"b'{value:b}'" for value in sorted(values)))


def year(chance: random.Random) -> Kind:
    return Kind(sql="YEAR", values=("0", "1901", "2155", "1999", str(chance.randint(1901, 2155))))


def _fraction(chance: random.Random) -> tuple[str, str, str]:
    """How a type says its digits behind the second, all of them 9, and some."""
    digits = chance.choice((0, 0, 1, 2, 3, 4, 5, 6, 6))
    drawn = "".join(chance.choice("0123456789") for _ in range(digits))
    return (f"({digits})", f".{'9' * digits}", f".{drawn}") if digits else ("", "", "")


def day(chance: random.Random) -> Kind:
    drawn = (f"{chance.randint(1, 9999):04}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}" for _ in range(4))
    days = ("1000-01-01", "9999-12-31", "2024-02-29", "0001-01-01", "0000-01-01", "1582-10-10", "1900-02-28", *drawn)
    lossy = ("0000-00-00", "2024-00-10", "2024-02-00", "2023-02-31", "0000-02-30")
    return Kind(sql="DATE", values=tuple(map(plain, days)), lossy=tuple(map(plain, lossy)))


def clock(chance: random.Random) -> Kind:
    digits, nines, some = _fraction(chance)
    texts = ("838:59:59", "-838:59:59", "00:00:00", f"-00:00:00{some}", f"100:00:00{some}", f"-23:59:59{nines}")
    return Kind(sql=f"TIME{digits}", values=tuple(map(plain, (*texts, f"24:00:00{nines}", f"12:34:56{some}"))))


def moment(chance: random.Random) -> Kind:
    digits, nines, some = _fraction(chance)
    drawn = (f"{chance.randint(1, 9999):04}-{chance.randint(1, 12):02}-28 23:59:59{some}" for _ in range(3))
    texts = (
        "1000-01-01 00:00:00",
        f"9999-12-31 23:59:59{nines}",
        f"0001-01-01 00:00:00{some}",
        f"0000-12-31 23:59:59{nines}",
    )
    lossy = ("0000-00-00 00:00:00", f"2024-00-00 12:00:00{some}", f"2023-02-30 01:02:03{nines}")
    return Kind(
        sql=f"DATETIME{digits}", values=tuple(map(plain, (*texts, f"1969-12-31 23:59:59{some}", *drawn))),
        lossy=tuple(map(plain, lossy)), calls=(("CAST({0} AS DATE)", "DATE"),),
    )  # fmt: skip


def stamp(chance: random.Random) -> Kind:
    digits, nines, some = _fraction(chance)
    texts = (f"1970-01-01 00:00:01{some}", f"2038-01-19 03:14:07{nines}", f"2001-09-09 01:46:40{some}")
    return Kind(
        sql=f"TIMESTAMP{digits}", values=tuple(map(plain, texts)), lossy=("'0000-00-00 00:00:00'",),
        extra=chance.choice(("NULL", "NULL", f"NOT NULL DEFAULT CURRENT_TIMESTAMP{digits}", "NOT NULL DEFAULT '2001-01-01 00:00:00'")),
    )  # fmt: skip


def string(chance: random.Random, product: str) -> Kind:
    charset = chance.choice(["utf8mb4", "utf8mb4", "latin1", *REPERTOIRE])
    letters = REPERTOIRE[charset]
    name, length = chance.choice(
        (("CHAR", 1), ("CHAR", 20), ("CHAR", 255), ("VARCHAR", 0), ("VARCHAR", 1), ("VARCHAR", 40), ("VARCHAR", 700),
         ("VARCHAR", 3000), ("TINYTEXT", 60), ("TEXT", 16000), ("MEDIUMTEXT", 0), ("LONGTEXT", 0))
    )  # fmt: skip
    declared = name if "TEXT" in name else f"{name}({length})"
    length = length or (0 if name == "VARCHAR" else 100_000)
    sizes = (0, 1, 2, 5, min(length, 30), min(length, 30), min(length, 300))
    drawn = {"".join(chance.choice(letters) for _ in range(min(size, length))) for size in sizes}
    drawn |= {"", (letters[0] * 3 + "   ")[:length], " "[:length], letters[:length].rstrip("\\")[:length]}
    values = [text(value) for value in sorted(drawn)] + ["'NULL'"] * (length > 3) + [r"'\\N'"] * (length > 3)
    if length > 300:
        values.append(f"REPEAT({text(letters[0])}, {min(length, 60_000)})")
    lossy = [text("a\0b"[:length]), text("\0"[:length])] if length else []
    collation = (
        chance.choice(("", "", f" COLLATE {chance.choice(COLLATIONS[charset])}")) if charset in COLLATIONS else ""
    )
    packed = " COMPRESSED" * (product != "mysql" and name not in ("CHAR",) and chance.random() < 0.1)
    small = length <= 255
    calls = (("UPPER({0})", f"{declared} CHARACTER SET {charset}"), ("CHAR_LENGTH({0})", "INT")) if small else ()
    return Kind(
        sql=f"{declared}{packed} CHARACTER SET {charset}{collation}", values=tuple(dict.fromkeys(values)),
        lossy=tuple(lossy), key="never" if packed else "whole" if "TEXT" not in name and 0 < length <= 255 else "prefix",
        short=length <= 300, calls=calls,
    )  # fmt: skip


def octets(chance: random.Random) -> Kind:
    name, length = chance.choice(
        (("BINARY", 1), ("BINARY", 16), ("BINARY", 255), ("VARBINARY", 1), ("VARBINARY", 40), ("VARBINARY", 2000),
         ("TINYBLOB", 255), ("BLOB", 60_000), ("MEDIUMBLOB", 200_000), ("LONGBLOB", 200_000))
    )  # fmt: skip
    declared = name if "BLOB" in name else f"{name}({length})"
    if name == "VARBINARY" and chance.random() < 0.3:
        declared = f"VARCHAR({length}) CHARACTER SET binary"
    drawn = {b"", b"\0", b"a\0", b" ", b"\xff", b"a ", *(chance.randbytes(min(length, n)) for n in (1, 3, 16, 40))}
    values = [f"x'{value[:length].hex()}'" for value in sorted(drawn)]
    if length > 2000:
        values.append(f"REPEAT(x'00ff5c27', {length // 4})")
    whole = "BLOB" not in name and length <= 255
    return Kind(
        sql=declared, values=tuple(dict.fromkeys(values)), key="whole" if whole else "prefix", short=length <= 255
    )


def members(chance: random.Random) -> Kind:
    odd = [
        "a",
        "b c",
        "it's",
        'say "x"',
        "é",
        "字",
        "",
        "NULL",
        "back\\slash",
        "%s",
        "1",
        "0",
        "x" * 100,
        "A\u0308",
        "😀",
        "?",
    ]
    many = [f"m{n}" for n in range(300)]
    if chance.random() < 0.5:
        names = chance.choice((["a"], odd, many, ["x,y", *odd]))
        sql = f"ENUM({','.join(map(plain, names))}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        numbers = (*(str(n + 1) for n in range(min(len(names), 14))), str(len(names)), "'none'")
        # Number 0, an empty text that is no member, is what a lenient server makes of what is none: as a key it
        # is the same to the target as the member ''.
        return Kind(sql=sql, values=numbers, key="never" if "" in names else "whole")
    names = chance.choice((["a"], [n for n in odd if n], [f"s{n}" for n in range(chance.choice((8, 9, 24, 64)))]))
    every = 2 ** len(names) - 1
    values = {0, 1, every, 2 ** (len(names) - 1), *(chance.randint(0, every) for _ in range(4))}
    sql = f"SET({','.join(map(plain, names))}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    return Kind(sql=sql, values=tuple(map(str, sorted(values))))


def document(chance: random.Random) -> Kind:
    numbers = "[0, -0.0, 18446744073709551615, -9223372036854775808, 1e22, 5e-324, 1.7976931348623157e308, 0.1, 1e-7]"
    texts = [
        numbers,
        "null",
        "[]",
        "{}",
        '""',
        "true",
        '{"": {"": [null]}}',
        r'"\"\\\/\b\f\n\r\t\u00e9\u0001\ud83d\ude00"',
    ]
    texts += ["[" * 90 + "]" * 90, json.dumps({f"k{n}": [n, str(n)] for n in range(2000)}), '{"b":1,"a":2,"é":"字"}']
    texts += ['{"nul": "\\u0000"}', json.dumps("x" * 70_000)]
    texts += [json.dumps(_document(chance, 0), ensure_ascii=chance.random() < 0.5) for _ in range(4)]
    calls = (("JSON_UNQUOTE(JSON_EXTRACT({0}, '$.a'))", "LONGTEXT"),)
    return Kind(sql="JSON", values=tuple(text(t) for t in texts), key="never", short=False, calls=calls)


def _document(chance: random.Random, depth: int) -> Any:
    if depth > 4 or chance.random() < 0.3:
        number = chance.random() * 10.0 ** chance.randrange(-20, 25)
        return chance.choice([None, True, chance.randrange(-(10**18), 10**18), number, 'é"\\/' * chance.randrange(5)])
    if chance.random() < 0.5:
        return [_document(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {f"{'k' * chance.randrange(4)}{n}": _document(chance, depth + 1) for n in range(chance.randrange(5))}


SHAPES: Final = {
    "POINT": ("POINT(1 2)", "POINT(-1e300 5e-324)", "POINT(-0 0)"),
    "LINESTRING": ("LINESTRING(0 0,1 1)", f"LINESTRING({','.join(f'{n} {n}' for n in range(500))})"),
    "POLYGON": ("POLYGON((0 0,10 0,10 10,0 10,0 0),(5 5,7 5,7 7,5 7,5 5))",),
    "MULTIPOINT": ("MULTIPOINT((0 0),(20 20))",),
    "MULTILINESTRING": ("MULTILINESTRING((10 10,20 20),(15 15,30 15))",),
    "MULTIPOLYGON": ("MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,7 5,7 7,5 5)))",),
    "GEOMETRYCOLLECTION": ("GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))",),
}  # fmt: skip


def shape(chance: random.Random) -> Kind:
    name = chance.choice([*SHAPES, "GEOMETRY"])
    texts = SHAPES[name] if name in SHAPES else tuple(value for values in SHAPES.values() for value in values)
    srids = ("", ", 0", ", 3857")
    return Kind(sql=name, values=tuple(f"ST_GeomFromText('{t}'{chance.choice(srids)})" for t in texts), key="never")


def of_mysql(chance: random.Random) -> Kind:
    size = chance.choice((1, 3, 100))
    made = [
        f"[{','.join(f'{chance.uniform(-1, 1) * 10 ** chance.randint(-30, 30):e}' for _ in range(size))}]"
        for _ in range(3)
    ]
    values = tuple(f"STRING_TO_VECTOR('{value}')" for value in made)
    dated = "JSON_OBJECT('d', CAST('2024-02-29' AS DATE), 't', CAST('-12:34:56.5' AS TIME(6)), 'n', CAST(1.50 AS DECIMAL(10,2)))"
    opaque = ("JSON_ARRAY(x'00ff', b'101')", "JSON_OBJECT('g', ST_GeomFromText('POINT(1 2)'))", dated)
    return chance.choice(
        (
            Kind(sql=f"VECTOR({size})", values=values, key="never"),
            Kind(sql="JSON", values=opaque, key="never"),
            Kind(sql="VARCHAR(30) COLLATE utf8mb4_0900_bin", values=("'a'", "'a '", "'A'", text("😀"))),
            Kind(sql="VARCHAR(30) COLLATE utf8mb4_0900_ai_ci", values=("'a'", "'b '", "'A'", text("é"))),
        )
    )


def of_mariadb(chance: random.Random, product: str) -> Kind:
    uuids = ["123e4567-e89b-12d3-a456-426655440000", "00000000-0000-0000-0000-000000000000"]
    uuids += ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    choices = [
        Kind(sql="UUID", values=tuple(map(plain, uuids))),
        Kind(sql="INET6", values=("'::'", "'::1'", "'2001:db8::ff00:42:8329'", "'ff00::'", "'::ffff:1.2.3.4'")),
        Kind(sql="INET4", values=("'0.0.0.0'", "'255.255.255.255'", "'1.2.3.0'")),
        Kind(sql="LONGBLOB COMPRESSED", values=("''", "x'00'", "REPEAT(x'00', 50000)"), key="never", short=False),
    ]
    if product == "mariadb11":
        values = ("Vec_FromText('[1,2,3]')", "Vec_FromText('[0.1,-2e10,0]')")
        choices.append(Kind(sql="VECTOR(3)", values=values, key="never", extra="NOT NULL"))
    return chance.choice(choices)
