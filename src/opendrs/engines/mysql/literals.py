"""Defaults of columns: what stands behind DEFAULT, brought to the one form that the catalog uses.

A literal becomes the plain value that the server would list: numbers rounded to the type, dates
completed, members of an ENUM in their own spelling, bits as binary digits, bytes as hexadecimal digits.
What is no literal of the type with certainty stays an expression, in the source's SQL.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Final, Literal
from zoneinfo import ZoneInfo

from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import Lexer, NotUnderstood
from opendrs.engines.mysql.types import Meaning, quoted
from opendrs.model.catalog import Default

Form = Literal["null", "string", "number", "hex", "bits", "now", "expression"]

NOW: Final = frozenset({"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"})
# Functions that MariaDB allows behind DEFAULT without any parentheses.
BARE_FUNCTIONS: Final = frozenset({"CURRENT_DATE", "CURRENT_TIME", "CURRENT_USER", "CURRENT_ROLE", "UTC_DATE"})
ODD: Final = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Written:
    """What stands behind DEFAULT: its form, and the value (digits of `hex` and `bits`, SQL of `expression`)."""

    form: Form
    text: str = ""


def read_default(cursor: Cursor, flavour: Flavour) -> Written:
    """What stands behind DEFAULT. Raises NotUnderstood."""
    literal = _literal(cursor)
    if literal is not None:
        return literal
    if cursor.at("("):
        inner = cursor.expression()
        return _unwrapped(inner, flavour)
    if not flavour.has("default_functions"):
        raise cursor.fail("a default")
    begin = cursor.peek()
    if cursor.accept("NEXT", "VALUE", "FOR"):
        cursor.name()
        if cursor.accept("."):
            cursor.name()
    elif cursor.word() not in BARE_FUNCTIONS or cursor.at("("):
        while cursor.accept("."):  # a function of a schema or package
            cursor.name()
        cursor.expression()
    return Written("expression", cursor.text_from(begin))


def _literal(cursor: Cursor) -> Written | None:
    token = cursor.peek()
    if token.kind == "string":
        return Written("string", cursor.string())
    if token.kind in ("hex", "bits"):
        cursor.take()
        return Written("hex" if token.kind == "hex" else "bits", token.text)
    if token.kind == "number" or (
        token.kind == "symbol" and token.text in "+-" and cursor.peek(1).kind in ("number", "string")
    ):
        sign = "-" if cursor.one_of("-", "+") == "-" else ""
        return Written("number", sign + cursor.take().text)
    if token.kind != "word":
        return None
    word, following = token.text.upper(), cursor.peek(1)
    if word in ("NULL", "TRUE", "FALSE"):
        cursor.take()
        return Written("null") if word == "NULL" else Written("number", str(int(word == "TRUE")))
    if word in NOW:
        return Written("now", now(cursor))
    if following.kind == "string" and word in ("DATE", "TIME", "TIMESTAMP"):
        cursor.take()
        return Written("string", cursor.string())
    if word.startswith("_") and following.kind == "string" and not ODD.search(following.text):
        cursor.take()  # a character set in front: the same characters, since they are ASCII
        return Written("string", cursor.string())
    return None


def now(cursor: Cursor) -> str:
    """CURRENT_TIMESTAMP and its other names, in one spelling: CURRENT_TIMESTAMP or CURRENT_TIMESTAMP(3)."""
    cursor.word(*NOW)
    digits = 0
    if cursor.accept("("):
        digits = 0 if cursor.at(")") else cursor.integer()
        cursor.expect(")")
    return f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP"


def _unwrapped(inner: str, flavour: Flavour) -> Written:
    """MariaDB keeps (1) as 1; MySQL keeps it as an expression. (now()) is CURRENT_TIMESTAMP to both."""
    inner = without_parentheses(inner, flavour)
    cursor = Cursor(Lexer(inner, flavour))
    literal = _literal(cursor)
    if literal is not None and cursor.ended and (flavour.mariadb or literal.form == "now"):
        return literal
    return Written("expression", inner)


def without_parentheses(text: str, flavour: Flavour) -> str:
    """The expression without parentheses around the whole of it."""
    while text.startswith("("):
        cursor = Cursor(Lexer(text, flavour))
        inner = cursor.expression()
        if not cursor.ended:
            break
        text = inner
    return text


# --- the plain value ------------------------------------------------------------------------------


class _NoLiteral(Exception):
    """The value is no literal of the type with certainty."""


def default(written: Written, meaning: Meaning, zone: str = "UTC") -> Default | None:
    """The default as the catalog holds it; None: NULL. `zone`: time zone in which timestamps are written."""
    if written.form == "null":
        return None
    if written.form in ("now", "expression"):
        return Default("expression", written.text)
    try:
        with localcontext() as context:
            context.prec = 100  # DECIMAL has 65 digits
            text = _PLAIN[meaning.type.kind](written, meaning)
        if meaning.type.kind == "timestamp":
            text = _in_utc(text, zone)
    except (KeyError, ValueError, InvalidOperation, OverflowError, _NoLiteral):
        return Default("expression", _sql(written))
    return Default("literal", text)


def _sql(written: Written) -> str:
    match written.form:
        case "string":
            return quoted(written.text)
        case "hex":
            return f"x'{written.text}'"
        case "bits":
            return f"b'{written.text}'"
        case _:
            return written.text


def _number(written: Written) -> Decimal:
    match written.form:
        case "hex":
            return Decimal(int(written.text, 16))
        case "bits":
            return Decimal(int(written.text, 2))
        case _:
            return Decimal(written.text)


def _int(written: Written, meaning: Meaning) -> str:
    return str(int(_number(written).quantize(Decimal(1), ROUND_HALF_UP)))


def _decimal(written: Written, meaning: Meaning) -> str:
    rounded = _number(written).quantize(Decimal(1).scaleb(-meaning.type.scale), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


def _float(written: Written, meaning: Meaning) -> str:
    value = float(_number(written))
    if meaning.decimals is not None:
        value = round(value, meaning.decimals)
    if meaning.type.kind == "float32":
        return _shortest_single(value)
    return repr(value).removesuffix(".0")


def _shortest_single(value: float) -> str:
    """The fewest digits that name this single-precision number."""
    single = struct.unpack("<f", struct.pack("<f", value))[0]
    for digits in range(6, 10):
        text = f"{single:.{digits}g}"
        if struct.unpack("<f", struct.pack("<f", float(text)))[0] == single:
            break
    return repr(float(text)).removesuffix(".0")


def _year(written: Written, meaning: Meaning) -> str:
    year = int(_number(written))
    two_digits = written.form == "string" and len(written.text) <= 2
    if (0 < year <= 99) or (year == 0 and two_digits):
        year += 2000 if year < 70 else 1900
    return f"{year:04d}"


def _text(written: Written, meaning: Meaning) -> str:
    text = written.text
    if written.form in ("hex", "bits"):  # the bytes of the text
        number = int(text, 16 if written.form == "hex" else 2)
        nbytes = (len(text) * (4 if written.form == "hex" else 1) + 7) // 8
        text = number.to_bytes(nbytes, "big").decode("ascii")
    # CHAR does not keep trailing blanks.
    return text.rstrip(" ") if meaning.native.startswith("char(") else text


def _enum(written: Written, meaning: Meaning) -> str:
    return _member(_text(written, meaning), meaning.members)


def _member(text: str, members: tuple[str, ...]) -> str:
    if text in members:
        return text
    alike = [member for member in members if member.lower() == text.lower()]
    if len(alike) != 1:
        raise _NoLiteral
    return alike[0]


def _set(written: Written, meaning: Meaning) -> str:
    text = _text(written, meaning)
    chosen = {_member(part, meaning.members) for part in text.split(",")} if text else set()
    return ",".join(member for member in meaning.members if member in chosen)


def _bits(written: Written, meaning: Meaning) -> str:
    if written.form == "string":
        return f"{int.from_bytes(written.text.encode('latin-1'), 'big'):b}"
    return f"{int(_number(written)):b}"


def _binary(written: Written, meaning: Meaning) -> str:
    match written.form:
        case "hex":
            value = bytes.fromhex(written.text if len(written.text) % 2 == 0 else "0" + written.text)
        case "string" | "number":
            value = written.text.encode()
        case _:
            raise _NoLiteral
    return value.ljust(meaning.type.fixed or 0, b"\0").hex()


_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_TIME: Final = re.compile(r"(-?)(\d{1,3}):(\d{1,2})(?::(\d{1,2})(\.\d{1,6})?)?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,6})?)?")


def _fraction(written: str | None, digits: int) -> str:
    """Digits behind the second. One that would have to be rounded is not ours to round: servers differ."""
    given = (written or ".")[1:]
    if given[digits:].strip("0"):
        raise _NoLiteral
    return "." + given[:digits].ljust(digits, "0") if digits else ""


def _date_part(text: str) -> str:
    found = _DATE.fullmatch(text)
    if found is None:
        raise _NoLiteral
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return f"{year:04d}-{month:02d}-{day:02d}"


def _date(written: Written, meaning: Meaning) -> str:
    return _date_part(written.text.partition(" ")[0] if written.text.endswith(" 00:00:00") else written.text)


def _datetime(written: Written, meaning: Meaning) -> str:
    date, _, clock = written.text.strip().replace("T", " ", 1).partition(" ")
    if written.form == "number" and date == "0":
        date = "00000000"
    found = _CLOCK.fullmatch(clock or "0:0:0")
    if found is None:
        raise _NoLiteral
    hour, minute, second, fraction = found.groups()
    digits = _fraction(fraction, meaning.type.fraction)
    return f"{_date_part(date)} {int(hour):02d}:{int(minute):02d}:{int(second or 0):02d}{digits}"


def _time(written: Written, meaning: Meaning) -> str:
    text = written.text
    if re.fullmatch(r"-?\d{1,7}", text):  # HHMMSS
        digits = text.removeprefix("-").zfill(6)
        text = f"{'-' * text.startswith('-')}{digits[:-4]}:{digits[-4:-2]}:{digits[-2:]}"
    found = _TIME.fullmatch(text)
    if found is None:
        raise _NoLiteral
    sign, hour, minute, second, fraction = found.groups()
    digits = _fraction(fraction, meaning.type.fraction)
    return f"{sign}{int(hour):02d}:{int(minute):02d}:{int(second or 0):02d}{digits}"


def _plain(written: Written, meaning: Meaning) -> str:
    if written.form != "string":
        raise _NoLiteral
    return written.text.lower()


_PLAIN: Final[dict[str, Callable[[Written, Meaning], str]]] = {
    "int": _int,
    "decimal": _decimal,
    "float32": _float,
    "float64": _float,
    "year": _year,
    "bits": _bits,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "timestamp": _datetime,
    "text": _text,
    "enum": _enum,
    "set": _set,
    "json": _text,
    "binary": _binary,
    "uuid": _plain,
    "inet4": _plain,
    "inet6": _plain,
}


def _in_utc(text: str, zone: str) -> str:
    """A timestamp that is written in the time zone of a session, in UTC. The zero timestamp is in none."""
    if zone.upper() in ("UTC", "+00:00") or text.startswith("0000-00-00"):
        return text
    wall = datetime.strptime(text.partition(".")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=time_zone(zone))
    moment = wall.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return moment + text[len(moment) :]


def moment_literal(moment: datetime, zone: str, fraction: int) -> str:
    """The wall clock of a moment in a time zone. KeyError or ValueError if the zone is not known."""
    wall = moment.astimezone(time_zone(zone))
    digits = f"{wall.microsecond:06d}"[:fraction]
    return wall.strftime("%Y-%m-%d %H:%M:%S") + ("." + digits if fraction else "")


def time_zone(name: str) -> tzinfo:
    """A time zone as sessions name it. KeyError or ValueError if it is not known here."""
    offset = re.fullmatch(r"([+-])(\d{1,2}):(\d{2})", name)
    if offset is None:
        # SYSTEM is a KeyError here: only the server knows it, and the default stays an expression.
        return ZoneInfo(name)
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(-distance if offset[1] == "-" else distance)


def expression(text: str, flavour: Flavour) -> str:
    """An expression of the catalog, which newer MySQL prints like the inside of a string literal."""
    if not flavour.has("escaped_expressions"):
        return text
    unescaped = Lexer(f"'{text}'", flavour)
    token = next(iter(unescaped))
    if token.end != len(unescaped.text):
        raise NotUnderstood(f"the expression {text!r} does not print as expected")
    return _characters(token.text, flavour) if ODD.search(token.text) else token.text


# Character sets behind whose introducers other bytes than ASCII are read. latin1 is cp1252 to the servers.
_INTRODUCED: Final = {"_utf8mb4": "utf-8", "_utf8mb3": "utf-8", "_utf8": "utf-8", "_latin1": "cp1252"}


def _characters(text: str, flavour: Flavour) -> str:
    """MySQL prints each byte of an expression as one character: names are UTF-8, a literal's bytes are of the
    character set in front of it (seen on 9.7). Text of other character sets becomes a hexadecimal literal."""
    parts, at, introducer = [], 0, "_utf8mb4"
    for token in Lexer(text, flavour):
        value = text[token.start : token.end]
        if token.kind == "string" and ODD.search(token.text):
            value = _introduced(token.text.encode("latin-1"), introducer)
        elif ODD.search(value):
            value = value.encode("latin-1").decode()
        parts += [text[at : token.start], value]
        at = token.end
        introducer = token.text.lower() if token.kind == "word" and token.text.startswith("_") else "_utf8mb4"
    return "".join(parts)


def _introduced(data: bytes, introducer: str) -> str:
    """Bytes behind an introducer as a literal; hexadecimal if they are no text that we can read."""
    try:
        return quoted(data.decode(_INTRODUCED[introducer]))
    except (KeyError, UnicodeError):
        return f"x'{data.hex()}'"
