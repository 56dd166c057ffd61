"""Where a server is, on the wire: host and port, and of Kafka several of them."""

from __future__ import annotations

import re
from typing import Final

from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import PORTS, EngineName

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_BROKER: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([^:]*)")

Address = tuple[str, int]


def address(name: str, ip: str, db_port: str, engine: EngineName) -> Address:
    """Of one server. `name`: where the endpoint stands. Raises PARAMETER_INVALID."""
    host, port = ip, db_port
    if not port and host.count(":") == 1:
        host, _, port = host.partition(":")
    return _host(name, host), _port(f"{name}.endpoint.db_port", port, engine)


def brokers(name: str, ip: str, db_port: str) -> list[Address]:
    """`host:port,host:port`; `db_port` is that of those without one. Raises PARAMETER_INVALID."""
    found = []
    for one in ip.split(","):
        apart = _BROKER.fullmatch(one.strip())
        if apart is None:
            found.append((_host(name, one.strip()), _port(f"{name}.endpoint.db_port", db_port, "kafka")))
        else:
            found.append((_host(name, apart[1]), _port(f"{name}.endpoint.ip", apart[2], "kafka")))
    return found


def broker_text(one: Address) -> str:
    """As model.endpoint has it."""
    host, port = one
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host(name: str, host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not _HOST.fullmatch(host) or len(host) > 255:
        reason = f"{shown(host)!r} is no address"
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{name}.endpoint.ip", reason=reason)
    return host


def _port(name: str, port: str, engine: EngineName) -> int:
    """Of the engine, if there is none."""
    if not port:
        return PORTS[engine]
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535):
        reason = f"{shown(port)!r} is no number from 1 to 65535"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
    return int(port)
