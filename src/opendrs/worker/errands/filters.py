"""Whether conditions can be filters of tables: each is read, looked up and shown to the server, which does not run it.

params   {"filters": [{"tables": [[database, table]], "databases": [names], "condition": text}],
          "joined": [[database, table, as model.rules writes a declared table]], "filtered_max": number}
result   {"objects": [{"name": [database, table], "message": why not, or empty}]}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from opendrs.engines.mysql.catalog import read_session, read_tables
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.filters import Refused, compiled, why
from opendrs.engines.mysql.joined import declared_problems_of, with_lists
from opendrs.engines.mysql.keyset import quoted
from opendrs.engines.mysql.listing import read_listing
from opendrs.errors import DrsError
from opendrs.model.catalog import Table, TableName
from opendrs.model.rules import JoinedTable
from opendrs.worker.errands import Errand, Result

Wants = Callable[[TableName], bool]
MISSING: Final = "The source does not have the table"
TWO: Final = "A table has one filter, and there are two"


def run(errand: Errand) -> Result:
    params = errand.action.params
    with Session(errand.job.source) as session:
        return {"objects": list(_checked(session, params, errand.job.selection.wants))}


def _checked(session: Session, params: Mapping[str, Any], wants: Wants) -> Iterator[dict[str, Any]]:
    listing = read_listing(session.query)
    there = {home: [name for name, kind in names if kind == "table"] for home, names in listing.items()}
    filters = [(list(_named(one, there, wants)), str(one["condition"])) for one in params["filters"]]
    joined = {TableName(home, table): JoinedTable.from_json(one) for home, table, one in params["joined"]}
    names = {name for tables, _ in filters for name in tables} | set(joined)
    if len(names) > params["filtered_max"]:
        for name in sorted(names):
            yield _told(name, f"There are {len(names)} tables, and {params['filtered_max']} are allowed at once")
        return
    tables = _read(session, names)
    seen: set[TableName] = set()
    for some, condition in filters:
        for name in some:
            yield _told(name, TWO if name in seen else _reason(session, tables.get(name, MISSING), condition))
            seen.add(name)
    for name, one in joined.items():
        table = tables.get(name, MISSING)
        yield _told(name, table if isinstance(table, str) else "; ".join(declared_problems_of(table, one)))


def _named(one: Mapping[str, Any], there: Mapping[str, Collection[TableName]], wants: Wants) -> Iterator[TableName]:
    yield from (TableName(*name) for name in one["tables"])
    for database in one["databases"]:
        yield from (name for name in there.get(database, ()) if wants(name))


def _read(session: Session, names: Collection[TableName]) -> dict[TableName, Table | str]:
    """The tables, or why one cannot be read."""
    flavour = read_session(session.query).flavour
    try:
        return {table.name: table for table in read_tables(session.query, names, flavour)}
    except DrsError:
        pass  # because of one of them: which one is found by looking at each
    found: dict[TableName, Table | str] = {}
    for name in names:
        try:
            found |= {table.name: table for table in read_tables(session.query, [name], flavour)}
        except DrsError as error:
            found[name] = error.message
    return found


def _reason(session: Session, table: Table | str, condition: str) -> str:
    """Why it cannot be a filter of the table; empty: it can."""
    if isinstance(table, str):
        return table
    try:
        found = compiled(with_lists(session, table.name, condition), table)
        session.query(f"EXPLAIN SELECT 1 FROM {quoted(table.name)} WHERE {found.sql}")
    except Refused as refused:
        return str(refused)
    except DrsError as error:
        return why(error)
    return ""


def _told(name: TableName, message: str) -> dict[str, Any]:
    return {"name": [name.schema, name.table], "message": message}
