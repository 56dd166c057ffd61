"""JKS, the key store that Java wrote before version 9 (the facts: OpenJDK, sun.security.provider.JavaKeyStore and
KeyProtector).

All numbers are big-endian. The magic FEEDFEED, the version 1 or 2, the number of entries, the entries; then 20 bytes:
SHA-1 of the password in UTF-16BE, the words `Mighty Aphrodite` and everything before. An entry is a tag, its alias (two
bytes of length, then modified UTF-8) and the milliseconds of its making; a private key (tag 1) has the protected key
(four bytes of length before it), the number of certificates and those, a trusted certificate (tag 2) has that one. A
certificate has in version 2 its type before it, written as an alias is, and four bytes of length.

A protected key is an EncryptedPrivateKeyInfo of the algorithm 1.3.6.1.4.1.42.2.17.1.1: 20 bytes of salt, the PKCS#8 of
the key xored with a stream, and SHA-1 of password and key. The stream is SHA-1 of password and salt, then SHA-1 of
password and its last 20 bytes, and so on.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from opendrs.keystores.der import OBJECT, OCTETS, SEQUENCE, Malformed, elements
from opendrs.keystores.unreadable import Unreadable

MAGIC: Final = bytes.fromhex("feedfeed")
VERSIONS: Final = (1, 2)
PRIVATE_KEY, TRUSTED = 1, 2
_WHITENER: Final = b"Mighty Aphrodite"
_DIGEST_BYTES: Final = 20
_PROTECTED: Final = bytes.fromhex("2b060104012a02110101")
X509: Final = "X.509"
WRONG: Final = "the password is wrong, or the store is damaged"
CUT: Final = "it is cut off"


@dataclass(frozen=True, slots=True)
class Protected:
    """A private key as it is in the store. `chain`: its certificates, its own first; DER, as all certificates are."""

    alias: str
    key: bytes = field(repr=False)
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a store, in its order."""

    trusted: tuple[bytes, ...]
    keys: tuple[Protected, ...]


def read(data: bytes, password: str) -> Contents:
    """Without a password nobody looks whether the store is whole, as in Java. Raises Unreadable."""
    reader = _Reader(data)
    reader.take(len(MAGIC))
    version = reader.number(4)
    if version not in VERSIONS:
        raise Unreadable(f"it is a JKS store of version {version}, which is not known")
    trusted: list[bytes] = []
    keys: list[Protected] = []
    for _ in range(reader.number(4)):
        tag, alias = reader.number(4), reader.text()
        reader.take(8)  # when it was made
        match tag:
            case 1:
                key = reader.block()
                chain = tuple(reader.certificate(version) for _ in range(reader.number(4)))
                keys.append(Protected(alias, key, chain))
            case 2:
                trusted.append(reader.certificate(version))
            case _:
                raise Unreadable(f"it is damaged: an entry of kind {tag}")
    body, digest = data[: reader.at], reader.take(_DIGEST_BYTES)
    if password and not hmac.compare_digest(_sha1(_encoded(password), _WHITENER, body), digest):
        raise Unreadable(WRONG)
    return Contents(tuple(trusted), tuple(keys))


def plain(protected: Protected, password: str) -> bytes:
    """The key, as PKCS#8. Raises Unreadable."""
    secret = _encoded(password)
    block = _protected_block(protected.key)
    salt, middle, check = block[:_DIGEST_BYTES], block[_DIGEST_BYTES:-_DIGEST_BYTES], block[-_DIGEST_BYTES:]
    stream = _stream(secret, salt, len(middle))
    found = bytes(one ^ other for one, other in zip(middle, stream, strict=True))
    if not hmac.compare_digest(_sha1(secret, found), check):
        raise Unreadable("the password of the private key is wrong")
    return found


def _protected_block(key: bytes) -> bytes:
    """Salt, key and check out of an EncryptedPrivateKeyInfo."""
    try:
        ((outer, inner),) = elements(key)
        (algorithm, words), (kind, block) = elements(inner)
        names = [word for tag, word in elements(words) if tag == OBJECT]
    except (Malformed, ValueError):
        raise Unreadable("its private key is damaged") from None
    if (outer, algorithm, kind) != (SEQUENCE, SEQUENCE, OCTETS) or len(block) < 2 * _DIGEST_BYTES:
        raise Unreadable("its private key is damaged")
    if names != [_PROTECTED]:
        raise Unreadable("its private key is protected in a way that is not known")
    return block


def _stream(secret: bytes, salt: bytes, length: int) -> bytes:
    return b"".join(_blocks(secret, salt, length))[:length]


def _blocks(secret: bytes, salt: bytes, length: int) -> Iterator[bytes]:
    last = salt
    for _ in range(0, length, _DIGEST_BYTES):
        last = _sha1(secret, last)
        yield last


def _encoded(password: str) -> bytes:
    return password.encode("utf-16-be")


def _sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()  # the format's choice


class _Reader:
    """Takes a store apart from the front. Raises Unreadable at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        found = self._data[self.at : self.at + size]
        if len(found) < size:
            raise Unreadable(CUT)
        self.at += size
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def block(self) -> bytes:
        return self.take(self.number(4))

    def text(self) -> str:
        """Java's own form of UTF-8 differs in NUL and in what is beyond 16 bits; it is only shown."""
        return self.take(self.number(2)).decode(errors="replace")

    def certificate(self, version: int) -> bytes:
        kind = self.text() if version > 1 else X509
        if kind != X509:
            raise Unreadable("it holds a certificate that is none of X.509")
        return self.block()
