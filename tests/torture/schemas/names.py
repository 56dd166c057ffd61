"""Names as nobody should give them."""

from __future__ import annotations

import random
from typing import Final

COLUMNS: Final = (
    "id", "ID2", "select", "order", "user", "table", "ctid", "xmin", "tableoid", "cmax", "oid", "a`b", 'a"b', "a'b", "a.b", "100%", "%s", "%(x)s",
    "a b", " lead", "größe", "名前", "$1", "?", "a\\b", "a;b", "--x", "/*", "{x}", "a\tb", "a\nb", "x" * 64, "x" * 63 + "y", "ж" * 40, "ж" * 64, "Ключ",
    "op", "seq", "txn", "flags", "null", "1", "1e5", "COALESCE", "new", "old", "_", "row", "excluded", "t", "s", "d", "value", "$$", "$opendrs$", "NULL",
)  # fmt: skip
TABLES: Final = (
    "t", "T", "order", "a`b", 'a"b', "a.b", "a b", "100%", "%s", "größe", "名前", "x" * 64, "x" * 63 + "y", "pg_class", "pg_x", "_opendrs", "a__b", "a_", "user",
    "*", "[a]", "a'b", "$1", "a\\b", "a\nb", "Tbl", "tBL", "information_schema", "ж" * 40, "#sql", "-", "checkpoint", "public", "_t_new", "a,b",
)  # fmt: skip
DATABASES: Final = (
    "pg_x",
    "public",
    "a b",
    'q"q',
    "größe",
    "x" * 64,
    "a.b",
    "100%",
    "Mixed",
    "information",
    "_opendrs",
    "[x]",
)
INDEXES: Final = ("k", "K2", "a`b", 'a"b', "b", "_k", "a__b", "x" * 64, "größe", "primary_", "100%", "k k")
COMMENTS: Final = (
    "it's", 'say "x"', "a\\b", "new\nline", "emoji 😀", "semi;colon", "$$ $opendrs$", "100% %s", "/* x */ -- y", "'", "", "\\'", "tab\tx", "\r\n",
)  # fmt: skip


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def drawn(chance: random.Random, odd: tuple[str, ...], count: int, plain: str) -> list[str]:
    """So many names, no two of them the same to a server that ignores case; about half of them odd."""
    found: dict[str, str] = {}
    names = chance.sample(odd, len(odd))
    while len(found) < count:
        name = names.pop() if names and chance.random() < 0.5 else f"{plain}{len(found)}"
        found.setdefault(name.lower(), name)
    return list(found.values())
