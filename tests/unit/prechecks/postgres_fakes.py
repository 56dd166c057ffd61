"""A target that answers from a table, for the looks of `opendrs.engines.postgres.prechecks`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from opendrs.engines.postgres.prechecks import Arrival, Objects, Server
from opendrs.engines.postgres.prechecks_server import Row
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, Table, View
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import Policy, Task
from opendrs.model.selection import Selection

Answer = list[Row] | DrsError | Callable[[str], list[Row]]

# A server as it should be.
SETTINGS = {
    "server_version_num": "150018",
    "server_encoding": "UTF8",
    "default_transaction_read_only": "off",
    "synchronous_commit": "on",
}


def denied() -> DrsError:
    return DrsError(Fault.PRIVILEGE_MISSING, endpoint="postgresql://", what="look", reason="SQLSTATE 42501")


def refused(text: str) -> DrsError:
    return DrsError(Fault.TARGET_REFUSED, what="this", reason=text)


@dataclass
class Asked:
    """Answers by the first pattern that a statement matches; a statement that none matches is a mistake."""

    answers: list[tuple[str, Answer]]
    settings: Mapping[str, str]
    endpoint: Endpoint = field(default_factory=lambda: Endpoint(engine="postgresql", host="pg", port=5432, user="u"))
    statements: list[str] = field(default_factory=list)

    def query(self, sql: str, *params: str | None) -> list[Row]:
        self.statements.append(sql)
        for pattern, answer in self.answers:
            if re.search(pattern, sql, re.IGNORECASE | re.DOTALL):
                if isinstance(answer, DrsError):
                    raise answer
                return answer(sql) if callable(answer) else answer
        if "current_setting($1" in sql:
            return [(self.settings.get(params[0] or "", None),)]
        raise AssertionError(f"nobody expected {sql}")


def server(
    *answers: tuple[str, Answer],
    settings: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    task: Task = "full+incremental",
    clock_ahead_s: float | None = None,
    source_bytes: int | None = None,
    endpoint: Endpoint | None = None,
) -> Server:
    """A server as it should be, but for `settings` and `answers`."""
    usual: list[tuple[str, Answer]] = [
        (r"^SELECT current_user$", [("u",)]),
        (r"^SELECT current_database\(\)$", [("d",)]),
        (r"^SELECT pg_is_in_recovery", [("f",)]),
    ]
    session = Asked([*answers, *usual], {**SETTINGS, **(settings or {})})
    session.endpoint = endpoint or session.endpoint
    return Server(
        session=session,
        task=task,
        policy=policy or Policy(),
        clock_ahead_s=clock_ahead_s,
        source_bytes=source_bytes,
    )


def asked(server: Server) -> list[str]:
    assert isinstance(server.session, Asked)
    return server.session.statements


def arrival(
    *tables: Table,
    views: Sequence[View] = (),
    schemas: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    counted: frozenset[str] = frozenset(),
) -> Arrival:
    catalog = Catalog(tables=tables, views=tuple(views))
    selection = Selection(schemas=schemas or {})
    return Arrival(catalog=catalog, selection=selection, policy=policy or Policy(), counted=counted)


def objects(server: Server, *tables: Table) -> Objects:
    return Objects(server=server, arrival=arrival(*tables))
