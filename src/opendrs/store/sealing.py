"""Secrets at rest: AES-256-GCM under one key, which is in the environment or in a file beside the store.

A sealed text is `v1.` and, in URL-safe base64, 12 bytes of nonce, the encrypted text and 16 bytes of tag (NIST SP
800-38D). What it is about is part of the seal: moved to another place it does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from opendrs.errors import DrsError, Fault

VARIABLE: Final = "OPENDRS_ENCRYPTION_KEY"
FILE: Final = "secret.key"
KEY_BYTES: Final = 32

_VERSION: Final = "v1."
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_FILE_BYTES_MAX: Final = 1024


class Seal:
    """Seals and opens. It never shows its key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, folder: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """With the key of `read_key`. Raises SETTING_INVALID."""
        return cls(read_key(folder, environ))

    def seal(self, text: str, about: str) -> str:
        """Seals a text.

        about   what it is and whose, as `job/<id>/source_password`: the same is needed to open it
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return (
            _VERSION
            + base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), _bound(about))).decode()
        )

    def open(self, sealed: str, about: str) -> str:
        """The text. Raises SEAL_BROKEN: another key, another `about`, or not as it was sealed."""
        if not sealed.startswith(_VERSION):
            raise DrsError(Fault.SEAL_BROKEN, about=about, reason="it is of an unknown version")
        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), altchars=b"-_", validate=True)
            if len(raw) < _NONCE_BYTES + _TAG_BYTES:
                raise ValueError
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(about)).decode()
        except InvalidTag:
            reason = "the key is another one than it was sealed with, or it was changed or moved since"
        except ValueError:  # binascii.Error is one
            reason = "it is cut off or damaged"
        # Outside of the handlers: what they caught shows what was read.
        raise DrsError(Fault.SEAL_BROKEN, about=about, reason=reason)

    def __repr__(self) -> str:
        return "Seal('***')"


def read_key(folder: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key of the environment, or of the file in `folder`, which is made if there is none.

    folder   must be there
    Raises SETTING_INVALID.
    """
    text = environ.get(VARIABLE)
    if text:
        return _key(text, VARIABLE)
    path = folder / FILE
    try:
        if not path.exists():
            _make(path)
        return _key(_read(path), str(path))
    except OSError as error:
        raise DrsError(Fault.SETTING_INVALID, name=str(path), reason=str(error)) from error


def _bound(about: str) -> bytes:
    return f"opendrs/{_VERSION}/{about}".encode()


def _key(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        reason = f"it is not the base64 of {KEY_BYTES} bytes, as `openssl rand -base64 {KEY_BYTES}` prints it"
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=reason)
    return key


def _read(path: Path) -> str:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise DrsError(Fault.SETTING_INVALID, name=str(path), reason="it is no file")
        if stat.S_IMODE(mode) & 0o077:
            reason = f"others may read or write it; `chmod 600 {path}`, if it is sure that nobody has read it"
            raise DrsError(Fault.SETTING_INVALID, name=str(path), reason=reason)
        return file.read(_FILE_BYTES_MAX).decode("ascii", "replace")


def _make(path: Path) -> None:
    """Writes a new key, whole and durable before it has its name; never over one that is there, for a second process
    may be doing the same, and what is sealed with a lost key is lost."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # unlike a renaming, it fails if the name is taken
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
