"""The ASGI application: takes requests in, within limits, and has the gateway answer them on threads.

This is the only asynchronous code of the product: it waits for clients, and for nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

from opendrs.api.errors import document
from opendrs.api.gateway import BODY_MAX, JSON, REQUEST_ID, Answer, Gateway, as_json
from opendrs.api.uploading import FRAME_MAX, Arriving
from opendrs.errors import DrsError, Fault
from opendrs.signature import Call as Request
from opendrs.telemetry import context

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

READING: Final = ("GET", "HEAD")
HEALTH: Final = b"/healthz"
PORTION: Final = 1 << 16  # of a file that is sent

log = logging.getLogger("opendrs.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may ask of the service at most.

    reading      requests that are worked at at a time and only read: few, for only one thread runs Python at a time,
                 and with more of them each takes longer
    writing      others: many, for a store has one writer at a time, and who waits for it does nothing
    waiting      requests that are there at a time, worked at or not
    body_bytes   of one request; all_bytes: of all that are there
    body_s       for the body of a request to arrive
    file_s       the same, if it is a file
    answer_s     for an answer to be made
    linger_s     for the rest of a body that is refused to pass by unread: a client that has not sent all of it
                 reads no answer
    """

    reading: int = 4
    writing: int = 16
    waiting: int = 256
    body_bytes: int = BODY_MAX
    all_bytes: int = 8 * BODY_MAX
    body_s: float = 30.0
    file_s: float = 180.0
    answer_s: float = 60.0
    linger_s: float = 10.0


class _Gone(Exception):
    """The client has left."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, and who waits for its answer. `arrived`: its body, if that is on disk."""

    request: Request
    arrived: Arriving | None
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Answer]

    def take(self, answer: Answer) -> None:
        """In the loop; whoever waited may have given up."""
        if not self.answer.done():
            self.answer.set_result(answer)
        elif answer.file is not None:
            answer.file.source.close()


class _Threads:
    """Threads that have the gateway answer. An executor does the same with three times the work a request."""

    def __init__(self, gateway: Gateway, number: int, name: str) -> None:
        self._gateway = gateway
        self._number = number
        self._waiting: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        for one in range(number):
            threading.Thread(target=self._work, name=f"{name}-{one}", daemon=True).start()

    async def answer(self, request: Request, arrived: Arriving | None) -> Answer:
        loop = asyncio.get_running_loop()
        asked = _Asked(request, arrived, loop, loop.create_future())
        self._waiting.put(asked)
        return await asked.answer

    def close(self) -> None:
        """They end when they have answered what is there."""
        for _ in range(self._number):
            self._waiting.put(None)

    def _work(self) -> None:
        while (asked := self._waiting.get()) is not None:
            if asked.answer.cancelled():  # nobody waits any more
                if asked.arrived is not None:
                    asked.arrived.discard()
                continue
            answer = self._gateway.answer(asked.request, arrived=asked.arrived)
            with suppress(RuntimeError):  # the loop is closed: the service has ended
                asked.loop.call_soon_threadsafe(asked.take, answer)


class App:
    """Threads of its own, so that whatever else the process does cannot use them up."""

    def __init__(self, gateway: Gateway, limits: Limits | None = None) -> None:
        self._gateway = gateway
        self._limits = limits or Limits()
        self._reading = _Threads(gateway, self._limits.reading, "api-reads")
        self._writing = _Threads(gateway, self._limits.writing, "api-writes")
        self._there = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, _Incoming(receive, asked=not _header(scope, b"expect")), send)
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
                for threads in (self._reading, self._writing):
                    threads.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, incoming: _Incoming, send: Send) -> None:
        try:
            try:
                answer = await self._worked_at(scope, incoming)
            except DrsError as error:
                answer = refusal(error, _header(scope, b"x-language"))
                await incoming.let_pass(self._limits.linger_s)
        except _Gone:
            return
        await _send(send, answer, with_body=scope["method"] != "HEAD")

    async def _worked_at(self, scope: Scope, incoming: _Incoming) -> Answer:
        """A request and its body count from here to the answer. Raises BODY_TOO_LARGE, TOO_SLOW."""
        if scope["raw_path"] == HEALTH:  # it waits for nothing, and must be told when all others do
            return self._gateway.answer(_request(scope, b""))
        if self._there >= self._limits.waiting:
            raise DrsError(Fault.TOO_SLOW, reason="too many requests are being answered")
        head = _request(scope, b"")
        file_most = self._gateway.upload_max(head) if _has_body(scope) else None
        body: _Body = _InMemory() if file_most is None else _OnDisk(self._gateway.uploads.begin(), file_most)
        self._there += 1
        try:
            await self._take(scope, incoming, body)
            return await self._answered(body.request(head), body.arrived())
        finally:
            self._there -= 1
            self._bytes -= body.size
            body.forget()

    async def _take(self, scope: Scope, incoming: _Incoming, body: _Body) -> None:
        if not _has_body(scope):
            return
        self._demand_room(_declared(scope), body)
        try:
            async with asyncio.timeout(self._limits.body_s if body.most is None else self._limits.file_s):
                while not incoming.over:
                    part = await incoming.part()
                    await body.add(part)
                    self._bytes += len(part)
                    self._demand_room(body.size, body)
        except TimeoutError:
            raise DrsError(Fault.TOO_SLOW, reason="the request did not arrive in time") from None

    def _demand_room(self, size: int, body: _Body) -> None:
        if size > self._limits.body_bytes:
            raise DrsError(Fault.BODY_TOO_LARGE, most=self._limits.body_bytes)
        if body.most is not None and size > body.most + FRAME_MAX:
            raise DrsError(Fault.FILE_REFUSED, file="that was sent", reason=f"it has more than {body.most} bytes")
        if self._bytes > self._limits.all_bytes:
            raise DrsError(Fault.TOO_SLOW, reason="too much is being sent at a time")

    async def _answered(self, request: Request, arrived: Arriving | None) -> Answer:
        # What takes less than to hand it over is done here.
        if (glanced := self._gateway.glance(request)) is not None:
            return glanced
        threads = self._reading if request.method in READING else self._writing
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await threads.answer(request, arrived)
        except TimeoutError:
            # The thread goes on until its store gives up; the client need not wait for that.
            raise DrsError(Fault.TOO_SLOW, reason="the answer took too long") from None


class _InMemory:
    """A body that is JSON, or that nobody will look at."""

    most = None

    def __init__(self) -> None:
        self._body = bytearray()

    @property
    def size(self) -> int:
        return len(self._body)

    async def add(self, part: bytes) -> None:
        self._body += part

    def request(self, head: Request) -> Request:
        return replace(head, body=bytes(self._body))

    def arrived(self) -> None:
        return None

    def forget(self) -> None:
        pass


class _OnDisk:
    """A body that is a file."""

    def __init__(self, arriving: Arriving, most: int) -> None:
        self.most = most
        self._arriving = arriving
        self._handed = False

    @property
    def size(self) -> int:
        return self._arriving.size

    async def add(self, part: bytes) -> None:
        await asyncio.to_thread(self._arriving.write, part)

    def request(self, head: Request) -> Request:
        return replace(head, digest=self._arriving.digest)

    def arrived(self) -> Arriving:
        """Whoever takes it discards it."""
        self._arriving.close()
        self._handed = True
        return self._arriving

    def forget(self) -> None:
        if not self._handed:
            self._arriving.discard()


_Body = _InMemory | _OnDisk


class _Incoming:
    """A body as it comes in. `asked`: the client sends it without being told to go on."""

    def __init__(self, receive: Receive, *, asked: bool) -> None:
        self._receive = receive
        self._asked = asked
        self.over = False

    async def part(self) -> bytes:
        """Some more of it. Raises _Gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        self._asked = True
        self.over = not message.get("more_body", False)
        found: bytes = message.get("body", b"")
        return found

    async def let_pass(self, most_s: float) -> None:
        """What is left of it, unread. Raises _Gone."""
        if not self._asked:
            return
        try:
            async with asyncio.timeout(most_s):
                while not self.over:
                    await self.part()
        except TimeoutError:
            return


async def _send(send: Send, answer: Answer, *, with_body: bool) -> None:
    """The server gives up waiting for a client that takes nothing."""
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(answer.length).encode()),
        *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()),
    ]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    if answer.file is not None:
        with answer.file.source as source:
            await send(start)
            await _send_file(send, source, answer.length if with_body else 0)
        return
    await send(start)
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


async def _send_file(send: Send, source: BinaryIO, length: int) -> None:
    """In portions: `send` waits while the client takes nothing. `length`: of what is left of it."""
    while length > 0:
        part = await asyncio.to_thread(source.read, min(PORTION, length))
        if not part:
            raise OSError("a file is shorter than it was")  # the connection ends, and so the client knows
        length -= len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, wanted: bytes) -> str:
    """The first of that name; empty: there is none."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _has_body(scope: Scope) -> bool:
    return bool(_declared(scope) or _header(scope, b"transfer-encoding"))


def _declared(scope: Scope) -> int:
    """How large the body says it is."""
    text = _header(scope, b"content-length")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _request(scope: Scope, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
    )


def refusal(error: DrsError, language: str = "") -> Answer:
    """What is said before anybody has looked at a request, or instead of it; the connection ends with it."""
    request_id = str(uuid.uuid4())
    log.info("a request was refused", extra=context("", request=request_id, code=error.code, reason=error.message))
    headers = {"Connection": "close", REQUEST_ID: request_id}
    body = as_json(document(error, request_id, language))
    return Answer(status=error.fault.spec.status, body=body, content_type=JSON, headers=headers)
