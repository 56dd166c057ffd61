"""Requests to the service, signed or with a token; its refusals and its silence as errors with words."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import httpx

from opendrs.cli.exits import Refused
from opendrs.cli.logins import Login, local
from opendrs.cli.printing import clean
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret
from opendrs.signature import Call, sign

# The service itself gives up after 60 s.
TIMEOUT: Final = httpx.Timeout(70.0, connect=10.0)
TOKEN_REFUSED: Final = "DRS.M00100"  # noqa: S105  a code
SUBJECT_TOKEN: Final = "X-Subject-Token"  # noqa: S105  a header
# What the service's words, which are for callers of its API, mean for people at a shell.
HINTS: Final = {
    "DRS.10000010": "`opendrs job list` shows the jobs that there are.",
    "DRS.M00304": "`opendrs job show` tells what may be done now.",
    "DRS.10050050": "`opendrs job precheck` runs them, and shows what to mend.",
    "DRS.M00261": "`opendrs login URL` without --project takes the one there is.",
}
# Answers of a gateway between us and the service.
_GATEWAY: Final = frozenset({502, 503, 504})


class Token(NamedTuple):
    """What a login with a password gives."""

    token: Secret
    expires_at: datetime
    project_id: str
    user: str


class Client:
    """One service, by one login. Opened as a context manager. Never follows a redirect: what is signed is for one
    host.

    transport   in place of the network, for tests
    """

    def __init__(self, login: Login, *, transport: httpx.BaseTransport | None = None) -> None:
        self.login = login
        # A proxy of the environment is for the world outside, as with curl; the service may well be in it.
        trusts_environment = not local(urlsplit(login.url).hostname or "")
        self._http = httpx.Client(
            base_url=login.url,
            timeout=TIMEOUT,
            trust_env=trusts_environment,
            verify=_authorities(login.ca),
            transport=transport,
            headers={"User-Agent": "opendrs", "Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON of an answer; None if it is empty.

        Raises SERVICE_UNREACHABLE, SERVICE_ODD, LOGIN_EXPIRED; Refused with the service's own code and words.
        """
        return self._read(self._answered(self._request(method, path, query, body)))

    def fetch(self, path: str, query: Mapping[str, Any]) -> bytes:
        """A file. Raises as `ask`."""
        return self._answered(self._request("GET", path, query, None)).content

    def send(self, path: str, query: Mapping[str, Any], name: str, content: bytes) -> Any:
        """Sends a file; the JSON of the answer. Raises as `ask`."""
        given = {key: value for key, value in query.items() if value is not None}
        # Read whole: it is signed as it is sent.
        request = self._http.build_request("POST", path, params=given or None, files={"file": (name, content)})
        request.read()
        return self._read(self._answered(request))

    def log_in(self, user: str, password: Secret, project_id: str = "") -> Token:
        """A token for a password. Raises as `ask`."""
        auth: dict[str, Any] = {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "password": password.reveal()}},
            }
        }
        if project_id:
            auth["scope"] = {"project": {"id": project_id}}
        answer = self._send(self._request("POST", "/v3/auth/tokens", None, {"auth": auth}))
        found = self._read(answer)
        try:
            facts = found["token"]
            return Token(
                token=Secret(answer.headers[SUBJECT_TOKEN]),
                expires_at=datetime.fromisoformat(facts["expires_at"]).astimezone(UTC),
                project_id=facts["project"]["id"],
                user=facts["user"]["name"],
            )
        except (KeyError, TypeError, ValueError):
            raise self._odd("a login without a token") from None

    def project(self) -> str:
        """The id of the only project that the login may work in."""
        found = self.ask("GET", "/v3/auth/projects")
        try:
            return str(found["projects"][0]["id"])
        except (KeyError, TypeError, IndexError):
            raise self._odd("no projects") from None

    def _answered(self, request: httpx.Request) -> httpx.Response:
        request.headers.update(self._proof(request))
        try:
            return self._send(request)
        except Refused as error:
            if error.code == TOKEN_REFUSED and self.login.token:
                raise DrsError(Fault.LOGIN_EXPIRED, url=self.login.url) from None
            raise

    def _request(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> httpx.Request:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        return self._http.build_request(method, path, params=given or None, content=content, headers=headers)

    def _proof(self, request: httpx.Request) -> dict[str, str]:
        """The headers that say who asks. Signed is what the service goes by, as it will be sent; what a proxy may
        change on the way is not."""
        login = self.login
        if login.token:
            return {"X-Auth-Token": login.token.reveal()}
        project = {"X-Project-Id": login.project_id} if login.project_id else {}
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        kept = {name: request.headers[name] for name in ("Host", "Content-Type") if name in request.headers}
        call = Call(
            method=request.method,
            path=path,
            query=query,
            headers=tuple((kept | project).items()),
            body=request.read(),
        )
        return project | sign(call, login.access_key, login.secret_key.reveal(), datetime.now(UTC))

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.send(request)
        except httpx.TimeoutException as error:
            raise self._unreachable("it did not answer in time") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        if answer.status_code < 300:
            return answer
        refused = _refused(answer)
        if refused is not None:
            raise refused
        if answer.status_code in _GATEWAY:
            raise self._unreachable(f"a gateway before it answers HTTP {answer.status_code}")
        raise self._odd(f"HTTP {answer.status_code}")

    def _read(self, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise self._odd("the answer is no JSON") from None

    def _unreachable(self, reason: str) -> DrsError:
        return DrsError(Fault.SERVICE_UNREACHABLE, url=self.login.url, reason=reason)

    def _odd(self, reason: str) -> DrsError:
        return DrsError(Fault.SERVICE_ODD, url=self.login.url, reason=reason)


def _refused(answer: httpx.Response) -> Refused | None:
    try:
        facts = answer.json()
        code, message = str(facts["error_code"]), str(facts["error_msg"])
    except (ValueError, KeyError, TypeError):
        return None
    return Refused(clean(code), clean(message), HINTS.get(code, ""))


def _authorities(file: str) -> ssl.SSLContext | bool:
    if not file:
        return True
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise DrsError(Fault.SETTING_INVALID, name="--ca", reason=f"{file}: {error}") from error
