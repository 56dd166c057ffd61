"""Slow and greedy clients do no harm: each is refused or left alone, and the service goes on answering others."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opendrs.api import gateway
from opendrs.api.app import Limits
from opendrs.api.server import Patience
from opendrs.store import database
from tests.harness.service import PROJECT, eventually
from tests.harness.shapes import deviations
from tests.integration.api.raw import Raw, listening
from tests.integration.api.test_bad_input import creation
from tests.integration.api.world import World, open_world

LIMITS = Limits(
    reading=4, writing=4, waiting=40, body_bytes=200_000, all_bytes=600_000, body_s=3.0, answer_s=2.0, linger_s=1.0,
)  # fmt: skip
PATIENCE = Patience(head_s=2.0, idle_s=3, take_s=2.0)
JOBS = f"/v5/{PROJECT}/jobs"
TOO_SLOW, TOO_LARGE, REQUEST = "DRS.M00004", "APIGW.0201", "DRS.M00300"
WAIT_S = 60


class Served:
    """A world with small limits, and clients of it made of sockets."""

    def __init__(self, world: World, raw: Raw) -> None:
        self.world = world
        self.raw = raw
        self.stack = ExitStack()

    def connect(self, data: bytes = b"", *, receive_bytes: int = 0) -> socket.socket:
        connection = self.stack.enter_context(socket.socket())
        connection.settimeout(WAIT_S)
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.connect(("127.0.0.1", self.raw.port))
        connection.sendall(data)
        return connection

    def head(self, method: str = "GET", target: str = f"{JOBS}?job_type=sync", **headers: str) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", "Host: here", f"X-Auth-Token: {self.raw.token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def serves(self) -> None:
        assert self.raw.good("GET", "jobs", job_type="sync")["total_count"] >= 0
        assert self.raw.good("POST", "jobs/name-validation", {"name": "a-good-name"})["is_valid"]


@contextmanager
def served(folder: Path, limits: Limits = LIMITS, patience: Patience = PATIENCE) -> Iterator[Served]:
    with open_world(folder, limits=limits, patience=patience) as world, listening() as log:
        raw = Raw(world.url, log)
        found = Served(world, raw)
        with found.stack:
            yield found
        found.serves()
        raw.end(())


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def answers(connection: socket.socket, count: int = 1) -> list[tuple[int, Any]]:
    """So many answers from a connection: status, and the JSON."""
    found = []
    with connection.makefile("rb") as lines:
        for _ in range(count):
            top = lines.readline()
            if not top:
                break
            length = 0
            while (line := lines.readline().strip().lower()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"content-length" else length
            body = lines.read(length)
            status = int(top.split()[1])
            found.append((status, json.loads(body) if body[:1] in (b"{", b"[") else body))
            if status >= 400:
                assert deviations("v5", "list_jobs", status, found[-1][1]) == []
    return found


def code(connection: socket.socket) -> str:
    ((_, body),) = answers(connection)
    return str(body["error_code"])


def closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    return True


def test_a_body_that_is_too_large(here: Served) -> None:
    text = b" " * 300_000
    for method, target in (("POST", JOBS), ("GET", f"{JOBS}?job_type=sync"), ("POST", "/v3/auth/tokens")):
        told = here.connect(here.head(method, target, Content_Length=str(len(text))) + text)
        assert code(told) == TOO_LARGE and closed(told)
        head = here.head(method, target, Transfer_Encoding="chunked")
        chunks = b"".join(b"%x\r\n%s\r\n" % (1000, text[:1000]) for _ in range(300)) + b"0\r\n\r\n"
        assert code(here.connect(head + chunks)) == TOO_LARGE
    assert here.raw.ask("POST", "jobs", content=text).json()["error_code"] == TOO_LARGE
    assert here.raw.ask("POST", "jobs", content=b" " * 20_000_000).json()["error_code"] == TOO_LARGE


def test_who_sends_all_of_it_before_reading_is_told_as_well(here: Served) -> None:
    size = 50_000_000  # more than lies between two sockets
    for headers in ({"Content_Length": str(size)}, {"Transfer_Encoding": "chunked"}):
        chunked = "Transfer_Encoding" in headers
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b" " * size) if chunked else b" " * size
        connection = here.connect(here.head("POST", JOBS, **headers))
        connection.sendall(body)
        assert code(connection) == TOO_LARGE


def test_a_body_that_only_says_it_is_too_large_is_not_waited_for(here: Served) -> None:
    waits = here.connect(here.head("POST", JOBS, Content_Length="99999999999", Expect="100-continue"))
    assert code(waits) == TOO_LARGE and closed(waits)
    assert code(here.connect(here.head("POST", JOBS, Content_Length="99999999999"))) == TOO_LARGE


def test_a_client_that_asks_first_is_told_to_go_on(here: Served) -> None:
    body = json.dumps({"name": "a-good-name"}).encode()
    head = here.head("POST", f"{JOBS}/name-validation", Content_Length=str(len(body)), Expect="100-continue")
    connection = here.connect(head)
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(body)
    assert answers(connection) == [(200, {"is_valid": True})]


def test_many_large_bodies_at_a_time(here: Served) -> None:
    each = 150_000
    heads = [here.head("POST", JOBS, Content_Length=str(each + 1)) for _ in range(12)]
    many = [here.connect(head + b" " * each) for head in heads]
    assert here.raw.ask("GET", "/healthz").status_code == 200
    codes = [code(connection) for connection in many]
    assert set(codes) == {TOO_SLOW}


def test_a_head_that_never_ends(here: Served) -> None:
    nothing, part = here.connect(), here.connect(here.head()[:-2])
    drops = here.connect(b"G")

    def trickle() -> None:
        try:
            for _ in range(WAIT_S * 5):
                drops.sendall(b"E")
                time.sleep(0.2)
        except OSError:
            return

    thread = threading.Thread(target=trickle)
    thread.start()
    here.serves()
    assert closed(nothing)
    assert code(part) == TOO_SLOW and closed(part)
    assert closed(drops)
    thread.join()


@pytest.mark.parametrize("ends", [True, False])
def test_a_head_that_is_too_large(here: Served, ends: bool) -> None:
    for head in (
        b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000,
        b"GET /" + b"x" * 200_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 30_000,
    ):
        connection = here.connect()
        try:
            connection.sendall(head)
            connection.sendall(b" HTTP/1.1\r\n\r\n" if ends else b"")
        except ConnectionError:
            continue
        try:
            found = answers(connection)
        except ConnectionError:
            continue
        assert [body["error_code"] for _, body in found] in ([REQUEST], ["APIGW.0101"])


def test_a_body_that_trickles_in(here: Served) -> None:
    connection = here.connect(here.head("POST", JOBS, Content_Length="1000"))
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.2):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    here.serves()
    assert code(connection) == TOO_SLOW
    stop.set()
    thread.join()


def test_trailers_and_sizes_of_chunks_without_end(here: Served) -> None:
    for flood in (b"X: y\r\n" * 1000, b"1;" + b"x" * 10_000 + b"\r\n \r\n"):
        head = here.head("POST", f"{JOBS}/name-validation", Transfer_Encoding="chunked")
        connection = here.connect(head + (b"0\r\n" if flood[:1] == b"X" else b""))
        with pytest.raises(ConnectionError):
            for _ in range(20_000):
                connection.sendall(flood)


def test_a_client_that_takes_no_answer_is_left(here: Served) -> None:
    greedy = [here.connect(receive_bytes=4096) for _ in range(5)]
    for connection in greedy:
        connection.settimeout(5)
        connection.sendall(here.head("GET", "/openapi.json") * 100)
    here.serves()
    # What it sends tells it: the other side has gone.
    for connection in greedy:
        eventually(lambda connection=connection: gone(connection), WAIT_S)


def gone(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"G")
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def test_idle_connections_keep_nobody_waiting(here: Served) -> None:
    # Files of this process are the limit: both ends are in it.
    idle = [here.connect() for _ in range(300)]
    kept = [here.connect(here.head("GET", "/healthz")) for _ in range(50)]
    began = time.monotonic()
    for _ in range(20):
        here.serves()
    assert time.monotonic() - began < 30
    assert all(answers(connection)[0][0] == 200 for connection in kept)
    assert all(closed(connection) for connection in idle + kept)


def test_too_many_connections(tmp_path: Path) -> None:
    with served(tmp_path, patience=replace(PATIENCE, connections=20)) as here:
        many = [here.connect() for _ in range(40)]
        assert code(many[-1]) == TOO_SLOW
        assert all(closed(connection) for connection in many)


def test_requests_one_behind_the_other(here: Served) -> None:
    body = json.dumps({"name": "a-good-name"}).encode()
    post = here.head("POST", f"{JOBS}/name-validation", Content_Length=str(len(body))) + body
    connection = here.connect((here.head() + post) * 10)
    found = answers(connection, 20)
    assert [status for status, _ in found] == [200] * 20
    assert [("jobs" in found[n][1], "is_valid" in found[n + 1][1]) for n in range(0, 20, 2)] == [(True, True)] * 10
    connection.sendall(here.head())  # and the connection is still good
    assert answers(connection)[0][0] == 200


def test_nonsense_behind_a_good_request(here: Served) -> None:
    connection = here.connect(here.head() + b"NONSENSE\r\n\r\n")
    found = answers(connection, 5)
    assert (found[0][0], "jobs" in found[0][1]) == (200, True)
    assert closed(connection)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Length": "4", "Transfer_Encoding": "chunked"},
        {"Content_Length": "4\r\nContent-Length: 5"},
        {"Transfer_Encoding": "chunked, identity"},
        {"Transfer_Encoding": "xchunked"},
        {"Content_Length": "-1"},
        {"Content_Length": "0x4"},
        {"Content_Length": "4 4"},
        {"Content_Length ": "4"},
    ],
    ids=str,
)
def test_requests_that_smuggle_another(here: Served, headers: dict[str, str]) -> None:
    hidden = here.head("POST", "/v3/auth/tokens", Content_Length="0")
    connection = here.connect(here.head("POST", f"{JOBS}/name-validation", **headers) + b"0\r\n\r\n" + hidden)
    found = answers(connection, 3)
    assert [(status, body["error_code"]) for status, body in found] == [(400, REQUEST)]
    assert closed(connection)


def test_clients_that_leave_in_the_middle(here: Served) -> None:
    whole = here.head("POST", JOBS, Content_Length="1000")
    for data in (
        b"",
        b"GE",
        whole[:40],
        whole,
        whole + b" " * 500,
        here.head() * 20,
        here.head("GET", "/openapi.json"),
    ):
        for reset in (False, True):
            connection = here.connect(data)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()


def test_a_store_that_is_locked(here: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[Callable[[], str]] = [
        lambda: str(here.raw.ask("POST", "jobs", creation()).json().get("error_code", "")) for _ in range(12)
    ]
    with here.world.store.write(), ThreadPoolExecutor(12) as clients:
        told = [clients.submit(write) for write in writes]
        for _ in range(20):  # reads go on, however many wait to write
            here.raw.good("GET", "jobs", job_type="sync")
        assert not all(one.done() for one in told)
        assert here.raw.ask("GET", "/readyz").status_code == 200
        assert {one.result() for one in told} == {TOO_SLOW}
    eventually(lambda: here.raw.ask("POST", "jobs", creation()).status_code == 202)


def test_an_answer_that_takes_too_long(here: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    answer = gateway.Gateway._guarded

    def slow(self: Any, request: Any, *rest: Any) -> Any:
        if request.path.endswith("/links"):
            go_on.wait(WAIT_S)
        return answer(self, request, *rest)

    monkeypatch.setattr(gateway.Gateway, "_guarded", slow)
    with ThreadPoolExecutor(60) as clients:
        asked = [
            clients.submit(here.connect, here.head("GET", f"/v5/{PROJECT}/links?job_type=sync")) for _ in range(60)
        ]
        connections = [one.result() for one in asked]
    assert here.raw.ask("GET", "/healthz").status_code == 200  # all threads wait, and it is told
    assert {code(connection) for connection in connections} == {TOO_SLOW}
    go_on.set()


def test_more_requests_than_may_wait(here: Served) -> None:
    waiting = [here.connect(here.head("POST", JOBS, Content_Length="10")) for _ in range(LIMITS.waiting)]
    one_more = eventually(lambda: refused(here), WAIT_S)
    assert one_more == TOO_SLOW
    assert here.raw.ask("GET", "/healthz").status_code == 200
    for connection in waiting:
        connection.sendall(b"[" * 10)
    assert {code(connection) for connection in waiting} <= {REQUEST, TOO_SLOW}


def refused(here: Served) -> str | None:
    ((status, body),) = answers(here.connect(here.head()))
    return str(body["error_code"]) if status >= 400 else None


def test_the_database_module_is_as_patient_as_said() -> None:
    assert Limits().answer_s > database.BUSY_TIMEOUT_S
    assert Limits().reading + Limits().writing <= database.CONNECTIONS_MAX
