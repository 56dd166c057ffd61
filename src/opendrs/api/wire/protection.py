"""What keeps others from a connection: `ssl`, and for Kafka KafkaSecurity."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.api.wire.problems import MISSING, demand_none
from opendrs.errors import DrsError, Fault
from opendrs.keystores import Identity, Unreadable, certificates, identity
from opendrs.model.endpoint import SASL_MECHANISMS, Secret

TYPES: Final = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
KERBEROS: Final = "GSSAPI"
HTTPS: Final = "https"
# Of KafkaSecurity, what is never shown: secrets, and stores, which may hold some.
HIDDEN: Final = ("trust_store_key", "trust_store_password", "key_store_key", "key_store_password", "key_password")
STORE_MAX: Final = 256 << 10  # characters of a key store, base64
PEM_MAX: Final = 64 << 10  # what is kept of one

NO_SECRET: Final = Secret("")

Read = TypeVar("Read", str, Identity)


class Ssl(Wire):
    """`ssl_cert_key`: the certificate of the authority, PEM or the base64 of it."""

    ssl_link: bool | None = None
    ssl_cert_name: str | None = None
    ssl_cert_key: str | None = None
    ssl_cert_check_sum: str | None = None
    ssl_cert_password: str | None = Field(default=None, repr=False)


class KafkaSecurity(Wire):
    """How Kafka is reached. The stores are the base64 of a JKS or PKCS#12 file."""

    type: str | None = None
    trust_store_key_name: str | None = None
    trust_store_key: str | None = None
    trust_store_password: str | None = Field(default=None, repr=False)
    endpoint_algorithm: str | None = None
    sasl_mechanism: str | None = None
    delegation_tokens: bool | None = None
    enable_key_store: bool | None = None
    key_store_key_name: str | None = None
    key_store_key: str | None = Field(default=None, repr=False)
    key_store_password: str | None = Field(default=None, repr=False)
    set_private_key_password: bool | None = None
    key_password: str | None = Field(default=None, repr=False)

    @property
    def says(self) -> bool:
        """Whether anything stands in it."""
        return any(value for _, value in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What of it an endpoint has.

    options       of the endpoint
    ca            certificates of the authorities, PEM; empty: none were given
    certificate   our own with who has issued it, PEM; empty: there is none
    key           of that certificate, PEM
    """

    options: Mapping[str, str] = field(default_factory=dict)
    ca: str = ""
    certificate: str = ""
    key: Secret = NO_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a Kafka endpoint decides how it is reached. `name` and `place`: where the endpoint, and where its
    security stands in the request."""

    name: str
    place: str
    security: KafkaSecurity
    ssl: Ssl
    user: str


def of_database(name: str, ssl: Ssl | None) -> Protection:
    """Nothing said: encrypted if the server can. Raises PARAMETER_INVALID."""
    if ssl is None or ssl.ssl_link is None:
        return Protection()
    if not ssl.ssl_link:
        return Protection(options={"tls": "disable"})
    if not ssl.ssl_cert_key:
        return Protection(options={"tls": "require"})
    return Protection(options={"tls": "verify-ca"}, ca=_authority(f"{name}.ssl.ssl_cert_key", ssl.ssl_cert_key))


def of_kafka(asked: Asked) -> Protection:
    """Nothing said: as `ssl` says; without it, plain. Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED."""
    security = asked.security
    if not security.says:
        return of_database(asked.name, asked.ssl)
    _refuse(security)
    if not security.type:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{asked.place}.type")
    kind = one_of(f"{asked.place}.type", security.type, TYPES)
    mechanism = security.sasl_mechanism or ""
    if mechanism:
        mechanism = one_of(f"{asked.place}.sasl_mechanism", mechanism, SASL_MECHANISMS)
    problems = {**_login_problems(asked, kind), **_tls_problems(asked, kind)}
    demand_none(problems)
    options = {"sasl": mechanism} if mechanism else {}
    if not kind.endswith("SSL"):
        return Protection(options={**options, "tls": "disable"})
    ca, own = _authorities(asked), _own(asked)
    mode = ("verify-full" if security.endpoint_algorithm else "verify-ca") if ca else "require"
    return Protection(
        options={**options, "tls": mode},
        ca=ca,
        certificate=own.certificates if own else "",
        key=Secret(own.key if own else ""),
    )


def without_secrets(security: Mapping[str, Any]) -> dict[str, Any]:
    """KafkaSecurity, as it may be kept and shown."""
    return {name: value for name, value in security.items() if name not in HIDDEN}


def _refuse(security: KafkaSecurity) -> None:
    if (security.sasl_mechanism or "").upper() == KERBEROS:
        raise DrsError(Fault.UNSUPPORTED, what=f"Logging in to Kafka with {KERBEROS} (Kerberos)")
    if security.delegation_tokens:
        raise DrsError(Fault.UNSUPPORTED, what="Logging in to Kafka with delegation tokens")


def _login_problems(asked: Asked, kind: str) -> dict[str, str]:
    found = {}
    mechanism = asked.security.sasl_mechanism
    if kind.startswith("SASL"):
        if not asked.user:
            found[f"{asked.name}.endpoint.db_user"] = MISSING
        if not mechanism:
            found[f"{asked.place}.sasl_mechanism"] = MISSING
        return found
    if asked.user:
        found[f"{asked.place}.type"] = f"with {kind} nobody logs in: take SASL_{kind}, or leave db_user empty"
    if mechanism:
        found[f"{asked.place}.sasl_mechanism"] = f"with {kind} nobody logs in"
    return found


def _tls_problems(asked: Asked, kind: str) -> dict[str, str]:
    security, place, ssl_link = asked.security, asked.place, f"{asked.name}.ssl.ssl_link"
    if not kind.endswith("SSL"):
        given = [name for name in ("trust_store_key", "key_store_key", "enable_key_store") if getattr(security, name)]
        found = {f"{place}.{name}": f"with {kind} nothing is encrypted" for name in given}
        return found | ({ssl_link: f"it contradicts the type {kind}"} if asked.ssl.ssl_link else {})
    found = {}
    trust, pem = f"{place}.trust_store_key", asked.ssl.ssl_cert_key
    if security.trust_store_key and pem:
        found[trust] = "ssl.ssl_cert_key gives an authority as well"
    elif not (security.trust_store_key or pem or asked.ssl.ssl_link):
        found[trust] = MISSING
    if asked.ssl.ssl_link is False:
        found[ssl_link] = f"it contradicts the type {kind}"
    algorithm = (security.endpoint_algorithm or "").lower()
    if algorithm and algorithm != HTTPS:
        found[f"{place}.endpoint_algorithm"] = f"it is {HTTPS}, or empty: then names of hosts are not looked at"
    elif algorithm and trust not in found and not (security.trust_store_key or pem):
        found[f"{place}.endpoint_algorithm"] = "without a trust_store_key nothing that a server shows is looked at"
    return found | _key_store_problems(security, place)


def _key_store_problems(security: KafkaSecurity, place: str) -> dict[str, str]:
    if not security.enable_key_store:
        why = "it is not true, and yet there is a key_store_key"
        return {f"{place}.enable_key_store": why} if security.key_store_key else {}
    needed = ["key_store_key", "key_store_password"] + ["key_password"] * bool(security.set_private_key_password)
    return {f"{place}.{name}": MISSING for name in needed if not getattr(security, name)}


def _authorities(asked: Asked) -> str:
    """PEM; empty: none were given."""
    if asked.security.trust_store_key:
        password = asked.security.trust_store_password or ""
        name = f"{asked.place}.trust_store_key"
        return _opened(name, asked.security.trust_store_key, lambda store: certificates(store, password))
    pem = asked.ssl.ssl_cert_key
    return _authority(f"{asked.name}.ssl.ssl_cert_key", pem) if pem else ""


def _own(asked: Asked) -> Identity | None:
    security = asked.security
    if not security.enable_key_store:
        return None
    password = security.key_store_password or ""
    key_password = "" if security.set_private_key_password is False else security.key_password or ""
    name = f"{asked.place}.key_store_key"
    return _opened(name, security.key_store_key or "", lambda store: identity(store, password, key_password))


def _opened(name: str, text: str, read: Callable[[bytes], Read]) -> Read:
    """What is wanted of a store. Raises PARAMETER_INVALID."""
    try:
        store = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:  # binascii.Error is one
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason="it is no base64") from None
    try:
        found = read(store)
    except Unreadable as error:
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=str(error)) from None
    pem = found if isinstance(found, str) else found.certificates
    if len(pem) > PEM_MAX:
        count = pem.count("-----BEGIN")
        reason = f"it holds {count} certificates, more than {PEM_MAX >> 10} KiB; leave in those that the brokers need"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
    return found


def _authority(name: str, text: str) -> str:
    """The certificate as PEM. Raises PARAMETER_INVALID."""
    try:
        pem = text if "-----BEGIN" in text else base64.b64decode(text, validate=True).decode()
        found = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        reason = "it is no certificate in PEM, nor the base64 of one"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason) from error
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
