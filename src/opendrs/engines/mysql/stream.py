"""The log of a server from a position on, as the pipeline's events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opendrs._core import DecodeError, MysqlError, MysqlLog
from opendrs._core import Heartbeat as CoreHeartbeat
from opendrs._core import SchemaChange as CoreSchemaChange
from opendrs._core import Window as CoreWindow
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.connect import Session as Asking
from opendrs.engines.mysql.connect import connection_options
from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.mysql.errors import decoding, translate
from opendrs.engines.mysql.filtering import Filtering
from opendrs.engines.mysql.guarding import guarded
from opendrs.engines.mysql.naming import replica_host
from opendrs.engines.mysql.position import LogPosition
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.snapshot import TRANSACTIONAL
from opendrs.engines.mysql.statement import Mode
from opendrs.errors import DrsError
from opendrs.model.alteration import CreateDatabase, DropDatabase
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import TableProgress
from opendrs.model.endpoint import Endpoint
from opendrs.model.event import Control, Event, Heartbeat, SchemaChange, TableChanges, Window
from opendrs.model.position import Position
from opendrs.model.selection import Selection
from opendrs.model.shadows import shadow_of

MICRO = 1_000_000
RECONNECT_S = 10.0  # a shorter break of the connection is nobody's concern


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """How the log is read.

    server_id     our id among the source's replicas
    name          tells our jobs apart at the source
    folder        where the log waits on disk when it must
    spool_bytes   most that it may take there
    dml           which changes of rows are wanted, of tables of which the selection does not say it: some of `iud`
    """

    server_id: int
    name: str
    folder: Path
    spool_bytes: int
    dml: str = "iud"


def log_options(
    endpoint: Endpoint, selection: Selection, settings: StreamSettings, *, rows: bool = True
) -> dict[str, Any]:
    """What the compiled stream takes."""
    spool = {"spool": {"folder": str(settings.folder / "spool"), "bytes_max": settings.spool_bytes}}
    return {
        "connection": connection_options(endpoint),
        "server_id": settings.server_id,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, settings.name)),
        "host": replica_host(settings.name),
        **(spool if rows else {}),
        "spill_folder": str(settings.folder),
        "reconnect_for_s": RECONNECT_S,
        "selection": core_selection(selection, {}) if rows else {},
    }


def core_selection(selection: Selection, tables: Mapping[TableName, TableProgress | None]) -> dict[str, Any]:
    """Whole databases by name, everything else as the tables that are known; without those that are gone. Where
    patterns or another's selection leave tables out, all are named."""
    gone = [_named(name) for name, progress in sorted(tables.items()) if progress is None]
    if selection.excluded or selection.apart is not None:
        return {"databases": [], "tables": [_named(name) for name, progress in sorted(tables.items()) if progress]}
    if selection.everything:
        return {"all": True, "excluded": gone}
    whole = selection.databases | {
        database
        for database, _, table in (pattern.partition(".") for pattern in selection.patterns)
        if table == "*" and not set(database) & set("*?[")
    }
    single = [_named(name) for name in sorted(tables) if name.schema not in whole]
    return {"databases": sorted(whole), "tables": single, "excluded": gone}


def _named(name: TableName) -> dict[str, str]:
    return {"schema": name.schema, "table": name.table}


class Stream:
    """Reads on a thread of its own; decodes on the caller's. Without `rows`, only statements are told: no row is
    decoded, and no definition needs to fit."""

    def __init__(
        self,
        log: MysqlLog,
        endpoint: Endpoint,
        selection: Selection,
        session: Session,
        databases: dict[str, Charset],
        filtering: Filtering,
        *,
        rows: bool = True,
    ) -> None:
        self._rows = rows
        self._log = log
        self._endpoint = endpoint
        self._selection = selection
        self._session = session
        self._databases = databases
        self._filtering = filtering
        self._tables: dict[TableName, TableProgress | None] = {}
        self._waits = False  # behind a change of the schema, for `resume`

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except MysqlError as error:
            raise translate(error, self._endpoint) from error
        except DecodeError as error:
            raise decoding(error) from error

    def next(self, timeout_s: float) -> Event | None:
        with self._translated():
            event = self._log.next(timeout_s)
        match event:
            case None:
                return None
            case CoreWindow():
                window = _window(event)
                return replace(window, tables=self._filtering.wanted(window.tables))
            case CoreSchemaChange():
                self._waits = True
                return self._schema_change(event)
            case CoreHeartbeat():
                return Heartbeat(position=LogPosition(event.position), last_commit_s=event.time_us / MICRO)
        raise AssertionError(f"an event of type {type(event)}")

    def resume(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._tables.update(tables)
        with self._translated():
            if self._rows:
                self._register(tables)
            if self._waits:
                self._log.resume()
        self._waits = False

    def _register(self, tables: Mapping[TableName, TableProgress | None]) -> None:
        self._log.select(json.dumps(core_selection(self._selection, self._tables)))
        for name, progress in tables.items():
            if progress is None:
                self._log.forget(name.schema, name.table)
                self._filtering.forget(name)
                continue
            self._filtering.know(progress.table)
            self._log.register(
                json.dumps(progress.table.to_json()),
                skip_through=progress.low.dump() if progress.low else None,
                transactional=progress.table.engine.lower() in TRANSACTIONAL or not progress.table.engine,
            )

    def pulled(self) -> str:
        stats = json.loads(self._log.stats())
        return f"{stats['pulled_file']}:{stats['pulled_pos']}" if stats["pulled_file"] else ""

    def stop_at(self, position: Position | None) -> None:
        with self._translated():
            self._log.stop_at(position.dump() if position else None)

    def acknowledge(self, position: Position) -> None:
        with self._translated():
            self._log.acknowledge(position.dump())

    def reselect(self, selection: Selection) -> None:
        self._selection = selection
        self._filtering.reselect(selection)

    def _schema_change(self, event: CoreSchemaChange) -> SchemaChange:
        position = LogPosition(event.position) if event.position else None
        session = replace(
            self._session,
            database=event.database,
            mode=Mode(event.sql_mode & _known_modes()),
            zone=event.time_zone if event.time_zone not in ("", "SYSTEM") else self._session.zone,
            moment=datetime.fromtimestamp(event.commit_us / MICRO, UTC) if event.commit_us else None,
        )
        named: list[TableName] = []

        def table(name: TableName) -> Table | None:
            named.append(name)
            return self._table(name)

        scope = Scope(
            wants=self._wants,
            wants_database=self._selection.wants_database,
            table=table,
            database=self._databases.get,
        )
        try:
            meaning = parse(event.sql, session, scope, position=str(position or "a transaction"))
            if not isinstance(meaning, Ignored):
                guarded(meaning, self._selection, self._table, str(position or "a transaction"), event.sql)
        except DrsError as error:
            # Whether the definitions are those that the statement met is not known here.
            return SchemaChange(
                alterations=[],
                statement=event.sql,
                position=position,
                last_commit_s=event.commit_us / MICRO,
                failure=error,
                concerns=tuple(dict.fromkeys(name for name in named if self._wants(name))),
                database=event.database,
            )
        if isinstance(meaning, Ignored):
            if meaning.database and meaning.charset:
                self._databases[meaning.database] = meaning.charset
            alterations = []
        else:
            alterations = meaning
        for alteration in alterations:
            self._remember(alteration)
        return SchemaChange(
            alterations=alterations,
            statement=event.sql,
            position=position,
            last_commit_s=event.commit_us / MICRO,
            database=event.database,
        )

    def _remember(self, alteration: object) -> None:
        """Default character sets of databases, which later statements rely on."""
        if isinstance(alteration, CreateDatabase) and alteration.charset:
            self._databases[alteration.name] = Charset(alteration.charset, alteration.collation)
        elif isinstance(alteration, DropDatabase):
            self._databases.pop(alteration.name, None)

    def _wants(self, name: TableName) -> bool:
        """Whether the table is selected, or trades names with one that is, at the end of an online change of it."""
        shadowed = shadow_of(name)
        return self._selection.wants(name) or (shadowed is not None and self._selection.wants(shadowed))

    def _table(self, name: TableName) -> Table | None:
        progress = self._tables.get(name)
        return progress.table if progress else None


def _known_modes() -> int:
    known = 0
    for mode in Mode:
        known |= mode.value
    return known


def _window(event: CoreWindow) -> Window:
    return Window(
        tables=[TableChanges(TableName(schema, table), batch) for schema, table, batch in event.tables],
        position=LogPosition(event.position) if event.position else None,
        controls=[Control(changes, action, name or "") for changes, action, name in event.controls],
        transactions=event.transactions,
        changes=event.changes,
        ordinals=event.ordinals,
        nbytes=event.nbytes,
        last_commit_s=event.last_commit_us / MICRO,
        origins=event.origins,
    )


@contextmanager
def open_stream(
    endpoint: Endpoint,
    position: LogPosition,
    selection: Selection,
    settings: StreamSettings,
    facts: Callable[[], tuple[Session, dict[str, Charset]]],
    asking: Callable[[], Asking],
    *,
    rows: bool = True,
) -> Iterator[Stream]:
    """Opens the log behind a position and begins to pull it."""
    session, databases = facts()
    try:
        log = MysqlLog(json.dumps(log_options(endpoint, selection, settings, rows=rows)), position.dump())
    except MysqlError as error:
        raise translate(error, endpoint) from error
    filtering = Filtering(selection, settings.dml, asking)
    try:
        yield Stream(log, endpoint, selection, session, databases, filtering, rows=rows)
    finally:
        log.stop()
        filtering.close()
