"""Which service the shell talks to, and by which proof: from the environment, or as `opendrs login` has kept it.

The file holds a token or a key pair, never a password; nobody else may read it.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret

VERSION: Final = 1
FILE: Final = "opendrs/login.json"
NO_SECRET: Final = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Either a token, with the end of its life, or a key pair.

    url     scheme, host and port
    project_id   empty: not known yet
    ca      file of the authority that the service's certificate is from; empty: one that the system trusts
    """

    url: str
    project_id: str = ""
    user: str = ""
    token: Secret = NO_SECRET
    expires_at: datetime | None = None
    access_key: str = ""
    secret_key: Secret = NO_SECRET
    ca: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret.reveal() for secret in (self.token, self.secret_key) if secret)

    def __str__(self) -> str:
        return f"{self.url} as {self.user or self.access_key}"


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the login is kept."""
    home = environ.get("XDG_CONFIG_HOME") or ""
    # The specification: a path that is not absolute is to be ignored.
    folder = Path(home) if Path(home).is_absolute() else Path("~/.config").expanduser()
    return folder / FILE


def current(environ: Mapping[str, str] = os.environ, now: datetime | None = None) -> Login:
    """The login of the environment, else the one that is kept.

    Raises NOT_LOGGED_IN, LOGIN_EXPIRED, SETTING_INVALID.
    """
    found = from_environment(environ) or load(path(environ))
    if found is None:
        raise DrsError(Fault.NOT_LOGGED_IN)
    if found.expires_at is not None and found.expires_at <= (now or datetime.now(UTC)):
        raise DrsError(Fault.LOGIN_EXPIRED, url=found.url)
    return found


def from_environment(environ: Mapping[str, str]) -> Login | None:
    """None: OPENDRS_URL is not set. (The other variables alone may be meant for `opendrs serve`.)"""
    url = environ.get("OPENDRS_URL")
    if not url:
        return None
    for name in ("OPENDRS_ACCESS_KEY", "OPENDRS_SECRET_KEY"):
        if not environ.get(name):
            reason = "OPENDRS_URL is set, and needs it; or unset OPENDRS_URL and use `opendrs login`"
            raise DrsError(Fault.SETTING_INVALID, name=name, reason=reason)
    return Login(
        url=address(url, "OPENDRS_URL"),
        project_id=environ.get("OPENDRS_PROJECT_ID", ""),
        access_key=environ["OPENDRS_ACCESS_KEY"],
        secret_key=Secret(environ["OPENDRS_SECRET_KEY"]),
    )


def load(file: Path) -> Login | None:
    """The login that is kept, expired or not. Raises SETTING_INVALID if it cannot be trusted or read."""
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise _unusable(file, "others may read it: chmod 600, or log in again")
        facts = json.loads(file.read_text())
        if facts["version"] != VERSION:
            raise _unusable(file, f"it is of version {facts['version']}, which is not understood: log in again")
        expires_at = facts.get("expires_at")
        return Login(
            url=facts["url"],
            project_id=facts["project_id"],
            user=facts.get("user", ""),
            token=Secret(facts.get("token", "")),
            expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
            access_key=facts.get("access_key", ""),
            secret_key=Secret(facts.get("secret_key", "")),
            ca=facts.get("ca", ""),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _unusable(file, "it cannot be read: log in again") from None


def keep(login: Login, file: Path) -> None:
    """Writes the file whole or not at all, for nobody else to read. Raises SETTING_INVALID."""
    facts: dict[str, Any] = {
        "version": VERSION,
        "url": login.url,
        "project_id": login.project_id,
        "user": login.user,
        "token": login.token.reveal(),
        "expires_at": login.expires_at.isoformat() if login.expires_at else "",
        "access_key": login.access_key,
        "secret_key": login.secret_key.reveal(),
        "ca": login.ca,
    }
    text = json.dumps({name: value for name, value in facts.items() if value}, indent=2) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".login.")  # with mode 0600
        try:
            with os.fdopen(handle, "w") as written:
                written.write(text)
                written.flush()
                os.fsync(written.fileno())
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise _unusable(file, error.strerror or str(error)) from error


def forget(file: Path) -> bool:
    """Whether there was one."""
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unusable(file, error.strerror or str(error)) from error
    return True


def address(text: str, name: str = "URL") -> str:
    """Scheme, host and port of a service, from what a person writes. Raises SETTING_INVALID.

    Without a scheme it is http on this machine, and https elsewhere.
    """
    whole = text if "://" in text else f"//{text}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=str(error)) from error
    if parts.username is not None or parts.password is not None:
        raise DrsError(Fault.SETTING_INVALID, name=name, reason="it holds an account: that is asked for separately")
    scheme = parts.scheme or ("http" if local(host) else "https")
    if scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=f"{text!r} is not http(s)://host:port")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def local(host: str) -> bool:
    """Whether it is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable(file: Path, reason: str) -> DrsError:
    return DrsError(Fault.SETTING_INVALID, name=str(file), reason=reason)
