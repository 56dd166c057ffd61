"""Everything that stands in the way of a job, found before it begins and told all at once.

The looks are rows of tables in each engine's `prechecks`. Here both sides are put together: what the source
has goes to the target's looks, and what the target cannot hold goes to the source's. A look that fails, for
whatever reason, is a finding itself and keeps no other from being made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Final, Protocol

from opendrs.engines.mysql import prechecks as mysql
from opendrs.engines.mysql.catalog import read_catalog
from opendrs.engines.mysql.connect import Session
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.endpoint import Endpoint, EngineName
from opendrs.model.finding import Finding
from opendrs.model.job import Job, Policy, Task
from opendrs.model.precheck import GROUPS, Precheck, failed, named
from opendrs.model.selection import Selection
from opendrs.worker.looking import Looking, broken

Counting = mysql.Counting
LOCK_WAIT_S = 5  # a table that somebody has locked must not keep all other findings back
COUNTED_ROWS_MAX: Final = 1_000_000  # values in larger tables are counted by `opendrs check` only
RANK: Final = {"FAILED": 0, "ALARM": 1, "PASSED": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a check needs to know besides the job.

    job         id of the job, if it may have begun: what it has made in the target is not in its way
    server_id   our id as a replica, if the policy names none; 0: not known
    accepted    items whose FAILED the user takes upon himself, where that is possible
    counting    how values that the target cannot hold are counted
    """

    job: str = ""
    server_id: int = 0
    accepted: Collection[str] = ()
    counting: Counting = field(default_factory=Counting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The job that is looked at, without its ends."""

    selection: Selection
    policy: Policy
    task: Task
    options: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the source's side has found. None: it could not be had.

    made   of its tables, those that were made behind the place where the job begins: the log brings them
    """

    catalog: Catalog | None = None
    made: frozenset[TableName] = frozenset()
    clock_ahead_s: float | None = None


class TargetChecks(Protocol):
    """What one kind of target adds to a check."""

    @property
    def stands_in(self) -> bool:
        """Whether the apply does what foreign keys of the source do to other rows and the log does not tell."""

    @property
    def arrival_rows(self) -> Sequence[Precheck[Any]]:
        """Looks at what of a source is to arrive, whatever the target has."""

    @property
    def catalog_rows(self) -> Sequence[Precheck[Any]]:
        """Looks that need the source's catalog."""

    @property
    def rows(self) -> Sequence[Precheck[Any]]:
        """Looks at the target itself."""

    def policy_of(self, policy: Policy) -> Policy:
        """What the job's policy comes to with such a target."""

    def suspects(
        self, catalog: Catalog, policy: Policy, selection: Selection
    ) -> Mapping[TableName, Sequence[mysql.Suspect]]:
        """What the target may not be able to hold."""

    def arrival(self, asked: Asked, catalog: Catalog, looking: Looking) -> Iterator[Finding]: ...

    def target(self, target: Endpoint, asked: Asked, seen: Seen, looking: Looking) -> Iterator[Finding]: ...


_TARGETS: Final[dict[EngineName, str]] = {"postgresql": "checks_postgres", "kafka": "checks_kafka"}


def checks_of(engine: EngineName) -> TargetChecks:
    """Those of a kind of target. Its drivers are loaded with it."""
    module = import_module(f"opendrs.worker.flows.{_TARGETS[engine]}")
    found: TargetChecks = module.Checks()
    return found


def check(
    source: Endpoint,
    target: Endpoint | None,
    selection: Selection,
    policy: Policy,
    task: Task,
    options: Options | None = None,
) -> list[Finding]:
    """All findings, in the order of the tables. Without a target, its own state is not looked at, and what could
    arrive in PostgreSQL is."""
    if source.engine != "mysql" or (target is not None and target.engine not in _TARGETS):
        raise DrsError(Fault.UNSUPPORTED, what=f"{source.engine} to {target.engine if target else 'anything'}")
    asked = Asked(selection=selection, policy=policy, task=task, options=options or Options())
    checking = _Checking(source, asked, checks_of(target.engine if target else "postgresql"))
    return [*checking.source_side(), *(checking.target_side(target) if target else [])]


def check_job(job: Job, accepted: Collection[str] = ()) -> list[Finding]:
    """All findings of a job as it would begin."""
    counting = Counting(rows_max=COUNTED_ROWS_MAX)
    options = Options(job=job.id, server_id=job.replica_id, accepted=accepted, counting=counting)
    return check(job.source, job.target, job.selection, job.policy, job.task, options)


def demand(findings: Iterable[Finding]) -> None:
    """Raises PRECHECK_FAILED, naming the items, if anything failed."""
    items = [finding.item for finding in findings if finding.result == "FAILED"]
    if items:
        raise DrsError(Fault.PRECHECK_FAILED, count=len(items), names=", ".join(dict.fromkeys(items)))


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The order in which people read them: groups with failures first, and failures first within a group."""
    found = list(findings)
    worst = {group: min((RANK[f.result] for f in found if f.group == group), default=0) for group in GROUPS}
    groups = list(GROUPS)
    return sorted(found, key=lambda f: (worst[f.group], groups.index(f.group), RANK[f.result]))


def acceptable(items: Iterable[str]) -> frozenset[str]:
    """The items, if each is one that a user may accept with some target. Raises SETTING_INVALID."""
    wanted = frozenset(items)
    if not wanted:
        return wanted
    rows: list[Precheck[Any]] = [*mysql.SERVER, *mysql.OBJECTS]
    for engine in _TARGETS:
        rows += [*checks_of(engine).arrival_rows, *checks_of(engine).rows]
    known = sorted({row.item for row in rows if row.acceptable})
    for item in sorted(wanted - set(known)):
        raise DrsError(Fault.SETTING_INVALID, name="--accept", reason=f"{item!r} is none of {', '.join(known)}")
    return wanted


class _Checking:
    """One check. The source side comes first: the target's looks need what it found."""

    def __init__(self, source: Endpoint, asked: Asked, checks: TargetChecks) -> None:
        self._source = source
        self._asked = replace(asked, policy=checks.policy_of(asked.policy))
        self._checks = checks
        self._looking = Looking(task=asked.task, accepted=asked.options.accepted)
        self._seen = Seen()

    def source_side(self) -> Iterator[Finding]:
        asked, checks, looking = self._asked, self._checks, self._looking
        try:
            session = Session(self._source)
        except DrsError as error:
            yield looking.unreachable(mysql.CONNECTION, error, (*mysql.SERVER, *mysql.OBJECTS, *checks.arrival_rows))
            return
        with session:
            session.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}")
            server = mysql.Server(
                session=session,
                task=asked.task,
                policy=asked.policy,
                selection=asked.selection,
                server_id=asked.policy.server_id or asked.options.server_id,
                job=asked.options.job,
                stands_in=checks.stands_in,
            )
            yield from looking.at(mysql.SERVER, server)
            try:
                clock_ahead_s = mysql.clock_offset_s(server)
                catalog = read_catalog(session.query, asked.selection, server.flavour)
                since = mysql.look_through(server, catalog)
                self._seen = Seen(catalog=catalog, made=mysql.made(since), clock_ahead_s=clock_ahead_s)
                doubtful = checks.suspects(catalog, asked.policy, asked.selection)
            except Exception as error:  # noqa: BLE001 as in `look`
                yield self._unreadable(error)
                return
            counting = asked.options.counting
            objects = mysql.Objects(server=server, catalog=catalog, suspects=doubtful, counting=counting, since=since)
            yield from looking.at(mysql.OBJECTS, objects)
            yield from checks.arrival(asked, catalog, looking)

    def _unreadable(self, error: Exception) -> Finding:
        (verdict,) = broken(error, mysql.CATALOG.item)
        rows = (*mysql.OBJECTS, *self._checks.catalog_rows)
        missed = [row.item for row in rows if row.concerns(self._asked.task) and row.item != mysql.CATALOG.item]
        message = f"The catalog of the source is needed. {verdict.message}. Not looked at for want of it: "
        return mysql.CATALOG.finding(failed(message + named(missed, most=len(missed)), verdict.remedy))

    def target_side(self, target: Endpoint) -> Iterator[Finding]:
        yield from self._checks.target(target, self._asked, self._seen, self._looking)
