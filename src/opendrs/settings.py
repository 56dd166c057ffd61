"""What the environment says, read once by the entry points. Everything below receives values."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit

from opendrs.errors import DrsError, Fault
from opendrs.model.caller import NOT_PROJECTS, Wanted
from opendrs.model.endpoint import Secret

# The variables that are read, and what they mean: docs/reference/cli.md is made from this.
VARIABLES: Final = {
    "OPENDRS_STATE": "the state store, a path or URL, when `--state` is not given",
    "OPENDRS_SOURCE_PASSWORD": "password of the source, when its URL has none",
    "OPENDRS_TARGET_PASSWORD": "password of the target, when its URL has none",
    "MYSQL_PWD": "password of a MySQL or MariaDB server, when nothing above gives one",
    "PGPASSWORD": "password of a PostgreSQL server, when nothing above gives one",
    "PGPASSFILE": "file of PostgreSQL passwords, read last; default ~/.pgpass",
    "OPENDRS_URL": "`opendrs job`: the service, together with the two keys below; wins over a login",
    "OPENDRS_PROJECT_ID": "`opendrs serve`: id of the project; else what is stored, generated at the first start. "
    "`opendrs job`: the project to work in; else the only one",
    "OPENDRS_USER": "`opendrs serve`: name of the user who may log in; else what is stored, at first `admin`. "
    "`opendrs login`: who logs in",
    "OPENDRS_PASSWORD": "`opendrs serve`: password of that user; else what is stored, generated at the first start. "
    "`opendrs login`: taken instead of asking",
    "OPENDRS_ACCESS_KEY": "`opendrs serve`: access key that requests are signed with; else as for the password. "
    "`opendrs job`: see OPENDRS_URL",
    "OPENDRS_SECRET_KEY": "`opendrs serve`: its secret key; one is not given without the other. `opendrs job`: see "
    "OPENDRS_URL. `opendrs login --access-key`: taken instead of asking",
    "XDG_CONFIG_HOME": "where `opendrs login` keeps `opendrs/login.json`; default ~/.config",
    "OPENDRS_ENCRYPTION_KEY": "`opendrs serve`: base64 of 32 bytes that seal passwords in the store; else the file "
    "`secret.key` in the state folder, made at the first start",
    "NO_COLOR": "if set to anything, no colours",
    "OPENDRS_FAULT": "for tests of the product: `name:n[,name:n]...`, where the first, second ... worker kills itself",
}

# Whose values a process of ours must not inherit: they are secrets, or hold one.
SECRET_VARIABLES: Final = (
    "OPENDRS_SOURCE_PASSWORD", "OPENDRS_TARGET_PASSWORD", "MYSQL_PWD", "PGPASSWORD", "OPENDRS_STATE",
    "OPENDRS_PASSWORD", "OPENDRS_SECRET_KEY", "OPENDRS_ENCRYPTION_KEY",
)  # fmt: skip

FOLDER: Final = "~/.local/state/opendrs"
SERVICE_FOLDER: Final = "~/.local/share/opendrs"
FILE: Final = "opendrs.db"

_NAME_LENGTH_MAX: Final = 64
_SECRET_LENGTHS: Final = (8, 256)


@dataclass(frozen=True, slots=True)
class State:
    """Where jobs are remembered.

    url     of the state store
    folder  what belongs to a job and is no row: logs, spools
    """

    url: str
    folder: Path

    @classmethod
    def read(cls, given: str | None = None, environ: Mapping[str, str] = os.environ) -> Self:
        """From the option or the environment: a path of an SQLite file, or a URL sqlite:/// or postgresql://.

        Raises SETTING_INVALID. Makes nothing.
        """
        home = Path(FOLDER).expanduser()
        text = given or environ.get("OPENDRS_STATE") or str(home / FILE)
        scheme, colon, rest = text.partition("://")
        if not colon:
            path = Path(text).expanduser().absolute()
            return cls(f"sqlite:///{path}", path.parent)
        if scheme == "sqlite":
            path = Path(rest.removeprefix("/"))
            if not path.name:
                raise DrsError(Fault.SETTING_INVALID, name="--state", reason="it names no file")
            return cls(f"sqlite:///{path.absolute()}", path.absolute().parent)
        if scheme in ("postgresql", "postgres"):
            return cls(_with_password(f"postgresql://{rest}", environ.get("PGPASSWORD", "")), home)
        reason = f"{scheme}:// is none of sqlite://, postgresql:// and a path"
        raise DrsError(Fault.SETTING_INVALID, name="--state", reason=reason)

    def prepare(self) -> None:
        """Makes the folder, for nobody else to read."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DrsError(Fault.SETTING_INVALID, name="--state", reason=str(error)) from error

    def folder_of(self, job_id: str) -> Path:
        """The folder of one job, made if need be."""
        folder = self.folder / "jobs" / job_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Where a service has its state.

    url     of the state store
    folder  of everything else: keys, logs, spools
    """

    url: str
    folder: Path

    @classmethod
    def read(cls, data: Path | None, state: str | None, environ: Mapping[str, str] = os.environ) -> Self:
        """The folder, and the store in it or elsewhere. Raises SETTING_INVALID. Makes nothing."""
        folder = (data or Path(SERVICE_FOLDER)).expanduser().absolute()
        return cls(State.read(state or str(folder / FILE), environ).url, folder)

    def prepare(self) -> None:
        """Makes the folder, for nobody else to read."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DrsError(Fault.SETTING_INVALID, name="--data", reason=str(error)) from error


def job_folder(folder: Path, job_id: str) -> Path:
    """What belongs to a job of the service in that folder, and is no row."""
    return folder / "jobs" / job_id


def identity(environ: Mapping[str, str] = os.environ) -> Wanted:
    """What the environment says of who may call the API. Raises SETTING_INVALID."""
    access_key = _plain(environ, "OPENDRS_ACCESS_KEY", 128)
    secret_key = _secret(environ, "OPENDRS_SECRET_KEY")
    if (access_key is None) != (secret_key is None):
        missing = "OPENDRS_ACCESS_KEY" if access_key is None else "OPENDRS_SECRET_KEY"
        raise DrsError(Fault.SETTING_INVALID, name=missing, reason="its other half is given, and it is not")
    project_id = _plain(environ, "OPENDRS_PROJECT_ID", 64)
    if project_id in NOT_PROJECTS:
        reason = f"{project_id!r} stands for something else where a path has the project"
        raise DrsError(Fault.SETTING_INVALID, name="OPENDRS_PROJECT_ID", reason=reason)
    user_name = environ.get("OPENDRS_USER") or None
    if user_name is not None and not (user_name.isprintable() and len(user_name) <= _NAME_LENGTH_MAX):
        reason = f"it must be printable, of at most {_NAME_LENGTH_MAX} characters"
        raise DrsError(Fault.SETTING_INVALID, name="OPENDRS_USER", reason=reason)
    return Wanted(
        project_id=project_id,
        user_name=user_name,
        password=_secret(environ, "OPENDRS_PASSWORD"),
        access_key=access_key,
        secret_key=secret_key,
    )


def _plain(environ: Mapping[str, str], name: str, length_max: int) -> str | None:
    """A word that can stand in a path or a header as it is."""
    value = environ.get(name)
    if not value:
        return None
    if len(value) > length_max or not re.fullmatch(r"[0-9A-Za-z_-]+", value):
        reason = f"letters, digits, `-` and `_`, at most {length_max}"
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=reason)
    return value


def _secret(environ: Mapping[str, str], name: str) -> Secret | None:
    """The reason never shows it."""
    value = environ.get(name)
    if not value:
        return None
    low, high = _SECRET_LENGTHS
    if not low <= len(value) <= high:
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=f"it must have {low} to {high} characters")
    if not value.isprintable():
        raise DrsError(Fault.SETTING_INVALID, name=name, reason="it holds characters that cannot be printed")
    return Secret(value)


def _with_password(url: str, password: str) -> str:
    """A worker does not inherit PGPASSWORD, so it must be in the URL, which is handed over in secret."""
    parts = urlsplit(url)
    if not password or parts.password or not parts.username:
        return url
    login, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login.removesuffix(':')}:{quote(password, safe='')}@{place}").geturl()
