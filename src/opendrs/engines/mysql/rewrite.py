"""Names of columns inside expressions: which are spoken of, and one replaced by another."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import Lexer, Token


def _names(expression: str, flavour: Flavour) -> list[Token]:
    """The tokens that may name a column: no function in front of its parenthesis."""
    tokens = list(Lexer(expression, flavour))
    return [
        token
        for token, following in pairwise(tokens)
        if token.kind in ("name", "word") and not (following.kind == "symbol" and following.text == "(")
    ]


def mentions(expression: str, columns: Collection[str], flavour: Flavour) -> set[str]:
    """Which of the columns (in lower case) the expression speaks of."""
    return {token.text.lower() for token in _names(expression, flavour)} & set(columns)


def renamed_in(expression: str, old: str, new: str, flavour: Flavour) -> str:
    """The expression with one column called otherwise."""
    quoted = "`" + new.replace("`", "``") + "`"
    for token in reversed(_names(expression, flavour)):
        if token.text.lower() == old.lower():
            expression = expression[: token.start] + quoted + expression[token.end :]
    return expression
