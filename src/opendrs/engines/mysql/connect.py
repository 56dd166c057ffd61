"""Sessions at a MySQL or MariaDB server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from opendrs._core import MysqlConnection, MysqlError, MysqlReader, mysql_quote_name, mysql_quote_text
from opendrs.engines.mysql.errors import translate
from opendrs.model.endpoint import Endpoint

quote_name = mysql_quote_name
quote_text = mysql_quote_text

Row = dict[str, str | None]


def tls_options(endpoint: Endpoint) -> dict[str, Any]:
    """The TLS part of a URL as our clients take it."""
    named = {"tls_ca": "ca_file", "tls_cert": "cert_file", "tls_key": "key_file"}
    files = {ours: endpoint.options[name] for name, ours in named.items() if name in endpoint.options}
    return {"mode": endpoint.options.get("tls", "prefer").replace("-", "_"), **files}


def connection_options(endpoint: Endpoint) -> dict[str, Any]:
    """Who we are and where, as the compiled client takes it."""
    options: dict[str, Any] = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": endpoint.password.reveal(),
        "tls": tls_options(endpoint),
        "connect_timeout_s": float(endpoint.options.get("connect_timeout", "10")),
    }
    if "socket" in endpoint.options:
        options["unix_socket"] = endpoint.options["socket"]
    return options


class Session:
    """One session; one thread at a time uses it. Errors are Faults."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection = self._connected()

    def _connected(self) -> MysqlConnection:
        try:
            return MysqlConnection(json.dumps(connection_options(self.endpoint)))
        except MysqlError as error:
            raise translate(error, self.endpoint) from error

    def renew(self) -> None:
        """Another connection in place of this one, which an error has left in the middle of something."""
        self._connection.close()
        self._connection = self._connected()

    @property
    def mariadb(self) -> bool:
        return self._connection.flavour == "mariadb"

    @property
    def version(self) -> str:
        return self._connection.version

    @property
    def version_numbers(self) -> tuple[int, int, int]:
        return self._connection.version_numbers

    def query(self, sql: str) -> list[Row]:
        """Rows by column name, every value as text."""
        try:
            return self._connection.query(sql)
        except MysqlError as error:
            raise translate(error, self.endpoint) from error

    def value(self, sql: str) -> str | None:
        """The only value of the only row."""
        (row,) = self.query(sql)
        (value,) = row.values()
        return value

    def variables(self, *names: str) -> Row:
        """Global variables by name; those that this server does not have are absent."""
        quoted = ", ".join(quote_text(name) for name in names)
        rows = self.query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({quoted})")
        return {(row["Variable_name"] or "").lower(): row["Value"] for row in rows}

    def execute(self, sql: str) -> int:
        try:
            return self._connection.execute(sql)
        except MysqlError as error:
            raise translate(error, self.endpoint) from error

    def read(self, sql: str, params: Sequence[Any], table_json: str) -> MysqlReader:
        """Rows as Arrow. Raises MysqlError untranslated: the reader of a table knows more."""
        return self._connection.read(sql, json.dumps(list(params)), table_json)

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
