"""SQL text of MySQL and MariaDB as tokens.

Executable comments (`/*!50503 ... */`, `/*M!100100 ... */`) are opened for the version of the source, as
its own lexer would; all other comments are blank. Nothing is skipped: a character that begins no token
is an error.

Source of the rules: the manuals' chapters "Comments" and "Literal Values", sql/sql_lex.cc of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntFlag
from typing import Final, Literal, NamedTuple

from opendrs.engines.mysql.flavour import Flavour
from opendrs.model.catalog import TableName

Kind = Literal["word", "name", "string", "number", "hex", "bits", "variable", "symbol", "end"]


class Mode(IntFlag):
    """The bits of sql_mode that change what a definition means; a Query event carries all of them."""

    REAL_AS_FLOAT = 1
    ANSI_QUOTES = 4
    ORACLE = 512  # MariaDB only: another grammar
    MAXDB = 4096  # MariaDB only: TIMESTAMP is DATETIME
    NO_BACKSLASH_ESCAPES = 1 << 20
    STRICT_TRANS_TABLES = 1 << 21
    STRICT_ALL_TABLES = 1 << 22


NO_MODE: Final = Mode(0)


class NotUnderstood(Exception):
    """The statement cannot be read with certainty. The message says where and why.

    also   another table that it concerns
    """

    def __init__(self, message: str, also: TableName | None = None) -> None:
        super().__init__(message)
        self.also = also


class Token(NamedTuple):
    """One token.

    text    value: a name or string without its quotes and escapes, a word as written, hex and bits digits
    start   place in the text (its end: `end`)
    """

    kind: Kind
    text: str
    start: int
    end: int


_SPACE: Final = re.compile(r"[\s\x00]+")
_LINE_COMMENT: Final = re.compile(r"(?:#|--(?=[\s\x00]|$))[^\n]*")
_VERSION: Final = re.compile(r"/\*(M?)!(\d{5,6})?")
# A word may begin with a digit, but is a number then if nothing but digits follows.
_WORD: Final = re.compile(r"[A-Za-z0-9_$\x80-\U0010ffff]+")
_HEX: Final = re.compile(r"0x([0-9A-Fa-f]+)(?![A-Za-z0-9_$\x80-\U0010ffff])|[xX]'((?:[0-9A-Fa-f]{2})*)'")
_BITS: Final = re.compile(r"0b([01]+)(?![A-Za-z0-9_$\x80-\U0010ffff])|[bB]'([01]*)'")
_NUMBER: Final = re.compile(r"(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_$\x80-\U0010ffff])")
_VARIABLE: Final = re.compile(r"@@?[A-Za-z0-9_$.\x80-\U0010ffff]*")
_SYMBOLS: Final = frozenset("()+-*/%,;.=<>!|&^~?:{}")
# What stands behind a backslash, if it is not the character itself.
_ESCAPES: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


class Lexer:
    """Reads tokens one by one, so that the bodies of routines need not be understood."""

    def __init__(self, text: str, flavour: Flavour, mode: Mode = NO_MODE) -> None:
        self.text = text
        self._flavour = flavour
        self._mode = mode
        self._at = 0
        self._open = False  # inside an executable comment
        self._end: int | None = None
        self._spans: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[Token]:
        while True:
            token = self._next()
            yield token
            if token.kind == "end":
                return

    def slice(self, start: int, end: int) -> str:
        """The text between two places, its comments and comment marks taken out."""
        parts, at = [], start
        for begin, stop in self._spans:
            if at <= begin and stop <= end:
                parts.append(self.text[at:begin])
                at = stop
        parts.append(self.text[at:end])
        return "".join(parts).strip()

    def _next(self) -> Token:
        self._skip()
        start = self._at
        if start >= len(self.text):
            if self._open:
                raise NotUnderstood("an executable comment does not end")
            return Token("end", "", start, start)
        char = self.text[start]
        if char == "`" or (char == '"' and self._mode & Mode.ANSI_QUOTES):
            return self._quoted("name", escapes=False)
        if char in "'\"":
            return self._quoted("string", escapes=not self._mode & Mode.NO_BACKSLASH_ESCAPES)
        if char in "nN" and self.text.startswith("'", start + 1):  # N'...': text in the national character set
            self._at += 1
            return self._quoted("string", escapes=not self._mode & Mode.NO_BACKSLASH_ESCAPES)
        for kind, pattern in _PATTERNS:
            if found := pattern.match(self.text, start):
                self._at = found.end()
                value = next((group for group in found.groups() if group is not None), found[0])
                return Token(kind, value, start, found.end())
        if char in _SYMBOLS:
            self._at += 1
            return Token("symbol", char, start, self._at)
        raise NotUnderstood(f"a character that is not expected: {char!r}")

    def _quoted(self, kind: Kind, *, escapes: bool) -> Token:
        start = at = self._at
        text, quote = self.text, self.text[at]
        value: list[str] = []
        at += 1
        while at < len(text):
            char = text[at]
            if char == quote:
                if text.startswith(quote, at + 1):  # doubled: the quote itself
                    at += 1
                else:
                    self._at = at + 1
                    return Token(kind, "".join(value), start, self._at)
            elif char == "\\" and escapes and at + 1 < len(text):
                at += 1
                # \% and \_ keep their backslash: they mean something to LIKE only.
                char = "\\" + text[at] if text[at] in "%_" else _ESCAPES.get(text[at], text[at])
            value.append(char)
            at += 1
        raise NotUnderstood("a string or a name does not end")

    def _skip(self) -> None:
        """Passes white space, comments, and the marks of executable comments that are open."""
        while self._at < len(self.text):
            begin = self._at
            if found := _SPACE.match(self.text, begin):
                self._at = found.end()
                continue
            if found := _LINE_COMMENT.match(self.text, begin):
                self._at = found.end()
            elif self._open and self.text.startswith("*/", begin):
                self._open = False
                self._at += 2
            elif self.text.startswith("/*", begin):
                self._comment()
            else:
                return
            self._spans.append((begin, self._at))

    def _comment(self) -> None:
        found = _VERSION.match(self.text, self._at)
        if found is None:
            self._at = self._comment_end(self._at)
        elif self._opens(bool(found[1]), int(found[2] or 0)):
            if self._open:
                raise NotUnderstood("an executable comment inside another")
            self._open = True
            self._at = found.end()
        else:  # what is left out may hold plain comments; to MySQL, MariaDB's own is a plain comment itself
            self._at = self._comment_end(self._at, nested=self._flavour.mariadb or not found[1])

    def _opens(self, mariadb_only: bool, version: int) -> bool:
        """Whether the server reads the inside of an executable comment."""
        if not self._flavour.mariadb:
            return not mariadb_only and version <= self._flavour.version
        # MariaDB leaves out what was written for MySQL 5.7: there the two went different ways.
        return version <= self._flavour.version and (mariadb_only or not 50700 <= version <= 50999)

    def _comment_end(self, at: int, *, nested: bool = False) -> int:
        """Behind the comment that begins at `at`; a left out executable comment may hold plain ones."""
        at += 2
        depth = 1
        while at < len(self.text):
            if self.text.startswith("*/", at):
                depth, at = depth - 1, at + 2
                if depth == 0:
                    return at
            elif nested and self.text.startswith("/*", at):
                depth, at = depth + 1, at + 2
            else:
                at += 1
        raise NotUnderstood("a comment does not end")


_PATTERNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("hex", _HEX),
    ("bits", _BITS),
    ("number", _NUMBER),
    ("word", _WORD),
    ("variable", _VARIABLE),
)
