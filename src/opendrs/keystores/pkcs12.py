"""PKCS#12, the key store that Java has written since version 9, and `openssl pkcs12` before.

Keys are had from passwords by many rounds of hashing, whose number the store itself says; while they are counted
nothing else in this process runs. So the rounds are looked at first (RFC 7292, RFC 8018: an INTEGER behind the OCTET
STRING of the salt).
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12

from opendrs.keystores.der import CONSTRUCTED, DEPTH_MAX, INTEGER, OCTETS, SEQUENCE, Malformed, elements, first
from opendrs.keystores.unreadable import Unreadable

MAGIC: Final = bytes([SEQUENCE])
ROUNDS_MAX: Final = 1_000_000  # of all passwords together; Java takes 10,000 for each
WRONG: Final = "the password is wrong, or the store is damaged (or its private key has a password of its own)"
# The OBJECT IDENTIFIERs pkcs8ShroudedKeyBag, of which there is one for each private key, and scrypt.
_KEY_BAG: Final = bytes.fromhex("060b2a864886f70d010c0a0102")
_SCRYPT: Final = bytes.fromhex("06092b06010401da47040b")

# Whether a store is DER or only BER is nothing that whoever runs the service can do anything about.
warnings.filterwarnings("ignore", message="PKCS#12 bundle could not be parsed as DER", category=UserWarning)


def read(data: bytes, password: str) -> PKCS12KeyAndCertificates:
    """Raises Unreadable."""
    try:
        _, end = first(data)
    except Malformed:
        raise Unreadable("it is cut off, or neither JKS nor PKCS#12") from None
    if _rounds(data[:end]) > ROUNDS_MAX:
        raise Unreadable(f"its passwords are hashed more than {ROUNDS_MAX:,} times; write it with fewer rounds")
    if _SCRYPT in data:
        raise Unreadable("it is protected with scrypt, which Java does not know either")
    if "\0" in password:  # where `cryptography` panics
        raise Unreadable(WRONG)
    try:
        return load_pkcs12(data[:end], password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unreadable(WRONG if password else "it needs a password, or it is damaged") from None


def private_keys(data: bytes) -> int:
    """How many there are, as far as that can be seen from outside."""
    return data.count(_KEY_BAG)


def key_of(contents: PKCS12KeyAndCertificates) -> tuple[PrivateKeyTypes, list[x509.Certificate]] | None:
    """The private key with its chain, its own certificate first; None: there is none."""
    if contents.key is None or contents.cert is None:
        return None
    others = [one.certificate for one in contents.additional_certs]
    return contents.key, _chain(contents.cert.certificate, others)


def trusted(contents: PKCS12KeyAndCertificates) -> list[x509.Certificate]:
    """As Java understands it: certificates by themselves, and of a private key its own, but not who has issued it."""
    found = [one.certificate for one in contents.additional_certs]
    if contents.cert is None:
        return found
    own, *issuers = _chain(contents.cert.certificate, found)
    for one in issuers:
        found.remove(one)  # once: it may be trusted as well
    return [own, *found]


def _chain(own: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """A certificate, who has issued it, and so on, as far as they are there."""
    chain = [own]
    while chain[-1].issuer != chain[-1].subject:
        above = next((one for one in others if one.subject == chain[-1].issuer and one not in chain), None)
        if above is None:
            break
        chain.append(above)
    return chain


def _rounds(data: bytes, depth: int = 0) -> int:
    """The sum of all that can be seen, as far as that is well formed: others read on where we do not."""
    if depth > DEPTH_MAX:
        return ROUNDS_MAX + 1
    total, salted = 0, False
    with suppress(Malformed):
        for tag, content in elements(data):
            if tag == INTEGER and salted:
                total += abs(int.from_bytes(content, signed=True))
            elif tag == OCTETS | CONSTRUCTED:  # in pieces
                total += _rounds(b"".join(piece for _, piece in elements(content)), depth + 1)
            elif tag == OCTETS or tag & CONSTRUCTED:  # an OCTET STRING may hold anything, further elements among it
                total += _rounds(content, depth + 1)
            salted = tag & ~CONSTRUCTED == OCTETS
    return total
