"""The looks at a PostgreSQL target, and at what of a source it can hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from opendrs.engines.mysql import prechecks as mysql
from opendrs.engines.mysql.types import COUNTING
from opendrs.engines.postgres import prechecks as postgres
from opendrs.engines.postgres.connect import Session
from opendrs.errors import DrsError
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.finding import Finding
from opendrs.model.job import Policy
from opendrs.model.precheck import Precheck
from opendrs.model.selection import Selection
from opendrs.worker.checking import Asked, Seen
from opendrs.worker.looking import Looking

APPLICATION: Final = "opendrs/check/0"
LOCK_WAIT_S: Final = 5  # a table that somebody has locked must not keep all other findings back
MAINTENANCE: Final = "postgres"  # the database that a server is asked in if the job's own is not there
NO_DATABASE: Final = "3D000"  # SQLSTATE of a database that is not there


class Checks:
    """A worker.checking.TargetChecks."""

    stands_in = True

    def policy_of(self, policy: Policy) -> Policy:
        return policy

    @property
    def arrival_rows(self) -> tuple[Precheck[Any], ...]:
        return tuple(postgres.ARRIVAL)

    @property
    def catalog_rows(self) -> tuple[Precheck[Any], ...]:
        return (*postgres.ARRIVAL, *postgres.OBJECTS)

    @property
    def rows(self) -> tuple[Precheck[Any], ...]:
        return (*postgres.SERVER, *postgres.IN_DATABASE, *postgres.OBJECTS)

    def suspects(
        self, catalog: Catalog, policy: Policy, selection: Selection
    ) -> Mapping[TableName, Sequence[mysql.Suspect]]:
        return suspects(catalog, policy, selection)

    def arrival(self, asked: Asked, catalog: Catalog, looking: Looking) -> Iterator[Finding]:
        yield from looking.at(postgres.ARRIVAL, _arrival(asked, catalog))

    def target(self, target: Endpoint, asked: Asked, seen: Seen, looking: Looking) -> Iterator[Finding]:
        absent = None if target.database else postgres.database_missing(target)
        if absent is None:
            try:
                session = Session(target, APPLICATION)
            except DrsError as error:
                if NO_DATABASE not in error.message:
                    yield looking.unreachable(postgres.CONNECTION, error, self.rows)
                    return
                absent = postgres.database_absent(target)
            else:
                with session:
                    yield from _in_database(session, asked, seen, looking)
                return
        needing: tuple[Precheck[Any], ...] = (*postgres.IN_DATABASE, *postgres.OBJECTS)
        others = sum(1 for row in needing if row.concerns(looking.task)) - 1
        message = f"{absent.message}. {others} further checks need it"
        yield postgres.DATABASE.finding(absent._replace(message=message))
        try:
            session = Session(replace(target, database=MAINTENANCE), APPLICATION)
        except DrsError as error:
            yield looking.unreachable(postgres.CONNECTION, error, postgres.SERVER)
            return
        with session:
            yield from looking.at(postgres.SERVER, _server(session, asked, seen))


def _in_database(session: Session, asked: Asked, seen: Seen, looking: Looking) -> Iterator[Finding]:
    session.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'")
    server = _server(session, asked, seen)
    yield from looking.at((*postgres.SERVER, *postgres.IN_DATABASE), server)
    if seen.catalog is not None:  # else the source's finding names what was not looked at
        tables = tuple(table for table in seen.catalog.tables if table.name not in seen.made)
        objects = postgres.Objects(server=server, arrival=_arrival(asked, replace(seen.catalog, tables=tables)))
        yield from looking.at(postgres.OBJECTS, objects)


def _arrival(asked: Asked, catalog: Catalog) -> postgres.Arrival:
    counted = frozenset(COUNTING)
    return postgres.Arrival(catalog=catalog, selection=asked.selection, policy=asked.policy, counted=counted)


def _server(session: Session, asked: Asked, seen: Seen) -> postgres.Server:
    full = seen.catalog is not None and "full" in asked.task
    nbytes = sum(table.bytes_estimate for table in seen.catalog.tables) if seen.catalog and full else None
    return postgres.Server(
        session=session,
        task=asked.task,
        policy=asked.policy,
        clock_ahead_s=seen.clock_ahead_s,
        source_bytes=nbytes,
        job=asked.options.job,
    )


def suspects(catalog: Catalog, policy: Policy, selection: Selection) -> Mapping[TableName, Sequence[mysql.Suspect]]:
    """What the target may not be able to hold: values of columns, and entries of unique indexes."""
    found: dict[TableName, list[mysql.Suspect]] = defaultdict(list)
    for doubt in postgres.doubts(catalog, policy, selection):
        found[doubt.table].append(
            mysql.Suspect(
                place=doubt.column.name,
                loss=doubt.loss.id,
                meaning=doubt.loss.text,
                tolerated=doubt.tolerated,
                remedy=doubt.remedy,
            )
        )
    for long in postgres.too_long(catalog, selection):
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
