"""The HTTP server: uvicorn, with patience that ends and heads of requests that have a size."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opendrs.api.app import App

HEAD_S: Final = 15.0  # for the head of a request to arrive
HEAD_MAX: Final = 64 << 10  # bytes of it
KEEP_ALIVE_S: Final = 75
DRAIN_S: Final = 10  # for requests to be answered when the service ends
BACKLOG: Final = 512


class Protocol(HttpToolsProtocol):
    """A connection. uvicorn itself waits for ever for a head that never ends, and takes any amount of it."""

    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._patience is None:
                self._expect_head()
        super().data_received(data)
        # What has come of a body with it does not count against the head, which is over then.
        if self._in_head and self._head_bytes > HEAD_MAX and self.transport is not None:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._heard()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    def _expect_head(self) -> None:
        self._patience = asyncio.get_running_loop().call_later(HEAD_S, self._lost_patience)

    def _heard(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lost_patience(self) -> None:
        self._patience = None
        if self._in_head and self.transport is not None:
            self.transport.close()


def bind(host: str, port: int) -> socket.socket:
    """The socket to listen on; port 0 finds a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def server(app: App, **options: Any) -> uvicorn.Server:
    """A server of the application, to be run on a socket of `bind`."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        **options,
    )
    return uvicorn.Server(config)
