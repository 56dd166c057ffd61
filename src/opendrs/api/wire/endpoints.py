"""Endpoints on the wire: JobEndpointInfo, and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import AliasChoices, Field

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.api.wire import addresses, protection
from opendrs.api.wire.conforming import TEXT_MAX, conform
from opendrs.api.wire.protection import STORE_MAX, KafkaSecurity, Protection, Ssl
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint, EngineName, Secret, Side
from opendrs.model.links import Link
from opendrs.spec import model
from opendrs.store.jobs import places_of

ROLES: Final[dict[str, Side]] = {"so": "source", "ta": "target"}
TYPES: Final = ("offline", "ecs", "cloud")
LENGTHS: Final = {"ssl_cert_key": 32 << 10, "trust_store_key": STORE_MAX, "key_store_key": STORE_MAX}
# Parts that mean nothing here, and are shown as they were sent.
KEPT: Final = ("cloud", "vpc", "config", "customized_dns")
# The name of ours, and that of version 3.
_SECURITY: Final = AliasChoices("kafka_security", "kafka_security_config")


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
    kafka_security: KafkaSecurity | None = Field(default=None, validation_alias=_SECURITY)


class EndpointInfo(Wire):
    """JobEndpointInfo. Beside what the SDK knows, `kafka_security` may stand here or in `endpoint`."""

    db_type: str
    endpoint_type: str
    endpoint_role: str
    endpoint: BaseEndpoint
    cloud: Any = None
    vpc: Any = None
    config: Any = None
    ssl: Ssl | None = None
    customized_dns: Any = None
    kafka_security: KafkaSecurity | None = Field(default=None, validation_alias=_SECURITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One side of a job, understood.

    facts        what was sent, without secrets
    protection   what must be files where the server is reached
    places       what it can be found by
    """

    side: Side
    endpoint: Endpoint
    facts: Mapping[str, Any]
    protection: Protection

    @property
    def places(self) -> tuple[str, ...]:
        return places_of(self.facts)

    @property
    def certificates(self) -> dict[str, str]:
        """Those that were given, by the names under which a job keeps them: they are no secrets."""
        found = {"ca": self.protection.ca, "certificate": self.protection.certificate}
        return {f"{self.side}_{name}": pem for name, pem in found.items() if pem}


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
    if info.endpoint.source_sharding:
        raise DrsError(Fault.UNSUPPORTED, what="A source of several shards")
    _demand_short(name, info)
    endpoint, protected = _kafka(name, info) if engine == "kafka" else _database(name, info, engine)
    facts = without_secrets(name, info, protected.ca)
    return End(side=side, endpoint=endpoint, facts=facts, protection=protected)


def _database(name: str, info: EndpointInfo, engine: EngineName) -> tuple[Endpoint, Protection]:
    inner = info.endpoint
    for place in _securities(info):
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.{place}", reason=f"{info.db_type} is no Kafka")
    host, port = addresses.address(name, _ip(name, inner), (inner.db_port or "").strip(), engine)
    if not inner.db_user:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.db_user")
    database = inner.db_name or ""
    if engine == "postgresql" and not database:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.db_name")
    protected = protection.of_database(name, info.ssl)
    endpoint = Endpoint(
        engine=engine,
        host=host,
        port=port,
        user=inner.db_user,
        password=Secret(inner.db_password),
        database="" if engine == "mysql" else database,  # whole servers are read; the selection says what of them
        options=protected.options,
    )
    return endpoint, protected


def _kafka(name: str, info: EndpointInfo) -> tuple[Endpoint, Protection]:
    """Topics stand in the policy: a database means nothing here."""
    inner = info.endpoint
    first, *others = addresses.brokers(name, _ip(name, inner), (inner.db_port or "").strip())
    securities = _securities(info)
    if len(securities) > 1:
        reason = f"it is said twice: {' and '.join(securities)}"
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.kafka_security", reason=reason)
    place, security = next(iter(securities.items()), ("kafka_security", KafkaSecurity()))
    asked = protection.Asked(
        name=name,
        place=f"{name}.{place}",
        security=security,
        ssl=info.ssl or Ssl(),
        user=inner.db_user,
    )
    protected = protection.of_kafka(asked)
    if inner.db_password and not inner.db_user:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.db_user")
    more = {"brokers": ",".join(map(addresses.broker_text, others))} if others else {}
    endpoint = Endpoint(
        engine="kafka",
        host=first[0],
        port=first[1],
        user=inner.db_user,
        password=Secret(inner.db_password),
        options={**protected.options, **more},
    )
    return endpoint, protected


def _securities(info: EndpointInfo) -> dict[str, KafkaSecurity]:
    """What is said of it, by where; one in which nothing stands says nothing."""
    places = {"kafka_security": info.kafka_security, "endpoint.kafka_security": info.endpoint.kafka_security}
    return {place: said for place, said in places.items() if said is not None and said.says}


def without_secrets(name: str, info: EndpointInfo, ca: str) -> dict[str, Any]:
    """What was sent, as it may be kept and shown. An empty password in a request means the one that is known. Of
    certificates only those are kept that were understood: a private key may have been sent along."""
    facts = info.model_dump(exclude_none=True)
    facts["endpoint"] |= {"db_password": "", "endpoint_name": info.endpoint.endpoint_name or info.db_type}
    if "ssl" in facts:
        facts["ssl"].pop("ssl_cert_password", None)
        sent = facts["ssl"].pop("ssl_cert_key", None)
        facts["ssl"] |= {"ssl_cert_key": ca} if ca and sent else {}
    for holder in (facts, facts["endpoint"]):
        if "kafka_security" in holder:
            holder["kafka_security"] = protection.without_secrets(holder["kafka_security"])
    declared = {field.name: field.type for field in model("v5", "JobEndpointInfo").fields}
    for part in KEPT:
        if part in facts:
            facts[part] = conform(f"{name}.{part}", declared[part], facts[part])
    return facts


def _demand_short(name: str, info: EndpointInfo) -> None:
    parts = {
        "endpoint": info.endpoint,
        "ssl": info.ssl,
        "kafka_security": info.kafka_security,
        "endpoint.kafka_security": info.endpoint.kafka_security,
    }
    for part, holder in parts.items():
        for field, value in holder or ():
            most = LENGTHS.get(field, TEXT_MAX)
            if isinstance(value, str) and len(value) > most:
                reason = f"it has more than {most} characters"
                raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.{part}.{field}", reason=reason)


def _ip(name: str, inner: BaseEndpoint) -> str:
    """Raises PARAMETER_EMPTY, UNSUPPORTED."""
    if ip := (inner.ip or "").strip():
        return ip
    if inner.instance_id:
        what = f"An endpoint known by its instance_id only ({shown(inner.instance_id)}); give ip and db_port: that"
        raise DrsError(Fault.UNSUPPORTED, what=what)
    raise DrsError(Fault.PARAMETER_EMPTY, name=f"{name}.endpoint.ip")
