"""Endpoints of Kafka: from the URL that a person writes to what the API takes, and back.

The API takes keys as key stores of Java only; people have PEM files. So these are put into one on the way, with a
password that nobody has to know.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint

PLAIN: Final = "PLAIN"
VERIFYING: Final = ("verify-ca", "verify-full")
_PASSWORD_BYTES: Final = 24


def brokers(endpoint: Endpoint) -> dict[str, str]:
    """Of BaseEndpoint, where they are: several stand in `ip` with their ports."""
    others = endpoint.options.get("brokers")
    if not others:
        return {"ip": endpoint.host, "db_port": str(endpoint.port)}
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return {"ip": f"{host}:{endpoint.port},{others}"}


def security(endpoint: Endpoint) -> dict[str, Any]:
    """Of JobEndpointInfo, `kafka_security` and `ssl`; nothing, if there is none of it. Raises ENDPOINT_INVALID."""
    options, mode = endpoint.options, endpoint.options.get("tls", "disable")
    if mode == "disable":
        for option in ("tls_ca", "tls_cert", "tls_key"):
            if option in options:
                raise _invalid(endpoint, f"{option} means nothing without tls=verify-ca, for nothing is encrypted")
    if mode in VERIFYING and "tls_ca" not in options:
        raise _invalid(endpoint, f"tls={mode} needs tls_ca=FILE: the service takes no other authority")
    login = "SASL_" if endpoint.user else ""
    kind = login + ("PLAINTEXT" if mode == "disable" else "SSL")
    found: dict[str, Any] = {"type": kind}
    if login:
        found["sasl_mechanism"] = options.get("sasl", PLAIN)
    if mode == "verify-full":
        found["endpoint_algorithm"] = "https"
    if "tls_cert" in options or "tls_key" in options:
        found |= _key_store(endpoint)
    ssl = {} if mode == "disable" else {"ssl": {"ssl_link": True, **_authority(endpoint)}}
    return {**({"kafka_security": found} if found != {"type": "PLAINTEXT"} else {}), **ssl}


def _authority(endpoint: Endpoint) -> dict[str, str]:
    """A certificate that is given is looked at, whatever the mode: the API knows it in no other way."""
    file = endpoint.options.get("tls_ca")
    if not file:
        return {}
    return {"ssl_cert_name": Path(file).name, "ssl_cert_key": _read(endpoint, "tls_ca").decode(errors="replace")}


def _key_store(endpoint: Endpoint) -> dict[str, Any]:
    """Who we are."""
    from cryptography import x509  # not to be loaded for every command
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

    for option in ("tls_cert", "tls_key"):
        if option not in endpoint.options:
            raise _invalid(endpoint, f"{option} is missing: certificate and key belong together")
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        own, *issuers = x509.load_pem_x509_certificates(_read(endpoint, "tls_cert"))
        # One of another kind than key stores may hold is refused as it is written.
        key = cast(pkcs12.PKCS12PrivateKeyTypes, load_pem_private_key(_read(endpoint, "tls_key"), None))
        protection = BestAvailableEncryption(password.encode())
        store = pkcs12.serialize_key_and_certificates(b"opendrs", key, own, issuers, protection)
    except (ValueError, TypeError) as error:
        reason = "tls_cert and tls_key must be PEM, belong together, and the key must have no password"
        raise _invalid(endpoint, f"{reason}: {error}") from error
    return {
        "enable_key_store": True,
        "key_store_key": base64.b64encode(store).decode(),
        "key_store_key_name": Path(endpoint.options["tls_key"]).name,
        "key_store_password": password,
    }


def _read(endpoint: Endpoint, option: str) -> bytes:
    try:
        return Path(endpoint.options[option]).expanduser().read_bytes()
    except OSError as error:
        raise _invalid(endpoint, f"{option}: {error}") from error


def shown(info: Mapping[str, Any]) -> str:
    """The URL of a JobEndpointInfo, as people know it; what a job publishes there stands in its policy."""
    inner: Mapping[str, Any] = info.get("endpoint") or {}
    said: Mapping[str, Any] = inner.get("kafka_security") or info.get("kafka_security") or {}
    ip, port, user = str(inner.get("ip", "")), inner.get("db_port"), inner.get("db_user")
    login = f"{quote(str(user), safe='')}@" if user else ""
    mode, mechanism = _mode(info, said), str(said.get("sasl_mechanism") or PLAIN)
    options = {
        **({"tls": mode} if mode else {}),
        **({"sasl": mechanism} if login and mechanism != PLAIN else {}),
        **({"tls_key": said.get("key_store_key_name") or "..."} if said.get("enable_key_store") else {}),
    }
    return f"kafka://{login}{ip}{f':{port}' if port else ''}{f'?{urlencode(options)}' if options else ''}"


def _mode(info: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    ssl: Mapping[str, Any] = info.get("ssl") or {}
    if said.get("endpoint_algorithm"):
        return "verify-full"
    # Of a trust store no more is shown than that there must have been one.
    if ssl.get("ssl_cert_key") or (str(said.get("type", "")).endswith("SSL") and not ssl.get("ssl_link")):
        return "verify-ca"
    return {None: "", False: "", True: "require"}[ssl.get("ssl_link")]


def _invalid(endpoint: Endpoint, reason: str) -> DrsError:
    return DrsError(Fault.ENDPOINT_INVALID, endpoint=str(endpoint), reason=reason)
