"""Key stores as Java makes them, with its own `keytool`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.harness.commands import run
from tests.harness.server import ServerUnavailable, TlsFiles

Kind = Literal["JKS", "PKCS12"]
KINDS: tuple[Kind, ...] = ("JKS", "PKCS12")
LEGACY = "-J-Dkeystore.pkcs12.legacy"  # PKCS#12 as Java wrote it before 8u301 and 16
_UTF8 = {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)}


def find() -> Path:
    """`$JAVA_HOME`'s, else the first of the path. Raises ServerUnavailable."""
    for program in _candidates():
        if program.is_file():
            return program
    raise ServerUnavailable("this machine has no keytool command, which comes with Java")


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "keytool"
    found = shutil.which("keytool")
    if found:
        yield Path(found)


def keytool(*words: str | Path) -> str:
    return run([find(), *words], environment=_UTF8)


def trusting(store: Path, kind: Kind, password: str, *authorities: Path, more: tuple[str, ...] = ()) -> Path:
    """A trust store with these certificates, added to what is there."""
    for authority in authorities:
        keytool(
            "-importcert", "-noprompt", "-alias", authority.stem, "-file", authority, "-keystore", store,
            "-storetype", kind, "-storepass", password, *more,
        )  # fmt: skip
    return store


def client(
    store: Path, kind: Kind, password: str, files: TlsFiles, *, key_password: str = "", more: tuple[str, ...] = ()
) -> Path:
    """A key store with the key of the client and its certificate, and who has issued that; alias `client`."""
    exported = store.with_suffix(".exported")
    parts = ["-inkey", files.client_key, "-in", files.client_certificate, "-certfile", files.ca]
    run(["openssl", "pkcs12", "-export", *parts, "-name", "client", "-passout", "pass:exported", "-out", exported])
    keys = ("-destkeypass", key_password or password, "-srcalias", "client", "-srckeypass", "exported")
    keytool(
        "-importkeystore", "-noprompt", "-srckeystore", exported, "-srcstorepass", "exported", "-destkeystore", store,
        "-deststoretype", kind, "-deststorepass", password, *keys, *more,
    )  # fmt: skip
    exported.unlink()
    return store


def generated(store: Path, kind: Kind, password: str, alias: str, *more: str) -> Path:
    """A new key with a certificate of its own, added to what is there."""
    keytool(
        "-genkeypair", "-alias", alias, "-dname", f"CN={alias}", "-keystore", store, "-storetype", kind,
        "-storepass", password, *(more or ("-keyalg", "EC", "-groupname", "secp256r1")),
    )  # fmt: skip
    return store
