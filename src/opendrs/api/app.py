"""The ASGI application: takes requests in, within limits, and has the gateway answer them on threads.

This is the only asynchronous code of the product: it waits for clients, and for nothing else.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from opendrs.api.errors import document
from opendrs.api.gateway import BODY_MAX, JSON, Answer, Gateway, as_json
from opendrs.errors import DrsError, Fault
from opendrs.signature import Call as Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NO_ID: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may ask of the service at most.

    threads      requests that are worked at at a time
    waiting      requests that are there at a time, worked at or not
    body_bytes   of one request; all_bytes: of all that are there
    body_s       for the body of a request to arrive
    answer_s     for an answer to be made; send_s: for it to be taken
    """

    threads: int = 16
    waiting: int = 256
    body_bytes: int = BODY_MAX
    all_bytes: int = 8 * BODY_MAX
    body_s: float = 30.0
    answer_s: float = 60.0
    send_s: float = 60.0


class _Gone(Exception):
    """The client has left."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, and who waits for its answer."""

    request: Request
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Answer]

    def take(self, answer: Answer) -> None:
        """In the loop; whoever waited may have given up."""
        if not self.answer.done():
            self.answer.set_result(answer)


class _Threads:
    """Threads that have the gateway answer. An executor does the same with three times the work a request."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        self.gateway = gateway
        self._waiting: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._number = number
        for n in range(number):
            threading.Thread(target=self._work, name=f"api-{n}", daemon=True).start()

    async def answer(self, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        asked = _Asked(request, loop, loop.create_future())
        self._waiting.put(asked)
        return await asked.answer

    def close(self) -> None:
        """They end when they have answered what is there."""
        for _ in range(self._number):
            self._waiting.put(None)

    def _work(self) -> None:
        while (asked := self._waiting.get()) is not None:
            if asked.answer.cancelled():
                continue  # nobody waits any more
            answer = self.gateway.answer(asked.request)
            with suppress(RuntimeError):  # the loop is closed: the service has ended
                asked.loop.call_soon_threadsafe(asked.take, answer)


class App:
    """Threads of its own, so that whatever else the process does cannot use them up."""

    def __init__(self, gateway: Gateway, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._threads = _Threads(gateway, self._limits.threads)
        self._there = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._threads.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._there += 1
        taken = 0
        try:
            if self._there > self._limits.waiting:
                raise DrsError(Fault.TOO_SLOW, reason="too many requests are being answered")
            body = bytearray()
            async with asyncio.timeout(self._limits.body_s):
                while True:
                    part, more = await _part(receive)
                    taken += len(part)
                    self._bytes += len(part)
                    self._demand_room(len(body) + len(part))
                    body += part
                    if not more:
                        break
            request = _request(scope, bytes(body))
            # What takes less than to hand it over is done here.
            answer = self._threads.gateway.glance(request) or await self._answered(request)
        except _Gone:
            return
        except TimeoutError:
            answer = _refused(DrsError(Fault.TOO_SLOW, reason="the request did not arrive in time"))
        except DrsError as error:
            answer = _refused(error)
        finally:
            self._there -= 1
            self._bytes -= taken
        await self._send(send, answer, with_body=scope["method"] != "HEAD")

    def _demand_room(self, size: int) -> None:
        if size > self._limits.body_bytes:
            raise DrsError(Fault.BODY_TOO_LARGE, most=self._limits.body_bytes)
        if self._bytes > self._limits.all_bytes:
            raise DrsError(Fault.TOO_SLOW, reason="too much is being sent at a time")

    async def _answered(self, request: Request) -> Answer:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await self._threads.answer(request)
        except TimeoutError:
            # The thread goes on until its store gives up; the client need not wait for that.
            raise DrsError(Fault.TOO_SLOW, reason="the answer took too long") from None

    async def _send(self, send: Send, answer: Answer, *, with_body: bool) -> None:
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()),
        ]
        async with asyncio.timeout(self._limits.send_s):
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body if with_body else b""})


async def _part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _Gone
    return message.get("body", b""), message.get("more_body", False)


def _request(scope: Scope, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
    )


def _refused(error: DrsError) -> Answer:
    """Before anybody has looked at the request; the rest of its body is not waited for."""
    body = as_json(document(error, NO_ID))
    return Answer(status=error.fault.spec.status, body=body, content_type=JSON, headers={"Connection": "close"})
