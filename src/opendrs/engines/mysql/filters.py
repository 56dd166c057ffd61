"""Conditions on the rows of a table: read once, and meant alike by the server and by us.

sqlglot reads; what is written is our own. Every kind of node that is allowed stands here, and for each of them a server
and rust/rules do the same. What cannot be said of both is refused here, before a job begins: functions, arithmetic
(but for the modulo of whole numbers), variables, large objects, comparisons for which a server would first convert one
side into the type of the other.

Texts are compared under the collation of their column. What rust/rules does not know of a collation is asked of the
server, text by text (`Compiled.tests`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from opendrs.engines.mysql.connect import quote_name, quote_text
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Table

LENGTH_MAX: Final = 1 << 20  # characters; a list that a subquery stood for may be long
Node = dict[str, Any]
"""A part of a condition as rust/rules/src/node.rs reads it."""

_OPS: Final[dict[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_TURNED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBERS: Final = frozenset({"int", "bits", "year", "decimal", "float32", "float64"})
_TEXTS: Final = frozenset({"text", "enum", "set"})
_LARGE: Final = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob")
_DIGITS: Final = re.compile(r"\d*\.?\d+|\d+\.")
_DOUBLE: Final = re.compile(r"(\d*\.?\d+|\d+\.)[eE][+-]?\d+")
_WHEN: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?")
_TIME: Final = re.compile(r"(-?)(\d{2,3}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?")
DECIMAL_DIGITS_MAX: Final = 65


class Refused(Exception):
    """Why a condition, or a part of it, is not allowed."""


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test of texts that the server may have to be asked about: SQL with the text in place of `{}`."""

    column: Column
    sql: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition.

    sql      for the server, with every name in quotes
    node     for rust/rules
    columns  that it names, as the table spells them
    tests    what may have to be asked, by number
    """

    sql: str
    node: Node
    columns: frozenset[str]
    tests: Sequence[TextTest]


def compiled(text: str, table: Table) -> Compiled:
    """Reads a condition on a table's columns. Raises FILTER_UNSUPPORTED."""
    try:
        return _compiled(parsed_condition(text), table)
    except Refused as refused:
        raise unsupported(table, str(refused)) from None
    except (SqlglotError, RecursionError, ValueError) as error:
        raise unsupported(table, f"it cannot be read ({_short(error)})") from None


def _compiled(parsed: exp.Expression, table: Table) -> Compiled:
    reader = _Reader(table)
    sql, node = reader.condition(parsed)
    return Compiled(sql=sql, node=node, columns=frozenset(reader.columns), tests=tuple(reader.tests))


def unsupported(table: Table, reason: str) -> DrsError:
    return DrsError(Fault.FILTER_UNSUPPORTED, table=table.name, reason=reason)


def why(error: DrsError) -> str:
    """The reason alone, for whoever names the table himself."""
    return error.details["reason"] if error.fault is Fault.FILTER_UNSUPPORTED else error.message


def _short(error: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0][:120]


def parsed_condition(text: str) -> exp.Expression:
    """Raises Refused, SqlglotError."""
    if not text.strip():
        raise Refused("it is empty")
    if len(text) > LENGTH_MAX:
        raise Refused(f"it has {len(text)} characters, and {LENGTH_MAX} are allowed")
    if not text.isprintable() and any(not c.isprintable() and c not in "\t\r\n" for c in text):
        raise Refused("it has characters that cannot be printed")
    parsed = sqlglot.parse_one(text, read="mysql")
    assert isinstance(parsed, exp.Expression)
    if any(node.comments for node in parsed.walk()):
        raise Refused("it has comments")
    return parsed


Part = tuple[str, Node]
Scalar = tuple[str, Node]
"""A constant: SQL, and what rust/rules compares with."""


@dataclass(slots=True)
class _Reader:
    """Walks a condition on one table."""

    table: Table
    columns: set[str] = field(default_factory=set)
    tests: list[TextTest] = field(default_factory=list)

    def condition(self, node: exp.Expression) -> Part:
        if isinstance(node, exp.Paren):
            return self.condition(node.this)
        if type(node) in _OPS:
            return self._comparison(node, _OPS[type(node)])
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise Refused(f"{_shown(node)} is not allowed in it")
        return handler(self, node)

    # logic

    def _joined(self, node: exp.Expression, word: str, name: str) -> Part:
        parts = [self.condition(part) for part in (node.this, node.expression)]
        return f"({parts[0][0]} {word} {parts[1][0]})", {name: [part for _, part in parts]}

    def conjunction(self, node: exp.Expression) -> Part:
        return self._joined(node, "AND", "and")

    def alternative(self, node: exp.Expression) -> Part:
        return self._joined(node, "OR", "or")

    def exclusive(self, node: exp.Expression) -> Part:
        return self._joined(node, "XOR", "xor")

    def negation(self, node: exp.Expression) -> Part:
        sql, inner = self.condition(node.this)
        return f"(NOT {sql})", {"not": inner}

    def truth(self, node: exp.Expression) -> Part:
        value = bool(node.this)
        return ("TRUE" if value else "FALSE"), {"always": value}

    # comparisons

    def null_test(self, node: exp.Expression) -> Part:
        if not isinstance(node.expression, exp.Null):
            raise Refused(f"IS {_shown(node.expression)} is not allowed in it; only IS NULL and IS NOT NULL are")
        column = self._column(node.this)
        return f"({quote_name(column.name)} IS NULL)", {"is_null": column.name}

    def null_safe(self, node: exp.Expression) -> Part:
        """`a <=> NULL`, and `a <=> 5`, which is false where a is NULL."""
        column, other = self._sides(node)
        name = quote_name(column.name)
        if isinstance(other, exp.Null):
            return f"({name} <=> NULL)", {"is_null": column.name}
        if isinstance(other, exp.Column):
            raise Refused("<=> compares a column with a constant only")
        sql, found = self._compared(column, "=", other)
        known = {"not": {"is_null": column.name}}
        return f"(({name} IS NOT NULL) AND {sql})", {"and": [known, found]}

    def between(self, node: exp.Expression) -> Part:
        column = self._column(node.this)
        low = self._compared(column, ">=", node.args["low"])
        high = self._compared(column, "<=", node.args["high"])
        return f"({low[0]} AND {high[0]})", {"and": [low[1], high[1]]}

    def membership(self, node: exp.Expression) -> Part:
        column = self._column(node.this)
        if node.args.get("query") is not None:
            raise Refused("a subquery is allowed only as IN (SELECT column FROM database.table WHERE ...)")
        constants = node.expressions
        found = [one for one in constants if not isinstance(one, exp.Null)]
        nulls = [{"always": None}] if len(found) < len(constants) else []
        if column.type.kind in _TEXTS:
            texts = [self._text(column, one) for one in found]
            sql = ", ".join(quote_text(text) for text in texts)
            part: Node = self._tested(column, f"{{}} IN ({sql})", {"one_of": texts}) if texts else {"always": False}
        else:
            scalars = [self._scalar(column, one) for one in found]
            sql = ", ".join(one for one, _ in scalars)
            part = {"one_of": [column.name, [value for _, value in scalars]]} if scalars else {"always": False}
        sql = ", ".join([*([sql] if sql else []), *(["NULL"] if nulls else [])])
        if not sql:
            raise Refused("IN () has nothing in it")
        return f"({quote_name(column.name)} IN ({sql}))", {"or": [part, *nulls]} if nulls else part

    def like(self, node: exp.Expression) -> Part:
        return self._like(node, "\\")

    def escaped(self, node: exp.Expression) -> Part:
        if not isinstance(node.this, exp.Like):
            raise Refused("ESCAPE belongs to LIKE")
        escape = _string(node.expression)
        if escape is None or len(escape) != 1 or not escape.isascii():
            raise Refused("ESCAPE names one ordinary character")
        return self._like(node.this, escape)

    def _like(self, node: exp.Expression, escape: str) -> Part:
        column = self._column(node.this)
        if column.type.kind not in _TEXTS:
            raise Refused(f"LIKE is for texts, and {column.name} is {column.native}")
        pattern = self._text(column, node.expression)
        tail = f"LIKE {quote_text(pattern)} ESCAPE {quote_text(escape)}"
        part = self._tested(column, f"{{}} {tail}", {"like": [pattern, escape]})
        return f"({quote_name(column.name)} {tail})", part

    def _comparison(self, node: exp.Expression, op: str) -> Part:
        left, right = _bare(node.this), _bare(node.expression)
        if isinstance(left, exp.Mod) or isinstance(right, exp.Mod):
            return (
                self._modulo(left, op, right) if isinstance(left, exp.Mod) else self._modulo(right, _TURNED[op], left)
            )
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            return self._columns(self._column(left), op, self._column(right))
        column, other = self._sides(node)
        return self._compared(column, op if isinstance(left, exp.Column) else _TURNED[op], other)

    def _sides(self, node: exp.Expression) -> tuple[Column, exp.Expression]:
        """The column of a comparison, and what it is compared with."""
        left, right = _bare(node.this), _bare(node.expression)
        if isinstance(left, exp.Column):
            return self._column(left), right
        if isinstance(right, exp.Column):
            return self._column(right), left
        raise Refused(f"{_shown(node)} compares no column")

    def _compared(self, column: Column, op: str, constant: exp.Expression) -> Part:
        constant = _bare(constant)
        name = quote_name(column.name)
        if isinstance(constant, exp.Null):
            raise Refused(f"{column.name} {op} NULL is never true: write IS NULL or IS NOT NULL")
        if column.type.kind not in _TEXTS:
            sql, scalar = self._scalar(column, constant)
            return f"({name} {op} {sql})", {"compare": [column.name, op, scalar]}
        text = self._text(column, constant)
        whole = f"({name} {op} {quote_text(text)})"
        if op in ("=", "<>"):
            part = self._tested(column, f"{{}} = {quote_text(text)}", {"one_of": [text]})
            return whole, part if op == "=" else {"not": part}
        return whole, self._tested(column, f"{{}} {op} {quote_text(text)}", {"compare": [op, text]})

    def _columns(self, left: Column, op: str, right: Column) -> Part:
        whole = {"int", "year", "bits"}
        alike = left.type.kind == right.type.kind and left.type.kind in ("date", "datetime", "timestamp", "time")
        decimals = left.type.kind == right.type.kind == "decimal" and left.type == right.type
        if not (alike or decimals or {left.type.kind, right.type.kind} <= whole - {"year"}):
            raise Refused(f"{left.name} ({left.native}) and {right.name} ({right.native}) are not compared alike here")
        sql = f"({quote_name(left.name)} {op} {quote_name(right.name)})"
        return sql, {"columns": [left.name, op, right.name]}

    def _modulo(self, node: exp.Expression, op: str, other: exp.Expression) -> Part:
        column = self._column(_bare(node.this))
        if column.type.kind != "int":
            raise Refused(f"a modulo is for whole numbers, and {column.name} is {column.native}")
        divisor, rest = _whole(node.expression), _whole(other)
        if not divisor or rest is None:
            raise Refused(
                "a modulo has a whole number other than 0 as its divisor, and is compared with a whole number"
            )
        sql = f"({quote_name(column.name)} % {divisor} {op} {rest})"
        return sql, {"modulo": [column.name, divisor, op, rest]}

    def _tested(self, column: Column, sql: str, test: Node) -> Node:
        number = len(self.tests)
        self.tests.append(TextTest(column, sql))
        facts = {"number": number, "local": local(column), "pad": pads(column), "test": test}
        return {"text": [column.name, facts]}

    # columns and constants

    def _column(self, node: exp.Expression) -> Column:
        node = _bare(node)
        if not isinstance(node, exp.Column):
            raise Refused(f"{_shown(node)} is not allowed in it: a column stands on one side")
        own = self.table.name
        for part, name in ((node.table, own.table), (node.db, own.schema)):
            if part and part != name:
                raise Refused(f"{_shown(node)} is not a column of the table")
        try:
            column = self.table.column(node.name)
        except KeyError:
            raise Refused(f"the table has no column {node.name}") from None
        if reason := _unfit(column):
            raise Refused(f"{column.name} ({column.native}) cannot be in it: {reason}")
        self.columns.add(column.name)
        return column

    def _text(self, column: Column, node: exp.Expression) -> str:
        text = _string(_bare(node))
        if text is None:
            raise Refused(f"{column.name} is a text, and is compared with one: write {_shown(node)} in quotes")
        if not text.isascii() and (column.charset or "") not in _UNICODE:
            raise Refused(f"{column.name} is of the character set {column.charset}: only ASCII can be compared with it")
        if (column.charset or "") in ("utf8", "utf8mb3") and any(ord(character) > 0xFFFF for character in text):
            raise Refused(
                f"{column.name} is of the character set {column.charset}, which does not have every character"
            )
        return text

    def _scalar(self, column: Column, node: exp.Expression) -> Scalar:
        kind = column.type.kind
        node = _bare(node)
        if kind in _NUMBERS:
            return _number(column, node)
        if kind in ("date", "datetime", "timestamp"):
            return _when(column, node)
        if kind == "time":
            return _time(column, node)
        if isinstance(node, exp.HexString) and kind == "binary":
            digits = str(node.this).lower()
            digits = digits if len(digits) % 2 == 0 else f"0{digits}"
            return f"x'{digits}'", {"bytes": digits}
        raise Refused(f"{column.name} holds bytes, and is compared with x'...' only")


_HANDLERS: Final[dict[type[exp.Expression], Callable[[_Reader, exp.Expression], Part]]] = {
    exp.And: _Reader.conjunction,
    exp.Or: _Reader.alternative,
    exp.Xor: _Reader.exclusive,
    exp.Not: _Reader.negation,
    exp.Boolean: _Reader.truth,
    exp.Is: _Reader.null_test,
    exp.NullSafeEQ: _Reader.null_safe,
    exp.Between: _Reader.between,
    exp.In: _Reader.membership,
    exp.Like: _Reader.like,
    exp.Escape: _Reader.escaped,
}
_UNICODE: Final = frozenset({"utf8", "utf8mb3", "utf8mb4"})


def _bare(node: exp.Expression) -> exp.Expression:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _shown(node: exp.Expression) -> str:
    """A part of what the user wrote, short enough for a sentence."""
    text = node.sql(dialect="mysql")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unfit(column: Column) -> str:
    """Why a column cannot be in a condition; empty: it can."""
    if column.hidden:
        return "no query can name it"
    if column.generated is not None and not column.generated.logged:
        return "the log does not carry its values"
    if column.native.lower().split("(")[0].split(" ")[0] in _LARGE:
        return "large objects are not compared"
    if column.charset == "swe7":
        return "its character set does not have all of ASCII"
    kinds = {*_NUMBERS, *_TEXTS, "date", "datetime", "timestamp", "time", "binary"}
    return "" if column.type.kind in kinds else "values of this type are not compared"


# --- constants --------------------------------------------------------------------------------------


def _string(node: exp.Expression) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _signed(node: exp.Expression) -> str | None:
    """The digits of a number with its sign."""
    sign = ""
    while isinstance(node, exp.Neg | exp.Paren):
        sign = ("" if sign else "-") if isinstance(node, exp.Neg) else sign
        node = node.this
    if isinstance(node, exp.Boolean):
        return f"{sign}{int(bool(node.this))}"
    return f"{sign}{node.this}" if isinstance(node, exp.Literal) and not node.is_string else None


def _whole(node: exp.Expression) -> int | None:
    digits = _signed(_bare(node))
    if digits is None or not re.fullmatch(r"-?\d{1,18}", digits):
        return None
    return int(digits)


def _number(column: Column, node: exp.Expression) -> Scalar:
    kind = column.type.kind
    if isinstance(node, exp.BitString) and kind in ("bits", "int"):
        digits: str | None = str(int(str(node.this), 2))
    else:
        digits = _signed(node)
    if digits is None:
        hint = f": write {_string(node)}" if re.fullmatch(r"-?\d+(\.\d+)?", _string(node) or "") else ""
        raise Refused(f"{column.name} is a number, and is compared with one, without quotes{hint}")
    plain = digits.removeprefix("-")
    if _DOUBLE.fullmatch(plain):
        if kind not in ("float32", "float64"):  # some servers make a whole number of it first, others do not
            raise Refused(f"{column.name} is compared exactly: write {digits} without an exponent")
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise Refused(f"{digits} is larger than any number")
        return digits, {"double": value}
    if not _DIGITS.fullmatch(plain) or len(plain) > DECIMAL_DIGITS_MAX:
        raise Refused(f"{digits} is not a number of at most {DECIMAL_DIGITS_MAX} digits")
    if kind == "year" and not (plain == digits and plain.isdigit() and (int(plain) == 0 or 1901 <= int(plain) <= 2155)):
        raise Refused(f"{column.name} is a year: 1901 to 2155, or 0")  # two digits would stand for a year of a century
    return digits, {"number": digits}


def _typed(node: exp.Expression, *types: exp.DType) -> str | None:
    """The text of 'text' or of TYPE 'text'."""
    if isinstance(node, exp.Cast) and node.to.this in types:
        return _string(node.this)
    return _string(node)


def _when(column: Column, node: exp.Expression) -> Scalar:
    """A date, or date and time, in the form that every server reads alike. Of a timestamp it is the wall clock of
    UTC, which is what our sessions have."""
    text = _typed(node, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.DATETIME)
    found = _WHEN.fullmatch(text or "")
    if found is None or (column.type.kind == "date" and found[4] is not None):
        form = "'2024-02-29'" if column.type.kind == "date" else "'2024-02-29' or '2024-02-29 23:59:59.5'"
        raise Refused(f"{column.name} is compared with a constant like {form}")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "").ljust(6, "0"))
    if (year, month, day) != (0, 0, 0):
        try:
            date(year, month, day)
        except ValueError:
            raise Refused(f"{found[0]} is no date that a calendar has") from None
    if hour > 23 or minute > 59 or second > 59:
        raise Refused(f"{found[0]} is no time of a day")
    written = f"{year:04}-{month:02}-{day:02}"
    if column.type.kind != "date":
        written += f" {hour:02}:{minute:02}:{second:02}" + (f".{micro:06}" if micro else "")
    return f"'{written}'", {"when": [year, month, day, hour, minute, second, micro]}


def _time(column: Column, node: exp.Expression) -> Scalar:
    found = _TIME.fullmatch(_typed(node, exp.DType.TIME) or "")
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:4]) if found else (0, 60, 0)
    if found is None or hours > 838 or minutes > 59 or seconds > 59:
        raise Refused(f"{column.name} is compared with a constant like '23:59:59.5'")
    micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int((found[5] or "").ljust(6, "0"))
    fraction = f".{found[5]}" if found[5] else ""
    written = f"'{found[1]}{hours:02}:{minutes:02}:{seconds:02}{fraction}'"
    return written, {"time": -micros if found[1] else micros}


# --- collations -------------------------------------------------------------------------------------

# Of these, texts of printable ASCII are equal if their letters are, whatever their case; asked of servers in
# tests/integration/filters. Others give letters another meaning (Turkish i, Roman j) or were not asked.
_FOLDED: Final = re.compile(
    r"utf8(mb3|mb4)?_(general_|unicode_|unicode_520_)(nopad_)?ci"
    r"|utf8mb4_0900_a[is]_ci|utf8(mb3|mb4)?_uca1400_(nopad_)?a[is]_ci"
    r"|latin1_(swedish|general)_(nopad_)?ci|ascii_general_(nopad_)?ci"
)
_EXACT: Final = re.compile(
    r"utf8mb4_0900_as_cs|utf8(mb3|mb4)?_uca1400_(nopad_)?as_cs|(?!swe7)\w+_(nopad_)?bin|latin1_general_cs"
)
_CODES: Final = re.compile(r"(utf8(mb3|mb4)?|ascii)_(nopad_|0900_)?bin")


def local(column: Column) -> str:
    """What rust/rules can decide of texts of the column: a word of its `Local`."""
    collation = (column.collation or "").lower()
    if _CODES.fullmatch(collation):
        return "codes"
    if _EXACT.fullmatch(collation):
        return "exact"
    return "folded" if _FOLDED.fullmatch(collation) else "nothing"


def pads(column: Column) -> bool:
    """Whether blanks at the end of a text do not count: in all collations but MySQL's newer, and MariaDB's that say
    so."""
    collation = (column.collation or "").lower()
    return "nopad" not in collation and "_0900_" not in collation
