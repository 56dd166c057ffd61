"""Expressions of MySQL as PostgreSQL's, where they mean the same with certainty, else not at all.

sqlglot reads; what is written is our own: every kind of node that is allowed stands here with the reason
why it is safe. A check that is stricter than the source's would refuse rows that the source holds, so
"nearly the same" is no.

Not allowed, for example: division (MySQL's is decimal), text in a collation that ignores case or pads with
blanks, LEAST and GREATEST (NULL), REGEXP, any function of time or chance inside an expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from opendrs.engines.postgres.layout import Layout
from opendrs.engines.postgres.names import literal, quote
from opendrs.model.catalog import Column, Table

Kind = Literal["exact", "float", "text", "member", "date", "datetime", "string", "condition", "null"]


class _Uncertain(Exception):
    """The expression is not known to mean the same."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """SQL of a part, and what kind of value it has. `string` is a literal that takes the type of its partner."""

    sql: str
    kind: Kind
    column: Column | None = None
    text: str = ""


def condition(sql: str, table: Table, layout: Layout) -> str | None:
    """A condition on columns of a table; None if it does not translate with certainty."""
    try:
        return _Translator(table, layout).condition(_parsed(sql)).sql
    except (_Uncertain, SqlglotError, ValueError, RecursionError):
        return None


def value(sql: str, column: Column, type_sql: str, table: Table, layout: Layout) -> str | None:
    """An expression over columns of a table, cast to the type of `column`; None if uncertain."""
    try:
        typed = _Translator(table, layout).value(_parsed(sql))
        return _cast(typed, column, type_sql)
    except (_Uncertain, SqlglotError, ValueError, RecursionError):
        return None


def constant(sql: str, column: Column, type_sql: str) -> str | None:
    """An expression without columns."""
    try:
        typed = _Translator(None, None).value(_parsed(sql))
        return _cast(typed, column, type_sql)
    except (_Uncertain, SqlglotError, ValueError, RecursionError):
        return None


def _parsed(sql: str) -> exp.Expression:
    parsed = sqlglot.parse_one(sql, read="mysql")
    assert isinstance(parsed, exp.Expression)
    return parsed


def _cast(typed: _Typed, column: Column, type_sql: str) -> str:
    """The value as the column takes it; only between types where both servers convert alike."""
    kind = column.type.kind
    if typed.kind == "null":
        return "NULL"
    if typed.kind == "exact" and kind in ("int", "decimal") and "zerofill" not in column.native:
        # Both round half away from zero, and refuse what does not fit.
        return f"({typed.sql})::{type_sql}"
    if typed.kind == "condition" and kind == "int":
        return f"({typed.sql})::integer::{type_sql}"
    if typed.kind in ("text", "string") and kind == "text" and not column.native.startswith("char("):
        # Not with a length: PostgreSQL's cast would cut what MySQL refuses, and as an assignment it refuses too.
        return f"({literal(typed.text) if typed.kind == 'string' else typed.sql})"
    raise _Uncertain


class _Translator:
    """Walks an expression of one table."""

    def __init__(self, table: Table | None, layout: Layout | None) -> None:
        self._table = table
        self._layout = layout

    # --- conditions ---

    def condition(self, node: exp.Expression) -> _Typed:
        """A part in the place of a condition: a number is true if it is not zero."""
        typed = self.value(node)
        if typed.kind == "condition":
            return typed
        if typed.kind == "exact":
            return _Typed(f"({typed.sql} <> 0)", "condition")
        raise _Uncertain

    def value(self, node: exp.Expression) -> _Typed:
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise _Uncertain
        return handler(self, node)

    def _logic(self, node: exp.Expression) -> _Typed:
        word = "AND" if isinstance(node, exp.And) else "OR"
        left, right = self.condition(node.this), self.condition(node.expression)
        return _Typed(f"({left.sql} {word} {right.sql})", "condition")

    def _not(self, node: exp.Expression) -> _Typed:
        return _Typed(f"(NOT {self.condition(node.this).sql})", "condition")

    def _is(self, node: exp.Expression) -> _Typed:
        if not isinstance(node.expression, exp.Null):
            raise _Uncertain
        return _Typed(f"({self._any_column(node.this)} IS NULL)", "condition")

    def _any_column(self, node: exp.Expression) -> str:
        """A column of any type, for a question that every type answers alike."""
        inner = node.this if isinstance(node, exp.Paren) else node
        if isinstance(inner, exp.Column):
            return self._found(inner)[1]
        return self.value(node).sql

    def _compare(self, node: exp.Expression) -> _Typed:
        left, right = self._alike(self.value(node.this), self.value(node.expression), _EQUALITY.get(type(node), False))
        return _Typed(f"({left} {_COMPARISONS[type(node)]} {right})", "condition")

    def _between(self, node: exp.Expression) -> _Typed:
        if node.args.get("symmetric"):
            raise _Uncertain
        this = self.value(node.this)
        low = self._alike(this, self.value(node.args["low"]), False)
        high = self._alike(this, self.value(node.args["high"]), False)
        return _Typed(f"({low[0]} BETWEEN {low[1]} AND {high[1]})", "condition")

    def _in(self, node: exp.Expression) -> _Typed:
        if not node.expressions or node.args.get("query"):
            raise _Uncertain
        this = self.value(node.this)
        pairs = [self._alike(this, self.value(item), True) for item in node.expressions]
        return _Typed(f"({pairs[0][0]} IN ({', '.join(right for _, right in pairs)}))", "condition")

    def _alike(self, left: _Typed, right: _Typed, equality: bool) -> tuple[str, str]:
        """Both sides of a comparison, if the two servers compare them alike."""
        if left.kind == "string" and right.kind != "string":
            other, one = self._alike(right, left, equality)
            return one, other
        numbers = ("exact", "float")
        if left.kind in numbers and right.kind in numbers:
            return left.sql, right.sql
        if right.kind == "string":
            if left.kind in ("date", "datetime"):
                return left.sql, _moment(right.text)
            # A member of an ENUM is equal to one text only, and its own spelling is what arrives here.
            if left.kind == "member" and equality and left.column and right.text in left.column.members:
                return left.sql, literal(right.text)
            if left.kind == "text" and equality and left.column and _exact_text(left.column):
                return left.sql, literal(right.text)
        if left.kind == right.kind and left.kind in ("date", "datetime"):
            return left.sql, right.sql
        raise _Uncertain

    # --- values ---

    def _column(self, node: exp.Expression) -> _Typed:
        column, sql = self._found(node)
        kind = _KINDS.get(column.type.kind)
        if kind is None or "zerofill" in column.native:
            raise _Uncertain
        return _Typed(sql, kind, column)

    def _found(self, node: exp.Expression) -> tuple[Column, str]:
        if self._table is None or self._layout is None or node.args.get("table"):
            raise _Uncertain
        try:
            return self._table.column(node.name), quote(self._layout.place(node.name).name)
        except KeyError as error:
            raise _Uncertain from error

    def _literal(self, node: exp.Expression) -> _Typed:
        if node.is_string:
            if "?" in node.name:  # the catalogs of both servers print one for a character that they cannot list
                raise _Uncertain
            return _Typed(literal(node.name), "string", text=node.name)
        if not re.fullmatch(r"\d+(\.\d+)?", node.name):  # 1e3 is a double, and 0x10 bytes
            raise _Uncertain
        return _Typed(node.name, "exact")

    def _introduced(self, node: exp.Expression) -> _Typed:
        if not str(node.this).lower().startswith("_utf8") or not isinstance(node.expression, exp.Literal):
            raise _Uncertain
        return self._literal(node.expression)

    def _boolean(self, node: exp.Expression) -> _Typed:
        return _Typed("1" if node.this else "0", "exact")

    def _null(self, node: exp.Expression) -> _Typed:
        return _Typed("NULL", "null")

    def _parenthesis(self, node: exp.Expression) -> _Typed:
        return self.value(node.this)

    def _exact(self, node: exp.Expression) -> str:
        """A number as PostgreSQL's numeric, whose arithmetic does not overflow as that of integers does."""
        typed = self.value(node)
        if typed.kind != "exact":
            raise _Uncertain
        return f"{typed.sql}::numeric" if typed.column else typed.sql

    def _arithmetic(self, node: exp.Expression) -> _Typed:
        signs: dict[type[exp.Expression], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
        sign = signs[type(node)]
        return _Typed(f"({self._exact(node.this)} {sign} {self._exact(node.expression)})", "exact")

    def _modulo(self, node: exp.Expression) -> _Typed:
        by = node.expression
        if not isinstance(by, exp.Literal) or not re.fullmatch(r"[1-9]\d*", by.name):  # by zero: NULL and an error
            raise _Uncertain
        return _Typed(f"({self._exact(node.this)} % {by.name})", "exact")

    def _negative(self, node: exp.Expression) -> _Typed:
        return _Typed(f"(-{self._exact(node.this)})", "exact")

    def _absolute(self, node: exp.Expression) -> _Typed:
        return _Typed(f"abs({self._exact(node.this)})", "exact")

    def _coalesce(self, node: exp.Expression) -> _Typed:
        parts = [self._exact(part) for part in (node.this, *node.expressions)]
        return _Typed(f"COALESCE({', '.join(parts)})", "exact")

    def _length(self, node: exp.Expression) -> _Typed:
        typed = self.value(node.this)
        characters = str(node.sql(dialect="mysql")).upper().startswith("CHAR")
        if typed.kind != "text" or not characters:
            raise _Uncertain
        return _Typed(f"char_length({typed.sql})", "exact")

    def _concat(self, node: exp.Expression) -> _Typed:
        """NULL if any part is, as `||` is and PostgreSQL's concat() is not."""
        parts = []
        for part in node.expressions:
            typed = self.value(part)
            if typed.kind not in ("text", "member", "string", "exact"):
                raise _Uncertain
            number = typed.kind == "exact" and (typed.column is None or typed.column.type.kind != "int")
            if number and not re.fullmatch(r"\d+", typed.sql):
                raise _Uncertain
            parts.append(f"{typed.sql}::text" if typed.kind == "exact" else typed.sql)
        return _Typed(f"({' || '.join(parts)})", "text")


def _exact_text(column: Column) -> bool:
    """Whether the column compares text byte by byte, and no blanks are added: utf8mb4_0900_bin alone."""
    return (column.collation or "").endswith("0900_bin")


def _moment(text: str) -> str:
    """A date or date-time that is written in full, and that a calendar has."""
    try:
        date.fromisoformat(text)
        found = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        kind = "DATE"
    except ValueError:
        datetime.strptime(text.partition(".")[0], "%Y-%m-%d %H:%M:%S")
        found = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", text)
        kind = "TIMESTAMP"
    if found is None:
        raise _Uncertain
    return f"{kind} {literal(text)}"


# Kinds of columns whose values both servers order and calculate alike. TIMESTAMP is not among them: what a
# literal means depends on the time zone of the session.
_KINDS: Final[dict[str, Kind]] = {
    "int": "exact",
    "decimal": "exact",
    "year": "exact",
    "float32": "float",
    "float64": "float",
    "text": "text",
    "enum": "member",
    "date": "date",
    "datetime": "datetime",
}
_COMPARISONS: Final[dict[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
}
_EQUALITY: Final[dict[type[exp.Expression], bool]] = {exp.EQ: True, exp.NEQ: True, exp.NullSafeEQ: True}
_Handler = Callable[[_Translator, exp.Expression], _Typed]
_HANDLERS: Final[dict[type[exp.Expression], _Handler]] = {
    exp.And: _Translator._logic,
    exp.Or: _Translator._logic,
    exp.Not: _Translator._not,
    exp.Is: _Translator._is,
    **dict.fromkeys(_COMPARISONS, _Translator._compare),
    exp.Between: _Translator._between,
    exp.In: _Translator._in,
    exp.Column: _Translator._column,
    exp.Literal: _Translator._literal,
    exp.Introducer: _Translator._introduced,
    exp.Boolean: _Translator._boolean,
    exp.Null: _Translator._null,
    exp.Paren: _Translator._parenthesis,
    exp.Add: _Translator._arithmetic,
    exp.Sub: _Translator._arithmetic,
    exp.Mul: _Translator._arithmetic,
    exp.Mod: _Translator._modulo,
    exp.Neg: _Translator._negative,
    exp.Abs: _Translator._absolute,
    exp.Coalesce: _Translator._coalesce,
    exp.Length: _Translator._length,
    exp.Concat: _Translator._concat,
}
