"""Connections to the state store: SQLite by default, PostgreSQL by URL. Synchronous; short transactions."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from opendrs.errors import DrsError, Fault
from opendrs.store.tables import REVISION, mark, metadata

BUSY_TIMEOUT_S: Final = 10.0
WAL_PAUSE_S: Final = 0.005
CONNECT_TIMEOUT_S: Final = 5
CONNECTIONS_MAX: Final = 40  # of a process at a time: one for each thread of the API
# A cut network must not keep a worker from renewing its lease once it is back.
TCP_TIMEOUT_S: Final = 5
# Our own schema, so that the store may share a PostgreSQL database with others.
SCHEMA: Final = "opendrs_state"

_WRITES = "opendrs_writes"  # execution option of a connection that is about to write

# What a store raises that cannot be reached just now, or is too busy: trying again may help.
StoreError: Final = (OperationalError, InterfaceError, PoolTimeout)


@dataclass(frozen=True, slots=True)
class Store:
    """The store as one process sees it. Threads may share it; a child process opens its own."""

    url: str = field(repr=False)  # may hold a password
    engine: Engine = field(repr=False)
    pinned: Pinned | None = field(default=None, repr=False)
    impatient: Pinned | None = field(default=None, repr=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one moment on SQLite, single statements on PostgreSQL."""
        if self.pinned is not None:
            with self.pinned.read() as connection:
                yield connection
        else:
            with self.engine.connect() as connection, connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back by an exception."""
        with self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def glancing(self) -> Store | None:
        """The same store for one who must not wait: its reads take a fraction of a millisecond, or fail at once. None:
        it is not on this machine, and nobody can promise that."""
        return None if self.impatient is None else Store(self.url, self.engine, self.impatient)

    def close(self) -> None:
        for pinned in (self.pinned, self.impatient):
            if pinned is not None:
                pinned.close()
        self.engine.dispose()


class Pinned:
    """For few threads that read all the time, in SQLite: each keeps a connection of its own.

    To fetch one of a pool and to begin and end a transaction in SQLAlchemy takes longer than most queries.
    """

    def __init__(self, place: URL, *, timeout_s: float | None = None) -> None:
        self._engine = _engine(place, pinned=True, timeout_s=timeout_s)
        self._of_thread = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        mine = self._of_thread
        if getattr(mine, "connection", None) is None:
            mine.connection, mine.depth = self._engine.connect(), 0
        connection: Connection = mine.connection
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        if not mine.depth:
            raw.execute("BEGIN")
        mine.depth += 1
        try:
            yield connection
        finally:
            mine.depth -= 1
            if not mine.depth:
                self._end(raw)

    def _end(self, raw: sqlite3.Connection) -> None:
        try:
            raw.execute("COMMIT")  # of nothing: it lets go of the moment that was read
        except sqlite3.Error:
            self._of_thread.connection.invalidate()
            self._of_thread.connection = None

    def close(self) -> None:
        self._engine.dispose()


def open_store(url: str, *, pinned: bool = False) -> Store:
    """Opens the store and brings it to the schema of this release; many processes may do so at once.

    url      sqlite:///path or postgresql://...
    pinned   few threads will read all the time; makes no difference to PostgreSQL
    Raises SETTING_INVALID if it cannot be had, or if a newer release has changed it.
    """
    place = _place(url)
    local = place.get_backend_name() == "sqlite"
    engine = _engine(place)
    store = Store(url, engine, Pinned(place), Pinned(place, timeout_s=0)) if pinned and local else Store(url, engine)
    try:
        with store.read() as connection:
            found = _revision(connection)
        if found != REVISION:
            _upgrade(place)
        return store
    except BaseException as error:
        store.close()
        if not isinstance(error, SQLAlchemyError):
            raise
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason(error)) from error


def busy(error: BaseException) -> bool:
    """Whether it failed because another process was writing all the time. PostgreSQL itself ends a transaction
    that rests; in SQLite one is over when its process goes on, or is gone."""
    cause = getattr(error, "orig", None)
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def reason(error: BaseException) -> str:
    """Why the store failed, without the statement and its parameters, which say nothing to a person."""
    return str(getattr(error, "orig", None) or error).strip()


def _place(url: str) -> URL:
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        # By hand: in a path a question mark is a question mark.
        path = Path(rest.removeprefix("/"))
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise DrsError(Fault.SETTING_INVALID, name="--state", reason=str(error)) from error
        return URL.create("sqlite", database=str(path))
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason="it is no URL") from error


def _engine(place: URL, *, migrates: bool = False, pinned: bool = False, timeout_s: float | None = None) -> Engine:
    """`migrates`: for one connection that changes tables. `pinned`: for those of `Pinned`, which begin themselves."""
    options: dict[str, Any] = {"hide_parameters": True}
    if migrates or pinned:
        options["poolclass"] = NullPool
    else:
        options |= {"pool_size": 5, "max_overflow": CONNECTIONS_MAX - 5, "pool_timeout": BUSY_TIMEOUT_S}
    if place.get_backend_name() == "sqlite":
        # isolation_level None: the driver begins no transaction of its own accord, `_begin` does.
        patience_s = BUSY_TIMEOUT_S if timeout_s is None else timeout_s
        connect_args: dict[str, Any] = {"isolation_level": None, "timeout": patience_s}
        engine = create_engine(place, connect_args=connect_args, **options)

        def prepare(connection: sqlite3.Connection, _: object) -> None:
            _prepare(connection, patience_s, migrates=migrates)

        event.listen(engine, "connect", prepare)
        if not pinned:
            event.listen(engine, "begin", _begin)
        return engine
    # Who changes tables waits for the others; all else is as impatient as it is with SQLite.
    # A transaction that rests is one of a process that is stopped or cut off, and it holds the lease.
    limits = ("lock_timeout", "idle_in_transaction_session_timeout")
    patience = "" if migrates else "".join(f" -c {limit}={int(BUSY_TIMEOUT_S)}s" for limit in limits)
    connect_args = {
        "options": f"-c search_path={SCHEMA} -c timezone=UTC{patience}",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": TCP_TIMEOUT_S * 1000,
        "keepalives_idle": TCP_TIMEOUT_S,
        "keepalives_interval": 1,
        "keepalives_count": TCP_TIMEOUT_S,
        "application_name": "opendrs",
    }
    # pre_ping: a server that was restarted must cost no error.
    return create_engine(place, connect_args=connect_args, pool_pre_ping=not migrates, **options)


def _prepare(connection: sqlite3.Connection, patience_s: float, *, migrates: bool) -> None:
    """For a migration foreign keys stay off: one that makes a table anew drops the old one, and SQLite would delete
    everything that refers to it (sqlite.org/lang_altertable.html, section 7)."""
    _demand_wal(connection, patience_s)
    # FULL: an epoch that was given must outlive a power cut (sqlite.org/pragma.html: in WAL mode NORMAL may
    # lose the last commits). We commit about once a second, so it costs nothing.
    connection.execute("PRAGMA synchronous=FULL")
    if not migrates:
        connection.execute("PRAGMA foreign_keys=ON")


def _demand_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """The first of those that open a new store changes its mode. SQLite lets nobody wait for that: two that read and
    want to change it would wait for each other (sqlite.org/c3ref/busy_handler.html)."""
    until = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(WAL_PAUSE_S * (1 + random.random()))  # noqa: S311  no secret


def _begin(connection: Connection) -> None:
    """A transaction that reads first and writes later fails at once, whatever the timeout, if another
    writer came in between (SQLITE_BUSY_SNAPSHOT); one that says so at the beginning waits."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(place: URL) -> None:
    """Makes or migrates it in one transaction that nobody else can be in: whoever comes second finds it done."""
    engine = _engine(place, migrates=True)
    try:
        with Store("", engine).write() as connection:
            if place.get_backend_name() == "postgresql":
                # Held to the end of the transaction; the number is ours alone, by chance.
                connection.execute(text("SELECT pg_advisory_xact_lock(6520771182)"))
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            found = _revision(connection)
            if found is None:
                _create(connection)
            elif found != REVISION:
                from opendrs.store import migrating  # Alembic is slow to load

                migrating.upgrade(connection, found)
    finally:
        engine.dispose()


def _create(connection: Connection) -> None:
    """A new store has the newest tables at once, and Alembic's mark that it has. A test holds them against those
    that the migrations make."""
    metadata.create_all(connection, checkfirst=False)
    mark.create(connection)
    connection.execute(mark.insert().values(version_num=REVISION))
