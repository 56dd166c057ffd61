"""Certificates, and stores of them that Java has made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import certificates, keystores
from tests.harness.fixtures import not_exercised
from tests.harness.keystores import Kind
from tests.harness.server import ServerUnavailable, TlsFiles

PASSWORD, KEY_PASSWORD = "store-secret-1", "key-secret-1"


@dataclass(frozen=True)
class Stores:
    """Made once, when they are asked for first."""

    folder: Path
    files: TlsFiles
    others: tuple[Path, ...]

    def made(self, name: str, kind: Kind, make: Callable[[Path], Path]) -> bytes:
        path = self.folder / f"{name}.{kind.lower()}"
        return (path if path.exists() else make(path)).read_bytes()

    def trusting(self, kind: Kind, count: int = 1) -> bytes:
        """Trusts so many authorities."""
        authorities = (self.files.ca, *self.others)[:count]
        return self.made(f"trust{count}", kind, lambda path: keystores.trusting(path, kind, PASSWORD, *authorities))

    def client(self, kind: Kind) -> bytes:
        """Holds the client's key."""
        return self.made("client", kind, lambda path: keystores.client(path, kind, PASSWORD, self.files))


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    folder = tmp_path_factory.mktemp("keystores")
    try:
        keystores.find()
        files = certificates.make(folder / "tls")
        others = []
        for name in ("second", "third"):
            made = certificates.make(folder / name)
            others.append(made.ca.rename(folder / f"{name}.pem"))
    except ServerUnavailable as error:
        not_exercised("keytool", str(error))
    return Stores(folder, files, tuple(others))
