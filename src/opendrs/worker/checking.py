"""Everything that stands in the way of a job, found before it begins and told all at once.

The looks are rows of tables in each engine's `prechecks`. Here both sides are put together: what the source
has goes to the target's looks, and what the target cannot hold goes to the source's. A look that fails, for
whatever reason, is a finding itself and keeps no other from being made.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from opendrs.engines.mysql import prechecks as mysql
from opendrs.engines.mysql.catalog import read_catalog
from opendrs.engines.mysql.connect import Session as MysqlSession
from opendrs.engines.mysql.types import COUNTING
from opendrs.engines.postgres import prechecks as postgres
from opendrs.engines.postgres.connect import Session as PostgresSession
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Job, Policy, Task
from opendrs.model.links import PAIRS
from opendrs.model.precheck import GROUPS, Precheck, Unseen, Verdict, failed, named
from opendrs.model.selection import Selection
from opendrs.telemetry import context

log = logging.getLogger(__name__)

Counting = mysql.Counting
APPLICATION: Final = "opendrs/check/0"
LOCK_WAIT_S = 5  # a table that somebody has locked must not keep all other findings back
MAINTENANCE: Final = "postgres"  # the database that a server is asked in if the job's own is not there
COUNTED_ROWS_MAX: Final = 1_000_000  # values in larger tables are counted by `opendrs check` only
RANK: Final = {"FAILED": 0, "ALARM": 1, "PASSED": 2}

NO_DATABASE: Final = "3D000"  # SQLSTATE of a database that is not there

_SOURCE_ROWS: Final[tuple[Precheck[Any], ...]] = (*mysql.SERVER, *mysql.OBJECTS, *postgres.ARRIVAL)
_CATALOG_ROWS: Final[tuple[Precheck[Any], ...]] = (*mysql.OBJECTS, *postgres.ARRIVAL, *postgres.OBJECTS)
_DATABASE_ROWS: Final[tuple[Precheck[Any], ...]] = (*postgres.IN_DATABASE, *postgres.OBJECTS)
_TARGET_ROWS: Final[tuple[Precheck[Any], ...]] = (*postgres.SERVER, *postgres.IN_DATABASE, *postgres.OBJECTS)

Looked = TypeVar("Looked")


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


def check(
    source: Endpoint,
    target: Endpoint | None,
    selection: Selection,
    policy: Policy,
    task: Task,
    options: Options | None = None,
) -> list[Finding]:
    """All findings, in the order of the tables. Without a target, its own state is not looked at."""
    if source.engine != "mysql" or (target is not None and (source.engine, target.engine) not in PAIRS):
        raise DrsError(Fault.UNSUPPORTED, what=f"{source.engine} to {target.engine if target else 'anything'}")
    checking = _Checking(source, selection, policy, task, options or Options())
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
    """The items, if each is one that a user may accept. Raises SETTING_INVALID."""
    known = sorted(row.item for row in (*_SOURCE_ROWS, *_TARGET_ROWS) if row.acceptable)
    for item in items:
        if item not in known:
            raise DrsError(Fault.SETTING_INVALID, name="--accept", reason=f"{item!r} is none of {', '.join(known)}")
    return frozenset(items)


class _Checking:
    """One check. The source side comes first: the target's looks need what it found."""

    def __init__(
        self,
        source: Endpoint,
        selection: Selection,
        policy: Policy,
        task: Task,
        options: Options,
    ) -> None:
        self._source = source
        self._selection = selection
        self._policy = policy
        self._task = task
        self._options = options
        self._catalog: Catalog | None = None
        self._clock_ahead_s: float | None = None

    # the source

    def source_side(self) -> Iterator[Finding]:
        try:
            session = MysqlSession(self._source)
        except DrsError as error:
            yield self._unreachable(mysql.CONNECTION, error, _SOURCE_ROWS)
            return
        with session:
            session.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}")
            server = mysql.Server(
                session=session,
                task=self._task,
                policy=self._policy,
                selection=self._selection,
                server_id=self._policy.server_id or self._options.server_id,
                job=self._options.job,
            )
            yield from self._look(mysql.SERVER, server)
            try:
                self._clock_ahead_s = mysql.clock_offset_s(server)
                self._catalog = catalog = read_catalog(session.query, self._selection, server.flavour)
                doubtful = suspects(catalog, self._policy)
            except Exception as error:  # noqa: BLE001 as in `look`
                yield self._unreadable(error)
                return
            counting = self._options.counting
            objects = mysql.Objects(server=server, catalog=catalog, suspects=doubtful, counting=counting)
            yield from self._look(mysql.OBJECTS, objects)
            yield from self._look(postgres.ARRIVAL, self._arrival(catalog))

    def _arrival(self, catalog: Catalog) -> postgres.Arrival:
        selection, policy, counted = self._selection, self._policy, frozenset(COUNTING)
        return postgres.Arrival(catalog=catalog, selection=selection, policy=policy, counted=counted)

    def _unreadable(self, error: Exception) -> Finding:
        (verdict,) = broken(error, mysql.CATALOG.item)
        missed = [row.item for row in _CATALOG_ROWS if row.concerns(self._task) and row.item != mysql.CATALOG.item]
        message = f"The catalog of the source is needed. {verdict.message}. Not looked at for want of it: "
        return mysql.CATALOG.finding(failed(message + named(missed, most=len(missed)), verdict.remedy))

    # the target

    def target_side(self, target: Endpoint) -> Iterator[Finding]:
        absent = None if target.database else postgres.database_missing(target)
        if absent is None:
            try:
                session = PostgresSession(target, APPLICATION)
            except DrsError as error:
                if NO_DATABASE not in error.message:
                    yield self._unreachable(postgres.CONNECTION, error, _TARGET_ROWS)
                    return
                absent = postgres.database_absent(target)
            else:
                with session:
                    yield from self._in_database(session)
                return
        others = sum(1 for row in _DATABASE_ROWS if row.concerns(self._task)) - 1
        message = f"{absent.message}. {others} further checks need it"
        yield postgres.DATABASE.finding(absent._replace(message=message))
        try:
            session = PostgresSession(replace(target, database=MAINTENANCE), APPLICATION)
        except DrsError as error:
            yield self._unreachable(postgres.CONNECTION, error, postgres.SERVER)
            return
        with session:
            yield from self._look(postgres.SERVER, self._server(session))

    def _in_database(self, session: PostgresSession) -> Iterator[Finding]:
        session.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'")
        server = self._server(session)
        yield from self._look((*postgres.SERVER, *postgres.IN_DATABASE), server)
        if self._catalog is not None:  # else the source's finding names what was not looked at
            objects = postgres.Objects(server=server, arrival=self._arrival(self._catalog))
            yield from self._look(postgres.OBJECTS, objects)

    def _server(self, session: PostgresSession) -> postgres.Server:
        full = self._catalog is not None and "full" in self._task
        nbytes = sum(table.bytes_estimate for table in self._catalog.tables) if self._catalog and full else None
        return postgres.Server(
            session=session,
            task=self._task,
            policy=self._policy,
            clock_ahead_s=self._clock_ahead_s,
            source_bytes=nbytes,
            job=self._options.job,
        )

    # looking

    def _look(self, rows: Iterable[Precheck[Looked]], seen: Looked) -> Iterator[Finding]:
        for row in rows:
            if row.concerns(self._task):
                for verdict in look(row, seen):
                    yield self._finding(row, verdict)

    def _finding(self, row: Precheck[Looked], verdict: Verdict) -> Finding:
        if verdict.result == "FAILED" and row.acceptable:
            if row.item in self._options.accepted:
                return row.finding(Verdict("ALARM", f"Accepted: {verdict.message}", verdict.remedy))
            return row.finding(verdict._replace(remedy=f"{verdict.remedy}\nOr accept it: --accept {row.item}"))
        return row.finding(verdict)

    def _unreachable(self, connection: Precheck[Looked], error: DrsError, rows: Sequence[Precheck[Any]]) -> Finding:
        missed = sum(1 for row in rows if row.concerns(self._task)) - 1
        return connection.finding(failed(f"{error.message}. {missed} further checks need it", error.hint))


def look(row: Precheck[Looked], seen: Looked) -> Sequence[Verdict]:
    """What comes of one look, whatever happens on the way."""
    try:
        found = row.look(seen)
    except Unseen as unseen:
        return [Verdict(row.unseen, unseen.message, unseen.remedy)]
    except DrsError as error:
        if error.fault in (Fault.PRIVILEGE_MISSING, Fault.ACCESS_DENIED):
            return [Verdict(row.unseen, error.message, error.hint)]
        return broken(error, row.item)
    except Exception as error:  # noqa: BLE001 a mistake in one look must not hide what the others found
        return broken(error, row.item)
    return [found] if isinstance(found, Verdict) else list(found)


def broken(error: Exception, item: str) -> Sequence[Verdict]:
    """The verdict on what could not be looked at. Not knowing is no reason to begin."""
    if isinstance(error, DrsError):
        return [failed(f"This could not be looked at: {error.message}", error.hint)]
    log.error("a precheck broke", exc_info=error, extra=context("precheck.broke", item=item))
    message = f"This could not be looked at, by a mistake of ours: {type(error).__name__}: {error}"
    return [failed(message, "Report it. Begin without checks if you know that all is well.")]


def suspects(catalog: Catalog, policy: Policy) -> Mapping[TableName, Sequence[mysql.Suspect]]:
    """What the target may not be able to hold: values of columns, and entries of unique indexes."""
    found: dict[TableName, list[mysql.Suspect]] = defaultdict(list)
    for doubt in postgres.doubts(catalog, policy):
        found[doubt.table].append(
            mysql.Suspect(
                place=doubt.column.name,
                loss=doubt.loss.id,
                meaning=doubt.loss.text,
                tolerated=doubt.tolerated,
                remedy=doubt.remedy,
            )
        )
    for long in postgres.too_long(catalog):
        found[long.table].append(
            mysql.Suspect(
                place=long.name,
                loss=mysql.INDEX_ENTRY,
                meaning=f"more than {long.bytes_max} bytes in a unique index",
                remedy="Shorten them, or leave the table out.",
                parts=long.parts,
                bytes_max=long.bytes_max,
            )
        )
    return found
