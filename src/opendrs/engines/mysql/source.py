"""MySQL and MariaDB as a source: puts catalog, snapshot and stream together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from opendrs._core import RecordBatch
from opendrs.engines.mysql import xa
from opendrs.engines.mysql.catalog import read_catalog, read_databases, read_session
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.history import Since, look_through
from opendrs.engines.mysql.keyset import quoted
from opendrs.engines.mysql.membership import within
from opendrs.engines.mysql.position import (
    LogEnd,
    LogPosition,
    executed_position,
    has_gtids,
    locked_position,
    log_end,
    own,
    snapshot_position,
)
from opendrs.engines.mysql.session import Session as LoggedSession
from opendrs.engines.mysql.snapshot import Snapshot, lock_selected, open_snapshot
from opendrs.engines.mysql.splitting import Portions, bound
from opendrs.engines.mysql.starting import resolve
from opendrs.engines.mysql.stream import Stream, StreamSettings, open_stream
from opendrs.model.catalog import Catalog, Table, TableName
from opendrs.model.checkpoint import Chunk, Key, TableProgress
from opendrs.model.endpoint import Endpoint
from opendrs.model.event import Batch
from opendrs.model.position import Position
from opendrs.model.selection import Selection
from opendrs.model.start import StartPosition


class Source:
    """The side that is read. Every call opens sessions of its own, so that an idle job holds none.

    start     where a job without a load is to begin; None: nowhere in particular
    portions  how tables are read
    seen      told of the catalog whenever it is looked at
    """

    def __init__(
        self,
        endpoint: Endpoint,
        selection: Selection,
        settings: StreamSettings,
        *,
        readers: int,
        start: StartPosition | None = None,
        portions: Portions = Portions(),  # noqa: B008  a value
        seen: Callable[[Catalog], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._selection = selection
        self._settings = settings
        self._readers = readers
        self._start = start
        self._portions = portions
        self._seen = seen

    def session(self) -> Session:
        return Session(self._endpoint)

    def catalog(self) -> Catalog:
        with self.session() as session:
            catalog = _catalog(session, self._selection)
        if self._seen is not None:
            self._seen(catalog)
        return catalog

    def low(self) -> LogPosition:
        """Which positions may serve as low was tried on real servers: SHOW MASTER STATUS and MariaDB's
        gtid_binlog_pos run ahead of what a SELECT sees; MySQL's gtid_executed does not, if commits keep
        their order; a MariaDB session's own snapshot knows its position exactly."""
        with self.session() as session:
            return xa.between(session, lambda: self._low(session))

    def _low(self, session: Session) -> LogPosition:
        if session.mariadb:
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            position = snapshot_position(session)
            session.execute("COMMIT")
            return position
        if has_gtids(session) and session.value("SELECT @@global.binlog_order_commits") == "1":
            return executed_position(session)
        lock_selected(session, self._selection)
        position = locked_position(session)
        session.execute("UNLOCK TABLES")
        return position

    def chosen(self) -> LogPosition | None:
        if self._start is None:
            return None
        with self.session() as session:
            return resolve(session, self._start).position

    def tables_at(self, position: Position, stop: Callable[[], bool]) -> Sequence[Table] | None:
        tables = self.catalog().tables
        since = self.since(position, tables, stop)
        since.demand_unchanged()
        if not since.whole:
            return None
        return [table for table in tables if table.name not in since.made]

    def since(self, position: Position, tables: Sequence[Table], stop: Callable[[], bool]) -> Since:
        """What the log has done to tables since a position, up to where it ends now, or it is to stop.

        tables   as they are defined now
        """
        end, found = self.high(), Since(self._selection)
        if end.reached(position):
            found.whole = True
            return found
        with open_stream(
            self._endpoint, own(position), self._selection, self._settings, self._facts, self.session, rows=False
        ) as stream:
            stream.resume({table.name: TableProgress(table=table, loaded=True) for table in tables})
            look_through(stream, found, end, stop)
            return found

    def high(self) -> LogEnd:
        with self.session() as session:
            return log_end(session)

    def bound(self, table: Table) -> Key | None:
        with self.session() as session:
            return bound(session, table)

    def create_statement(self, name: TableName) -> str:
        """The statement that makes the table, as the server prints it."""
        with self.session() as session:
            (row,) = session.query(f"SHOW CREATE TABLE {quoted(name)}")
            return next((value or "" for key, value in row.items() if key.startswith("Create ")), "")

    def within(self, table: Table, batch: Batch, chunks: Sequence[Chunk]) -> RecordBatch:
        return within(self.session, table, batch, chunks)

    @contextmanager
    def snapshot(self, *, consistent: bool) -> Iterator[Snapshot]:
        opened = open_snapshot(
            self._endpoint, self._selection, self._readers, consistent=consistent, portions=self._portions
        )
        with opened as snapshot:
            yield snapshot

    def reselect(self, selection: Selection) -> None:
        self._selection = selection

    def stream(self, position: Position) -> AbstractContextManager[Stream]:
        return open_stream(self._endpoint, own(position), self._selection, self._settings, self._facts, self.session)

    def _facts(self) -> tuple[LoggedSession, dict[str, Charset]]:
        with self.session() as session:
            return read_session(session.query), read_databases(session.query)


def _catalog(session: Session, selection: Selection) -> Catalog:
    return read_catalog(session.query, selection, read_session(session.query).flavour)
