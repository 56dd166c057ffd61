"""Where a database is and how to log in. A value, never a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from opendrs.errors import DrsError, Fault

EngineName = Literal["mysql", "postgresql"]
Side = Literal["source", "target"]
SIDES: Final[tuple[Side, Side]] = ("source", "target")

SCHEMES: dict[str, EngineName] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}
PORTS: dict[EngineName, int] = {"mysql": 3306, "postgresql": 5432}
TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
# Everything that a URL may say behind the question mark, with the meaning.
OPTIONS = {
    "tls": f"one of {', '.join(TLS_MODES)}; default prefer",
    "tls_ca": "file of the certificate authority, PEM",
    "tls_cert": "file of our own certificate, PEM",
    "tls_key": "file of the key of our own certificate, PEM",
    "connect_timeout": "seconds, default 10",
    "socket": "path of a Unix socket, instead of host and port",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that never prints itself."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret('***')"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One database server, and the account that we are there. `database` is the one in the URL's path."""

    engine: EngineName
    host: str
    port: int
    user: str = ""
    password: Secret = Secret("")
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads `engine://user:password@host:port/database?tls=...`. Raises ENDPOINT_INVALID."""
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.hostname or ''}"
        engine = SCHEMES.get(parts.scheme)
        if engine is None:
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason=f"unknown scheme {parts.scheme!r}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        for name, value in options.items():
            if name not in OPTIONS:
                reason = f"unknown option {name!r}; there are {', '.join(OPTIONS)}"
                raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason=reason)
            if name == "tls" and value not in TLS_MODES:
                raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason=f"tls is {OPTIONS['tls']}")
        if not parts.hostname and "socket" not in options:
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason="it names no host")
        try:
            port = parts.port or PORTS[engine]
        except ValueError as error:
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason="the port is no number") from error
        return cls(
            engine=engine,
            host=parts.hostname or "localhost",
            port=port,
            user=unquote(parts.username or ""),
            password=Secret(unquote(parts.password or "")),
            database=unquote(parts.path.lstrip("/")),
            options=options,
        )

    def url(self) -> str:
        """The URL with the password: for handing to a process of ours, never for showing."""
        return self._url(quote(self.password.reveal(), safe=""))

    def __str__(self) -> str:
        """The URL without the password."""
        return self._url("***" if self.password else "")

    def _url(self, password: str) -> str:
        login = quote(self.user, safe="") + (f":{password}" if password else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = f"?{urlencode(self.options)}" if self.options else ""
        at = f"{login}@" if login else ""
        return f"{self.engine}://{at}{host}:{self.port}/{quote(self.database, safe='')}{query}"

    @property
    def where(self) -> str:
        """Which server and database, whoever we are there: what identifies a job's side."""
        place = self.options.get("socket") or f"{self.host}:{self.port}"
        return f"{self.engine}://{place}/{self.database}"
