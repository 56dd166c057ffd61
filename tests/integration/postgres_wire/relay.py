"""Somebody between client and server: counts turns, or sits in the middle of an encrypted connection."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.harness.ports import HOST
from tests.harness.server import TlsFiles


class Relay:
    """Passes one connection on. `turns` counts how often the client spoke after the server had.

    With `tls` it does as the server does: it takes the client's request for encryption and shows a
    certificate of its own; towards the server it encrypts anew.
    """

    def __init__(self, port: int, tls: TlsFiles | None = None) -> None:
        self.turns = 0
        self._last = "server"
        self._target, self._tls = port, tls
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            server = socket.create_connection((HOST, self._target))
            self._sockets += [client, server]
            if self._tls is not None:
                client, server = self._encrypt(client, server, self._tls)
                self._sockets += [client, server]
            for source, sink, name in ((client, server, "client"), (server, client, "server")):
                self._threads.append(threading.Thread(target=self._pass, args=(source, sink, name), daemon=True))
                self._threads[-1].start()

    def _encrypt(
        self, client: socket.socket, server: socket.socket, tls: TlsFiles
    ) -> tuple[socket.socket, socket.socket]:
        server.sendall(client.recv(8))
        client.sendall(server.recv(1))
        towards_server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        towards_server.check_hostname, towards_server.verify_mode = False, ssl.CERT_NONE
        towards_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        towards_client.load_cert_chain(tls.server_certificate, tls.server_key)
        return towards_client.wrap_socket(client, server_side=True), towards_server.wrap_socket(server)

    def _pass(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    if name == "client" and self._last == "server":
                        self.turns += 1
                    self._last = name
                sink.sendall(data)
            sink.close()

    def close(self) -> None:
        for opened in (self._listener, *self._sockets):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
