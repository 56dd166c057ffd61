"""The HTTP server: uvicorn, with patience that ends and heads of requests that have a size."""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from opendrs.api.app import App, refusal
from opendrs.errors import DrsError, Fault

DRAIN_S: Final = 10  # for requests to be answered when the service ends
BACKLOG: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What one connection may take.

    head_s      for the head of a request to arrive; head_bytes of it
    framing_bytes  of a body that are none of its content (sizes of chunks, trailers), beside 16 for each that is
    idle_s      between two requests
    take_s      for what was answered to be taken
    connections at a time
    """

    head_s: float = 15.0
    head_bytes: int = 64 << 10
    framing_bytes: int = 1 << 20
    idle_s: int = 75
    take_s: float = 60.0
    connections: int = 2000


class Protocol(HttpToolsProtocol):
    """A connection. uvicorn itself waits for ever for a head that never ends and for a client that takes no answer,
    and takes any amount of heads, sizes of chunks and trailers."""

    _head_bytes = 0
    _framing_bytes = 0
    _waits: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _worked_at: RequestResponseCycle | None = None
    _in_head = True
    _refused = False

    def __init__(self, *, patience: Patience, **facts: Any) -> None:
        super().__init__(**facts)
        self._patience = patience

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._patience.connections:
            self._refuse(DrsError(Fault.TOO_SLOW, reason="there are too many connections"))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        self._taken()
        self.pipeline.clear()
        self._forsake()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._waits is None:
                self._expect_head()
        else:
            self._framing_bytes += len(data)
        super().data_received(data)
        # What has come of a body with it does not count against the head, which is over then.
        if self._in_head and self._head_bytes > self._patience.head_bytes:
            most = self._patience.head_bytes
            self._refuse(DrsError(Fault.REQUEST_INVALID, reason=f"its head has more than {most} bytes"))
        elif self._framing_bytes > self._patience.framing_bytes:
            self._refuse(DrsError(Fault.REQUEST_INVALID, reason="its body is hardly more than sizes of chunks"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers mean nothing to us, and there may be any number of them
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes, self._framing_bytes = False, 0, 0
        self._heard()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = max(0, self._framing_bytes - 16 * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._framing_bytes = True, 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_taking()

    def send_400_response(self, msg: str) -> None:
        """For what is no HTTP."""
        del msg
        self._refuse(DrsError(Fault.REQUEST_INVALID, reason="it is not as HTTP wants it"))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._taken()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_taking()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._expect_taking()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._worked_at = cycle
        super()._start_asgi_task(cycle, app)

    def _refuse(self, error: DrsError) -> None:
        """Says why, and hears no more. A request before it that is whole is answered first, and all is over then."""
        self._refused = True
        self._heard()
        self.pipeline.clear()
        if self.transport.is_closing():
            return
        before = self._worked_at
        if before is not None and not before.response_complete and not before.more_body:
            before.keep_alive = False
            return
        self._forsake()
        self.transport.write(_as_bytes(error))
        self.transport.close()
        self._expect_taking()

    def _forsake(self) -> None:
        """Nobody waits for the answer to what is being worked at."""
        if self._worked_at is not None and not self._worked_at.response_complete:
            self._worked_at.disconnected = True
            self._worked_at.message_event.set()

    def _expect_head(self) -> None:
        self._waits = self.loop.call_later(self._patience.head_s, self._lost_patience)

    def _heard(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _lost_patience(self) -> None:
        self._waits = None
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_bytes:
            self._refuse(DrsError(Fault.TOO_SLOW, reason="the request did not arrive in time"))
        else:
            self.transport.close()

    def _expect_taking(self) -> None:
        """What was written lies in our memory until the other side takes it: closing waits for that, for ever."""
        if self._taking is None:
            self._taking = self.loop.call_later(self._patience.take_s, self.transport.abort)

    def _taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None


def _as_bytes(error: DrsError) -> bytes:
    answer = refusal(error)
    status = HTTPStatus(answer.status)
    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


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


def server(app: App, patience: Patience | None = None, **options: Any) -> uvicorn.Server:
    """A server of the application, to be run on a socket of `bind`."""
    patience = patience or Patience()
    # Half of the files that we may open are kept for the store and the workers.
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY:
        patience = replace(patience, connections=min(patience.connections, files // 2))
    config = uvicorn.Config(
        app,
        http=partial(Protocol, patience=patience),  # type: ignore[arg-type]
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=patience.idle_s,
        timeout_graceful_shutdown=DRAIN_S,
        **options,
    )
    return uvicorn.Server(config)
