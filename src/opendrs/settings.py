"""What the environment says, read once by the entry points. Everything below receives values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit

from opendrs.errors import DrsError, Fault

# The variables that are read, and what they mean: docs/reference/cli.md is made from this.
VARIABLES: Final = {
    "OPENDRS_STATE": "the state store, a path or URL, when `--state` is not given",
    "OPENDRS_SOURCE_PASSWORD": "password of the source, when its URL has none",
    "OPENDRS_TARGET_PASSWORD": "password of the target, when its URL has none",
    "MYSQL_PWD": "password of a MySQL or MariaDB server, when nothing above gives one",
    "PGPASSWORD": "password of a PostgreSQL server, when nothing above gives one",
    "PGPASSFILE": "file of PostgreSQL passwords, read last; default ~/.pgpass",
    "NO_COLOR": "if set to anything, no colours",
    "OPENDRS_FAULT": "for tests of the product: `name:n[,name:n]...`, where the first, second ... worker kills itself",
}

# Whose values a process of ours must not inherit: they are secrets, or hold one.
SECRET_VARIABLES: Final = (
    "OPENDRS_SOURCE_PASSWORD", "OPENDRS_TARGET_PASSWORD", "MYSQL_PWD", "PGPASSWORD", "OPENDRS_STATE",
)  # fmt: skip

FOLDER: Final = "~/.local/state/opendrs"
SERVICE_FOLDER: Final = "~/.local/share/opendrs"
FILE: Final = "opendrs.db"


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


def _with_password(url: str, password: str) -> str:
    """A worker does not inherit PGPASSWORD, so it must be in the URL, which is handed over in secret."""
    parts = urlsplit(url)
    if not password or parts.password or not parts.username:
        return url
    login, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login.removesuffix(':')}:{quote(password, safe='')}@{place}").geturl()
