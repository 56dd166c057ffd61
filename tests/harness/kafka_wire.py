"""Kafka's protocol by hand: two requests, for what the client library does not tell, or not soon; and an answer that
brokers seldom give.

https://kafka.apache.org/protocol
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from typing import Final

from tests.harness.ports import HOST

TIMEOUT_S: Final = 5.0
API_VERSIONS: Final = 18
INIT_PRODUCER_ID: Final = 22
DUPLICATE_SEQUENCE: Final = 46
FEATURES: Final = 2  # the tag of the levels in force, in the answer to API_VERSIONS


def gives_producer_ids(port: int) -> bool:
    """Whether the broker has producer ids to give: it asks its controller for some when first asked itself.

    librdkafka takes the same answer for a reason to wait half a second.
    """
    body = struct.pack(">hi", -1, 1000)  # no transactional id; a timeout
    answer = _ask(port, INIT_PRODUCER_ID, 1, body)
    _throttled, error = struct.unpack_from(">ih", answer)
    return error == 0


def features(port: int) -> dict[str, int]:
    """The levels of the features in force, by name."""
    answer = _ask(port, API_VERSIONS, 3, b"\0" + b"\x05test\x021\0")  # name and version of the client
    keys, place = _number(answer, 2)  # behind the error
    place += 7 * (keys - 1) + 4  # each key with its versions; the time of throttling
    tags, place = _number(answer, place)
    for _ in range(tags):
        tag, place = _number(answer, place)
        length, place = _number(answer, place)
        if tag == FEATURES:
            return dict(_levels(answer, place))
        place += length
    return {}


class Forgetful:
    """Makes of one answer to Produce, as brokers since Kafka 2.8 give it, that the message is one which the broker has
    had before, and cannot say where: for the first message from now on for partition 0 of a topic."""

    def __init__(self, topic: str) -> None:
        # Name, one partition, number 0, no error; where it is; the time is that of the message.
        before = bytes([len(topic) + 1]) + topic.encode() + b"\x02" + b"\0" * 4
        self._taken = re.compile(re.escape(before) + rb"\0\0(?!\xff).{8}(?=\xff{8})", re.DOTALL)
        self._instead = before + struct.pack(">hq", DUPLICATE_SEQUENCE, -1)
        self.done = False

    def __call__(self, answers: bytes) -> bytes:
        if not self.done:
            answers, count = self._taken.subn(lambda _: self._instead, answers, count=1)
            self.done = bool(count)
        return answers


def _levels(answer: bytes, place: int) -> Iterator[tuple[str, int]]:
    count, place = _number(answer, place)
    for _ in range(count - 1):
        length, place = _number(answer, place)
        end = place + length - 1
        yield answer[place:end].decode(), struct.unpack_from(">h", answer, end)[0]
        place = end + 5  # the highest level, the lowest, no tags


def _number(answer: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    number = shift = 0
    while answer[place] & 0x80:
        number |= (answer[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return number | answer[place] << shift, place + 1


def _ask(port: int, key: int, version: int, body: bytes) -> bytes:
    """The answer behind its head. Raises OSError, or EOFError if there is none."""
    request = struct.pack(">hhih", key, version, 1, -1) + body  # a number to know it by; no name
    with socket.create_connection((HOST, port), TIMEOUT_S) as end, end.makefile("rb") as file:
        end.sendall(struct.pack(">i", len(request)) + request)
        head = file.read(4)
        answer = file.read(*struct.unpack(">i", head)) if len(head) == 4 else b""
    if len(answer) < 4:
        raise EOFError(f"a broker at {port} closed the connection")
    return answer[4:]
