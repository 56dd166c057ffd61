"""SDK-HMAC-SHA256, the signature of Huawei Cloud's SDKs: how a request is signed, and how it is checked.

Needs nothing but facts about a request, so that the server and our own client share it. The rules are those that
huaweicloudsdkcore 3.1.219 follows (signer/signer.py); tests hold this module against it.

Two things that the algorithm itself leaves open, whoever implements it: `/` and `%2F` in a path are the same to
it, and so is a `/` at the end. And a request may be sent again, as it is, for as long as its date is good.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from opendrs.errors import DrsError, Fault

ALGORITHM: Final = "SDK-HMAC-SHA256"
SKEW_MAX: Final = timedelta(minutes=15)
DATE_HEADER: Final = "x-sdk-date"
CONTENT_HEADER: Final = "x-sdk-content-sha256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
# What must be signed; and what must be if it is sent, for it changes what the request means.
ALWAYS_SIGNED: Final = ("host", DATE_HEADER)
SIGNED_IF_SENT: Final = ("x-project-id", CONTENT_HEADER)
# One message for whatever may be wrong with either, so that nobody learns which access keys there are.
WRONG: Final = "the access key or the signature is wrong"

_DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_PARTS = re.compile(
    rf"{ALGORITHM}[ \t]+Access=(?P<access>[!-+\--~]{{1,256}}),[ \t]*"
    r"SignedHeaders=(?P<names>[^,\s]{1,4096}),[ \t]*Signature=(?P<signature>[0-9a-f]{64})"
)
_TYPES_SIGNED_WHOLE: Final = ("application/json", "application/bson", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it was on the wire.

    path, query   as sent: not decoded, without the question mark
    headers   in order, the bytes of a value read as Latin-1, as web frameworks do
    digest   SHA-256 in hexadecimal digits of a body that is elsewhere, and not empty; then `body` is
    """

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)  # may hold a token
    body: bytes = field(default=b"", repr=False)  # may hold a password
    digest: str = ""

    @property
    def body_digest(self) -> str:
        return self.digest or hashlib.sha256(self.body).hexdigest()

    def values(self, name: str) -> list[str]:
        """All values of a header, whatever the case of its name; `name` in lower case."""
        return [value.strip(" \t") for key, value in self.headers if key.lower() == name]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the header of that name says. `signed`: names of headers, in the order of the signature."""

    access_key: str
    signed: tuple[str, ...]
    signature: str = field(repr=False)


def canonical_request(call: Call, signed: Iterable[str], *, sorts: bool = True) -> bytes:
    """What is signed of a request: six parts, one a line.

    signed   names of headers, in lower case
    sorts   False: parameters stay in the order of the wire. The SDK sorts them as what they are in Python, and
            numbers otherwise than texts; but it sends them in the order that it signs.
    Raises SIGNATURE_INVALID if there is no such thing: a header that is missing or ambiguous, a path or query
    that is not UTF-8.
    """
    names = tuple(signed)
    lines = [
        call.method.upper().encode(),
        _path(call.path),
        _query(call.query, sorts),
        *(name.encode() + b":" + _header(call, name) for name in names),
        b"",
        ";".join(names).encode(),
        _payload(call).encode(),
    ]
    return b"\n".join(lines)


def sign(call: Call, access_key: str, secret_key: str, now: datetime) -> dict[str, str]:
    """The headers that make a request a signed one. Everything it has is signed, and so is its body.

    call   with its Host header, with the port as it will be sent; without a date
    now   an aware time
    """
    date = now.astimezone(UTC).strftime(_DATE_FORMAT)
    dated = Call(
        method=call.method,
        path=call.path,
        query=call.query,
        headers=(*call.headers, ("X-Sdk-Date", date)),
        body=call.body,
    )
    # Some gateways drop headers with an underscore, so the SDK never signs one.
    names = tuple(sorted({name.lower() for name, _ in dated.headers if "_" not in name}))
    signature = _signature(canonical_request(dated, names), date, secret_key)
    value = f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {"X-Sdk-Date": date, "Authorization": value}


def parse_authorization(text: str) -> Authorization:
    """Reads the header. Raises SIGNATURE_INVALID if it is anything else than this algorithm writes."""
    found = _PARTS.fullmatch(text)
    names = tuple(found["names"].split(";")) if found else ()
    if found is None or not all(_TOKEN.fullmatch(name) and name == name.lower() for name in names):
        raise _refused(f"the header Authorization is not `{ALGORITHM} Access=..., SignedHeaders=..., Signature=...`")
    return Authorization(found["access"], names, found["signature"])


def verify(call: Call, given: Authorization, secret_key: str, now: datetime) -> None:
    """Raises SIGNATURE_INVALID, with what can be mended, unless whoever knows the secret key signed this request
    within 15 minutes of `now`, an aware time."""
    _check_signed_names(call, given.signed)
    date = _only(call, DATE_HEADER)
    if abs(now - _instant(date)) > SKEW_MAX:
        minutes = int(SKEW_MAX.total_seconds() // 60)
        raise _refused(f"X-Sdk-Date is more than {minutes} minutes off; the clock here says {now:{_DATE_FORMAT}}")
    _check_content(call, given.signed)
    for sorts in (True, False):
        request = canonical_request(call, given.signed, sorts=sorts)
        if hmac.compare_digest(given.signature, _signature(request, date, secret_key)):
            return
        if _query(call.query, True) == _query(call.query, False):
            break
    raise _refused(WRONG)


def _check_signed_names(call: Call, signed: Sequence[str]) -> None:
    needed = [*ALWAYS_SIGNED, *(name for name in SIGNED_IF_SENT if call.values(name))]
    missing = [name for name in needed if name not in signed]
    if missing:
        raise _refused(f"not signed: {', '.join(missing)}")


def _check_content(call: Call, signed: Sequence[str]) -> None:
    """The header replaces the hash of the body in what is signed, so what it says has to be true."""
    for stated in call.values(CONTENT_HEADER):
        if stated == UNSIGNED:
            types = call.values("content-type") or [""]
            media = [text.partition(";")[0].strip().lower() for text in types]
            # The SDK leaves a body out only when it uploads a file.
            if any(kind in _TYPES_SIGNED_WHOLE or kind.endswith("+json") for kind in media):
                raise _refused(f"a body of this type must be signed, not {UNSIGNED}")
            if "content-type" not in signed:
                raise _refused(f"{UNSIGNED} needs a signed Content-Type")
        elif not hmac.compare_digest(stated.lower().encode(), call.body_digest.encode()):
            raise _refused("X-Sdk-Content-Sha256 is not the hash of the body")


def _instant(date: str) -> datetime:
    try:
        if _DATE.fullmatch(date):
            return datetime.strptime(date, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass  # a 13th month
    raise _refused("X-Sdk-Date is not YYYYMMDDTHHMMSSZ")


def _path(raw: str) -> bytes:
    """Decoded whole before it is split: an encoded slash becomes a separator, as in the SDK."""
    try:
        decoded = unquote_to_bytes(raw.encode("ascii")).decode()
    except UnicodeError as error:
        raise _refused("the path is not percent-encoded UTF-8") from error
    encoded = "/".join(_encode(part) for part in decoded.split("/"))
    return (encoded if encoded.endswith("/") else encoded + "/").encode()


def _query(raw: str, sorts: bool) -> bytes:
    """Read as web frameworks read it, `+` for a space too: what is signed is what will be understood."""
    try:
        raw.encode("ascii")
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise _refused("the query is not percent-encoded UTF-8") from error
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in (sorted(pairs) if sorts else pairs)).encode()


def _encode(text: str) -> str:
    return quote(text, safe="")  # letters, digits and `-_.~` stay


def _only(call: Call, name: str) -> str:
    """Of two headers with one name nobody knows which the service will go by."""
    values = call.values(name)
    if len(values) != 1:
        raise _refused(f"the signed header {name} must be there once")
    return values[0]


def _header(call: Call, name: str) -> bytes:
    try:
        value = _only(call, name).encode("latin-1")
    except UnicodeError as error:
        raise _refused(f"the header {name} cannot be sent") from error
    if b"\n" in value or b"\r" in value:
        raise _refused(f"the header {name} has more than one line")
    return value


def _payload(call: Call) -> str:
    stated = call.values(CONTENT_HEADER)
    # Of an empty body the hash is signed whatever the header says.
    return stated[0] if (call.body or call.digest) and stated else call.body_digest


def _signature(canonical: bytes, date: str, secret_key: str) -> str:
    """The key is the secret key itself; no key is derived from it."""
    text = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _refused(reason: str) -> DrsError:
    return DrsError(Fault.SIGNATURE_INVALID, reason=reason)
