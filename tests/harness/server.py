"""What a test can ask of any server, whatever its kind: of its life, and of a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

USER = "opendrs"
PASSWORD = "opendrs-Secret-1"
ADMIN_PASSWORD = "opendrs-Admin-1"

Row = tuple[Any, ...]  # values as the driver gives them
Settings = Mapping[str, str | int]


class ServerUnavailable(Exception):
    """This server cannot be had on this machine; the message says why. Tests skip on it."""


class ServerFailed(Exception):
    """The server is there but did not do what it was told; the message ends with its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server is set up.

    settings  the server's own settings, over those of the harness
    auth      how the user `opendrs` proves who he is: an authentication plugin of MySQL or
              MariaDB, or `scram-sha-256`, `md5` or `trust` for PostgreSQL; None: the default
    tls       serve TLS with a throw-away authority's certificate; without it TLS is off
    durable   wait for the disk at each commit; without it committed data outlives the server's
              death, but not the machine's
    data      keep the data in this folder, and use what is there; None: a temporary folder
    port      listen here; None: any free port
    detach    let the server live on when this process dies (the next start of any server of the
              harness ends it)
    """

    settings: Settings = field(default_factory=dict)
    auth: str | None = None
    tls: bool = False
    durable: bool = False
    data: Path | None = None
    port: int | None = None
    detach: bool = False


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Throw-away certificates: whom to trust, and who the server and the client are."""

    ca: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path


class Daemon(Protocol):
    """One server of any kind. As a context manager it is started, and at the end thrown away."""

    name: str
    options: Options
    tls: TlsFiles | None

    @property
    def port(self) -> int: ...

    @property
    def pid(self) -> int: ...

    @property
    def data(self) -> Path: ...

    @property
    def version(self) -> str:
        """What the server itself calls its version."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None:
        """Return when the server answers. Raises ServerUnavailable or ServerFailed."""

    def stop(self) -> None:
        """Shut down in an orderly way. The data stays."""

    def kill(self) -> None:
        """SIGKILL to every process of the server. The data stays."""

    def restart(self, settings: Settings | None = None) -> None:
        """Stop if running and start again on the same port, with `settings` over the old ones."""

    def pause(self) -> None:
        """SIGSTOP: connections stay, nothing answers."""

    def resume(self) -> None: ...

    def close(self) -> None:
        """Throw the server away, its temporary data too. Safe to call twice."""

    def log_tail(self, lines: int = 40) -> str: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class Server(Daemon, Protocol):
    """One database server."""

    admin: str  # the name of the all-powerful user

    def url(self, database: str | None = None, *, user: str = USER, password: str | None = None) -> str: ...

    def connect(self, database: str | None = None, *, user: str | None = None) -> Any:
        """A driver's connection with autocommit; without `user` the all-powerful one."""

    def execute(self, sql: str, params: Any = None, *, database: str | None = None) -> list[Row]:
        """Run SQL as the all-powerful user in a session of its own; rows of the last statement."""

    def create_database(self, name: str) -> None: ...

    def drop_database(self, name: str) -> None: ...
