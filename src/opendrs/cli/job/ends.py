"""Endpoints: from the URL that a person writes to what the API takes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from opendrs.cli.job import kafka_ends
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint, Side

ROLES: Final[dict[Side, str]] = {"source": "so", "target": "ta"}
# What a URL of `opendrs run` may say and the API cannot: of any server, and of databases.
NOT_CARRIED: Final = ("socket", "connect_timeout")
NOT_OF_DATABASES: Final = ("tls_cert", "tls_key")


def wire(endpoint: Endpoint, side: Side) -> dict[str, Any]:
    """JobEndpointInfo. Raises ENDPOINT_INVALID for what the API has no place for."""
    kafka = endpoint.engine == "kafka"
    for option in (*NOT_CARRIED, *(() if kafka else NOT_OF_DATABASES)):
        if option in endpoint.options:
            raise _invalid(endpoint, f"the option {option} cannot be handed to a service")
    facts: dict[str, Any] = {
        "db_type": endpoint.engine,
        "endpoint_type": "offline",
        "endpoint_role": ROLES[side],
        "endpoint": {
            "endpoint_name": endpoint.engine,
            **(kafka_ends.brokers(endpoint) if kafka else {"ip": endpoint.host, "db_port": str(endpoint.port)}),
            "db_user": endpoint.user,
            # Kafka has no account without a name: then the password is that of something else.
            "db_password": endpoint.password.reveal() if endpoint.user or not kafka else "",
            **({"db_name": endpoint.database} if endpoint.database and not kafka else {}),
        },
    }
    return {**facts, **(kafka_ends.security(endpoint) if kafka else _ssl(endpoint))}


def _ssl(endpoint: Endpoint) -> dict[str, Any]:
    """Without it the API means: encrypted if the server can."""
    mode, file = endpoint.options.get("tls"), endpoint.options.get("tls_ca")
    match mode:
        case "verify-full":
            raise _invalid(endpoint, "the API has no tls=verify-full; tls=verify-ca is the most it has")
        case "verify-ca" if not file:
            raise _invalid(endpoint, "tls=verify-ca needs tls_ca=FILE: the service takes no other authority")
        case "disable":
            return {"ssl": {"ssl_link": False}}
        case "require" if not file:
            return {"ssl": {"ssl_link": True}}
        case None | "prefer" if not file:
            return {}
    assert file is not None, "without one it is decided above"
    try:
        pem = Path(file).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(endpoint, f"tls_ca: {error}") from error
    # A certificate that is given is looked at, whatever the mode: the API knows it in no other way.
    return {"ssl": {"ssl_link": True, "ssl_cert_name": Path(file).name, "ssl_cert_key": pem}}


def shown(info: Mapping[str, Any]) -> str:
    """The URL of a JobEndpointInfo, as people know it."""
    if info.get("db_type") == "kafka":
        return kafka_ends.shown(info)
    inner: Mapping[str, Any] = info.get("endpoint") or {}
    host = str(inner.get("ip", ""))
    host = f"[{host}]" if ":" in host else host
    user, port, database = inner.get("db_user"), inner.get("db_port"), inner.get("db_name")
    ssl: Mapping[str, Any] = info.get("ssl") or {}
    tls = {None: "", False: "?tls=disable", True: "?tls=require"}[ssl.get("ssl_link")]
    tls = "?tls=verify-ca" if ssl.get("ssl_cert_key") else tls
    login = f"{quote(str(user), safe='')}@" if user else ""
    return f"{info.get('db_type')}://{login}{host}{f':{port}' if port else ''}{f'/{database}' if database else ''}{tls}"


def _invalid(endpoint: Endpoint, reason: str) -> DrsError:
    return DrsError(Fault.ENDPOINT_INVALID, endpoint=str(endpoint), reason=reason)
