"""What a change of a column's type does to the values that are there.

MySQL converts them by its own rules. A conversion is in here if PostgreSQL's, written as it stands here,
gives the same for every value; values that the source refuses in a strict sql_mode, and cuts in a lax one,
are cut. For what is not in here the caller stops, unless the table is empty.
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.postgres.names import literal
from opendrs.model.catalog import Column

# Range of each whole number: (bits, unsigned) -> (least, most)
RANGES: Final[dict[tuple[int, bool], tuple[int, int]]] = {
    (bits, unsigned): (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for bits in (8, 16, 24, 32, 64)
    for unsigned in (False, True)
}
UTF8: Final = ("utf8mb4", "utf8mb3", "utf8", "ascii")


def using(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """SQL of the new value, from the quoted column `name`; "" if the values stay; None if it is not certain."""
    rule = RULES.get((old.type.kind, new.type.kind))
    sql = rule(name, old, new, type_sql) if rule else None
    if sql is None or new.type.kind not in ("decimal", "float32", "float64"):
        return sql
    # What is below zero becomes zero in an UNSIGNED column.
    bounded = "unsigned" in new.native and "unsigned" not in old.native
    return f"CASE WHEN {name} < 0 THEN 0 ELSE {sql or name} END" if bounded else sql


def _int(name: str, old: Column, new: Column, type_sql: str) -> str:
    least, most = RANGES[new.type.bits, new.type.unsigned]
    had_least, had_most = RANGES[old.type.bits, old.type.unsigned]
    if least <= had_least and had_most <= most:
        return f"{name}::{type_sql}"
    return _within(name, least, most, type_sql)


def _to_int(name: str, old: Column, new: Column, type_sql: str) -> str:
    """DECIMAL rounds half away from zero; FLOAT and DOUBLE half to even, as both servers' processors do.

    What becomes of a FLOAT or DOUBLE outside the range depends on the version of the server: an error here.
    """
    least, most = RANGES[new.type.bits, new.type.unsigned]
    if old.type.kind == "decimal":
        return _within(f"round({name})", least, most, type_sql)
    number = f"round({name})::numeric"
    outside = f"{number} NOT BETWEEN {least} AND {most}"
    return f"(CASE WHEN {outside} THEN {number} / ({number} - {number}) ELSE {number} END)::{type_sql}"


def _year_to_int(name: str, old: Column, new: Column, type_sql: str) -> str:
    least, most = RANGES[new.type.bits, new.type.unsigned]
    return _within(name, least, most, type_sql)


def _within(number: str, least: int, most: int, type_sql: str) -> str:
    """The number, or the end of the range that it lies behind. (LEAST and GREATEST would take NULL for nothing.)"""
    ends = f"WHEN {number} < {least} THEN {least} WHEN {number} > {most} THEN {most}"
    return f"(CASE {ends} ELSE {number} END)::{type_sql}"


def _cast(name: str, old: Column, new: Column, type_sql: str) -> str:
    return f"{name}::{type_sql}"


def _from_float(name: str, old: Column, new: Column, type_sql: str) -> str:
    """By the shortest digits that name the double, as MySQL does; PostgreSQL's own cast takes 15."""
    return f"({name}::double precision)::text::{type_sql}"


def _number_to_text(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    if "zerofill" in old.native:
        return None
    return _fitted(f"{name}::text", new)


def _text(name: str, old: Column, new: Column, type_sql: str) -> str:
    """CHAR loses trailing blanks; what is too long is cut."""
    trimmed = f"rtrim({name}, ' ')" if _is_char(new) and not _is_char(old) else name
    shorter = new.length is not None and (old.length is None or new.length < old.length)
    if not shorter:
        return "" if trimmed == name else trimmed
    return _fitted(trimmed, new)


def _fitted(sql: str, new: Column) -> str:
    return sql if new.length is None else f"left({sql}, {new.length})"


def _is_char(column: Column) -> bool:
    return column.native.startswith("char(")


def _member_to_text(name: str, old: Column, new: Column, type_sql: str) -> str:
    return _fitted(name, new)


def _enum(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """Members that are gone become the one that differs in case only, else the empty error value."""
    if len({member.lower() for member in new.members}) < len(new.members):
        return None  # the first that is alike but for its case would be taken
    if set(old.members) <= set(new.members):
        return ""
    if not all(member.isascii() for member in (*old.members, *new.members)):
        return None
    by_case = {member.lower(): member for member in new.members}
    moved = [member for member in old.members if member not in new.members]
    cases = " ".join(f"WHEN {literal(m)} THEN {literal(by_case.get(m.lower(), ''))}" for m in moved)
    return f"CASE {name} {cases} ELSE {name} END"


def _set(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """Members print in the order of their list, so that only a longer list changes nothing."""
    kept = tuple(member for member in new.members if member in old.members)
    return "" if kept == old.members else None


def _binary(name: str, old: Column, new: Column, type_sql: str) -> str:
    """BINARY(n) is filled up with zero bytes."""
    if new.type.fixed is not None:
        cut = f"substring({name} from 1 for {new.type.fixed})"
        return f"{cut} || decode(repeat('00', {new.type.fixed} - length({cut})), 'hex')"
    shorter = new.length is not None and (old.length is None or new.length < old.length)
    return f"substring({name} from 1 for {new.length})" if shorter else ""


def _text_to_binary(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    if old.charset not in UTF8 or new.length is not None:
        return None
    return f"convert_to({name}, 'UTF8')"


def _binary_to_text(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    if new.charset not in UTF8 or new.length is not None:
        return None
    return f"convert_from({name}, 'UTF8')"


def _bits(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """PostgreSQL fills up on the right, MySQL on the left."""
    if new.type.length < old.type.length:
        return None
    return f"lpad({name}::text, {new.type.length}, '0')::{type_sql}"


def _finer(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """More digits behind the second change nothing; fewer are rounded by MySQL and cut by MariaDB."""
    return f"{name}::{type_sql}" if new.type.fraction >= old.type.fraction else None


def _to_json(name: str, old: Column, new: Column, type_sql: str) -> str | None:
    """MySQL's own JSON is printed anew, with other blanks and another order; MariaDB's is text."""
    return f"{name}::json" if new.native.startswith("longtext") else None


def _same(name: str, old: Column, new: Column, type_sql: str) -> str:
    return ""


_Numbers: Final = ("int", "decimal", "float32", "float64", "year")
RULES: Final = {
    ("int", "int"): _int,
    ("year", "int"): _year_to_int,
    ("int", "decimal"): _cast,
    ("decimal", "decimal"): _cast,
    ("decimal", "int"): _to_int,
    ("float32", "int"): _to_int,
    ("float64", "int"): _to_int,
    ("int", "float64"): _cast,
    ("int", "float32"): _cast,
    ("decimal", "float64"): _cast,
    ("decimal", "float32"): _cast,
    ("float32", "float64"): _cast,
    ("float64", "float32"): _cast,
    ("float32", "float32"): _same,
    ("float64", "float64"): _same,
    ("float32", "decimal"): _from_float,
    ("float64", "decimal"): _from_float,
    ("year", "year"): _same,
    ("int", "text"): _number_to_text,
    ("decimal", "text"): _number_to_text,
    ("text", "text"): _text,
    ("enum", "text"): _member_to_text,
    ("set", "text"): _member_to_text,
    ("enum", "enum"): _enum,
    ("set", "set"): _set,
    ("binary", "binary"): _binary,
    ("text", "binary"): _text_to_binary,
    ("binary", "text"): _binary_to_text,
    ("bits", "bits"): _bits,
    ("date", "date"): _same,
    ("date", "datetime"): _cast,
    ("datetime", "datetime"): _finer,
    ("timestamp", "timestamp"): _finer,
    ("time", "time"): _finer,
    ("json", "json"): _same,
    ("json", "text"): lambda name, old, new, type_sql: f"{name}::text" if new.length is None else None,
    ("text", "json"): _to_json,
    ("geometry", "geometry"): _same,
    ("vector", "vector"): _same,
    ("uuid", "uuid"): _same,
    ("inet4", "inet4"): _same,
    ("inet6", "inet6"): _same,
}
