"""Which tables, views, columns and keys there are: no more of them than people choose by."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from opendrs.engines.mysql.information import Facts, Query, listed, rows
from opendrs.engines.mysql.server import read_databases
from opendrs.model.catalog import TableName

Kind = Literal["table", "view"]

AT_ONCE: Final = 500  # tables in one statement

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


class ListedColumn(NamedTuple):
    """A column by what people choose it by.

    native    the type as the server prints it
    kind      the type's word alone: varchar
    primary   part of the primary key
    """

    native: str
    kind: str
    nullable: bool
    primary: bool


def read_columns(query: Query, names: Collection[TableName]) -> dict[TableName, dict[str, ListedColumn]]:
    """The columns of these tables and views in their order; one that does not exist is absent."""
    found: dict[TableName, dict[str, ListedColumn]] = {}
    wanted = "TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, COLUMN_KEY"
    for row in _of_tables(query, names, f"SELECT {wanted} FROM information_schema.COLUMNS", "ORDINAL_POSITION"):
        columns = found.setdefault(TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"]), {})
        columns[row["COLUMN_NAME"]] = ListedColumn(
            native=row["COLUMN_TYPE"],
            kind=row["DATA_TYPE"].lower(),
            nullable=row["IS_NULLABLE"] == "YES",
            primary=row["COLUMN_KEY"] == "PRI",
        )
    return found


def read_unique(query: Query, names: Collection[TableName]) -> dict[TableName, list[tuple[str, ...]]]:
    """The primary key and the unique indexes of these tables, as far as whole columns without NULLs are in them: the
    columns of each, in its order."""
    parts: dict[tuple[TableName, str], list[Facts]] = {}
    for row in _of_tables(query, names, "SELECT * FROM information_schema.STATISTICS", "INDEX_NAME, SEQ_IN_INDEX"):
        if row["NON_UNIQUE"] == "0":
            name = TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"])
            parts.setdefault((name, row["INDEX_NAME"]), []).append(row)
    found: dict[TableName, list[tuple[str, ...]]] = {}
    for (name, _), rows_ in parts.items():
        # An expression has no name of a column, a prefix a length, and NULLs are told as YES.
        if all(row["COLUMN_NAME"] and not row["SUB_PART"] and row["NULLABLE"] != "YES" for row in rows_):
            found.setdefault(name, []).append(tuple(row["COLUMN_NAME"] for row in rows_))
    return found


def _of_tables(query: Query, names: Collection[TableName], select: str, order: str) -> Iterator[Facts]:
    by_database: dict[str, list[str]] = {}
    for name in names:
        by_database.setdefault(name.schema, []).append(name.table)
    for database, tables in by_database.items():
        for at in range(0, len(tables), AT_ONCE):
            portion = tables[at : at + AT_ONCE]
            where = f"TABLE_SCHEMA = {listed([database])} AND TABLE_NAME IN ({listed(portion)})"
            for row in rows(query, f"{select} WHERE {where} ORDER BY TABLE_NAME, {order}"):
                if row["TABLE_NAME"] in portion:  # names may be compared without case there
                    yield row
