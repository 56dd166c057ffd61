"""Reading information_schema: rows by column name, and names in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Row = dict[str, str | None]
Query = Callable[[str], list[Row]]
"""Runs a statement; each row is column name -> text, None for NULL. A statement without rows gives []."""


class Facts(dict[str, str]):
    """A row of information_schema; what is NULL or absent in this version is the empty string."""

    def __missing__(self, key: str) -> str:
        return ""


def rows(query: Query, sql: str) -> list[Facts]:
    """The rows of a query. Servers disagree about the case in which they print the names of columns."""
    return [Facts({name.upper(): value for name, value in row.items() if value is not None}) for row in query(sql)]


def listed(names: Iterable[str]) -> str:
    """Names as SQL strings, for any sql_mode; a list that nothing is in, if there are none."""
    return ", ".join(f"_utf8mb4 x'{name.encode().hex()}'" if name else "''" for name in names) or "NULL"
