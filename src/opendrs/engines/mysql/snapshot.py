"""Reading tables: in chunks by key, on several sessions, each with the guarantee that its position tells.

Two strategies. Without locks, every chunk shows its own moment, and the log since `low` makes up for it.
Consistent, all sessions open their snapshots while the tables are locked for a moment. A table without a
key cannot be made up for: it is read in one scan whose exact position is known, on MariaDB from the
session's own snapshot, on MySQL under a lock that lasts until the snapshot stands.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from opendrs._core import MysqlError, MysqlReader, RecordBatch
from opendrs.engines.mysql.catalog import read_names
from opendrs.engines.mysql.connect import Session, quote_name
from opendrs.engines.mysql.errors import reading
from opendrs.engines.mysql.keyset import condition, key_index, order, qualified, quoted, range_columns
from opendrs.engines.mysql.position import LogPosition, locked_position, snapshot_position
from opendrs.engines.mysql.splitting import next_bound
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Chunk, Key
from opendrs.model.endpoint import Endpoint
from opendrs.model.selection import Selection

BATCH_ROWS = 16_384
BATCH_BYTES = 2 << 20
LOCK_WAIT_S = 5
LOCK_ATTEMPTS = 20
NO_SUCH_TABLE = "error 1146"
TRANSACTIONAL = frozenset({"innodb", "rocksdb", "tokudb", "ndbcluster"})


def lock_selected(session: Session, selection: Selection) -> None:
    """Locks all tables that the selection covers, those too that were made a moment ago."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        names = read_names(session.query, selection)
        try:
            if names:
                lock_tables(session, names)
        except DrsError as error:
            if NO_SUCH_TABLE in error.message and attempt < LOCK_ATTEMPTS:
                continue  # dropped or renamed since
            raise
        if read_names(session.query, selection) == names:
            return
        session.execute("UNLOCK TABLES")
    reason = f"tables came and went {LOCK_ATTEMPTS} times while they were to be locked; try again when that is over"
    raise DrsError(Fault.SOURCE_REFUSED, reason=reason)


def lock_tables(session: Session, names: Sequence[TableName]) -> None:
    """Locks for reading. Waits a few seconds at most: a long transaction at the source must not make all
    others wait behind us."""
    session.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}")
    try:
        session.execute("LOCK TABLES " + ", ".join(f"{quoted(name)} READ" for name in names))
    except DrsError as error:
        if error.fault is Fault.SOURCE_UNREACHABLE and "1205" in error.message:
            raise DrsError(
                Fault.SOURCE_REFUSED,
                reason=f"a transaction has held a selected table for more than {LOCK_WAIT_S} s; "
                "the lock is needed for a moment only, so try again when it is over",
            ) from error
        raise


class Rows:
    """The rows of one chunk, read once."""

    def __init__(self, table: Table, reader: MysqlReader, endpoint: Endpoint, exact: LogPosition | None) -> None:
        self._table = table
        self._reader = reader
        self._endpoint = endpoint
        self.exact = exact

    def __iter__(self) -> Iterator[RecordBatch]:
        try:
            while (batch := self._reader.next_batch(BATCH_ROWS, BATCH_BYTES)) is not None:
                yield batch
        except MysqlError as error:
            raise reading(error, self._table.name, self._endpoint) from error


class Snapshot:
    """Owns the sessions that read. `exact` is the moment that all of them show, if they do."""

    def __init__(
        self, endpoint: Endpoint, sessions: list[Session], planner: Session, exact: LogPosition | None
    ) -> None:
        self._endpoint = endpoint
        self._planner = planner
        self.exact = exact
        self._spoilt: set[Session] = set()  # an error left them in the middle of something
        self._idle: queue.SimpleQueue[Session] = queue.SimpleQueue()
        for session in sessions:
            self._idle.put(session)

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        columns = range_columns(table)
        if upper is None or not columns:
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=upper)
            return
        while after != upper:
            bound = next_bound(self._planner, table, after, upper)
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=bound)
            after, ordinal = bound, ordinal + 1

    @contextmanager
    def read(self, table: Table, chunk: Chunk) -> Iterator[Rows]:
        session = self._idle.get()
        try:
            self._mend(session)
            with self._moment(session, table) as exact:
                rows = Rows(table, self._open(session, table, chunk), self._endpoint, exact)
                yield rows
        except BaseException:
            self._spoilt.add(session)
            raise
        finally:
            self._idle.put(session)

    def _mend(self, session: Session) -> None:
        if session not in self._spoilt:
            return
        if self.exact is not None:
            raise DrsError(
                Fault.SOURCE_REFUSED,
                reason="a table changed while all were read as of one moment, which is lost with it",
            )
        session.renew()
        self._spoilt.discard(session)

    def _open(self, session: Session, table: Table, chunk: Chunk) -> MysqlReader:
        columns = range_columns(table)
        visible = replace(table, columns=tuple(column for column in table.columns if not column.hidden))
        names = ", ".join(quote_name(column.name) for column in visible.columns)
        sql = f"SELECT {names} FROM {qualified(table)}"
        where, params = condition(columns, chunk.lower, chunk.upper)
        if columns:
            sql += f" FORCE INDEX ({quote_name(key_index(table))})"
        if where:
            sql += f" WHERE {where}"
        if columns:
            sql += f" ORDER BY {order(columns)}"
        try:
            return session.read(sql, params, json.dumps(visible.to_json()))
        except MysqlError as error:
            raise reading(error, table.name, self._endpoint) from error

    @contextmanager
    def _moment(self, session: Session, table: Table) -> Iterator[LogPosition | None]:
        """Makes the scan of a table without a key show one known moment; others need none."""
        if self.exact is not None or table.key:
            yield self.exact
            return
        transactional = table.engine.lower() in TRANSACTIONAL
        if transactional and session.mariadb:
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield snapshot_position(session)
            session.execute("COMMIT")
            return
        with Session(self._endpoint) as locker:
            lock_tables(locker, [table.name])
            exact = locked_position(locker)
            if transactional:
                session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
                locker.execute("UNLOCK TABLES")
            yield exact  # an engine without snapshots stays locked to the end of the scan
            if transactional:
                session.execute("COMMIT")


@contextmanager
def open_snapshot(endpoint: Endpoint, selection: Selection, readers: int, *, consistent: bool) -> Iterator[Snapshot]:
    """The sessions of a snapshot; with `consistent`, all of them show the moment that `exact` names."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(endpoint)) for _ in range(readers)]
        planner = stack.enter_context(Session(endpoint))
        exact = None
        if consistent:
            with Session(endpoint) as locker:
                lock_selected(locker, selection)
                for session in sessions:
                    session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
                exact = locked_position(locker)
        yield Snapshot(endpoint, sessions, planner, exact)
