"""Whether the account may do what a job does: by what SHOW GRANTS says, and by trying."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from opendrs.engines.mysql.prechecks_server import Objects, Server, is_denied, qualified, quoted
from opendrs.errors import DrsError
from opendrs.model.catalog import Table, TableName
from opendrs.model.precheck import Verdict, failed, for_each, how_many, named, passed, steps

# GRANT SELECT, INSERT (a, b) ON `shop`.* TO ...; a role's line has no ON. REVOKE: MySQL's partial revokes.
_LINE: Final = re.compile(
    r"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?) ON (?:TABLE |FUNCTION |PROCEDURE |PACKAGE |PACKAGE BODY )?"
    r"(?P<schema>\*|`(?:[^`]|``)*`)\.(?P<object>\*|`(?:[^`]|``)*`) (?:TO|FROM) "
)
_COLUMNS: Final = re.compile(r" ?\([^)]*\)")
# MariaDB's names for the same, in the spelling of SHOW GRANTS.
_SYNONYMS: Final = {"REPLICATION CLIENT": "BINLOG MONITOR", "REPLICATION SLAVE": "REPLICATION REPLICA"}


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on everything (`schema` empty), or on the databases that a pattern names; `revoked`: not there."""

    privileges: frozenset[str]
    schema: str = ""
    revoked: bool = False

    def covers(self, database: str) -> bool:
        return not self.schema or _like(self.schema, database)


@dataclass(frozen=True, slots=True)
class Grants:
    """What SHOW GRANTS lists, active roles included (seen on MySQL 9.7, MariaDB 10.11 and 11.8)."""

    listed: tuple[Grant, ...]

    @classmethod
    def read(cls, lines: Iterable[str]) -> Self:
        found = (_LINE.match(line) for line in lines)
        return cls(tuple(_grant(line) for line in found if line and line["object"] == "*"))

    def has(self, privilege: str, database: str | None = None) -> bool:
        """Whether the privilege holds everywhere, or for all of a database."""
        wanted = {privilege, _SYNONYMS.get(privilege, privilege), "ALL PRIVILEGES"}
        matching = [grant for grant in self.listed if grant.privileges & wanted]
        if database is None:
            return any(not g.schema and not g.revoked for g in matching) and not any(g.revoked for g in matching)
        matching = [grant for grant in matching if grant.covers(database)]
        return bool(matching) and not any(grant.revoked for grant in matching)


def _grant(line: re.Match[str]) -> Grant:
    # Privileges on single columns are none that we can use.
    listed = [one.strip() for one in _COLUMNS.sub(" (columns)", line["privileges"]).split(",")]
    schema = "" if line["schema"] == "*" else line["schema"][1:-1].replace("``", "`")
    return Grant(frozenset(one for one in listed if "(" not in one), schema, line["verb"] == "REVOKE")


def _like(pattern: str, database: str) -> bool:
    """A database in a grant is a LIKE pattern: % and _ stand for others, a backslash takes that away."""
    words = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    made = "".join(re.escape(part[-1]) if len(part) == 2 else words.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(made, database, re.DOTALL) is not None


def read_grants(server: Server) -> Grants:
    # MariaDB's lines hold the hash of the password: they are read, and never shown.
    return Grants.read(value for row in server.session.query("SHOW GRANTS") for value in row.values() if value)


# --- the load ---------------------------------------------------------------------------------------


def load(objects: Objects) -> list[Verdict]:
    """SELECT on every selected table and view by trying, SHOW VIEW and LOCK TABLES by the grants."""
    server, grants = objects.server, read_grants(objects.server)
    verdicts = _readable(objects)
    hidden = [view.name for view in objects.catalog.views if not view.definition]
    if hidden:
        databases = sorted({view.schema for view in hidden})
        statements = [server.grant("SHOW VIEW", f"{quoted(database)}.*") for database in databases]
        verdicts.append(
            failed(f"The account may not read the definition of views: {named(hidden)}", steps(*statements))
        )
    reason = objects.lock_reason
    locked = sorted({table.name.schema for table in objects.catalog.tables}) if reason else []
    unlockable = [database for database in locked if not grants.has("LOCK TABLES", database)]
    if unlockable:
        verdicts.append(
            failed(
                f"The account lacks LOCK TABLES in {named(unlockable)}; it is needed because {reason}",
                for_each(server.grant("LOCK TABLES", f"{quoted(database)}.*") for database in unlockable),
            )
        )
    return verdicts or [
        passed(f"The account may read {how_many(len(objects.catalog.tables), 'table')}, all that are selected")
    ]


def _readable(objects: Objects) -> list[Verdict]:
    denied: list[TableName] = []
    broken: list[str] = []
    for table in objects.catalog.tables:
        try:
            objects.server.session.query(f"SELECT {_columns(table)} FROM {qualified(table.name)} LIMIT 0")
        except DrsError as error:
            if is_denied(error):
                denied.append(table.name)
            else:
                broken.append(f"{table.name} ({error.message})")
    verdicts = []
    if denied:
        statements = for_each(objects.server.grant("SELECT", qualified(table)) for table in denied)
        verdicts.append(failed(f"The account may not read {named(denied)}", statements))
    if broken:
        verdicts.append(failed(f"Tables cannot be read: {named(broken)}", "Repair or unlock them, or leave them out."))
    return verdicts


def _columns(table: Table) -> str:
    return ", ".join(quoted(column.name) for column in table.columns if not column.hidden)


# --- the log ----------------------------------------------------------------------------------------


def log(server: Server) -> Verdict:
    """REPLICATION CLIENT by asking where the log ends, REPLICATION SLAVE by the grants."""
    missing = []
    try:
        server.session.query(log_status(server))
    except DrsError as error:
        if not is_denied(error):
            raise
        missing.append("REPLICATION CLIENT")
    if not read_grants(server).has("REPLICATION SLAVE"):
        missing.append("REPLICATION SLAVE")
    if missing:
        what = " and ".join(missing)
        return failed(f"The account lacks {what}, and cannot read the log", server.grant(", ".join(missing)))
    return passed("The account may read the log")


def log_status(server: Server) -> str:
    """The statement that says where the log ends. MySQL renamed it in 8.2 and dropped the old name in 8.4."""
    renamed = not server.flavour.mariadb and server.flavour.version >= 80200
    return "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS"
