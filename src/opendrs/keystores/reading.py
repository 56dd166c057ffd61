"""What is wanted of a key store, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from opendrs.keystores import jks, pkcs12
from opendrs.keystores.unreadable import Unreadable

_JCEKS: Final = bytes.fromhex("cececece")
_CONVERT: Final = "`keytool -importkeystore -deststoretype pkcs12` converts it"
NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and the certificates that go with it, the key's own first; both PEM. The key has no password."""

    certificates: str
    key: str = field(repr=False)


def certificates(store: bytes, password: str) -> str:
    """The certificates that whoever has this as his trust store trusts, PEM. Raises Unreadable.

    As in Java, those are also the own certificates of private keys in it; and a JKS store is read without its
    password, if there is none.
    """
    if _kind(store) == "JKS":
        contents = jks.read(store, password)
        own = [protected.chain[0] for protected in contents.keys if protected.chain]
        found = [_certificate(one) for one in (*contents.trusted, *own)]
    else:
        found = pkcs12.trusted(pkcs12.read(store, password))
    if not found:
        raise Unreadable("it holds no certificate")
    return _pem(found)


def identity(store: bytes, password: str, key_password: str = "") -> Identity:
    """The only private key in it, with its certificates. Raises Unreadable.

    key_password   if it is another one than the store's; in PKCS#12 it never is
    """
    if _kind(store) == "JKS":
        key, chain = _of_jks(store, password, key_password or password)
    else:
        key, chain = _of_pkcs12(store, password)
    try:
        fits = _public(key.public_key()) == _public(chain[0].public_key())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unreadable("its private key is of a kind that is not known") from None
    if not fits:
        raise Unreadable("its private key and the certificate beside it do not belong together")
    return Identity(_pem(chain), text)


def _of_jks(store: bytes, password: str, key_password: str) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    contents = jks.read(store, password)
    aliases = ", ".join(repr(protected.alias[:64]) for protected in contents.keys[:NAMED_MAX])
    _demand_one(len(contents.keys), f" ({aliases}{', ...' if len(contents.keys) > NAMED_MAX else ''})")
    protected = contents.keys[0]
    if not protected.chain:
        raise Unreadable("its private key has no certificate")
    try:
        key = load_der_private_key(jks.plain(protected, key_password), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unreadable("its private key is damaged, or of a kind that is not known") from None
    return key, [_certificate(one) for one in protected.chain]


def _of_pkcs12(store: bytes, password: str) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    found = pkcs12.key_of(pkcs12.read(store, password))
    _demand_one(max(pkcs12.private_keys(store), 1) if found else 0, "")
    assert found is not None, "it is one"
    return found


def _demand_one(count: int, which: str) -> None:
    if count == 0:
        raise Unreadable("it holds no private key with its certificate")
    if count > 1:
        raise Unreadable(f"it holds {count} private keys{which}, and there must be one")


def _kind(store: bytes) -> str:
    """JKS or PKCS#12. Raises Unreadable for everything else that can be told apart."""
    if not store:
        raise Unreadable("it is empty")
    if store.startswith(jks.MAGIC):
        return "JKS"
    if store.startswith(_JCEKS):
        raise Unreadable(f"it is a JCEKS store; {_CONVERT}")
    if store.lstrip().startswith(b"-----BEGIN"):
        raise Unreadable("it is PEM, and no key store")
    if not store.startswith(pkcs12.MAGIC):
        raise Unreadable("it is neither JKS nor PKCS#12")
    return "PKCS#12"


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise Unreadable("a certificate in it is damaged") from None


def _pem(found: Iterable[x509.Certificate]) -> str:
    """Each once, in order."""
    texts: Sequence[str] = [one.public_bytes(Encoding.PEM).decode() for one in found]
    return "".join(dict.fromkeys(texts))


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
