"""Definitions read without a server: sessions and schemas that statements need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.session import Scope, Session
from opendrs.model.alteration import CreateTable
from opendrs.model.catalog import Table, TableName

FLAVOURS = {
    "mysql": Flavour("mysql", 90704),
    "mariadb": Flavour("mariadb", 101118),
    "mariadb11": Flavour("mariadb", 110809),
}
MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def session(server: str) -> Session:
    return Session(flavour=FLAVOURS[server], database="shop", moment=MOMENT)


def scope(tables: dict[TableName, Table]) -> Scope:
    return Scope(
        wants=lambda name: True,
        wants_database=lambda name: True,
        table=tables.get,
        database=lambda name: Charset("utf8mb4", "utf8mb4_general_ci"),
    )


def read(statements: Iterable[str], server: str) -> dict[TableName, Table]:
    tables: dict[TableName, Table] = {}
    for statement in statements:
        found = parse(statement, session(server), scope(tables))
        assert not isinstance(found, Ignored)
        for alteration in found:
            assert isinstance(alteration, CreateTable)
            tables[alteration.table.name] = alteration.table
    return tables
