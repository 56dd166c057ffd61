"""Elements of ASN.1 as they are encoded (X.690, BER): tag and content, as far as key stores need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

INTEGER: Final = 0x02
OCTETS: Final = 0x04
OBJECT: Final = 0x06
SEQUENCE: Final = 0x30
CONSTRUCTED: Final = 0x20
DEPTH_MAX: Final = 24

Element = tuple[int, bytes]


class Malformed(ValueError):
    """It is cut off, or no ASN.1."""


def elements(data: bytes) -> Iterator[Element]:
    """All of them, one behind the other. Raises Malformed."""
    at = 0
    while at < len(data):
        element, at = first(data, at)
        yield element


def first(data: bytes, at: int = 0, depth: int = 0) -> tuple[Element, int]:
    """The element that begins there, and where it ends. Raises Malformed."""
    if depth > DEPTH_MAX:
        raise Malformed
    tag, start = _byte(data, at), at + 2
    if tag & 0x1F == 0x1F:  # of more than one byte: key stores have none
        raise Malformed
    length = _byte(data, at + 1)
    if length == 0x80:
        return _indefinite(data, tag, start, depth)
    if length > 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size])
        start += size
    if start + length > len(data):
        raise Malformed
    return (tag, data[start : start + length]), start + length


def _indefinite(data: bytes, tag: int, start: int, depth: int) -> tuple[Element, int]:
    """One whose length is not told: it goes up to two zeros."""
    at = start
    while data[at : at + 2] != b"\0\0":
        _, at = first(data, at, depth + 1)
    return (tag, data[start:at]), at + 2


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise Malformed
    return data[at]
