"""Tokens: comments for the version of the source, quotes and escapes by sql_mode, nothing skipped."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import NO_MODE, Lexer, Mode, NotUnderstood

MYSQL57, MYSQL8, MYSQL9 = Flavour("mysql", 50744), Flavour("mysql", 80036), Flavour("mysql", 90704)
MARIADB = Flavour("mariadb", 101118)


def words(text: str, flavour: Flavour = MYSQL8, mode: Mode = NO_MODE) -> list[tuple[str, str]]:
    return [(str(token.kind), token.text) for token in Lexer(text, flavour, mode)][:-1]


@pytest.mark.parametrize(
    ("text", "flavour", "expected"),
    [
        ("a /*!50503 b */ c", MYSQL8, "abc"),
        ("a /*!80100 b */ c", MYSQL8, "ac"),
        ("a /*! b */ c", MYSQL57, "abc"),
        ("a /*!50503 b /* x */ d */ c", MYSQL8, "abdc"),
        ("a /*!90000 b /* x */ d */ c", MYSQL8, "ac"),
        ("a /*M!100100 b */ c", MYSQL9, "ac"),
        ("a /*M!100100 b */ c", MARIADB, "abc"),
        ("a /*M! b */ c", MARIADB, "abc"),
        ("a /*M!110000 b */ c", MARIADB, "ac"),
        ("a /*!50701 b */ c", MARIADB, "ac"),  # what was written for MySQL 5.7
        ("a /*!50699 b */ c", MARIADB, "abc"),
        ("a /*!80000 b */ c", MARIADB, "abc"),
        ("a /*!100100 b */ c", MARIADB, "abc"),
        ("a/**/b", MYSQL8, "ab"),
        ("a # b\nc", MYSQL8, "ac"),
        ("a -- b\nc", MYSQL8, "ac"),
        ("a --", MYSQL8, "a"),
        ("a /*+ hint */ c", MYSQL8, "ac"),
    ],
)
def test_comments(text: str, flavour: Flavour, expected: str) -> None:
    assert "".join(value for _, value in words(text, flavour)) == expected


def test_two_dashes_without_a_blank_are_two_signs() -> None:
    assert words("1--1") == [("number", "1"), ("symbol", "-"), ("symbol", "-"), ("number", "1")]


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        (r"'a\'b'", NO_MODE, [("string", "a'b")]),
        (r"'\n\t\0\\\Z\%\_\q'", NO_MODE, [("string", "\n\t\0\\\x1a\\%\\_q")]),
        (r"'a\'", Mode.NO_BACKSLASH_ESCAPES, [("string", "a\\")]),
        ("'a''b'", NO_MODE, [("string", "a'b")]),
        ('"a""b"', NO_MODE, [("string", 'a"b')]),
        ('"a""b"', Mode.ANSI_QUOTES, [("name", 'a"b')]),
        ("`a``b`", NO_MODE, [("name", "a`b")]),
        (r"`a\`", NO_MODE, [("name", "a\\")]),
        ("N'x' n'y'", NO_MODE, [("string", "x"), ("string", "y")]),
        ("x'0aF0' 0x1F X''", NO_MODE, [("hex", "0aF0"), ("hex", "1F"), ("hex", "")]),
        ("b'101' 0b01", NO_MODE, [("bits", "101"), ("bits", "01")]),
        ("1 1.5 .5 1e3 1.e-2", NO_MODE, [("number", n) for n in ("1", "1.5", ".5", "1e3", "1.e-2")]),
        ("1a 0xZZ größe $x", NO_MODE, [("word", w) for w in ("1a", "0xZZ", "größe", "$x")]),
        (
            "@a @@global.b @'h'",
            NO_MODE,
            [("variable", "@a"), ("variable", "@@global.b"), ("variable", "@"), ("string", "h")],
        ),
        ("'--' '#' '/*!'", NO_MODE, [("string", "--"), ("string", "#"), ("string", "/*!")]),
    ],
)
def test_tokens(text: str, mode: Mode, expected: list[tuple[str, str]]) -> None:
    assert words(text, mode=mode) == expected


@pytest.mark.parametrize("text", ["'a", "`a", "/* a", "/*!50000 a", "/*!50000 a /*!50000 b */ */", "a \x01 b", "[a]"])
def test_what_is_no_token_is_an_error(text: str) -> None:
    with pytest.raises(NotUnderstood):
        words(text)


def test_the_bodies_of_routines_are_not_read() -> None:
    lexer = iter(Lexer("CREATE PROCEDURE p() BEGIN \x01 'unfinished", MYSQL8))
    assert [next(lexer).text for _ in range(3)] == ["CREATE", "PROCEDURE", "p"]


def test_expressions_come_without_comments() -> None:
    cursor = Cursor(Lexer("( a /*!50000 + /* x */ (b) */ -- c\n) d", MYSQL8))
    assert cursor.expression().split() == ["a", "+", "(b)"]
    assert cursor.name() == "d"


@given(st.text())
def test_any_string_survives_its_quotes(text: str) -> None:
    doubled = text.replace("'", "''")
    assert words(f"'{doubled}'", mode=Mode.NO_BACKSLASH_ESCAPES) == [("string", text)]
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    assert words(f"'{escaped}'") == [("string", text)]


@given(st.text(min_size=1))
def test_any_name_survives_its_quotes(text: str) -> None:
    doubled = text.replace("`", "``")
    assert words(f"`{doubled}`") == [("name", text)]


@given(st.text())
def test_any_text_is_tokens_or_an_error(text: str) -> None:
    with suppress(NotUnderstood):
        words(text)


@pytest.mark.parametrize(
    ("version", "product", "number"),
    [
        ("9.7.4-2", "mysql", 90704),
        ("5.7.44-log", "mysql", 50744),
        ("8.0.36", "mysql", 80036),
        ("10.11.18-MariaDB-0+deb12u1-log", "mariadb", 101118),
        ("5.5.5-10.4.32-MariaDB", "mariadb", 100432),
        ("11.8.9-MariaDB-4 from Debian-log", "mariadb", 110809),
        ("12.3.1-MariaDB", "mariadb", 120301),
    ],
)
def test_flavours(version: str, product: str, number: int) -> None:
    assert Flavour.of(version) == Flavour(product, number)  # type: ignore[arg-type]
