"""Where a database is and how to log in. A value, never a connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from opendrs.errors import DrsError, Fault

EngineName = Literal["mysql", "postgresql", "kafka"]
Side = Literal["source", "target"]
SIDES: Final[tuple[Side, Side]] = ("source", "target")

SCHEMES: dict[str, EngineName] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "kafka": "kafka",
}
PORTS: dict[EngineName, int] = {"mysql": 3306, "postgresql": 5432, "kafka": 9092}
TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
# Everything that a URL may say behind the question mark, with the meaning.
OPTIONS = {
    "tls": f"one of {', '.join(TLS_MODES)}; default prefer, for Kafka disable (it has no prefer)",
    "tls_ca": "file of the certificate authority, PEM",
    "tls_cert": "file of our own certificate, PEM",
    "tls_key": "file of the key of our own certificate, PEM",
    "connect_timeout": "seconds, default 10",
    "socket": "path of a Unix socket, instead of host and port",
    "sasl": f"for Kafka, one of {', '.join(SASL_MECHANISMS)}; default PLAIN if there is a user",
    "brokers": "for Kafka, further brokers to begin with: host:port, separated by commas",
}
BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
# Options that only Kafka has, and one that it has not.
KAFKA_OPTIONS = frozenset({"sasl", "brokers"})
NOT_KAFKA_OPTIONS = frozenset({"socket"})


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
        """Reads `engine://user:password@host:port/database?tls=...`; Kafka may have several `host:port`, separated by
        commas. Raises ENDPOINT_INVALID."""
        url, others = _first_host(url)
        parts = _parts(url)
        shown = f"{parts.scheme}://{parts.hostname or ''}"
        engine = SCHEMES.get(parts.scheme)
        if engine is None:
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason=f"unknown scheme {parts.scheme!r}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if others:
            options["brokers"] = ",".join(filter(None, (others, options.get("brokers", ""))))
        if reason := _wrong_option(engine, options):
            raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason=reason)
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


def _first_host(url: str) -> tuple[str, str]:
    """A Kafka URL with the first of its hosts only, and the others; what parses URLs knows one host."""
    scheme, mark, rest = url.partition("://")
    if SCHEMES.get(scheme.lower()) != "kafka":
        return url, ""
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, hosts = place.rpartition("@")
    first, _, others = hosts.partition(",")
    return f"{scheme}{mark}{login}{at}{first}{rest[len(place) :]}", others


def _parts(url: str) -> SplitResult:
    """Raises ENDPOINT_INVALID, without the words of the parser: they may quote the password."""
    try:
        return urlsplit(url)
    except ValueError:
        scheme = url.partition("://")[0]
        shown = f"{scheme}://" if scheme in SCHEMES else "URL"
        raise DrsError(Fault.ENDPOINT_INVALID, endpoint=shown, reason="it is not written as a URL") from None


def _wrong_option(engine: EngineName, options: Mapping[str, str]) -> str:
    """What is wrong with the options; empty: nothing."""
    unknown = NOT_KAFKA_OPTIONS if engine == "kafka" else KAFKA_OPTIONS
    there_are = [name for name in OPTIONS if name not in unknown]
    for name in options:
        if name not in there_are:
            return f"unknown option {name!r}; there are {', '.join(there_are)}"
    modes = [mode for mode in TLS_MODES if engine != "kafka" or mode != "prefer"]
    if options.get("tls", modes[0]) not in modes:
        return f"tls is one of {', '.join(modes)}"
    if options.get("sasl", SASL_MECHANISMS[0]) not in SASL_MECHANISMS:
        return f"sasl is one of {', '.join(SASL_MECHANISMS)}"
    wrong = [one for one in options.get("brokers", "").split(",") if one and not _is_broker(one)]
    shown = [re.sub(r".*@", "***@", one) for one in wrong]  # whoever writes a login there writes a password
    return f"{shown[0]!r} in brokers is no host:port" if wrong else ""


def _is_broker(text: str) -> bool:
    found = BROKER.fullmatch(text)
    return found is not None and 0 < int(found[2] or PORTS["kafka"]) < 1 << 16
