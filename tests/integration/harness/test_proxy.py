"""The proxy breaks connections in the ways that the torture tests rely on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pymysql
import pytest

from tests.harness import Proxy
from tests.harness.mysql_family import FamilyServer
from tests.harness.server import USER

MESSAGE = b"x" * 1000


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends back what it gets, until the client ends."""

    def serve(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65_536):
                    client.sendall(data)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def proxy(echo_port: int) -> Iterator[Proxy]:
    with Proxy(echo_port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connect(proxy) as client:
        yield client


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 5)


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def echoed(client: socket.socket, message: bytes = MESSAGE) -> bool:
    client.sendall(message)
    return receive(client, len(message)) == message


def test_bytes_pass_unchanged_and_are_counted(proxy: Proxy, client: socket.socket) -> None:
    message = bytes(range(256)) * 20_000  # more than any buffer on the way
    sender = threading.Thread(target=client.sendall, args=(message,))
    sender.start()
    assert receive(client, len(message)) == message
    sender.join()
    assert proxy.bytes_to_server == len(message)
    deadline = time.monotonic() + 10  # bytes are counted when they have been sent
    while proxy.bytes_to_client < len(message) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert proxy.bytes_to_client == len(message)


def test_the_end_of_one_direction_is_passed_on(client: socket.socket) -> None:
    client.sendall(MESSAGE)
    client.shutdown(socket.SHUT_WR)
    assert receive(client, len(MESSAGE) + 1) == MESSAGE


def test_cut_resets_what_exists_and_new_connections_work(proxy: Proxy, client: socket.socket) -> None:
    assert echoed(client)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as again:
        assert echoed(again)
    assert proxy.connections <= 1


def test_stalled_bytes_arrive_when_it_ends(proxy: Proxy, client: socket.socket) -> None:
    assert echoed(client)
    proxy.stall()
    client.sendall(MESSAGE)
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(1)
    with connect(proxy) as second:  # accepted, and that is all
        second.sendall(MESSAGE)
        second.settimeout(0.3)
        with pytest.raises(TimeoutError):
            second.recv(1)
        proxy.forward()
        assert receive(second, len(MESSAGE)) == MESSAGE
    client.settimeout(5)
    assert receive(client, len(MESSAGE)) == MESSAGE


def test_a_stalled_connection_can_be_cut(proxy: Proxy, client: socket.socket) -> None:
    proxy.stall()
    client.sendall(MESSAGE)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_delay_is_added_in_each_direction(proxy: Proxy, client: socket.socket) -> None:
    proxy.delay(0.1)
    begin = time.monotonic()
    assert echoed(client)
    assert 0.2 <= time.monotonic() - begin < 1.0


def test_limit_holds_the_rate(proxy: Proxy, client: socket.socket) -> None:
    proxy.limit(100_000)
    begin = time.monotonic()
    assert echoed(client, b"x" * 50_000)
    assert 0.4 <= time.monotonic() - begin < 3.0


def test_refuse_keeps_old_connections(proxy: Proxy, client: socket.socket) -> None:
    assert echoed(client)
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    assert echoed(client)
    proxy.forward()
    with connect(proxy) as again:
        assert echoed(again)


def test_cut_after_breaks_in_the_middle(proxy: Proxy, client: socket.socket) -> None:
    assert echoed(client)
    proxy.cut_after(300)
    client.sendall(MESSAGE)
    received = b""
    with pytest.raises(ConnectionResetError):
        while piece := client.recv(65_536):
            received += piece
    # A reset may overtake what was sent before it, never the other way round.
    assert len(received) <= 300
    assert proxy.bytes_to_client == len(MESSAGE) + 300
    with connect(proxy) as again:
        assert echoed(again)


def test_what_goes_to_clients_can_be_changed(proxy: Proxy, client: socket.socket) -> None:
    proxy.change(lambda piece: piece.replace(b"yes", b"no"))
    client.sendall(b"yes, yes")
    assert receive(client, 6) == b"no, no"
    proxy.forward()
    assert echoed(client, b"yes")


def test_a_server_that_is_gone_resets_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as client:
        client.recv(1)


def test_between_a_driver_and_a_database(mariadb: FamilyServer) -> None:
    with Proxy(mariadb.port) as proxy:
        assert proxy.through(mariadb.url("shop")) == mariadb.url("shop").replace(str(mariadb.port), str(proxy.port))
        connection = mariadb.connect(user=USER, port=proxy.port, read_timeout=1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            proxy.stall()
            with pytest.raises(pymysql.err.OperationalError, match="timed out"):
                cursor.execute("SELECT 2")
        proxy.cut()
        proxy.forward()
        with mariadb.connect(user=USER, port=proxy.port) as again, again.cursor() as cursor:
            proxy.cut()
            with pytest.raises(pymysql.err.OperationalError, match=r"Lost connection|gone away"):
                cursor.execute("SELECT 3")
