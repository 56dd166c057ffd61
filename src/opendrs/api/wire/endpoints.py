"""Endpoints on the wire: JobEndpointInfo, and what it means."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.api.wire.conforming import TEXT_MAX, conform
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import PORTS, Endpoint, EngineName, Secret, Side
from opendrs.model.links import Link
from opendrs.spec import model
from opendrs.store.jobs import places_of

ROLES: Final[dict[str, Side]] = {"so": "source", "ta": "target"}
TYPES: Final = ("offline", "ecs", "cloud")
PEM_MAX: Final = 32 << 10
# Parts that mean nothing here, and are shown as they were sent.
KEPT: Final = ("cloud", "vpc", "config", "customized_dns")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class BaseEndpoint(Wire):
    """Address and account. The password may be left out where one is known."""

    id: str | None = None
    endpoint_name: str | None = None
    ip: str | None = None
    db_port: str | None = None
    db_user: str = ""
    db_password: str = Field("", repr=False)
    instance_id: str | None = None
    instance_name: str | None = None
    db_name: str | None = None
    source_sharding: list[Any] | None = None


class Ssl(Wire):
    """`ssl_cert_key`: the certificate of the authority, PEM or the base64 of it."""

    ssl_link: bool | None = None
    ssl_cert_name: str | None = None
    ssl_cert_key: str | None = None
    ssl_cert_check_sum: str | None = None
    ssl_cert_password: str | None = Field(None, repr=False)


class EndpointInfo(Wire):
    """JobEndpointInfo."""

    db_type: str
    endpoint_type: str
    endpoint_role: str
    endpoint: BaseEndpoint
    cloud: Any = None
    vpc: Any = None
    config: Any = None
    ssl: Ssl | None = None
    customized_dns: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One side of a job, understood.

    facts   what was sent, without secrets
    ca      certificate of the authority, PEM; empty: none was given
    places  what it can be found by
    """

    side: Side
    endpoint: Endpoint
    facts: Mapping[str, Any]
    ca: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        return places_of(self.facts)


def one_end(name: str, infos: Sequence[EndpointInfo], side: Side, link: Link) -> End:
    """The only end of a side. Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED."""
    if not infos:
        raise DrsError(Fault.PARAMETER_EMPTY, name=name)
    if len(infos) > 1:
        raise DrsError(Fault.UNSUPPORTED, what=f"More than one endpoint in {name}")
    end = read_end(name, infos[0], link)
    if end.side != side:
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.endpoint_role", reason=f"it is not that of a {side}")
    return end


def read_end(name: str, info: EndpointInfo, link: Link) -> End:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED."""
    side = ROLES[one_of(f"{name}.endpoint_role", info.endpoint_role, ROLES)]
    one_of(f"{name}.endpoint_type", info.endpoint_type, TYPES)
    types = link.source_types if side == "source" else link.target_types
    one_of(f"{name}.db_type", info.db_type, types)
    engine = link.source if side == "source" else link.target
    inner = info.endpoint
    if inner.source_sharding:
        raise DrsError(Fault.UNSUPPORTED, what="A source of several shards")
    _demand_short(name, info)
    host, port = _address(name, inner, engine)
    if not inner.db_user:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.db_user")
    database = inner.db_name or ""
    if engine == "postgresql" and not database:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.db_name")
    options, ca = _tls(name, info.ssl)
    endpoint = Endpoint(
        engine=engine,
        host=host,
        port=port,
        user=inner.db_user,
        password=Secret(inner.db_password),
        database="" if engine == "mysql" else database,  # whole servers are read; the selection says what of them
        options=options,
    )
    return End(side=side, endpoint=endpoint, facts=without_secrets(name, info, ca), ca=ca)


def without_secrets(name: str, info: EndpointInfo, ca: str) -> dict[str, Any]:
    """What was sent, as it may be kept and shown. An empty password in a request means the one that is known. Of
    certificates only those are kept that were understood: a private key may have been sent along."""
    facts = info.model_dump(exclude_none=True)
    facts["endpoint"] |= {"db_password": "", "endpoint_name": info.endpoint.endpoint_name or info.db_type}
    if "ssl" in facts:
        facts["ssl"].pop("ssl_cert_password", None)
        facts["ssl"].pop("ssl_cert_key", None)
        facts["ssl"] |= {"ssl_cert_key": ca} if ca else {}
    declared = {field.name: field.type for field in model("v5", "JobEndpointInfo").fields}
    for part in KEPT:
        if part in facts:
            facts[part] = conform(f"{name}.{part}", declared[part], facts[part])
    return facts


def _demand_short(name: str, info: EndpointInfo) -> None:
    fields = [("endpoint", *row) for row in info.endpoint] + [("ssl", *row) for row in info.ssl or ()]
    for part, field, value in fields:
        most = PEM_MAX if field == "ssl_cert_key" else TEXT_MAX
        if isinstance(value, str) and len(value) > most:
            reason = f"it has more than {most} characters"
            raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.{part}.{field}", reason=reason)


def _address(name: str, inner: BaseEndpoint, engine: EngineName) -> tuple[str, int]:
    host, port = (inner.ip or "").strip(), (inner.db_port or "").strip()
    if not host:
        if inner.instance_id:
            what = f"An endpoint known by its instance_id only ({shown(inner.instance_id)}); give ip and db_port: that"
            raise DrsError(Fault.UNSUPPORTED, what=what)
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.ip")
    if not port and host.count(":") == 1:
        host, _, port = host.partition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not _HOST.fullmatch(host) or len(host) > 255:
        reason = f"{shown(host)!r} is no address"
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.endpoint.ip", reason=reason)
    if not port:
        return host, PORTS[engine]
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535):
        reason = f"{shown(port)!r} is no number from 1 to 65535"
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.endpoint.db_port", reason=reason)
    return host, int(port)


def _tls(name: str, ssl: Ssl | None) -> tuple[dict[str, str], str]:
    """Options of an endpoint, and the certificate of the authority. Nothing said: encrypted if the server can."""
    if ssl is None or ssl.ssl_link is None:
        return {}, ""
    if not ssl.ssl_link:
        return {"tls": "disable"}, ""
    if not ssl.ssl_cert_key:
        return {"tls": "require"}, ""
    return {"tls": "verify-ca"}, _authority(f"{name}.ssl.ssl_cert_key", ssl.ssl_cert_key)


def _authority(name: str, text: str) -> str:
    """The certificate as PEM. Raises PARAMETER_INVALID."""
    try:
        pem = text if "-----BEGIN" in text else base64.b64decode(text, validate=True).decode()
        found = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        reason = "it is no certificate in PEM, nor the base64 of one"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason) from error
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
