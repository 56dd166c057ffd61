"""MySQL and MariaDB servers as the parser and the catalog see them, and the zoo of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pymysql.cursors import DictCursor

from opendrs.engines.mysql.catalog import read_tables
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.information import Row
from opendrs.engines.mysql.server import read_databases, read_session
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.statement import Lexer
from opendrs.model.catalog import Table, TableName
from tests.harness.mysql_family import FamilyServer

ZOO = Path(__file__).parents[2] / "golden" / "ddl" / "zoo"


def zoo(server: str) -> list[tuple[str, list[str]]]:
    """(name, statements) of every file of the zoo that this server (mariadb, mariadb11, mysql) takes."""
    found = []
    for file in sorted(ZOO.glob("*.sql")):
        if file.name.endswith(".postgres.sql"):
            continue
        text = file.read_text()
        wanted = "mariadb mariadb11 mysql"
        if text.startswith("-- servers:"):
            first, _, text = text.partition("\n")
            wanted = first.removeprefix("-- servers:")
        if server in wanted.split():
            found.append((file.stem, [s.strip() for s in text.split(";\n") if s.strip()]))
    return found


@dataclass
class Source:
    """A database on a server, with the session that reads its catalog."""

    server: FamilyServer
    database: str
    connection: Any = field(init=False)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.connection = self.server.connect(self.database)
        # Without strict modes the servers take every definition of the zoo: zero dates, texts that are too long.
        self.run("SET SESSION time_zone = '+00:00', sql_mode = ''")
        if "mariadb" in self.server.name:
            self.run("SET SESSION system_versioning_alter_history = KEEP")
        self.session = replace(read_session(self.query), database=self.database)

    def run(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def query(self, sql: str) -> list[Row]:
        with self.connection.cursor(DictCursor) as cursor:
            cursor.execute(sql)
            return [{name: _text(value) for name, value in row.items()} for row in cursor.fetchall()]

    def catalog(self) -> dict[TableName, Table]:
        """Every table of the database."""
        rows = self.query(
            f"SELECT table_name AS t FROM information_schema.tables WHERE table_schema = '{self.database}'"
        )
        names = [TableName(self.database, str(row["t"])) for row in rows]
        tables = read_tables(self.query, names, self.session.flavour)
        return {table.name: table for table in tables}

    def shown(self, name: TableName) -> str:
        quoted = "`" + name.table.replace("`", "``") + "`"
        return str(self.query(f"SHOW CREATE TABLE {quoted}")[0]["Create Table"])

    def scope(self, tables: Mapping[TableName, Table]) -> Scope:
        databases: dict[str, Charset] = read_databases(self.query)
        return Scope(
            wants=lambda name: name.schema == self.database,
            wants_database=lambda name: name == self.database,
            table=tables.get,
            database=databases.get,
        )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else str(value)


def comparable(table: Table, flavour: Flavour, *, numbering: bool = True) -> Table:
    """The definition without what is an estimate, an order that means nothing, or the server's own spelling."""

    def plain(text: str) -> str:
        """An expression as words: servers add parentheses, character sets and quotes."""
        tokens = [t for t in Lexer(text, flavour) if not (t.kind == "symbol" and t.text in "()")]
        return " ".join(t.text.lower() for t in tokens if not (t.kind == "word" and t.text.startswith("_utf8mb4")))

    columns = [
        replace(
            c,
            default=replace(c.default, text=plain(c.default.text))
            if c.default and c.default.kind == "expression"
            else c.default,
            generated=replace(c.generated, expression=plain(c.generated.expression)) if c.generated else None,
        )
        for c in table.columns
    ]
    indexes = [
        replace(i, parts=tuple(replace(p, expression=plain(p.expression)) for p in i.parts)) for i in table.indexes
    ]
    checks = [replace(check, expression=plain(check.expression)) for check in table.checks]
    return replace(
        table,
        columns=tuple(columns),
        indexes=tuple(sorted(indexes, key=lambda index: index.name.lower())),
        foreign_keys=tuple(sorted(table.foreign_keys, key=lambda key: key.name.lower())),
        checks=tuple(sorted(checks, key=lambda check: check.name.lower())),
        next_auto=table.next_auto if numbering else None,
        rows_estimate=0,
        bytes_estimate=0,
    )


def differences(one: Table, other: Table) -> list[str]:
    """What two definitions disagree about, for a message."""
    found = []
    for part in ("columns", "primary", "indexes", "foreign_keys", "checks"):
        ours, theirs = getattr(one, part), getattr(other, part)
        if not isinstance(ours, tuple):
            ours, theirs = (ours,), (theirs,)
        found += [f"{part}: only the first has {item}" for item in ours if item not in theirs]
        found += [f"{part}: only the second has {item}" for item in theirs if item not in ours]
    if [c.name for c in one.columns] != [c.name for c in other.columns]:
        found.append(f"order: {[c.name for c in one.columns]} and {[c.name for c in other.columns]}")
    for part in ("name", "charset", "collation", "engine", "comment", "next_auto"):
        if getattr(one, part) != getattr(other, part):
            found.append(f"{part}: {getattr(one, part)!r} and {getattr(other, part)!r}")
    return found
