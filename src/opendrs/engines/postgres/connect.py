"""Sessions at a PostgreSQL server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from opendrs._core import PgApplier, PgConnection, PgCopy, PgError
from opendrs.engines.postgres.errors import translate
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint

Row = tuple[str | None, ...]


def quote(name: str) -> str:
    """An identifier, its case kept."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal, whatever standard_conforming_strings says."""
    if "\\" in text:
        return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def connection_options(endpoint: Endpoint, application: str) -> dict[str, Any]:
    """Who we are and where, as the compiled client takes it."""
    named = {"tls_ca": "ca_file", "tls_cert": "cert_file", "tls_key": "key_file"}
    files = {ours: endpoint.options[name] for name, ours in named.items() if name in endpoint.options}
    options: dict[str, Any] = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": endpoint.password.reveal(),
        "database": endpoint.database,
        "tls": {"mode": endpoint.options.get("tls", "prefer").replace("-", "_"), **files},
        "connect_timeout_s": float(endpoint.options.get("connect_timeout", "10")),
        "application_name": application,
    }
    if "socket" in endpoint.options:
        options["unix_socket"] = endpoint.options["socket"]
    return options


class Session:
    """One session; one thread at a time uses it. Errors are Faults."""

    def __init__(self, endpoint: Endpoint, application: str) -> None:
        self.endpoint = endpoint
        with self._translated("connect"):
            self._connection = PgConnection(json.dumps(connection_options(endpoint, application)))

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except PgError as error:
            raise translate(error, self.endpoint, what) from error

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def query(self, sql: str, *params: str | None) -> list[Row]:
        """Rows with every value as text; `$1` and on in the statement are the parameters."""
        with self._translated(_shortened(sql)):
            return self._connection.query(sql, list(params) if params else None)

    def value(self, sql: str, *params: str | None) -> str | None:
        """The only value of the only row."""
        ((value,),) = self.query(sql, *params)
        return value

    def execute(self, sql: str) -> int:
        """Runs a statement; the number of rows it changed."""
        with self._translated(_shortened(sql)):
            return self._connection.execute(sql)

    def parameter(self, name: str) -> str | None:
        return self._connection.parameter(name)

    def copy_in(self, target: dict[str, Any]) -> PgCopy:
        with self._translated(f"copy into {target['schema']}.{target['table']}"):
            return self._connection.copy_in(json.dumps(target))

    def applier(self) -> PgApplier:
        return self._connection.applier()

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """For calls of `PgCopy` and `PgApplier`: their errors as Faults."""
        with self._translated(what):
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on an error."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.execute("COMMIT")

    def attempt(self, statement: str) -> DrsError | None:
        """Runs a statement inside a transaction; the error if the server refuses it, which undoes nothing else."""
        self.execute("SAVEPOINT opendrs_attempt")
        try:
            self.execute(statement)
        except DrsError as error:
            if error.fault is not Fault.TARGET_REFUSED:
                raise
            self.execute("ROLLBACK TO SAVEPOINT opendrs_attempt")
            return error
        self.execute("RELEASE SAVEPOINT opendrs_attempt")
        return None

    def rollback(self) -> None:
        """Ends the open transaction, if there is one and the server still answers."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except PgError:
            self._connection.close()  # nothing of the transaction survives its connection

    def cancel(self) -> None:
        """Ends what another thread is waiting for on this session."""
        self._connection.cancel()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _shortened(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 120 else text[:117] + "..."
