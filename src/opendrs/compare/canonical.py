"""The canonical text of every logical type, and the SQL by which each dialect makes it.

Two values are the same if and only if their canonical texts are the same bytes. The two dialects stand
side by side, so that a reader can see that they agree; tests run both on real servers.

| kind | canonical text |
|---|---|
| int, year | decimal digits |
| decimal | decimal digits with as many behind the point as the scale |
| float32, float64 | sign, power of two, and 53 bits as digits; all zeros are one |
| bits | one digit a bit |
| date, datetime, timestamp | YYYY-MM-DD, YYYY-MM-DD hh:mm:ss.uuuuuu (UTC) |
| time | [-]hh:mm:ss.uuuuuu |
| text, enum, set, json | length in characters, colon, the text; or `#` and its SHA-256, if it is long |
| binary, geometry, vector | SHA-256 of the bytes |
| uuid, inet4, inet6 | 32, 8 or 32 hexadecimal digits |

NULL is the letter N. A row is its columns' texts, joined by commas; its digest is the first 128 bits of
SHA-256 (MySQL 9.6 dropped MD5). Digests are summed, never XORed: two equal rows must not vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from opendrs.model.types import Logical

# Characters from which on a text is hashed: what CONCAT makes is NULL if it is larger than max_allowed_packet.
LONG_TEXT: Final = 2000
ARGUMENTS_MAX: Final = 90  # of a function of PostgreSQL, its separator aside (FUNC_MAX_ARGS is 100)
Dialect = Literal["mysql", "mariadb", "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One column on both sides: its quoted names and what a declared loss makes of it.

    lost      condition in the source's SQL under which the value cannot arrive as it is; empty: never
    instead   canonical text that arrives then; None: NULL
    stripped  text arrives without NUL characters ("remove") or with U+2400 for them ("replace")
    foreign   condition in the source's SQL under which no text of a target is the value, for Unicode does not
              have its characters; empty: never. The conversion below would make question marks of them.
    """

    type: Logical
    source: str
    target: str
    lost: str = ""
    instead: str | None = None
    stripped: Literal["", "remove", "replace"] = ""
    foreign: str = ""


def _float_mysql(c: str) -> str:
    # The exponent of |x|/2 never overflows. LOG2 may round either way, so that it is one or two too small
    # (or right): the quotient tells.
    x = f"({c} + 0e0)"
    e = f"CAST(FLOOR(LOG2(ABS({x}) / 2)) AS SIGNED)"
    m = f"(ABS({x}) / POW(2, {e}))"
    tiny = f"CONCAT('d', CAST(ABS({x}) * POW(2, 537) * POW(2, 537) AS UNSIGNED))"
    shifted = {n: f"CONCAT({e} + {n}, 'p', CAST({m} * POW(2, {52 - n}) AS UNSIGNED))" for n in range(3)}
    normal = f"CASE WHEN {m} >= 4 THEN {shifted[2]} WHEN {m} >= 2 THEN {shifted[1]} ELSE {shifted[0]} END"
    return (
        f"CASE WHEN {x} = 0 THEN '0' WHEN {x} IS NULL THEN NULL ELSE CONCAT(IF({x} < 0, '-', '+'),"
        f" IF(ABS({x}) < 2.2250738585072014e-308, {tiny}, {normal})) END"
    )


def _float_postgresql(c: str) -> str:
    bits = f"('x' || encode(float8send({c}::float8), 'hex'))::bit(64)"
    fraction = f"(({bits} & x'000fffffffffffff')::bigint)"
    exponent = f"((({bits} >> 52) & x'00000000000007ff')::bigint)"
    return (
        f"CASE WHEN {c} = 0 THEN '0' WHEN {c} IS NULL THEN NULL ELSE (CASE WHEN {c} < 0 THEN '-' ELSE '+' END) ||"
        f" (CASE WHEN {exponent} = 0 THEN 'd' || {fraction}"
        f" ELSE ({exponent} - 1023) || 'p' || ({fraction} + 4503599627370496) END) END"
    )


def _time_postgresql(c: str) -> str:
    micros = f"abs(extract(epoch from {c}) * 1000000)::bigint"
    hours = f"({micros} / 3600000000)"
    return (
        f"(CASE WHEN {c} < interval '0' THEN '-' ELSE '' END)"
        f" || lpad({hours}::text, greatest(2, length({hours}::text)), '0')"
        f" || to_char(({micros} % 3600000000) * interval '1 microsecond', ':MI:SS.US')"
    )


def _vector_postgresql(c: str) -> str:
    element = "float4send(e)"
    little = " || ".join(f"substr({element}, {n}, 1)" for n in (4, 3, 2, 1))
    elements = f"unnest({c}) WITH ORDINALITY u(e, n)"
    joined = f"(SELECT coalesce(string_agg({little}, ''::bytea ORDER BY n), ''::bytea) FROM {elements})"
    return f"CASE WHEN {c} IS NULL THEN NULL ELSE encode(sha256({joined}), 'hex') END"


def _date_postgresql(c: str) -> str:
    # Year 0 is 1 BC to PostgreSQL, which prints it so.
    early = f"{c} < date '0001-01-01' AND isfinite({c})"
    return f"(CASE WHEN {early} THEN '0000' || substr({c}::text, 5, 6) ELSE {c}::text END)"


def _moment_postgresql(c: str) -> str:
    form = "-MM-DD HH24:MI:SS.US"
    return (
        f"(CASE WHEN NOT isfinite({c}) THEN {c}::text"
        f" WHEN {c} < timestamp '0001-01-01' THEN '0000' || to_char({c}, '{form}')"
        f" ELSE to_char({c}, 'YYYY{form}') END)"
    )


def _text_mysql(text: str) -> str:
    hashed = f"CONCAT(CHAR_LENGTH({text}), '#', SHA2({text}, 256))"
    return f"IF(CHAR_LENGTH({text}) > {LONG_TEXT}, {hashed}, CONCAT(CHAR_LENGTH({text}), ':', {text}))"


def _text_postgresql(text: str) -> str:
    hashed = f"char_length({text}) || '#' || encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
    return f"CASE WHEN char_length({text}) > {LONG_TEXT} THEN {hashed} ELSE char_length({text}) || ':' || {text} END"


def mysql(kind: str, c: str, *, mariadb: bool) -> str:
    """Canonical text of a column in the SQL of MySQL and MariaDB. The session is in UTC and utf8mb4."""
    match kind:
        case "int" | "year":
            return f"({c} + 0)"  # ZEROFILL prints zeros in front
        case "decimal":
            return c
        case "float32" | "float64":
            return _float_mysql(c)
        case "date":
            return f"CAST({c} AS CHAR)"
        case "time":
            return f"CAST(CAST({c} AS TIME(6)) AS CHAR)"
        case "datetime" | "timestamp":
            return f"CAST(CAST({c} AS DATETIME(6)) AS CHAR)"
        case "text" | "enum" | "set":
            return _text_mysql(f"CONVERT({c} USING utf8mb4)")
        case "json":
            text = f"CONVERT({c} USING utf8mb4)" if mariadb else f"CAST({c} AS CHAR CHARACTER SET utf8mb4)"
            return _text_mysql(text)
        case "binary":
            return f"SHA2({c}, 256)"
        case "geometry" | "vector":
            return f"SHA2(CAST({c} AS BINARY), 256)"
        case "uuid":
            return f"REPLACE({c}, '-', '')"
        case "inet4":
            return f"LOWER(HEX(CAST({c} AS BINARY(4))))"
        case "inet6":
            return f"LOWER(HEX(CAST({c} AS BINARY(16))))"
    raise KeyError(kind)


def postgresql(kind: str, c: str) -> str:
    """Canonical text of a column in the SQL of PostgreSQL. The session is in UTC and UTF8."""
    match kind:
        case "int" | "year" | "decimal" | "bits":
            return f"{c}::text"
        case "float32" | "float64":
            return _float_postgresql(c)
        case "date":
            return _date_postgresql(c)
        case "time":
            return _time_postgresql(c)
        case "datetime":
            return _moment_postgresql(c)
        case "timestamp":
            return _moment_postgresql(f"({c} AT TIME ZONE 'UTC')")
        case "text" | "enum" | "set" | "json":
            return _text_postgresql(f"{c}::text")
        case "binary" | "geometry":
            return f"encode(sha256({c}), 'hex')"
        case "vector":
            return _vector_postgresql(c)
        case "uuid":
            return f"replace({c}::text, '-', '')"
        case "inet4" | "inet6":
            return f"encode(substr(inet_send({c}), 5), 'hex')"
    raise KeyError(kind)


def _source(column: Compared, *, mariadb: bool) -> str:
    c = column.source
    if column.stripped:
        # First UTF-8, which has all of these characters, and byte by byte: to some collations NUL is nothing.
        c = f"REPLACE(CONVERT({c} USING utf8mb4) COLLATE utf8mb4_bin, {_NUL}, {_STRIPPED[column.stripped]})"
    if column.type.kind == "bits":
        text = f"LPAD(BIN({c} + 0), {column.type.length}, '0')"
    elif column.type.kind == "decimal":
        text = f"CAST({c} AS DECIMAL({column.type.precision},{column.type.scale}))"  # without the zeros of ZEROFILL
    else:
        text = mysql(column.type.kind, c, mariadb=mariadb)
    if column.lost:
        instead = "NULL" if column.instead is None else f"'{column.instead}'"
        text = f"IF({column.lost}, {instead}, {text})"
    if column.foreign:
        text = f"IF({column.foreign}, 'beyond Unicode', {text})"
    return f"COALESCE({text}, 'N')"


_NUL = "CHAR(0 USING utf8mb4)"
_STRIPPED = {"remove": "''", "replace": "CHAR(0xE29080 USING utf8mb4)"}


def source_sums(table: str, columns: Sequence[Compared], *, mariadb: bool, where: str = "") -> str:
    """SQL for MySQL and MariaDB: how many rows, and the two halves of the digests summed."""
    row = f"CONCAT_WS(',', {', '.join(_source(c, mariadb=mariadb) for c in columns)})"
    digest = f"SHA2({row}, 256)"
    halves = [f"CAST(CONV(SUBSTR({digest}, {at}, 16), 16, 10) AS UNSIGNED)" for at in (1, 17)]
    sums = ", ".join(f"COALESCE(SUM({half}), 0) AS sum{n}" for n, half in enumerate(halves, 1))
    return f"SELECT COUNT(*) AS total, {sums} FROM {table}" + (f" WHERE {where}" if where else "")


def target_sums(table: str, columns: Sequence[Compared], *, where: str = "") -> str:
    """SQL for PostgreSQL, with the same meaning. A half is a signed bigint there: 2^64 is put back a row."""
    texts = [f"coalesce({postgresql(c.type.kind, c.target)}, 'N')" for c in columns]
    while len(texts) > ARGUMENTS_MAX:
        groups = (texts[at : at + ARGUMENTS_MAX] for at in range(0, len(texts), ARGUMENTS_MAX))
        texts = [f"concat_ws(',', {', '.join(group)})" for group in groups]
    digest = f"sha256(convert_to(concat_ws(',', {', '.join(texts)}), 'UTF8'))"
    halves = [f"('x' || encode(substr(d, {at}, 8), 'hex'))::bit(64)::bigint" for at in (1, 9)]
    rows = f"SELECT {digest} AS d FROM {table}" + (f" WHERE {where}" if where else "") + " OFFSET 0"
    pieces = f"SELECT {halves[0]} AS a, {halves[1]} AS b FROM ({rows}) AS digests OFFSET 0"
    sums = ", ".join(
        f"coalesce(sum({half}), 0) + 18446744073709551616 * count(*) FILTER (WHERE {half} < 0) AS sum{n}"
        for n, half in enumerate("ab", 1)
    )
    return f"SELECT count(*) AS total, {sums} FROM ({pieces}) AS pieces"
