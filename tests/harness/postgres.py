"""PostgreSQL 15 (Debian), 16 and 18 (Python packages that carry the server)."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql as pgsql

from tests.harness import cache
from tests.harness.commands import run
from tests.harness.lifecycle import LocalServer
from tests.harness.packages import Programs, postgres_15, postgres_16, postgres_18
from tests.harness.ports import HOST
from tests.harness.processes import Command
from tests.harness.server import (
    ADMIN_PASSWORD,
    PASSWORD,
    USER,
    Options,
    Row,
    ServerFailed,
    ServerUnavailable,
    Settings,
)

ADMIN = "postgres"
VERSIONS: dict[int, Callable[[], Programs]] = {15: postgres_15, 16: postgres_16, 18: postgres_18}
AUTH = ("scram-sha-256", "md5", "trust")
SETTINGS_FILE = "harness.conf"
TEMPLATE = 1  # changes when the way of making a template changes

COMMON_SETTINGS: Settings = {
    "listen_addresses": HOST,
    "wal_level": "logical",
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "max_prepared_transactions": 10,
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",
    # Files in the data folder, which go with it; in /dev/shm a killed server's would stay.
    "dynamic_shared_memory_type": "mmap",
}
# A commit is handed to the system all the same (synchronous_commit stays on), so that it outlives
# SIGKILL; full_page_writes stays on, for SIGKILL may tear a page in two.
FAST_SETTINGS: Settings = {"fsync": "off"}
DURABLE_SETTINGS: Settings = {"fsync": "on"}


class Postgres(LocalServer):
    """A PostgreSQL server; see `server.Server` for what each method promises.

    The user `opendrs` may create databases and replicate, and logs in by TCP with a password; by
    the socket everybody is trusted.
    """

    scheme = "postgresql"
    home = "postgres"
    stop_signal = signal.SIGINT  # a fast shutdown: sessions are ended, not waited for

    def __init__(self, major: int = 15, options: Options | None = None) -> None:
        super().__init__(f"postgres-{major}", ADMIN, options)
        self.programs = VERSIONS[major]()
        self.auth = self.options.auth or AUTH[0]
        if self.auth not in AUTH:
            raise ServerUnavailable(f"the harness knows {AUTH} for PostgreSQL, not {self.auth}")
        self._account = _account()

    # --- SQL ------------------------------------------------------------------------------

    def connect(
        self, database: str | None = None, *, user: str | None = None, **options: Any
    ) -> psycopg.Connection[Row]:
        """An autocommit connection: the administrator's by the socket, another user's by TCP.

        options  of `psycopg.connect`, over those of the harness
        """
        name = user or ADMIN
        settings: dict[str, Any] = {
            "host": str(self.folder) if user is None else HOST,
            "port": self.port,
            "user": name,
            "password": self._passwords[name],
            "dbname": database or self.home,
            "autocommit": True,
            "sslmode": "disable",
        }
        if user is not None and self.tls is not None:
            settings |= {"sslmode": "verify-full", "sslrootcert": str(self.tls.ca)}
        return psycopg.connect(**(settings | options))

    def execute(self, sql: str, params: Any = None, *, database: str | None = None) -> list[Row]:
        with self.connect(database) as connection:
            cursor = connection.execute(sql.encode(), params)
            rows: list[Row] = []
            more: bool | None = True
            while more:
                rows = cursor.fetchall() if cursor.description else []
                more = cursor.nextset()
            return rows

    def create_database(self, name: str) -> None:
        with self.connect() as connection:
            names = (pgsql.Identifier(name), pgsql.Identifier(USER))
            connection.execute(pgsql.SQL("CREATE DATABASE {} OWNER {}").format(*names))

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            text = pgsql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(text.format(pgsql.Identifier(name)))

    # --- inside ---------------------------------------------------------------------------

    def _prepare_data(self) -> None:
        parent = self.data.parent
        if self._account is not None and not cache.reachable_by_others(parent):
            raise ServerFailed(f"PostgreSQL does not run as root, and others cannot enter {parent}")
        if not (self.data / "PG_VERSION").is_file():
            cache.copy_tree(self._template(), self.data)
        self.data.chmod(0o700)
        self._give_away(self.folder, self.data)
        if self.tls is not None and "OpenSSL" not in self._run("postgres", "-D", self.data, "-C", "ssl_library"):
            raise ServerUnavailable(f"{self.name} was built without TLS: {self.programs.prefix}")

    def _command(self) -> Command:
        self._write_settings()
        return Command(
            name=self.name,
            argv=[self.programs.path("postgres"), "-D", self.data],
            folder=self.folder,
            log=self.log,
            environment=_environment(),
            account=self._account,
            tied=not self.options.detach,
        )

    def _after_first_start(self) -> None:
        pass  # all is in the template

    def _ask_version(self) -> str:
        return str(self.execute("SHOW server_version")[0][0])

    def _answers(self) -> bool:
        if not (self.folder / f".s.PGSQL.{self.port}").exists():
            return False
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _write_settings(self) -> None:
        settings = {
            **COMMON_SETTINGS,
            **(DURABLE_SETTINGS if self.options.durable else FAST_SETTINGS),
            **self._tls_settings(),
            "password_encryption": "md5" if self.auth == "md5" else "scram-sha-256",
            **self.settings,
            "port": self.port,
            "unix_socket_directories": str(self.folder),
        }
        lines = [f"{key} = {_setting(value)}" for key, value in settings.items()]
        (self.data / SETTINGS_FILE).write_text("\n".join([*lines, ""]))
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\nlocal replication all trust\n"
            f"host all all {HOST}/32 {self.auth}\nhost replication all {HOST}/32 {self.auth}\n"
        )
        self._give_away(self.data / SETTINGS_FILE, self.data / "pg_hba.conf")

    def _tls_settings(self) -> Settings:
        if self.tls is None:
            return {}
        return {
            "ssl": "on",
            "ssl_ca_file": str(self.tls.ca),
            "ssl_cert_file": str(self.tls.server_certificate),
            "ssl_key_file": str(self.tls.server_key),
        }

    # --- the template ---------------------------------------------------------------------

    def _template(self) -> Path:
        """An initialised data folder with the two users, kept for later starts."""
        version = self._run("postgres", "--version")
        hashed = "md5" if self.auth == "md5" else "scram"
        key = cache.fingerprint(TEMPLATE, version, str(self.programs.prefix), hashed)
        place = cache.cache_root() / "templates" / f"{self.name}-{hashed}-{key}"
        return cache.entry(place, self._make_template)

    def _make_template(self, place: Path) -> None:
        # Not below the cache, which the server's account may not be able to reach.
        data = self.folder / "template"
        data.mkdir(mode=0o700)
        self._give_away(data)
        words = ["-U", ADMIN, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync"]
        self._run("initdb", "-D", data, *words)
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"\ninclude_if_exists = '{SETTINGS_FILE}'\n")
        hashed = "md5" if self.auth == "md5" else "scram-sha-256"
        words = ["-c", f"password_encryption={hashed}", "-c", "fsync=off", "postgres"]
        users = (
            f"ALTER ROLE {ADMIN} PASSWORD '{ADMIN_PASSWORD}';\n"
            f"CREATE ROLE {USER} LOGIN CREATEDB REPLICATION PASSWORD '{PASSWORD}';\n"
        )
        self._run("postgres", "--single", "-D", data, *words, stdin=users.encode())
        cache.copy_tree(data, place)
        shutil.rmtree(data)

    # --- the account ----------------------------------------------------------------------

    def _run(self, program: str, *arguments: str | Path, stdin: bytes = b"") -> str:
        """Run one of the server's programs to its end, as the server's account."""
        uid, gid = self._account or (None, None)
        return run(
            [self.programs.path(program), *arguments],
            stdin=stdin,
            user=uid,
            group=gid,
            cwd=self.folder,
            environment=_environment(),
        )

    def _give_away(self, *paths: Path) -> None:
        """Make the server's account the owner, of folders with all they hold."""
        if self._account is not None:
            run(["chown", "-R", f"{self._account[0]}:{self._account[1]}", *paths])


def _account() -> tuple[int, int] | None:
    """Whom to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise ServerUnavailable("PostgreSQL refuses root, and there is no user postgres or nobody")


def _environment() -> dict[str, str]:
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": "/", "LC_ALL": "C", "TZ": "UTC"}


def _setting(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
