"""Conditions over the table of rows.py, by chance."""

from __future__ import annotations

from random import Random
from typing import Final

_NUMBERS: Final = ("-7", "-1", "0", "0.5", "1", "1.5", "2", "7", "1.50005", "9007199254740993", "18446744073709551615")
_CONSTANTS: Final = {
    "i": _NUMBERS,
    "u": _NUMBERS,
    "d": _NUMBERS,
    "w": _NUMBERS,
    "f": (*_NUMBERS, "0.1", "1e-1"),
    "g": (*_NUMBERS, "0.1", "1e300"),
    "y": ("0", "1901", "1999", "2024"),
    "b": ("0", "5", "b'101'", "255.5"),
    "day": ("'0000-00-00'", "'2024-02-29'", "'2024-03-01'"),
    "at": ("'0000-00-00'", "'2024-02-29'", "'2024-02-29 23:59:59.5'", "'2024-03-01 00:00:00'"),
    "ts": ("'0000-00-00'", "'2024-02-29'", "'2024-02-29 23:59:59.5'"),
    "t": ("'-00:00:00.5'", "'00:00:00'", "'23:59:59.99'", "'838:59:59'"),
    "v": ("''", "'open'", "'OPEN '", "'öpen'", "'strasse'", "'STRASSE'", "'abc'", "'日本'", "'m'"),
    "c": ("''", "'open'", "'m'"),
    "k": ("''", "'open'", "'open '", "'öpen'", "'日本'"),
    "e": ("'open'", "'SHUT'", "'öffen'"),
    "s": ("''", "'a'", "'a,c'", "'C'"),
    "x": ("x''", "x'00'", "x'ff'", "x'ff00'"),
    "z": ("x'ff0000'", "x'000000'"),
}
_PATTERNS: Final = ("'o%'", "'%n'", "'_pen'", "'%s_'", "'100\\\\%'", "''", "'%ß%'")
_TEXTS: Final = ("v", "c", "k", "e", "s")
_OPS: Final = ("=", "<>", "!=", "<", "<=", ">", ">=")
_PAIRS: Final = (("i", "u"), ("i", "b"), ("day", "day"), ("at", "at"), ("ts", "ts"), ("t", "t"), ("d", "d"))


def condition(chance: Random, depth: int) -> str:
    if depth and chance.random() < 0.6:
        left, right = condition(chance, depth - 1), condition(chance, depth - 1)
        return chance.choice(
            [f"({left}) AND ({right})", f"({left}) OR ({right})", f"({left}) XOR ({right})", f"NOT ({left})"]
        )
    return _atom(chance)


def _atom(chance: Random) -> str:
    column = chance.choice(list(_CONSTANTS))
    constants = _CONSTANTS[column]
    match chance.randrange(8):
        case 0:
            return f"{column} IS {chance.choice(['', 'NOT '])}NULL"
        case 1:
            some = [chance.choice([*constants, "NULL"]) for _ in range(chance.randrange(1, 4))]
            return f"{column} {chance.choice(['', 'NOT '])}IN ({', '.join(some)})"
        case 2:
            return f"{column} BETWEEN {chance.choice(constants)} AND {chance.choice(constants)}"
        case 3 if column in ("i", "u"):
            return (
                f"{column} % {chance.choice(['2', '-3', '7'])} {chance.choice(_OPS)} {chance.choice(['0', '1', '-1'])}"
            )
        case 4:
            text, pattern = chance.choice(_TEXTS), chance.choice(_PATTERNS)
            pattern = pattern if pattern.isascii() or text in ("v", "k", "e", "s") else "'%s%'"
            return f"{text} {chance.choice(['', 'NOT '])}LIKE {pattern}"
        case 5:
            left, right = chance.choice(_PAIRS)
            return f"{left} {chance.choice(_OPS)} {right}"
        case 6:
            return f"{column} <=> {chance.choice([*constants, 'NULL'])}"
    return f"{column} {chance.choice(_OPS)} {chance.choice(constants)}"
