"""A TCP proxy that breaks connections on request, between a client and a server.

One thread moves all bytes and carries out all orders, so that an order is done when the call
returns, and nothing moves meanwhile.
"""

from __future__ import annotations

import queue
import select
import socket
import struct
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from tests.harness.ports import HOST

READ_BYTES = 65_536
QUEUE_BYTES_MAX = 4 * 2**20  # per direction; a stalled sender is held up after that
CONNECT_TIMEOUT_S = 5.0
ORDER_TIMEOUT_S = 30.0
SLICE_S = 0.02  # at a limited rate, send at most this long's worth at once
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What happens to bytes; the default is to pass them on at once."""

    stalled: bool = False
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    bytes_left: int | None = None  # towards the client, until everything is cut
    change: Callable[[bytes], bytes] | None = None  # of what goes to clients


class _Lost(Exception):
    """A connection broke; the other end is to hear of it."""


@dataclass(slots=True)
class _Direction:
    """Bytes on their way from one socket to another, in one connection."""

    source: socket.socket
    sink: socket.socket
    to_client: bool
    waiting: deque[tuple[float, memoryview]] = field(default_factory=deque)  # (arrived at, bytes)
    waiting_bytes: int = 0
    ended: bool = False  # the source will send no more
    finished: bool = False  # and the sink has been told
    next_send_at: float = 0.0

    def read(self, rules: _Rules) -> None:
        try:
            data = self.source.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise _Lost from error
        if not data:
            self.ended = True
            return
        if rules.change is not None and self.to_client:
            data = rules.change(data)
        self.waiting.append((time.monotonic(), memoryview(data)))
        self.waiting_bytes += len(data)

    def due_at(self, rules: _Rules) -> float | None:
        """When the next byte may go; None if there is none, or no time for it."""
        if rules.stalled or not self.waiting:
            return None
        return max(self.waiting[0][0] + rules.delay_s, self.next_send_at)

    def send(self, rules: _Rules) -> int:
        """Send one piece, which must be due; the number of bytes the sink took."""
        arrived, piece = self.waiting[0]
        size = len(piece)
        if rules.bytes_per_s is not None:
            size = min(size, max(1, int(rules.bytes_per_s * SLICE_S)))
        if rules.bytes_left is not None and self.to_client:
            size = min(size, rules.bytes_left)
        try:
            sent = self.sink.send(piece[:size])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _Lost from error
        self.waiting_bytes -= sent
        if sent == len(piece):
            self.waiting.popleft()
        else:
            self.waiting[0] = (arrived, piece[sent:])
        if rules.bytes_per_s is not None:
            self.next_send_at = max(self.next_send_at, time.monotonic()) + sent / rules.bytes_per_s
        return sent

    def finish(self) -> None:
        """Pass the end on, once all before it is sent."""
        if self.ended and not self.waiting and not self.finished:
            self.finished = True
            with suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)


@dataclass(slots=True)
class _Connection:
    client: socket.socket
    server: socket.socket
    directions: tuple[_Direction, _Direction] = field(init=False)

    def __post_init__(self) -> None:
        up = _Direction(self.client, self.server, to_client=False)
        self.directions = (up, _Direction(self.server, self.client, to_client=True))

    def reset(self) -> None:
        """Close both ends at once with RST, whatever was on the way."""
        for end in (self.client, self.server):
            _reset(end)


class Proxy:
    """A port of its own in front of a server's; as a context manager it listens.

    Modes hold for all connections, those that exist and new ones, until another is set.
    `bytes_to_client` and `bytes_to_server` count what was passed on.
    """

    def __init__(self, port: int, host: str = HOST) -> None:
        self.bytes_to_client = 0
        self.bytes_to_server = 0
        self._target = (host, port)
        self._rules = _Rules()
        self._connections: list[_Connection] = []
        self._listener: socket.socket | None = None
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._closing = False
        self.port = 0
        self._listen()
        self._thread = threading.Thread(target=self._work, name="proxy", daemon=True)
        self._thread.start()

    def through(self, url: str) -> str:
        """The same URL, by way of this proxy."""
        parts = urllib.parse.urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@{HOST}:{self.port}").geturl()

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return len(self._connections)

    # --- modes ----------------------------------------------------------------------------

    def forward(self) -> None:
        """Pass everything on again; what was stalled arrives late but whole."""
        self._set(_Rules())

    def stall(self) -> None:
        """Accept connections and bytes, and pass nothing on."""
        self._set(replace(self._rules, stalled=True))

    def delay(self, seconds: float) -> None:
        """Hold every byte back for so long; the rate is not limited by that."""
        self._set(replace(self._rules, delay_s=seconds))

    def limit(self, bytes_per_s: float) -> None:
        """Pass on no more than this, per connection and direction."""
        self._set(replace(self._rules, bytes_per_s=bytes_per_s))

    def change(self, change: Callable[[bytes], bytes]) -> None:
        """Pass on to clients what `change` makes of each piece that comes from the server: a whole answer, if it is
        small and goes over loopback."""
        self._set(replace(self._rules, change=change))

    def refuse(self) -> None:
        """Take no new connections; those that exist go on."""
        self._order(self._stop_listening)

    def cut(self) -> None:
        """Reset all connections (RST). The mode stays, so new ones can be made."""
        self._order(self._cut)

    def cut_after(self, count: int) -> None:
        """Pass on `count` (at least 1) more bytes to clients, then cut: a break in mid-message."""
        self._set(replace(self._rules, bytes_left=max(1, count)))

    def close(self) -> None:
        if not self._closing:
            self._order(self._shut)
            self._thread.join()
            self._wake.close()
            self._woken.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- orders: carried out by the thread ------------------------------------------------

    def _set(self, rules: _Rules) -> None:
        def change() -> None:
            self._rules = rules
            self._listen()

        self._order(change)

    def _order(self, order: Callable[[], None]) -> None:
        done: Future[None] = Future()
        self._orders.put((order, done))
        self._wake.send(b"!")
        done.result(ORDER_TIMEOUT_S)

    def _cut(self) -> None:
        for connection in self._connections:
            connection.reset()
        self._connections.clear()

    def _shut(self) -> None:
        self._closing = True
        self._stop_listening()
        self._cut()

    def _listen(self) -> None:
        if self._listener is None:
            # Port 0, any, the first time; the same one ever after.
            self._listener = socket.create_server((HOST, self.port), backlog=128)
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # --- the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing:
            ready = self._wait()
            self._carry_out_orders()
            if self._listener is not None and self._listener.fileno() in ready:
                self._accept(self._listener)
            for connection in list(self._connections):
                try:
                    self._move(connection, ready)
                except _Lost:
                    connection.reset()
                    self._forget(connection)

    def _wait(self) -> set[int]:
        """The files that can be read, after waiting for one of them, or for a byte to be due."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener, select.POLLIN)
        wanted: dict[int, int] = {}
        wait_s: float | None = None
        now = time.monotonic()
        for connection in self._connections:
            for direction in connection.directions:
                if not direction.ended and direction.waiting_bytes < QUEUE_BYTES_MAX:
                    source = direction.source.fileno()
                    wanted[source] = wanted.get(source, 0) | select.POLLIN
                due = direction.due_at(self._rules)
                if due is None:
                    continue
                if due <= now:  # it would have gone, were there room
                    sink = direction.sink.fileno()
                    wanted[sink] = wanted.get(sink, 0) | select.POLLOUT
                else:
                    wait_s = min(due - now, wait_s if wait_s is not None else due - now)
        for number, events in wanted.items():
            poll.register(number, events)
        timeout_ms = None if wait_s is None else wait_s * 1000
        return {number for number, _ in poll.poll(timeout_ms)}

    def _carry_out_orders(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(READ_BYTES)
        while not self._orders.empty():
            order, done = self._orders.get()
            try:
                order()
                done.set_result(None)
            except Exception as error:  # noqa: BLE001  (the one who gave the order raises it)
                done.set_exception(error)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self._target, CONNECT_TIMEOUT_S)
        except OSError:
            _reset(client)
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.append(_Connection(client, server))

    def _move(self, connection: _Connection, ready: set[int]) -> None:
        for direction in connection.directions:
            if direction.source.fileno() in ready and not direction.ended:
                direction.read(self._rules)
            self._send(direction)
            direction.finish()
        if all(direction.finished for direction in connection.directions):
            connection.client.close()
            connection.server.close()
            self._forget(connection)

    def _send(self, direction: _Direction) -> None:
        while True:
            due = direction.due_at(self._rules)
            if due is None or due > time.monotonic():
                return
            sent = direction.send(self._rules)
            if not sent:
                return
            if direction.to_client:
                self._count_to_client(sent)
            else:
                self.bytes_to_server += sent

    def _count_to_client(self, sent: int) -> None:
        self.bytes_to_client += sent
        if self._rules.bytes_left is not None:
            left = self._rules.bytes_left - sent
            self._rules = replace(self._rules, bytes_left=left or None)
            if not left:
                self._cut()
                raise _Lost

    def _forget(self, connection: _Connection) -> None:
        if connection in self._connections:  # a cut may have taken it already
            self._connections.remove(connection)


def _reset(end: socket.socket) -> None:
    """Close with RST instead of the orderly FIN."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    end.close()
