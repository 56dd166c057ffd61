"""Ids of objects, as the published API makes them: a database is its name, a table `database-*-*-table`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from opendrs.control.asking import shown
from opendrs.control.objects import demand_no_problems, name_problem
from opendrs.model.catalog import TableName

SEPARATOR: Final = "-*-*-"


def table_id(name: TableName) -> str:
    return f"{name.schema}{SEPARATOR}{name.table}"


def id_problem(text: str, parts: Sequence[str]) -> str:
    """Why it is no id of a table of a MySQL source; empty: it is."""
    if len(parts) == 3:
        return f"{shown(text)!r} names a schema, and databases of MySQL have none"
    if len(parts) != 2 or any(name_problem(part) for part in parts):
        return f"{shown(text)!r} is no id of a table: it is like shop{SEPARATOR}orders"
    return ""


def table_of(text: str) -> TableName | str:
    """The table of that id; or what is wrong with it."""
    parts = text.split(SEPARATOR)
    return id_problem(text, parts) or TableName(*parts)


def tables_of(name: str, ids: Iterable[str]) -> tuple[TableName, ...]:
    """Those of the ids, each once. `name`: of the parameter. Raises PARAMETER_INVALID with every id that is none."""
    found: dict[TableName, None] = {}
    problems: list[str] = []
    for text in ids:
        one = table_of(text)
        if isinstance(one, str):
            problems.append(one)
        else:
            found[one] = None
    demand_no_problems(name, problems)
    return tuple(found)


def databases_of(name: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Names of databases, which are their ids. Raises PARAMETER_INVALID."""
    found = tuple(dict.fromkeys(ids))
    wrong = [text for text in found if SEPARATOR in text or name_problem(text)]
    demand_no_problems(name, [f"{shown(text)!r} is no id of a database: that is its name" for text in wrong])
    return found
