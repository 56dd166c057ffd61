"""Changes of the schema as messages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameTable,
    TruncateTable,
)
from opendrs.model.catalog import TableName
from opendrs.model.ddl_policy import carried
from opendrs.model.event import SchemaChange
from opendrs.model.job import Policy

Place = tuple[int, str | None, str | None, int]
"""Where something is from: microseconds since 1970, gtid, file and place in the log."""
# What takes rows away, and stands in no message but that of the statement.
UNTOLD: Final = frozenset({"TRUNCATE", "DROP"})
NOT_TOLD: Final = "The job does not publish this statement: consumers do not see that these rows are gone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The source's words, and what they are about. `snapshot`: they were made for a load, and never ran."""

    sql: str
    kind: str
    database: str
    table: str = ""
    snapshot: bool = False


def made(name: TableName, sql: str) -> Statement:
    """The statement that makes a table which is about to be loaded."""
    return Statement(sql=sql, kind="CREATE", database=name.schema, table=name.table, snapshot=True)


def statement_of(change: SchemaChange, alterations: Sequence[Alteration], policy: Policy) -> Statement | None:
    """None: nothing of it is to be told."""
    wanted = [alteration for alteration in alterations if carried(alteration, policy)[0] is not None]
    if not wanted:
        return None
    kind, name = _kind(wanted[0]), _name(wanted[0])
    database, table = (name.schema, name.table) if isinstance(name, TableName) else (name or change.database, "")
    return Statement(sql=change.statement, kind=kind, database=database, table=table)


def untold(alterations: Sequence[Alteration]) -> Iterator[str]:
    """What takes rows away of which nobody hears if the statement is not published: `DROP shop.orders`."""
    for alteration in alterations:
        if _kind(alteration) in UNTOLD:
            yield f"{_kind(alteration)} {_name(alteration)}"


def _kind(alteration: Alteration) -> str:
    match alteration:
        case CreateTable() | CreateDatabase():
            return "CREATE"
        case DropTable() | DropDatabase() | ForgetTable():
            return "DROP"
        case RenameTable():
            return "RENAME"
        case TruncateTable():
            return "TRUNCATE"
        case AlterTable() | ChangeViews():
            return "ALTER"


def _name(alteration: Alteration) -> TableName | str:
    match alteration:
        case CreateTable(table):
            return table.name
        case RenameTable(old):
            return old
        case AlterTable(name) | TruncateTable(name) | DropTable(name) | ForgetTable(name):
            return name
        case CreateDatabase(name) | DropDatabase(name):
            return name
        case ChangeViews():
            return ""


def now() -> Place:
    """Of what is not in the log: only when."""
    return time.time_ns() // 1000, None, None, 0
