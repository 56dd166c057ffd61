"""What MySQL and MariaDB servers have in common; what differs is a Flavour, as data."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from tests.harness import cache
from tests.harness.commands import run
from tests.harness.lifecycle import START_TIMEOUT_S, STOP_TIMEOUT_S, LocalServer
from tests.harness.packages import Programs
from tests.harness.ports import HOST
from tests.harness.processes import Command
from tests.harness.server import (
    ADMIN_PASSWORD,
    PASSWORD,
    USER,
    Options,
    Row,
    ServerUnavailable,
    Settings,
)

ADMIN = "root"
TEMPLATE = 3  # changes when the way of making a template changes

# What DRS documents for the account of a source. On MariaDB 10.5 and newer `REPLICATION CLIENT`
# is another name of `BINLOG MONITOR`; these are enough there too, to read the log and its status.
SOURCE_PRIVILEGES = "SELECT, SHOW VIEW, EVENT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT"

COMMON_SETTINGS: Settings = {
    "bind_address": HOST,
    "skip_name_resolve": "ON",
    "log_bin": "binlog",
    "loose_binlog_format": "ROW",  # deprecated in MySQL: `loose_` for when it is gone
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "character_set_server": "utf8mb4",
    "local_infile": "ON",
    "secure_file_priv": "",
    "performance_schema": "OFF",
    "max_allowed_packet": "256M",
    "innodb_buffer_pool_size": "128M",
    "innodb_buffer_pool_dump_at_shutdown": "OFF",
    "innodb_buffer_pool_load_at_startup": "OFF",
}
TEMPLATE_SETTINGS: Settings = {
    "skip_log_bin": "ON",
    "skip_networking": "ON",
    "secure_file_priv": "",
    "performance_schema": "OFF",
}
# The log is handed to the system at each commit, so that it survives SIGKILL; InnoDB's double
# write stays on, for SIGKILL may tear a page in two.
FAST_SETTINGS: Settings = {"innodb_flush_log_at_trx_commit": 2, "sync_binlog": 0}
DURABLE_SETTINGS: Settings = {"innodb_flush_log_at_trx_commit": 1, "sync_binlog": 1}

PLUGIN_ACTIVE = "SELECT 1 FROM information_schema.plugins WHERE plugin_name = %s AND plugin_status = 'ACTIVE'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One product of the family.

    server       the server program's name
    settings     over the common ones
    logging      settings that have to do with the binary log, which templates are made without
    tls_off      settings for a server without TLS
    paths        settings that tell where the product's own files are
    initialise   fills the empty data folder that the given server command names, with a `root`
                 who needs no password
    renewed      files that each copy of a data folder must make for itself
    plugins      authentication plugin -> statement that makes it known to the server
    client       login options of the product's client programs
    create_user  statements that make a user anew: (quoted name, quoted password, plugin)
    """

    name: str
    programs: Callable[[], Programs]
    server: str
    settings: Settings
    logging: Settings
    tls_off: Settings
    paths: Callable[[Programs], Settings]
    initialise: Callable[[Programs, Sequence[str]], None]
    renewed: tuple[str, ...]
    plugins: Mapping[str, str]
    client: Callable[[Programs], Sequence[str]]
    create_user: Callable[[str, str, str | None], Sequence[str]]


class FamilyServer(LocalServer):
    """A MySQL or MariaDB server.

    The user `opendrs` has what DRS documents for a source's account and no more.
    """

    scheme = "mysql"
    stop_signal = signal.SIGTERM

    def __init__(self, flavour: Flavour, options: Options | None = None) -> None:
        super().__init__(flavour.name, ADMIN, options)
        self.programs = flavour.programs()
        self._flavour = flavour

    @property
    def socket(self) -> Path:
        return self.folder / "m.sock"

    def connect(
        self, database: str | None = None, *, user: str | None = None, **options: Any
    ) -> pymysql.Connection[Any]:
        """An autocommit connection: the administrator's by the socket, another user's by TCP.

        options  of `pymysql.connect`, over those of the harness
        """
        name = user or ADMIN
        settings: dict[str, Any] = {
            "user": name,
            "password": self._passwords[name].encode(),  # text the driver would take for Latin 1
            "database": database,
            "charset": "utf8mb4",
            "autocommit": True,
            "local_infile": True,
            "client_flag": CLIENT.MULTI_STATEMENTS,
        }
        if user is None:
            settings |= {"unix_socket": str(self.socket), "ssl_disabled": True}
        elif self.tls is None:
            settings |= {"host": HOST, "port": self.port, "ssl_disabled": True}
        else:
            settings |= {"host": HOST, "port": self.port, "ssl_ca": str(self.tls.ca)}
            settings |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
        return _connected(settings | options)

    def execute(self, sql: str, params: Any = None, *, database: str | None = None) -> list[Row]:
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = list(cursor.fetchall())
            while cursor.nextset():
                rows = list(cursor.fetchall())
            return rows

    def tool(self, names: Sequence[str], *arguments: str, user: str = USER) -> str:
        """What one of the product's client programs prints, logged in by TCP.

        names  of the program; the first that this version has is taken, such as
               ("mariadb-binlog", "mysqlbinlog")
        """
        login = [f"--host={HOST}", f"--port={self.port}", f"--user={user}", "--protocol=tcp"]
        return run(
            [
                self.programs.path(*names),
                "--no-defaults",
                *login,
                *self._flavour.client(self.programs),
                *arguments,
            ],
            environment={**os.environ, "MYSQL_PWD": self._passwords[user]},
        )

    def create_database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {_quoted(name)}")

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {_quoted(name)}")

    def create_user(
        self,
        name: str,
        password: str,
        *,
        auth: str | None = None,
        privileges: str = SOURCE_PRIVILEGES,
    ) -> None:
        """Make a user, or make him anew, unseen by the binary log.

        auth  the authentication plugin, loaded if need be. Raises ServerUnavailable if this
              server has none of that name.
        """
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            if auth is not None:
                self._load_plugin(cursor, auth)
            for statement in self._flavour.create_user(_text(name), _text(password), auth):
                cursor.execute(statement)
            cursor.execute(f"GRANT {privileges} ON *.* TO {_text(name)}@'%'")
        self._passwords[name] = password

    def _load_plugin(self, cursor: Any, auth: str) -> None:
        if cursor.execute(PLUGIN_ACTIVE, (auth,)):
            return
        reason: object = "unknown"
        if auth in self._flavour.plugins:
            try:
                cursor.execute(self._flavour.plugins[auth])
            except pymysql.MySQLError as error:
                reason = error
        if not cursor.execute(PLUGIN_ACTIVE, (auth,)):
            raise ServerUnavailable(f"{self.name} {self.version} has no {auth}: {reason}")

    # --- life -----------------------------------------------------------------------------

    def _prepare_data(self) -> None:
        (self.folder / "tmp").mkdir()
        if not (self.data / "mysql").is_dir():
            cache.copy_tree(self._template(), self.data)

    def _command(self) -> Command:
        return self._server_command(
            {
                **COMMON_SETTINGS,
                **self._flavour.settings,
                **self._flavour.logging,
                **(DURABLE_SETTINGS if self.options.durable else FAST_SETTINGS),
                **self._tls_settings(),
                "server_id": self.port,  # unique on this machine, as the port is
                **self.settings,
                **self._places(self.data),
                "port": self.port,
            }
        )

    def _answers(self) -> bool:
        return self._can_log_in(ADMIN_PASSWORD)

    def _after_first_start(self) -> None:
        if self.options.auth is not None:
            self.create_user(USER, PASSWORD, auth=self.options.auth)

    def _ask_version(self) -> str:
        return str(self.execute("SELECT version()")[0][0])

    def _can_log_in(self, password: str) -> bool:
        """Whether `root` can, by the socket."""
        if not _listens(self.socket):
            return False
        try:
            pymysql.connect(unix_socket=str(self.socket), user=ADMIN, password=password, ssl_disabled=True).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def _server_command(self, settings: Settings) -> Command:
        self.socket.unlink(missing_ok=True)  # a killed server's
        file = self.folder / "my.cnf"
        lines = [f"{key} = {_setting(value)}" for key, value in settings.items()]
        file.write_text("\n".join(["[mysqld]", *lines, ""]))
        path = os.environ.get("PATH", os.defpath)
        return Command(
            name=self.name,
            argv=[self.programs.path(self._flavour.server), f"--defaults-file={file}"],
            folder=self.folder,
            log=self.log,
            environment={"PATH": path, "HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC"},
            tied=not self.options.detach,
        )

    def _places(self, data: Path) -> dict[str, str | int]:
        return {
            **self._flavour.paths(self.programs),
            **({"user": "root"} if os.geteuid() == 0 else {}),
            "datadir": str(data),
            "tmpdir": str(self.folder / "tmp"),
            "socket": str(self.socket),
            "pid_file": str(self.folder / "m.pid"),
        }

    def _tls_settings(self) -> Settings:
        if self.tls is None:
            return self._flavour.tls_off
        return {
            "ssl_ca": str(self.tls.ca),
            "ssl_cert": str(self.tls.server_certificate),
            "ssl_key": str(self.tls.server_key),
        }

    # --- the template ---------------------------------------------------------------------

    def _template(self) -> Path:
        """An initialised data folder with the two users, kept for later starts."""
        key = cache.fingerprint(TEMPLATE, str(self.programs.prefix), self._flavour.settings)
        place = cache.cache_root() / "templates" / f"{self.name}-{key}"
        return cache.entry(place, self._make_template)

    def _make_template(self, place: Path) -> None:
        data = place / "data"
        data.mkdir()
        settings = {**self._flavour.settings, **self._places(data), **TEMPLATE_SETTINGS}
        command = self._server_command(settings)
        self._flavour.initialise(self.programs, [str(word) for word in command.argv])
        child = self._child_of(command)
        child.wait_until(lambda: self._can_log_in(""), START_TIMEOUT_S)
        try:
            self._make_users()
        finally:
            child.end(signal.SIGTERM, STOP_TIMEOUT_S)
        for name in self._flavour.renewed:
            (data / name).unlink()
        for file in data.iterdir():
            file.rename(place / file.name)
        data.rmdir()

    def _make_users(self) -> None:
        statements = [
            *self._flavour.create_user(_text(USER), _text(PASSWORD), None),
            f"GRANT {SOURCE_PRIVILEGES} ON *.* TO {_text(USER)}@'%'",
            f"CREATE USER {ADMIN}@'%' IDENTIFIED BY {_text(ADMIN_PASSWORD)}",
            f"GRANT ALL ON *.* TO {ADMIN}@'%' WITH GRANT OPTION",
            # Last: it is this session's own user.
            f"ALTER USER {ADMIN}@localhost IDENTIFIED BY {_text(ADMIN_PASSWORD)}",
        ]
        login: dict[str, Any] = {"user": ADMIN, "unix_socket": str(self.socket)}
        with (
            pymysql.connect(**login, ssl_disabled=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)


def _connected(settings: dict[str, Any]) -> pymysql.Connection[Any]:
    """As `pymysql.connect`, which leaves the socket open if nobody listens at its path: whoever asks a server that is
    down, and asks again, would leave a trail of them."""
    path = settings.get("unix_socket")
    if path is None:
        return pymysql.connect(**settings)
    connection = pymysql.connect(**settings, defer_connect=True)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.connect(path)
    except OSError as error:
        end.close()
        raise pymysql.err.OperationalError(2002, f"Can't connect to {path} ({error})") from error
    connection.connect(end)
    return connection


def _listens(path: Path) -> bool:
    """Asked before a driver connects, which leaves its socket open when it is refused."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _setting(value: str | int) -> str:
    """A value as an option file wants it; quoted, for `#` begins a comment there."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
