"""Reading tables: in chunks by key, on several sessions, each with the guarantee that its position tells.

Two strategies. Without locks, every chunk shows its own moment, and the log since `low` makes up for it.
Consistent, all sessions open their snapshots while the tables are locked for a moment; tables of engines
without snapshots show that moment only as long as they stay locked. A table without a key cannot be made
up for: it is read in one scan whose exact position is known, on MariaDB from the session's own snapshot,
on MySQL under a lock that lasts until the snapshot stands.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from opendrs._core import MysqlError, MysqlReader, RecordBatch
from opendrs.engines.mysql.catalog import read_engines, read_names
from opendrs.engines.mysql.connect import Session, quote_name
from opendrs.engines.mysql.errors import reading
from opendrs.engines.mysql.filtering import where as rows_of
from opendrs.engines.mysql.keyset import condition, key_index, order, qualified, quoted, range_columns
from opendrs.engines.mysql.position import LogPosition, locked_position, snapshot_position
from opendrs.engines.mysql.splitting import Portions, bound, chunk_rows, next_bound
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Table, TableName
from opendrs.model.checkpoint import Chunk, Key
from opendrs.model.endpoint import Endpoint
from opendrs.model.selection import Selection

LOCK_WAIT_S = 5
LOCK_ATTEMPTS = 20
NO_SUCH_TABLE = "error 1146"
WAITED = "error 1205"
TRANSACTIONAL = frozenset({"innodb", "rocksdb", "tokudb", "ndbcluster"})


def lock_selected(session: Session, selection: Selection) -> None:
    """Locks all tables that the selection covers, those too that were made a moment ago."""
    _lock(lambda: [(session, read_names(session.query, selection))])


def lock_apart(session: Session, keeper: Session, selection: Selection) -> frozenset[TableName]:
    """The same, but those of engines without snapshots on a session of their own, where they can stay locked when the
    others are not any more. Returns which these are."""

    def look() -> list[tuple[Session, Sequence[TableName]]]:
        engines = read_engines(session.query, selection)
        kept = [name for name, engine in engines.items() if engine not in TRANSACTIONAL]
        return [(keeper, kept), (session, [name for name in engines if name not in kept])]

    (_, kept), _ = _lock(look)
    return frozenset(kept)


def _lock(look: Callable[[], list[tuple[Session, Sequence[TableName]]]]) -> list[tuple[Session, Sequence[TableName]]]:
    """Locks what is seen, and returns it. Nothing comes or goes while all that is seen is locked."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        wanted = look()
        try:
            for session, names in wanted:
                if names:
                    lock_tables(session, names)
        except DrsError as error:
            if NO_SUCH_TABLE in error.message and attempt < LOCK_ATTEMPTS:
                continue  # dropped or renamed since
            raise
        if look() == wanted:
            return wanted
        for session, _ in wanted:
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
        if error.fault is Fault.SOURCE_UNREACHABLE and WAITED in error.message:
            raise DrsError(
                Fault.SOURCE_REFUSED,
                reason=f"a transaction has held a selected table for more than {LOCK_WAIT_S} s; "
                "the lock is needed for a moment only, so try again when it is over",
            ) from error
        raise


class Rows:
    """The rows of one chunk, read once."""

    def __init__(
        self,
        table: Table,
        reader: MysqlReader,
        endpoint: Endpoint,
        exact: LogPosition | None,
        portions: Portions,
    ) -> None:
        self._table = table
        self._reader = reader
        self._endpoint = endpoint
        self._portions = portions
        self.exact = exact

    def __iter__(self) -> Iterator[RecordBatch]:
        rows, nbytes = self._portions.batch_rows, self._portions.batch_bytes
        try:
            while (batch := self._reader.next_batch(rows, nbytes)) is not None:
                yield batch
        except MysqlError as error:
            raise reading(error, self._table.name, self._endpoint) from error


class Snapshot:
    """Owns the sessions that read. `exact` is the moment that all of them show, if they do; `kept` are tables that
    show it because `keeper` has locked them.

    Whoever wants to alter a table, or to write to one that is locked, waits, and all who come behind him wait with
    him, our own sessions too. So nothing of ours may wait for a table that another of our sessions holds: a snapshot
    holds none between two chunks, and a table that is locked is read by the session that has locked it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        selection: Selection,
        sessions: Sequence[Session],
        planner: Session,
        exact: LogPosition | None,
        *,
        portions: Portions,
        keeper: Session | None = None,
        kept: frozenset[TableName] = frozenset(),
    ) -> None:
        self._endpoint = endpoint
        self._selection = selection
        self._portions = portions
        self.exact = exact
        self._kept = kept
        self._spoilt: set[Session] = set()  # an error left them in the middle of something
        self._idle, self._planners, self._keepers = _queue(sessions), _queue([planner]), _queue([keeper])

    def holds(self, table: Table) -> bool:
        return table.name in self._kept

    def keep(self, names: Collection[TableName]) -> None:
        """All are unlocked at once, when the last of them is read: a session cannot give back a single table."""
        still = self._kept.intersection(names)
        if self._kept and not still:
            with _taken(self._keepers) as keeper:
                keeper.execute("UNLOCK TABLES")
        self._kept = still

    def bound(self, table: Table) -> Key | None:
        with _taken(self._keepers if self.holds(table) else self._planners) as session:
            return bound(session, table)

    def chunks(self, table: Table, *, after: Key | None, upper: Key | None, ordinal: int) -> Iterator[Chunk]:
        columns, rows = range_columns(table), chunk_rows(table, self._portions.chunk_rows)
        looked_at = rows if self._selection.rule(table.name).filter else 0
        if upper is None or not columns:
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=upper)
            return
        while after != upper:
            with _taken(self._keepers if self.holds(table) else self._planners) as session:
                end = next_bound(session, table, after, upper, rows=rows)
            yield Chunk(table=table.name, ordinal=ordinal, lower=after, upper=end, rows=looked_at)
            after, ordinal = end, ordinal + 1

    @contextmanager
    def read(self, table: Table, chunk: Chunk) -> Iterator[Rows]:
        with _taken(self._keepers if self.holds(table) else self._idle) as session:
            try:
                self._mend(session)
                with self._moment(session, table) as (reading_session, exact):
                    reader = self._open(reading_session, table, chunk)
                    yield Rows(table, reader, self._endpoint, exact, self._portions)
            except BaseException:
                self._spoilt.add(session)
                raise

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
        rule = self._selection.rule(table.name)
        read = (c for c in table.columns if not c.hidden and rule.arrives(c.name) is not None)
        visible = replace(table, columns=tuple(read))
        names = ", ".join(quote_name(column.name) for column in visible.columns)
        sql = f"SELECT {names} FROM {qualified(table)}"
        where, params = condition(columns, chunk.lower, chunk.upper)
        where = " AND ".join(part for part in (where, rows_of(self._selection, table)) if part)
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
    def _moment(self, session: Session, table: Table) -> Iterator[tuple[Session, LogPosition | None]]:
        """Makes what is read show one known moment, if it must; by which session."""
        if self.exact is not None:
            yield from self._within(session, table, self.exact)
            return
        if table.key:
            yield session, None
            return
        transactional = table.engine.lower() in TRANSACTIONAL
        if transactional and session.mariadb:
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield session, snapshot_position(session)
            session.execute("COMMIT")
            return
        with Session(self._endpoint) as locker:
            lock_tables(locker, [table.name])
            exact = locked_position(locker)
            if not transactional:
                yield locker, exact
                return
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            locker.execute("UNLOCK TABLES")
            yield session, exact
            session.execute("COMMIT")

    def _within(
        self, session: Session, table: Table, exact: LogPosition
    ) -> Iterator[tuple[Session, LogPosition | None]]:
        """As of the moment of the snapshot. Behind it the table may be altered: a savepoint that is rolled back gives
        it back, as mysqldump does it (MariaDB does so only for a session that writes no log)."""
        if self.holds(table):
            yield session, exact
            return
        session.execute("SAVEPOINT chunk")
        yield session, exact
        session.execute("ROLLBACK TO SAVEPOINT chunk")


def _reader(endpoint: Endpoint) -> Session:
    """A session that shows a moment. It waits for no table for long: somebody may be waiting to alter it, and for
    another of our sessions."""
    session = Session(endpoint)
    try:
        session.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}")
        if session.mariadb:
            _without_log(session)
    except BaseException:
        session.close()
        raise
    return session


def _without_log(session: Session) -> None:
    """It writes nothing, and gives tables back then; but it takes BINLOG ADMIN to say so."""
    try:
        session.execute("SET SESSION sql_log_bin = 0")
    except DrsError as error:
        if error.fault not in (Fault.PRIVILEGE_MISSING, Fault.ACCESS_DENIED, Fault.SOURCE_REFUSED):
            raise


Sessions = queue.SimpleQueue[Session]


def _queue(sessions: Iterable[Session | None]) -> Sessions:
    found: Sessions = queue.SimpleQueue()
    for session in sessions:
        if session is not None:
            found.put(session)
    return found


@contextmanager
def _taken(sessions: Sessions) -> Iterator[Session]:
    """One of them, for nobody else meanwhile."""
    session = sessions.get()
    try:
        yield session
    except DrsError as error:
        if error.fault is not Fault.SOURCE_UNREACHABLE or WAITED not in error.message:
            raise
        reason = f"for {LOCK_WAIT_S} s a table could not be read, for somebody has locked it or waits to alter it"
        raise DrsError(Fault.SOURCE_UNREACHABLE, endpoint=session.endpoint, reason=reason) from error
    finally:
        sessions.put(session)


@contextmanager
def open_snapshot(
    endpoint: Endpoint, selection: Selection, readers: int, *, consistent: bool, portions: Portions
) -> Iterator[Snapshot]:
    """The sessions of a snapshot; with `consistent`, all of them show the moment that `exact` names."""
    with ExitStack() as stack:
        opened = _reader if consistent else Session
        sessions = [stack.enter_context(opened(endpoint)) for _ in range(readers)]
        planner = stack.enter_context(opened(endpoint))
        if not consistent:
            yield Snapshot(endpoint, selection, sessions, planner, None, portions=portions)
            return
        keeper = stack.enter_context(Session(endpoint))
        with Session(endpoint) as locker:
            kept = lock_apart(locker, keeper, selection)
            for session in sessions:
                session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            exact = locked_position(locker)
        yield Snapshot(endpoint, selection, sessions, planner, exact, portions=portions, keeper=keeper, kept=kept)
