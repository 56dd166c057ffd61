"""What `opendrs serve` does: the store, the identity, the process that looks after the workers, the API."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from opendrs.api.app import App
from opendrs.api.gateway import Gateway
from opendrs.api.server import bind, server
from opendrs.cli.exits import Code
from opendrs.errors import DrsError, Fault
from opendrs.model.caller import Shown
from opendrs.model.endpoint import Secret
from opendrs.settings import ServiceState
from opendrs.settings import identity as wanted_identity
from opendrs.store import identity, sealing
from opendrs.store.database import open_store
from opendrs.store.sealing import Seal
from opendrs.telemetry import context, log_to_stream
from opendrs.worker.document import Document
from opendrs.worker.starting import without_secrets

LOCK: Final = "serve.lock"
AGAIN_S: Final = 1.0  # before a process that has died is followed by another
LEAVE_S: Final = 60.0  # for the workers to come to rest
LOOK_S: Final = 0.5

log = logging.getLogger("opendrs.service")


def execute(place: ServiceState, listen: str, *, runners: int, tls: Mapping[str, Any] | None = None) -> Code:
    """Serves until it is asked to end. Raises DrsError before it has begun.

    tls   options of uvicorn; None or empty: plain HTTP
    """
    host, port = address(listen)
    place.prepare()
    with _alone(place):
        store = open_store(place.url, pinned=True)
        try:
            key = sealing.read_key(place.folder, os.environ)
            seal = Seal(key)
            shown = identity.ensure(store, seal, wanted_identity(os.environ))
            document = Document(state=place.url, key=key, folder=place.folder, runners=runners)
            log_to_stream(sys.stderr, document.mask(), part="api")
            try:
                listener = bind(host, port)
            except OSError as error:
                reason = f"{listen}: {error.strerror or error}"
                raise DrsError(Fault.SETTING_INVALID, name="--listen", reason=reason) from error
            # uvicorn takes signals while it runs, and raises them anew for us when it has ended.
            with _noted() as pressed, listener, _Workers(document, pressed) as workers:
                gateway = Gateway(store, seal, folder=place.folder, trouble=workers.trouble)
                gateway.uploads.clear()
                api = server(App(gateway), **(tls or {}))
                pressed.heard = lambda: setattr(api, "should_exit", True)
                _greet("https" if tls else "http", host, listener.getsockname()[1], shown)
                gc.collect()
                gc.freeze()  # a request must not wait for the collector to look at all modules once more
                api.should_exit = pressed.count > 0
                api.run(sockets=[listener])
                log.info("the service ends; its jobs come to rest", extra=context("service.ends"))
            return Code.DONE
        finally:
            store.close()


def tls(certificate: Path | None, key: Path | None) -> dict[str, Any]:
    """What uvicorn needs to serve HTTPS. Raises SETTING_INVALID."""
    if certificate is None and key is None:
        return {}
    if certificate is None or key is None:
        missing = "--tls-cert" if certificate is None else "--tls-key"
        raise DrsError(Fault.SETTING_INVALID, name=missing, reason="a certificate and its key come together")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        reason = f"{certificate} and {key} cannot be used: {error.strerror or error}"
        raise DrsError(Fault.SETTING_INVALID, name="--tls-cert", reason=reason) from error
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}


def address(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises SETTING_INVALID."""
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise DrsError(Fault.SETTING_INVALID, name="--listen", reason=f"{listen!r} is not HOST:PORT")
    return host, int(port)


@contextmanager
def _alone(place: ServiceState) -> Iterator[None]:
    """Two services in one folder would take each other's files."""
    with (place.folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            reason = f"a service runs in {place.folder} already (process {lock.read().strip() or 'unknown'})"
            raise DrsError(Fault.SETTING_INVALID, name="--data", reason=reason) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


class _Pressed:
    """How often we were asked to end; `heard` is called each time."""

    def __init__(self) -> None:
        self.count = 0
        self.heard: Callable[[], object] = int

    def __call__(self, *_: object) -> None:
        self.count += 1
        self.heard()


@contextmanager
def _noted() -> Iterator[_Pressed]:
    """Counts signals instead of obeying them."""
    pressed = _Pressed()
    before = {one: signal.signal(one, pressed) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Workers:
    """The process that looks after the workers; if it dies, another one follows, and finds them all.

    pressed   the signals that have come: a second one does not wait for the workers to come to rest
    """

    def __init__(self, document: Document, pressed: _Pressed) -> None:
        self._document = document
        self._pressed = pressed
        self._ending = threading.Event()
        self._popen: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="workers", daemon=True)

    def __enter__(self) -> _Workers:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ending.set()
        deadline = time.monotonic() + LEAVE_S
        while self._thread.is_alive() and self._pressed.count < 2 and time.monotonic() < deadline:
            if self._popen is not None and self._popen.poll() is None:
                self._popen.terminate()
            self._thread.join(LOOK_S)

    def trouble(self) -> str:
        """Why no job can be worked at now; empty: all is well."""
        popen = self._popen
        return "" if popen is not None and popen.poll() is None else "nobody looks after the workers"

    def _keep(self) -> None:
        while not self._ending.is_set():
            try:
                self._popen = popen = self._started()
            except OSError as error:  # the machine has no room for one now
                log.error(
                    "the process that looks after the workers cannot be started", extra=context("", reason=str(error))
                )
                self._ending.wait(AGAIN_S)
                continue
            status = popen.wait()
            if not self._ending.is_set():
                log.error("the process that looks after the workers has died", extra=context("", status=status))
                self._ending.wait(AGAIN_S)

    def _started(self) -> subprocess.Popen[bytes]:
        """Its standard input stays open for as long as we live. A Ctrl-C of a terminal is for us alone."""
        argv = [sys.executable, "-P", "-m", "opendrs.worker.main"]
        popen = subprocess.Popen(argv, stdin=subprocess.PIPE, env=without_secrets(os.environ), start_new_session=True)
        assert popen.stdin is not None
        try:
            popen.stdin.write(self._document.line())
            popen.stdin.flush()
        except BrokenPipeError:
            pass  # it ended at once, and that is seen
        return popen


def _greet(scheme: str, host: str, port: int, shown: Shown | None) -> None:
    """What a person, or a script, needs to know; on the standard output, where no log goes."""
    place = f"[{host}]" if ":" in host else host
    lines = [f"OpenDRS serves {scheme}://{place}:{port}"]
    if scheme == "http" and not _local(host):
        lines.append("Passwords of databases are sent in the clear here: give --tls-cert, or put a TLS proxy in front.")
    if shown is not None:
        lines += ["", "The identity of this service. What is secret in it is shown this once:", *_lines(shown), ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lines(shown: Shown) -> list[str]:
    facts = {
        "project id": shown.caller.project_id,
        "user": shown.caller.user_name,
        "password": shown.password,
        "access key": shown.access_key,
        "secret key": shown.secret_key,
    }
    return [
        f"  {name:<11} {value.reveal() if isinstance(value, Secret) else value}"
        for name, value in facts.items()
        if value is not None
    ]
