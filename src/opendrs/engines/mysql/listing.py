"""Which tables and views there are: names only, for people who choose."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from opendrs.engines.mysql.information import Query, listed, rows
from opendrs.engines.mysql.server import read_databases
from opendrs.model.catalog import TableName

Kind = Literal["table", "view"]

_KINDS: Final[dict[str, Kind]] = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view"}


def read_listing(query: Query, wanted: Collection[str] | None = None) -> dict[str, list[tuple[TableName, Kind]]]:
    """Tables and views by database, in the order of their names; the system's own databases are left out.

    wanted   of these databases only; one that does not exist is absent
    """
    databases = [name for name in read_databases(query) if wanted is None or name in wanted]
    found: dict[str, list[tuple[TableName, Kind]]] = {name: [] for name in databases}
    if not databases:
        return found
    sql = (
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA IN ({listed(databases)}) AND TABLE_TYPE IN ({listed(_KINDS)}) ORDER BY 1, 2"
    )
    for row in rows(query, sql):
        name = TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"])
        found[name.schema].append((name, _KINDS[row["TABLE_TYPE"]]))
    return found
