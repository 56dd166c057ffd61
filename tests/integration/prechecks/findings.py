"""Checks against real servers, and carrying out what they say should be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding, Result
from opendrs.model.job import Policy, Task
from opendrs.model.rules import TableRule
from opendrs.model.selection import Selection
from opendrs.worker.checking import Options, check
from tests.harness import Server
from tests.harness.server import USER


def findings(
    source: Server | Endpoint,
    target: Server | Endpoint | None = None,
    *patterns: str,
    database: str | None = None,
    user: str = USER,
    policy: Policy | None = None,
    task: Task = "full+incremental",
    options: Options | None = None,
    rules: Mapping[TableName, TableRule] | None = None,
) -> list[Finding]:
    """What a check finds. `database` is the target's, `user` the account at the source."""
    src = source if isinstance(source, Endpoint) else Endpoint.parse(source.url(user=user))
    dst = target if isinstance(target, Endpoint) or target is None else Endpoint.parse(target.url(database))
    return check(src, dst, Selection(patterns=patterns, rules=rules or {}), policy or Policy(), task, options)


def of(found: Iterable[Finding], item: str) -> Finding:
    """The only finding of an item."""
    (one,) = [finding for finding in found if finding.item == item]
    return one


def items(found: Iterable[Finding], result: Result) -> set[str]:
    return {finding.item for finding in found if finding.result == result}


def carry_out(server: Server, *found: Finding) -> None:
    """Runs the statements of the remedies, as an administrator would."""
    for finding in found:
        for line in finding.remedy.splitlines():
            if line.endswith(";"):
                server.execute(line)
