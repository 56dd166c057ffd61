"""Column types of MySQL and MariaDB: what they mean, how the servers print them, what may get lost.

One table of types, one of other names for them. A type that is in neither is an error. Source: the
manuals' chapters "Data Types"; how types print was seen on MariaDB 10.11 and 11.8 and on MySQL 9.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal, NamedTuple

from opendrs.engines.mysql.charsets import Charset, bytes_per_character
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.model.catalog import Column
from opendrs.model.types import Logical

Takes = Literal["nothing", "width", "digits", "float", "double", "length", "fraction", "capacity", "members", "year"]


class Row(NamedTuple):
    """One type.

    kind      kind of the logical type
    takes     what stands in parentheses behind the name
    size      bits of an integer, bytes that a text or blob holds, length if none is given
    text      whether it has a character set
    """

    kind: str
    takes: Takes = "nothing"
    size: int = 0
    text: bool = False


TYPES: Final[dict[str, Row]] = {
    "tinyint": Row("int", "width", 8),
    "smallint": Row("int", "width", 16),
    "mediumint": Row("int", "width", 24),
    "int": Row("int", "width", 32),
    "bigint": Row("int", "width", 64),
    "decimal": Row("decimal", "digits"),
    "float": Row("float32", "float"),
    "double": Row("float64", "double"),
    "bit": Row("bits", "length", 1),
    "year": Row("year", "year"),
    "date": Row("date"),
    "time": Row("time", "fraction"),
    "datetime": Row("datetime", "fraction"),
    "timestamp": Row("timestamp", "fraction"),
    "char": Row("text", "length", 1, text=True),
    "varchar": Row("text", "length", text=True),
    "tinytext": Row("text", size=255, text=True),
    "text": Row("text", "capacity", 65535, text=True),
    "mediumtext": Row("text", size=16777215, text=True),
    "longtext": Row("text", size=4294967295, text=True),
    "binary": Row("binary", "length", 1),
    "varbinary": Row("binary", "length"),
    "tinyblob": Row("binary", size=255),
    "blob": Row("binary", "capacity", 65535),
    "mediumblob": Row("binary", size=16777215),
    "longblob": Row("binary", size=4294967295),
    "enum": Row("enum", "members", text=True),
    "set": Row("set", "members", text=True),
    "json": Row("json"),
    "geometry": Row("geometry"),
    "point": Row("geometry"),
    "linestring": Row("geometry"),
    "polygon": Row("geometry"),
    "multipoint": Row("geometry"),
    "multilinestring": Row("geometry"),
    "multipolygon": Row("geometry"),
    "geometrycollection": Row("geometry"),
    "vector": Row("vector", "length", 2048),
    "uuid": Row("uuid"),
    "inet4": Row("inet4"),
    "inet6": Row("inet6"),
}

# Other names, longest first where one begins like another. A number is the length that the name implies,
# "national" the character set.
_NATIONAL_CHAR = (("NATIONAL", "CHAR"), ("NATIONAL", "CHARACTER"), ("NCHAR",))
ALIASES: Final[dict[tuple[str, ...], tuple[str, int | None]]] = {
    ("DOUBLE", "PRECISION"): ("double", None),
    ("CHAR", "VARYING"): ("varchar", None),
    ("CHARACTER", "VARYING"): ("varchar", None),
    ("LONG", "CHAR", "VARYING"): ("mediumtext", None),
    ("LONG", "CHARACTER", "VARYING"): ("mediumtext", None),
    ("LONG", "VARCHAR"): ("mediumtext", None),
    ("LONG", "VARCHARACTER"): ("mediumtext", None),
    ("LONG", "VARBINARY"): ("mediumblob", None),
    ("LONG",): ("mediumtext", None),
    ("INTEGER",): ("int", None),
    ("INT1",): ("tinyint", None),
    ("INT2",): ("smallint", None),
    ("INT3",): ("mediumint", None),
    ("MIDDLEINT",): ("mediumint", None),
    ("INT4",): ("int", None),
    ("INT8",): ("bigint", None),
    ("BOOL",): ("tinyint", 1),
    ("BOOLEAN",): ("tinyint", 1),
    ("DEC",): ("decimal", None),
    ("NUMERIC",): ("decimal", None),
    ("FIXED",): ("decimal", None),
    ("FLOAT4",): ("float", None),
    ("FLOAT8",): ("double", None),
    ("REAL",): ("double", None),
    ("CHARACTER",): ("char", None),
    ("VARCHARACTER",): ("varchar", None),
    ("GEOMCOLLECTION",): ("geometrycollection", None),
}
NATIONAL: Final[dict[tuple[str, ...], str]] = {
    **{(*words, "VARYING"): "varchar" for words in _NATIONAL_CHAR},
    ("NCHAR", "VARCHAR"): "varchar",
    ("NCHAR", "VARCHARACTER"): "varchar",
    ("NATIONAL", "VARCHAR"): "varchar",
    ("NATIONAL", "VARCHARACTER"): "varchar",
    ("NVARCHAR",): "varchar",
    **dict.fromkeys(_NATIONAL_CHAR, "char"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """Words that stand for the name of a type. `number`: what stands in its parentheses."""

    words: tuple[str, ...]
    name: str
    number: int | None = None
    national: bool = False


def _by_first_word() -> Mapping[str, tuple[Spelling, ...]]:
    found = [Spelling(words=words, name=name, national=True) for words, name in NATIONAL.items()]
    found += [Spelling(words=words, name=name, number=number) for words, (name, number) in ALIASES.items()]
    found.sort(key=lambda one: (one.words[0], -len(one.words)))
    return {first: tuple(same) for first, same in groupby(found, lambda one: one.words[0])}


# All of them by their first word, the longest first.
SPELLINGS: Final = _by_first_word()

# Display widths that an integer has if none is given: signed, unsigned.
WIDTHS: Final = {"tinyint": (4, 3), "smallint": (6, 5), "mediumint": (9, 8), "int": (11, 10), "bigint": (20, 20)}
TEXTS: Final = ("tinytext", "text", "mediumtext", "longtext")
BLOBS: Final = ("tinyblob", "blob", "mediumblob", "longblob")
VARCHAR_BYTES_MAX: Final = 65535
FLOAT_DIGITS_MAX: Final = 24  # FLOAT(p) with more binary digits is DOUBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A type as a definition says it: a name of TYPES, and what belongs to it. `charset` None: not text."""

    name: str
    numbers: tuple[int, ...] = ()
    members: tuple[str, ...] = ()
    unsigned: bool = False
    zerofill: bool = False
    compressed: bool = False
    charset: Charset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a declared type comes to. `decimals`: places of FLOAT(7,4)."""

    type: Logical
    native: str
    length: int | None = None
    members: tuple[str, ...] = ()
    charset: Charset | None = None
    decimals: int | None = None


def resolve(declared: Declared, flavour: Flavour) -> Meaning:
    """What the type means and how the server will print it. Raises NotUnderstood."""
    declared = _fitted(_binary_charset(declared))
    row = TYPES[declared.name]
    return Meaning(
        type=_logical(declared, row),
        native=_native(declared, row, flavour),
        length=_number(declared, row) if row.takes == "length" and row.kind in ("text", "binary") else None,
        members=declared.members,
        charset=declared.charset if row.text else None,
        decimals=declared.numbers[1] if row.takes in ("float", "double") and len(declared.numbers) == 2 else None,
    )


def _binary_charset(declared: Declared) -> Declared:
    """A text type with CHARACTER SET binary is the binary type of its size; ENUM and SET stay."""
    if declared.charset is None or declared.charset.charset != "binary" or declared.name in ("enum", "set"):
        return declared
    names = {"char": "binary", "varchar": "varbinary", **dict(zip(TEXTS, BLOBS, strict=True))}
    return replace(declared, name=names[declared.name], charset=None)


def _fitted(declared: Declared) -> Declared:
    """FLOAT(p), TEXT(n) and VARCHAR that is too long become the type that the server takes for them."""
    name, numbers = declared.name, declared.numbers
    if name == "float" and len(numbers) == 1:
        return replace(declared, name="float" if numbers[0] <= FLOAT_DIGITS_MAX else "double", numbers=())
    per_character = bytes_per_character(declared.charset.charset if declared.charset else None)
    if name in ("text", "blob") and numbers and numbers[0]:
        return replace(declared, name=holding(name, numbers[0] * per_character), numbers=())
    if name in ("varchar", "varbinary") and numbers and numbers[0] * per_character > VARCHAR_BYTES_MAX:
        # Only without a strict sql_mode; in a strict one the statement fails and is not logged.
        name = holding("text" if name == "varchar" else "blob", numbers[0] * per_character)
        return replace(declared, name=name, numbers=())
    return declared


def holding(name: str, nbytes: int) -> str:
    """The smallest text (or blob) type that holds so many bytes."""
    for other in TEXTS if name in TEXTS else BLOBS:
        if nbytes <= TYPES[other].size:
            return other
    raise NotUnderstood(f"no type holds {nbytes} bytes")


def _number(declared: Declared, row: Row) -> int:
    if declared.numbers:
        return declared.numbers[0]
    if row.size:
        return row.size
    raise NotUnderstood(f"{declared.name} without a length")


def _logical(declared: Declared, row: Row) -> Logical:
    numbers = declared.numbers
    match row.takes:
        case "width":
            return Logical(kind="int", bits=row.size, unsigned=declared.unsigned or declared.zerofill)
        case "digits":
            return Logical(kind="decimal", precision=_precision(numbers), scale=numbers[1] if len(numbers) > 1 else 0)
        case "fraction":
            return Logical(kind=row.kind, fraction=numbers[0] if numbers else 0)
        case "length" if row.kind == "bits":
            return Logical(kind="bits", length=_number(declared, row))
        case "length" if declared.name == "binary":
            return Logical(kind="binary", fixed=_number(declared, row))
        case _:
            return Logical(kind=row.kind)


def _precision(numbers: tuple[int, ...]) -> int:
    return numbers[0] if numbers and numbers[0] else 10


def _native(declared: Declared, row: Row, flavour: Flavour) -> str:
    return f"{declared.name}{_arguments(declared, row, flavour)}{_attributes(declared, row)}".replace(
        "geometrycollection", "geomcollection" if flavour.has("geomcollection") else "geometrycollection"
    )


def _arguments(declared: Declared, row: Row, flavour: Flavour) -> str:
    numbers = declared.numbers
    match row.takes:
        case "width":
            return _width(declared, flavour)
        case "digits":
            return f"({_precision(numbers)},{numbers[1] if len(numbers) > 1 else 0})"
        case "float" | "double":
            return f"({numbers[0]},{numbers[1]})" if len(numbers) == 2 else ""
        case "length":
            return f"({_number(declared, row)})"
        case "fraction":
            return f"({numbers[0]})" if numbers and numbers[0] else ""
        case "year":
            return "(4)" if flavour.has("year_width") else ""
        case "members":
            return f"({','.join(quoted(member) for member in declared.members)})"
        case _:
            return ""


def _width(declared: Declared, flavour: Flavour) -> str:
    unsigned = declared.unsigned or declared.zerofill
    # An explicit width of 0 counts as none.
    width = (declared.numbers and declared.numbers[0]) or WIDTHS[declared.name][unsigned]
    boolean = declared.name == "tinyint" and width == 1 and not unsigned
    return f"({width})" if flavour.has("display_widths") or declared.zerofill or boolean else ""


def _attributes(declared: Declared, row: Row) -> str:
    words = ""
    if row.takes in ("width", "digits", "float", "double"):
        words += " unsigned" * (declared.unsigned or declared.zerofill) + " zerofill" * declared.zerofill
    return words + " /*M!100301 COMPRESSED*/" * declared.compressed


def quoted(text: str) -> str:
    """A string as the servers print it in a type."""
    for char, escape in {"\\": "\\\\", "\0": "\\0", "\n": "\\n", "\r": "\\r", "'": "''"}.items():
        text = text.replace(char, escape)
    return f"'{text}'"


# Character sets with characters beyond U+FFFF, for which the catalogs of both servers list a question mark:
# their own character set is utf8mb3.
BEYOND_CATALOG: Final = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})

# --- losses -------------------------------------------------------------------------------------


def _pattern(text: str) -> str:
    """A regular expression as SQL, for any sql_mode."""
    return f"_utf8mb4 x'{text.encode().hex()}'"


_ESCAPE: Final = _pattern(r'\\["\\/bfnrtu]')  # that JSON knows
_STRING: Final = _pattern(r'"(?:\\.|[^"\\])*"')
_POINT: Final = _pattern(r"[0-9]\.(?![0-9])")  # with no digit behind it

# Condition that is true for a row whose value the target cannot hold; {c} is the quoted column. The names
# of the losses are the target's: docs/reference/types.md. A loss that is not in here cannot be counted,
# because it concerns no single value.
COUNTING: Final[dict[str, str]] = {
    # MONTH and DAY are 0 in a date that has none; no calendar has a day behind the month's last one.
    "impossible-date": "({c} IS NOT NULL AND (MONTH({c}) = 0 OR DAYOFMONTH({c}) = 0 OR DAYOFMONTH({c}) >"
    " DAYOFMONTH(LAST_DAY(CONCAT(IF(YEAR({c}) = 0, '2000', LPAD(YEAR({c}), 4, '0')), '-', MONTH({c}), '-1')))))",
    "zero-timestamp": "({c} IS NOT NULL AND UNIX_TIMESTAMP({c}) = 0)",
    # As bytes of UTF-8: many collations take NUL for nothing, and UTF-16 is full of zero bytes.
    "nul-in-text": "(INSTR(CAST(CONVERT({c} USING utf8mb4) AS BINARY), x'00') > 0)",
    # The conversion makes a question mark of such a code, and it was none before.
    "no-unicode": "(CHAR_LENGTH(REPLACE({c}, '?', '')) <> CHAR_LENGTH(REPLACE(CONVERT({c} USING utf8mb4), '?', '')))",
    "beyond-bigint": "({c} > 9223372036854775807)",
    # MariaDB's JSON_VALID takes any character behind a backslash and `1.`; and a NULL that becomes NOT NULL is ''.
    "lax-json": "({c} = '' OR INSTR(REGEXP_REPLACE({c}, "
    + _ESCAPE
    + ", ''), x'5C') > 0 OR REGEXP_REPLACE({c}, "
    + _STRING
    + ", '') REGEXP "
    + _POINT
    + ")",
}


def counting(loss: str, column: Column) -> str | None:
    """SQL condition of a row that the loss concerns, for a WHERE at the source; None: cannot be counted."""
    condition = COUNTING.get(loss)
    return condition.format(c="`" + column.name.replace("`", "``") + "`") if condition else None
