"""The part of IAM that a caller needs before the first request: a token for a password, and the projects.

The shapes are those of OpenStack's Identity API v3, which Huawei Cloud's IAM follows. A refusal is written in both
shapes that clients look for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from opendrs.api.errors import message
from opendrs.errors import DrsError, Fault
from opendrs.model.caller import Caller
from opendrs.model.endpoint import Secret
from opendrs.store import identity
from opendrs.store.database import Store
from opendrs.store.identity import Login

HEADER: Final = "X-Subject-Token"
# Passwords are looked at one at a time, so that guessing cannot take all processors and 32 MB of memory each; and
# few requests wait for their turn, so that it cannot take all threads either.
WAITING_MAX: Final = 8

_ROLES: Final = ("te_admin", "drs_administrator")
_turn = threading.Lock()
_places = threading.BoundedSemaphore(WAITING_MAX)


class Answer(NamedTuple):
    """What is to be sent. `headers` may hold a token."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    def __repr__(self) -> str:
        return f"Answer({self.status})"


def tokens(store: Store, body: object, now: datetime) -> Answer:
    """POST /v3/auth/tokens. Needs no authentication.

    body   as JSON was read, whatever it is; None if it could not be
    """
    try:
        wanted = _Wanted.of(body)
        login = _log_in(store, wanted)
        caller = login.caller
        wanted.check_scope(caller)
        with store.write() as connection:
            issued = identity.issue_token(connection, login, now)
        if issued is None:
            raise DrsError(Fault.LOGIN_REFUSED)
    except DrsError as error:
        if error.fault not in _OURS:
            raise
        return refusal(error)
    token, expires_at = issued
    return Answer(HTTPStatus.CREATED, {HEADER: token.reveal()}, {"token": _token(caller, now, expires_at)})


def projects(caller: Caller, name: str | None = None, path: str = "/v3/projects") -> Answer:
    """GET /v3/projects and GET /v3/auth/projects: the one project that the caller may use.

    name   asked for: of the SDK it is a region, when it is given no project id, and it wants exactly one project.
           There is one region here, whatever it is called there, so the name does not matter.
    """
    del name
    project = {
        "id": caller.project_id,
        "name": caller.project_name,
        "domain_id": caller.domain,
        "parent_id": caller.domain,
        "is_domain": False,
        "enabled": True,
        "description": "",
        "links": {"self": f"/v3/projects/{caller.project_id}"},
    }
    links = {"self": path, "next": None, "previous": None}
    return Answer(HTTPStatus.OK, {}, {"projects": [project], "links": links})


def refusal(error: DrsError) -> Answer:
    """A fault in the shape of Keystone, and beside it in that of the other operations."""
    status = HTTPStatus(error.fault.spec.status)
    text = message(error)
    body = {
        "error": {"code": status.value, "message": text, "title": status.phrase},
        "error_code": error.code,
        "error_msg": text,
    }
    headers = {"Retry-After": "1"} if status is HTTPStatus.TOO_MANY_REQUESTS else {}
    return Answer(status, headers, body)


# What may be wrong with asking for a token; all else is a fault of ours, and for others to answer.
_OURS: Final = (
    Fault.LOGIN_REFUSED, Fault.LOGIN_METHOD, Fault.LOGIN_MALFORMED, Fault.LOGINS_TOO_MANY, Fault.PROJECT_INVALID,
)  # fmt: skip


class _Wanted(NamedTuple):
    """A request for a token. A user is named by id, or by name and domain."""

    user_id: str | None
    user_name: str
    domain: str
    password: Secret
    project: Mapping[str, Any] | None
    domain_scope: Mapping[str, Any] | None

    @classmethod
    def of(cls, body: object) -> _Wanted:
        auth = _inner(body, "auth")
        proof = _inner(auth, "identity")
        methods = proof.get("methods")
        if not isinstance(methods, list) or not methods:
            raise _malformed("auth.identity.methods must be a list")
        for method in methods:
            if isinstance(method, list | dict):
                raise _malformed("auth.identity.methods must be a list of words")
            if method != "password":
                raise DrsError(Fault.LOGIN_METHOD, method=str(method)[:64])
        user = _inner(_inner(proof, "password"), "user")
        scope = _inner(auth, "scope", needed=False)
        domain = _inner(user, "domain", needed=False)
        user_id = _word(user, "id")
        if user_id is None and _word(user, "name") is None:
            raise _malformed("auth.identity.password.user.name is missing")
        password = user.get("password")
        if not isinstance(password, str):
            raise _malformed("auth.identity.password.user.password is missing or no text")
        return cls(
            user_id=user_id,
            user_name=_word(user, "name") or "",
            domain=_word(domain, "name") or _word(domain, "id") or identity.DOMAIN,
            password=Secret(password),
            project=_inner(scope, "project") if "project" in scope else None,
            domain_scope=_inner(scope, "domain") if "domain" in scope else None,
        )

    def check_scope(self, caller: Caller) -> None:
        """The scope must be the caller's own: the project, or the domain that it is in."""
        project, domain = self.project or {}, self.domain_scope or {}
        asked = {
            "project id": (_word(project, "id"), caller.project_id),
            "project": (None if "id" in project else _word(project, "name"), caller.project_name),
            "domain": (_word(domain, "name") or _word(domain, "id"), caller.domain),
        }
        for what, (given, own) in asked.items():
            if given is not None and given != own:
                raise DrsError(Fault.PROJECT_INVALID, reason=f"the {what} of auth.scope is not that of the user")


def _log_in(store: Store, wanted: _Wanted) -> Login:
    with store.read() as connection:
        if wanted.user_id is not None:
            login = identity.find_login_by_id(connection, wanted.user_id)
        else:
            login = identity.find_login(connection, wanted.user_name, wanted.domain)
    with _one_at_a_time():
        if not identity.matches(login, wanted.password.reveal()) or login is None:
            raise DrsError(Fault.LOGIN_REFUSED)
    return login


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise DrsError(Fault.LOGINS_TOO_MANY)
    try:
        with _turn:
            yield
    finally:
        _places.release()


def _token(caller: Caller, issued_at: datetime, expires_at: datetime) -> dict[str, Any]:
    domain = {"id": caller.domain, "name": caller.domain}
    return {
        "methods": ["password"],
        "issued_at": _instant(issued_at),
        "expires_at": _instant(expires_at),
        "user": {"id": caller.user_id, "name": caller.user_name, "domain": domain, "password_expires_at": ""},
        "project": {"id": caller.project_id, "name": caller.project_name, "domain": domain},
        "roles": [{"id": str(number), "name": name} for number, name in enumerate(_ROLES)],
        "catalog": [],
    }


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _inner(outer: object, name: str, *, needed: bool = True) -> Mapping[str, Any]:
    found = outer.get(name) if isinstance(outer, Mapping) else None
    if found is None and not needed:
        return {}
    if not isinstance(found, Mapping):
        raise _malformed(f"{name} is missing or no object")
    return found


def _word(of: Mapping[str, Any], name: str) -> str | None:
    """A text that may be looked for in the store: no store takes NUL, or half a surrogate pair."""
    found = of.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or not found.isprintable():
        raise _malformed(f"a value of {name!r} is no printable text")
    return found


def _malformed(reason: str) -> DrsError:
    return DrsError(Fault.LOGIN_MALFORMED, reason=reason)
