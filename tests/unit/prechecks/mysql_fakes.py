"""A source that answers from a table, for the looks of `opendrs.engines.mysql.prechecks`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendrs.engines.mysql.information import Row
from opendrs.engines.mysql.prechecks import Counting, Objects, Server, Suspect
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, Column, ForeignKey, Index, IndexPart, Table, TableName, View
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy, Task
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

MYSQL = "9.7.4"
MARIADB = "10.11.18-MariaDB-log"
EVERYTHING = "GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION"

Answer = list[dict[str, Any]] | DrsError | Callable[[str], list[dict[str, Any]]]

# A server as it should be.
SETTINGS: dict[str, str] = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "binlog_expire_logs_seconds": "2592000",
    "server_id": "7",
    "log_slave_updates": "ON",
    "max_allowed_packet": str(64 << 20),
    "max_connections": "151",
    "max_user_connections": "0",
    "time_zone": "SYSTEM",
    "system_time_zone": "UTC",
    "lower_case_table_names": "0",
    "sql_mode": "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE",
}
MYSQL_SETTINGS = {
    **SETTINGS,
    "gtid_mode": "ON",
    "binlog_order_commits": "ON",
    "innodb_native_foreign_keys": "OFF",
    "binlog_expire_logs_auto_purge": "ON",
}


def denied(what: str = "no") -> DrsError:
    return DrsError(Fault.PRIVILEGE_MISSING, endpoint="mysql://", what="do this", reason=f"error 1227: {what}")


def not_let(what: str = "no") -> DrsError:
    return DrsError(Fault.ACCESS_DENIED, endpoint="mysql://", reason=f"Access denied: {what}")


def refused(code: int, text: str = "no") -> DrsError:
    return DrsError(Fault.SOURCE_REFUSED, reason=f"error {code}: {text}")


@dataclass
class Asked:
    """Answers by the first pattern that a statement matches; a statement that none matches is a mistake."""

    answers: list[tuple[str, Answer]]
    endpoint: Endpoint = field(default_factory=lambda: Endpoint(engine="mysql", host="db", port=3306, user="u"))
    statements: list[str] = field(default_factory=list)

    def query(self, sql: str) -> list[Row]:
        self.statements.append(sql)
        for pattern, answer in self.answers:
            if re.search(pattern, sql, re.IGNORECASE | re.DOTALL):
                if isinstance(answer, DrsError):
                    raise answer
                return answer(sql) if callable(answer) else answer
        raise AssertionError(f"nobody expected {sql}")


def server(
    *answers: tuple[str, Answer],
    version: str = MYSQL,
    settings: Mapping[str, str | None] | None = None,
    grants: Sequence[str] = (EVERYTHING,),
    task: Task = "full+incremental",
    policy: Policy | None = None,
    selection: Selection | None = None,
    server_id: int = 0,
) -> Server:
    """A server as it should be, but for `settings` (None: the server has no such setting) and `answers`."""
    known = SETTINGS if "Maria" in version else MYSQL_SETTINGS
    values = {name: value for name, value in {**known, **(settings or {})}.items() if value is not None}
    usual: list[tuple[str, Answer]] = [
        (r"^SELECT version\(\) AS VERSION", [{"VERSION": version}]),
        (r"^SELECT version\(\) AS it", [{"it": version}]),
        (r"^SELECT current_user", [{"it": "u@%"}]),
        (r"^SHOW GLOBAL VARIABLES$", [{"Variable_name": n, "Value": v} for n, v in values.items()]),
        (r"^SHOW GRANTS$", [{"Grants": line} for line in grants]),
        (r"^SHOW (MASTER|BINARY LOG) STATUS$", [STATUS]),
    ]
    return Server(
        session=Asked([*answers, *usual]),
        task=task,
        policy=policy or Policy(),
        selection=selection or Selection(),
        server_id=server_id,
        wait=lambda seconds: None,
    )


STATUS = {"File": "binlog.000001", "Position": "4", "Binlog_Do_DB": "", "Binlog_Ignore_DB": ""}


def asked(server: Server) -> list[str]:
    """The statements that a server was asked."""
    assert isinstance(server.session, Asked)
    return server.session.statements


def column(name: str, kind: str = "int", **facts: Any) -> Column:
    fields: dict[str, Any] = {"bits": 32} if kind == "int" else {}
    return Column(name=name, type=Logical(kind=kind, **fields), native=kind, **facts)


def table(
    name: str = "orders",
    *columns: Column,
    schema: str = "shop",
    key: bool = True,
    engine: str = "InnoDB",
    foreign_keys: Sequence[ForeignKey] = (),
    rows: int = 0,
) -> Table:
    primary = Index(name="PRIMARY", parts=(IndexPart(column="id"),), unique=True) if key else None
    return Table(
        name=TableName(schema, name),
        columns=(column("id", nullable=False), *columns),
        primary=primary,
        engine=engine,
        foreign_keys=tuple(foreign_keys),
        rows_estimate=rows,
    )


def objects(
    server: Server,
    *tables: Table,
    views: Sequence[View] = (),
    others: Sequence[tuple[str, TableName]] = (),
    suspects: Mapping[TableName, Sequence[Suspect]] | None = None,
    counting: Counting | None = None,
) -> Objects:
    catalog = Catalog(tables=tables, views=tuple(views), others=tuple(others))
    return Objects(server=server, catalog=catalog, suspects=suspects or {}, counting=counting or Counting())
