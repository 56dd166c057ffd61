"""Endpoints: from the URL that a person writes to what the API takes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint, Side

ROLES: Final[dict[Side, str]] = {"source": "so", "target": "ta"}
# What a URL of `opendrs run` may say and the API cannot.
NOT_CARRIED: Final = ("socket", "tls_cert", "tls_key", "connect_timeout")


def wire(endpoint: Endpoint, side: Side) -> dict[str, Any]:
    """JobEndpointInfo. Raises ENDPOINT_INVALID for what the API has no place for."""
    for option in NOT_CARRIED:
        if option in endpoint.options:
            raise _invalid(endpoint, f"the option {option} cannot be handed to a service")
    facts: dict[str, Any] = {
        "db_type": endpoint.engine,
        "endpoint_type": "offline",
        "endpoint_role": ROLES[side],
        "endpoint": {
            "endpoint_name": endpoint.engine,
            "ip": endpoint.host,
            "db_port": str(endpoint.port),
            "db_user": endpoint.user,
            "db_password": endpoint.password.reveal(),
            **({"db_name": endpoint.database} if endpoint.database else {}),
        },
    }
    ssl = _ssl(endpoint)
    return facts if ssl is None else {**facts, "ssl": ssl}


def _ssl(endpoint: Endpoint) -> dict[str, Any] | None:
    """None: encrypted if the server can, which is what the API means without it."""
    mode, file = endpoint.options.get("tls"), endpoint.options.get("tls_ca")
    match mode:
        case "verify-full":
            raise _invalid(endpoint, "the API has no tls=verify-full; tls=verify-ca is the most it has")
        case "verify-ca" if not file:
            raise _invalid(endpoint, "tls=verify-ca needs tls_ca=FILE: the service takes no other authority")
        case "disable":
            return {"ssl_link": False}
        case "require" if not file:
            return {"ssl_link": True}
        case None | "prefer" if not file:
            return None
    assert file is not None, "without one it is decided above"
    try:
        pem = Path(file).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(endpoint, f"tls_ca: {error}") from error
    # A certificate that is given is looked at, whatever the mode: the API knows it in no other way.
    return {"ssl_link": True, "ssl_cert_name": Path(file).name, "ssl_cert_key": pem}


def shown(info: Mapping[str, Any]) -> str:
    """The URL of a JobEndpointInfo, as people know it."""
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
