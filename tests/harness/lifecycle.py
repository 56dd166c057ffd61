"""The life of a server on this machine: the part that is the same for every engine."""

from __future__ import annotations

import re
import shutil
import signal
import urllib.parse
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.harness import certificates, shared_memory
from tests.harness.ports import HOST, free_port
from tests.harness.processes import Child, Command, tail
from tests.harness.server import (
    ADMIN_PASSWORD,
    PASSWORD,
    USER,
    Options,
    Row,
    ServerFailed,
    Settings,
    TlsFiles,
)
from tests.harness.workplace import workplace

START_TIMEOUT_S = 120.0  # a start may have to recover from a kill, on a busy machine
STOP_TIMEOUT_S = 60.0
BIND_ATTEMPTS = 5
PORT_TAKEN = re.compile(r"address already in use|do you already have another", re.IGNORECASE)


class LocalDaemon(ABC):
    """What all servers share; `server.Daemon` says what each method promises.

    A kind of server fills in the abstract methods, called in this order: `_prepare_data` once, then
    for each start `_command` and, until it says yes, `_answers`; `_after_first_start` once.
    """

    stop_signal: ClassVar[signal.Signals]
    log_name: ClassVar[str] = "server.log"

    def __init__(self, name: str, options: Options | None) -> None:
        self.name = name
        self.options = options or Options()
        self.tls: TlsFiles | None = None
        self.settings: dict[str, str | int] = {}
        self._folder: Path | None = None
        self._port = self.options.port
        self._child: Child | None = None
        self._version: str | None = None
        self._change_settings(self.options.settings)

    # --- for the kind of server to fill in ------------------------------------------------

    @abstractmethod
    def _prepare_data(self) -> None:
        """Make the data folder, unless it is there already."""

    @abstractmethod
    def _command(self) -> Command:
        """Write the settings, and tell how to run the server with them."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server can be used."""

    @abstractmethod
    def _after_first_start(self) -> None:
        """What can only be set up through the server itself."""

    @abstractmethod
    def _ask_version(self) -> str: ...

    # --- life -----------------------------------------------------------------------------

    def start(self) -> None:
        if self.running:
            raise ServerFailed(f"{self.name} runs already")
        first = self._folder is None
        if first:
            self._prepare()
        for attempt in range(1, BIND_ATTEMPTS + 1):
            try:
                self._launch()
                break
            except ServerFailed as error:
                # Somebody may have taken the port between our look and the server's.
                movable = first and self.options.port is None and PORT_TAKEN.search(str(error))
                if not movable or attempt == BIND_ATTEMPTS:
                    raise
                self._choose_ports()
        if first:
            self._after_first_start()

    def stop(self) -> None:
        if self._child is not None:
            self._child.resume()
            self._child.end(self.stop_signal, STOP_TIMEOUT_S)
            self._child = None

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self, settings: Settings | None = None) -> None:
        self.stop()
        self._change_settings(settings or {})
        self.start()

    def pause(self) -> None:
        self._running_child().pause()

    def resume(self) -> None:
        self._running_child().resume()

    def close(self) -> None:
        if self.options.data is not None and self.running:
            self.stop()  # data that stays is left in good order
        self.kill()
        if self._folder is not None:
            shared_memory.release_below(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._port = self.options.port

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- facts ----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running()

    @property
    def port(self) -> int:
        if self._port is None:
            raise ServerFailed(f"{self.name} was not started")
        return self._port

    @property
    def pid(self) -> int:
        return self._running_child().pid

    @property
    def folder(self) -> Path:
        """Where the log, the socket, the settings and temporary data are."""
        if self._folder is None:
            raise ServerFailed(f"{self.name} was not started")
        return self._folder

    @property
    def data(self) -> Path:
        return self.options.data or self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / self.log_name

    @property
    def version(self) -> str:
        if self._version is None:
            self._version = self._ask_version()
        return self._version

    def log_tail(self, lines: int = 40) -> str:
        return tail(self.log, lines)

    # --- inside ---------------------------------------------------------------------------

    def _change_settings(self, settings: Settings) -> None:
        self.settings |= settings

    def _choose_ports(self) -> None:
        self._port = self.options.port or free_port()

    def _prepare(self) -> None:
        self._folder = workplace().folder(self.name)
        self._choose_ports()
        if self.options.tls:
            self.tls = certificates.make(self._folder / "tls")
        self._prepare_data()

    def _launch(self) -> None:
        child = self._child_of(self._command())
        child.wait_until(self._answers, START_TIMEOUT_S)
        self._child = child

    def _child_of(self, command: Command) -> Child:
        return Child(command, workplace().record(self.folder.name))

    def _running_child(self) -> Child:
        if self._child is None:
            raise ServerFailed(f"{self.name} does not run")
        return self._child


class LocalServer(LocalDaemon):
    """What database servers share; `server.Server` says what each method promises."""

    scheme: ClassVar[str]
    home: ClassVar[str] = ""  # the database that a URL names when none is asked for

    def __init__(self, name: str, admin: str, options: Options | None) -> None:
        super().__init__(name, options)
        self.admin = admin
        self._passwords = {admin: ADMIN_PASSWORD, USER: PASSWORD}

    @abstractmethod
    def connect(self, database: str | None = None, *, user: str | None = None) -> Any: ...

    @abstractmethod
    def execute(self, sql: str, params: Any = None, *, database: str | None = None) -> list[Row]: ...

    def url(self, database: str | None = None, *, user: str = USER, password: str | None = None) -> str:
        words = [user, self._passwords[user] if password is None else password, database or self.home]
        name, secret, path = (urllib.parse.quote(word, safe="") for word in words)
        return f"{self.scheme}://{name}:{secret}@{HOST}:{self.port}/{path}".rstrip("/")

    def _change_settings(self, settings: Settings) -> None:
        """Option files take a dash for an underline."""
        super()._change_settings({key.replace("-", "_"): value for key, value in settings.items()})
