"""What the prechecks of a target look at: the server as our account sees it, and what is to arrive there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from opendrs.engines.postgres import shape
from opendrs.engines.postgres.names import quote
from opendrs.engines.postgres.shape import Target
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy, Task
from opendrs.model.precheck import Unseen
from opendrs.model.selection import Selection

Row = tuple[str | None, ...]


class Asking(Protocol):
    """What a look needs of a session."""

    @property
    def endpoint(self) -> Endpoint: ...

    def query(self, sql: str, *params: str | None) -> list[Row]: ...


@dataclass(frozen=True, kw_only=True)
class Server:
    """One target, asked by the account that will write.

    clock_ahead_s   how far the source's clock is ahead of ours; None: not known
    source_bytes    size of what is to arrive, by the source's estimate; None: not known
    job             id of the job, if it may have begun
    """

    session: Asking
    task: Task
    policy: Policy
    clock_ahead_s: float | None = None
    source_bytes: int | None = None
    job: str = ""

    @cached_property
    def account(self) -> str:
        return self.value("SELECT current_user")

    @cached_property
    def database(self) -> str:
        return self.value("SELECT current_database()")

    @cached_property
    def version(self) -> int:
        """180004 is 18.4."""
        return int(self.setting("server_version_num"))

    def value(self, sql: str, *params: str | None) -> str:
        """The only value of the only row; empty for NULL."""
        ((value,),) = self.session.query(sql, *params)
        return value or ""

    def setting(self, name: str) -> str:
        """Empty if the server has no such setting."""
        return self.value("SELECT current_setting($1, true)", name)

    def grant(self, privileges: str, on: str) -> str:
        """The statement that gives us privileges."""
        return f"GRANT {privileges} ON {on} TO {quote(self.account)};"

    def ask(self, sql: str, *params: str | None, privilege: str, remedy: str) -> list[Row]:
        """The rows. Raises Unseen if the account may not."""
        try:
            return self.session.query(sql, *params)
        except DrsError as error:
            if error.fault is Fault.PRIVILEGE_MISSING:
                raise Unseen(f"This cannot be looked at: the account lacks {privilege}", remedy) from error
            raise


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What of a source is to arrive, whatever the target has.

    counted   losses that the source counts, value by value
    """

    catalog: Catalog
    selection: Selection
    policy: Policy
    counted: frozenset[str] = frozenset()

    @cached_property
    def targets(self) -> Mapping[TableName, Target]:
        """The shapes of the tables in the target."""
        return shape.targets(self.catalog.tables, self.selection, self.policy)

    @property
    def schemas(self) -> frozenset[str]:
        return frozenset(target["schema"] for target in self.targets.values())


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What is to arrive, and the target where it is to."""

    server: Server
    arrival: Arrival

    @property
    def targets(self) -> Mapping[TableName, Target]:
        return self.arrival.targets
