"""A place in a statement, and the small words of its grammar: names, strings, parentheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from opendrs.engines.mysql.statement import Lexer, NotUnderstood, Token
from opendrs.model.catalog import TableName

T = TypeVar("T")

_OPENING: Final = "("
_CLOSING: Final = ")"


class Cursor:
    """Walks over the tokens of a statement. Key words are compared without case and never quoted."""

    def __init__(self, lexer: Lexer, database: str = "", *, lower_names: bool = False) -> None:
        self._lexer = lexer
        self._source = iter(lexer)
        self._tokens: list[Token] = []
        self._at = 0
        self._database = database
        self._lower_names = lower_names

    def peek(self, ahead: int = 0) -> Token:
        while len(self._tokens) <= self._at + ahead:
            token = next(self._source, None)
            if token is None:
                return self._tokens[-1]  # the end, for ever
            self._tokens.append(token)
        return self._tokens[self._at + ahead]

    def take(self) -> Token:
        token = self.peek()
        self._at += 1
        return token

    def fail(self, wanted: str) -> NotUnderstood:
        """The error for what stands here."""
        token = self.peek()
        found = "the end" if token.kind == "end" else repr(self._lexer.text[token.start : token.end][:60])
        return NotUnderstood(f"expected {wanted} and found {found}")

    # --- key words and symbols ---

    def at(self, *words: str) -> bool:
        """Whether these key words or symbols come next."""
        return all(self._is(self.peek(ahead), word) for ahead, word in enumerate(words))

    @staticmethod
    def _is(token: Token, word: str) -> bool:
        if token.kind == "word":
            return token.text.upper() == word
        return token.kind == "symbol" and token.text == word

    def accept(self, *words: str) -> bool:
        """Passes these words if they come next."""
        if not self.at(*words):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.fail(" ".join(words))

    def one_of(self, *words: str) -> str:
        """Passes one of these words and says which, empty if none comes next."""
        return next((word for word in words if self.accept(word)), "")

    def word(self, *allowed: str) -> str:
        """Passes a key word, one of `allowed` if given; upper case."""
        if self.peek().kind == "word" and (not allowed or self.peek().text.upper() in allowed):
            return self.take().text.upper()
        raise self.fail(" or ".join(allowed) or "a key word")

    @property
    def ended(self) -> bool:
        return self.peek().kind == "end"

    def end(self) -> None:
        """Everything must have been read; a semicolon may close the statement."""
        self.accept(";")
        if not self.ended:
            raise self.fail("the end of the statement")

    # --- values ---

    def name(self) -> str:
        """An identifier, quoted or not."""
        if self.peek().kind not in ("word", "name"):
            raise self.fail("a name")
        return self.take().text

    def table(self) -> TableName:
        """`table` or `database.table`; the statement's default database completes the former."""
        first = self.name()
        schema, table = (first, self.name()) if self.accept(".") else (self._database, first)
        if not schema:
            raise NotUnderstood(f"no database is said for the table {table!r}")
        return TableName(schema.lower(), table.lower()) if self._lower_names else TableName(schema, table)

    def database(self) -> str:
        name = self.name()
        return name.lower() if self._lower_names else name

    def string(self) -> str:
        """A string; adjacent ones are one."""
        if self.peek().kind != "string":
            raise self.fail("a string")
        parts = [self.take().text]
        while self.peek().kind == "string":
            parts.append(self.take().text)
        return "".join(parts)

    def name_or_string(self) -> str:
        return self.string() if self.peek().kind == "string" else self.name()

    def integer(self) -> int:
        token = self.peek()
        if token.kind != "number" or not token.text.isdigit():
            raise self.fail("a whole number")
        return int(self.take().text)

    # --- lists and parentheses ---

    def listed(self, item: Callable[[], T]) -> list[T]:
        """item, item, ..."""
        items = [item()]
        while self.accept(","):
            items.append(item())
        return items

    def in_parentheses(self, item: Callable[[], T]) -> list[T]:
        """(item, item, ...)"""
        self.expect(_OPENING)
        items = self.listed(item)
        self.expect(_CLOSING)
        return items

    def expression(self) -> str:
        """The text between a parenthesis and its counterpart, both of which are passed."""
        if not self.at(_OPENING):
            raise self.fail("a parenthesis")
        start = self.take().end
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                raise NotUnderstood("a parenthesis is not closed")
            depth += (token.kind == "symbol") * ((token.text == _OPENING) - (token.text == _CLOSING))
        return self._lexer.slice(start, token.start)

    def text_from(self, token: Token) -> str:
        """The text from that token on up to here."""
        return self._lexer.slice(token.start, self._tokens[self._at - 1].end)
