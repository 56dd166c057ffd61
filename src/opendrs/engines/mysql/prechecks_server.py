"""What the prechecks of a source look at: the server as our account sees it, and what is selected there."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.history import Since
from opendrs.engines.mysql.information import Row
from opendrs.engines.mysql.server import read_flavour
from opendrs.engines.mysql.source import Source
from opendrs.engines.mysql.starting import Start, resolve
from opendrs.engines.mysql.stream import StreamSettings
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, Table, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy, Task
from opendrs.model.precheck import Unseen, steps
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition

# XA RECOVER without XA_RECOVER_ADMIN answers XAER_RMERR, as if a transaction were broken (seen on MySQL 9.7).
NOT_ALLOWED: Final = re.compile(r"error 1401:")

# Engines whose snapshots show one moment.
TRANSACTIONAL: Final = frozenset({"innodb", "rocksdb", "tokudb", "ndbcluster"})

# The loss of an entry of a unique index that is too long.
INDEX_ENTRY: Final = "index-entry"


def is_denied(error: DrsError) -> bool:
    """Whether a statement failed for lack of a privilege. Once we are logged in, a refused account means that too."""
    missing = error.fault in (Fault.PRIVILEGE_MISSING, Fault.ACCESS_DENIED)
    return missing or NOT_ALLOWED.search(error.message) is not None


class Asking(Protocol):
    """What a look needs of a session."""

    @property
    def endpoint(self) -> Endpoint: ...

    def query(self, sql: str) -> list[Row]: ...


def quoted(text: str) -> str:
    """An identifier in backticks."""
    return "`" + text.replace("`", "``") + "`"


def qualified(table: TableName) -> str:
    return f"{quoted(table.schema)}.{quoted(table.table)}"


def literal(text: str | None) -> str:
    """A string literal; our sessions have a fixed sql_mode, in which a backslash escapes."""
    return "'" + (text or "").replace("\\", "\\\\").replace("'", "''") + "'"


def _place(endpoint: Endpoint, start: StartPosition) -> Start:
    with Session(endpoint) as session:
        return resolve(session, start)


def _since(server: Server, start: Start, tables: Sequence[Table], stop: Callable[[], bool]) -> Since:
    """By a reader of its own, which is a replica for as long as that takes."""
    with TemporaryDirectory(prefix="opendrs.") as folder:
        settings = StreamSettings(
            server_id=server.server_id or secrets.randbelow(1 << 31) + (1 << 31),
            name=server.job or f"check-{secrets.token_hex(4)}",
            folder=Path(folder),
            spool_bytes=0,
        )
        source = Source(server.session.endpoint, server.selection, settings, readers=1)
        return source.since(start.position, tables, stop)


@dataclass(frozen=True, kw_only=True)
class Server:
    """One source, asked by the account that will replicate.

    server_id   the id that we would take as a replica; 0: it is not known yet
    job         id of the job, if it may have begun
    stands_in   the target's side does what foreign keys do to other rows, where the log does not tell
    wait        sleeps some seconds
    place       the place at which a job begins that a user wants to begin there
    since       what the log has done to tables since that place, until it is to stop
    """

    session: Asking
    task: Task
    policy: Policy
    selection: Selection
    server_id: int = 0
    job: str = ""
    stands_in: bool = True
    wait: Callable[[float], None] = time.sleep
    place: Callable[[Endpoint, StartPosition], Start] = _place
    since: Callable[[Server, Start, Sequence[Table], Callable[[], bool]], Since] = _since

    @cached_property
    def begin(self) -> Start | DrsError | None:
        """Where the job begins, or why it cannot; None: nowhere in particular."""
        if self.policy.start is None or self.task != "incremental":
            return None
        try:
            return self.place(self.session.endpoint, self.policy.start)
        except DrsError as error:
            return error

    @cached_property
    def flavour(self) -> Flavour:
        return read_flavour(self.session.query)

    @property
    def product(self) -> str:
        return "MariaDB" if self.flavour.mariadb else "MySQL"

    @cached_property
    def version(self) -> str:
        return self._only("SELECT version() AS it")

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """All global variables; those that this server does not have are absent."""
        rows = self.session.query("SHOW GLOBAL VARIABLES")
        return {(row["Variable_name"] or "").lower(): row["Value"] or "" for row in rows}

    def setting(self, *names: str) -> str:
        """The value under the first of the names that the server knows; empty if it knows none."""
        return next((self.settings[one] for one in names if one in self.settings), "")

    @cached_property
    def account(self) -> str:
        """'user'@'host' of the account that the server took us for."""
        user, _, host = self._only("SELECT current_user() AS it").rpartition("@")
        return f"{literal(user)}@{literal(host)}"

    def _only(self, sql: str) -> str:
        (row,) = self.session.query(sql)
        return row["it"] or ""

    def grant(self, privileges: str, on: str = "*.*") -> str:
        """The statement that gives us privileges."""
        return f"GRANT {privileges} ON {on} TO {self.account};"

    def change(self, setting: str, value: str) -> str:
        """How to change a setting now and for good. `value` is SQL."""
        if not self.flavour.mariadb and self.flavour.version >= 80000:
            return f"SET PERSIST {setting} = {value};"
        return steps(
            f"SET GLOBAL {setting} = {value};",
            f"Write {setting} = {value} under [mysqld] in the option file as well; a restart forgets SET GLOBAL.",
        )

    def ask(self, sql: str, privilege: str) -> list[Row]:
        """The rows. Raises Unseen, with the statement that grants the privilege, if the account may not."""
        try:
            return self.session.query(sql)
        except DrsError as error:
            if is_denied(error):
                message = f"This cannot be looked at: the account lacks {privilege}"
                raise Unseen(message, self.grant(privilege)) from error
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """Something of a table that the target may not be able to hold, row by row.

    place       the column, or the unique index
    loss        name of the loss, as the target declares it; INDEX_ENTRY
    meaning     what cannot be held: "dates that no calendar has"
    tolerated   what becomes of it by the job's policy; None: the job stops
    remedy      how to have it tolerated
    parts       of an index: its columns, each with the characters or bytes that count, None for all
    bytes_max   of an index: what an entry of the target holds, its text in UTF-8
    """

    place: str
    loss: str
    meaning: str
    tolerated: str | None = None
    remedy: str = ""
    parts: tuple[tuple[str, int | None], ...] = ()
    bytes_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How values are counted.

    rows_max    larger tables (by the server's estimate) are not counted; None: all are
    timeout_s   the longest that one table may take
    """

    rows_max: int | None = None
    timeout_s: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What is selected on a server, and what of it is suspicious to the target.

    since   what the log has done to the tables since the place where the job is to begin, or why that is not known;
            None: there is no such place
    tally   how many rows each suspect concerns, or why that was not counted: filled by the first look that
            needs it, for one scan must do for all
    """

    server: Server
    catalog: Catalog
    suspects: Mapping[TableName, Sequence[Suspect]] = field(default_factory=dict)
    counting: Counting = field(default_factory=Counting)
    since: Since | DrsError | None = None
    tally: dict[TableName, Sequence[int] | str] = field(default_factory=dict)

    @cached_property
    def lock_reason(self) -> str:
        """Why tables must be locked for a moment; empty if they need not."""
        server, policy = self.server, self.server.policy
        if policy.consistent or server.task == "full":
            return "the load is to show one moment"
        keyless = [table for table in self.catalog.tables if not table.key]
        if any(not server.flavour.mariadb or table.engine.lower() not in TRANSACTIONAL for table in keyless):
            return "tables without a key are read at one known moment"
        settings = [server.setting(one).upper() for one in ("gtid_mode", "binlog_order_commits")]
        if not server.flavour.mariadb and settings != ["ON", "ON"]:
            return "the position of the log is known only under a lock (gtid_mode, binlog_order_commits)"
        return ""

    @cached_property
    def selected(self) -> frozenset[TableName]:
        return frozenset(table.name for table in self.catalog.tables)
