"""Throw-away certificates: an authority, a server and a client, made with the openssl command."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.harness.commands import run
from tests.harness.server import ServerUnavailable, TlsFiles

DAYS = "30"


def make(folder: Path) -> TlsFiles:
    """New files in `folder`, for a server at 127.0.0.1 or localhost and the client `opendrs`."""
    if not shutil.which("openssl"):
        raise ServerUnavailable("this machine has no openssl command, needed for TLS")
    folder.mkdir(mode=0o755)
    files = TlsFiles(
        ca=folder / "ca.pem",
        server_certificate=folder / "server.pem",
        server_key=folder / "server.key",
        client_certificate=folder / "client.pem",
        client_key=folder / "client.key",
    )
    authority = folder / "ca.key"
    _key_and_certificate("opendrs test authority", authority, files.ca, ["-x509"], is_ca=True)
    issued = ["-x509", "-CA", str(files.ca), "-CAkey", str(authority)]
    _key_and_certificate("localhost", files.server_key, files.server_certificate, issued)
    _key_and_certificate("opendrs", files.client_key, files.client_certificate, issued)
    return files


def _key_and_certificate(name: str, key: Path, certificate: Path, kind: list[str], *, is_ca: bool = False) -> None:
    extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    if not is_ca:
        extensions = ["basicConstraints=CA:FALSE", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    argv = ["openssl", "req", *kind, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    argv += ["-nodes", "-days", DAYS, "-subj", f"/CN={name}", "-keyout", str(key)]
    for extension in extensions:
        argv += ["-addext", extension]
    run([*argv, "-out", str(certificate)])
    key.chmod(0o600)
