"""TCP ports on the loopback interface: free ones, and those where somebody listens."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below the range from which Linux takes the local ports of outgoing connections: a port from
# there may be taken, by a client's connection, between our look and the server's start.
FIRST, LAST = 15_000, 32_000


def free_port() -> int:
    for _ in range(200):
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")


def listens(port: int) -> bool:
    """Asked before a client connects, which may make a noise when it is refused."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
