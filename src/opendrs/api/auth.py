"""Who a request comes from: a token or a signature says it.

A token, if there is one, decides: valid, the signature beside it is not looked at, for the SDK signs always; bad or
expired, the request is refused though it may be signed well.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

from opendrs.errors import DrsError, Fault
from opendrs.model.caller import NOT_PROJECTS, Caller
from opendrs.model.endpoint import Secret
from opendrs.signature import WRONG, Call, parse_authorization, verify
from opendrs.store import identity
from opendrs.store.database import Store
from opendrs.store.sealing import Seal

# A token or key that was taken back is dead after this, in every process.
REMEMBERED_S: Final = 3.0
REMEMBERED_MAX: Final = 1000

_VERSION = re.compile(r"v\d+(\.\d+)?")
_T = TypeVar("_T")


class Authenticator:
    """Says who calls. Threads may share it; it remembers for a few seconds what the store said."""

    def __init__(self, store: Store, seal: Seal, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seal = seal
        self._tokens: _Memory[tuple[Caller, datetime]] = _Memory(clock)
        self._keys: _Memory[tuple[Secret, Caller]] = _Memory(clock)

    def authenticate(self, call: Call, now: datetime) -> Caller:
        """The caller, who may work in the project that the path and X-Project-Id name, if they name one.

        now   an aware time
        Raises TOKEN_INVALID, SIGNATURE_INVALID, PROJECT_INVALID.
        """
        tokens = call.values("x-auth-token")
        caller = self._by_token(tokens, now) if tokens else self._by_signature(call, now)
        check_project(caller, project_of(call.path))
        for project_id in call.values("x-project-id"):
            check_project(caller, project_id)
        return caller

    def _by_token(self, tokens: list[str], now: datetime) -> Caller:
        if len(tokens) != 1:
            raise DrsError(Fault.TOKEN_INVALID)
        # Remembered by its hash: what opens the door lies about nowhere.
        name = identity.digest(tokens[0])
        found = self._tokens.get(name)
        if found is None:
            with self._store.read() as connection:
                found = identity.caller_of_token(connection, tokens[0], now)
            if found is None:
                raise DrsError(Fault.TOKEN_INVALID)
            self._tokens.put(name, found)
        caller, expires_at = found
        if expires_at <= now:
            raise DrsError(Fault.TOKEN_INVALID)
        return caller

    def _by_signature(self, call: Call, now: datetime) -> Caller:
        headers = call.values("authorization")
        if len(headers) != 1:
            reason = "there are several headers Authorization" if headers else "neither signed nor with X-Auth-Token"
            raise DrsError(Fault.SIGNATURE_INVALID, reason=reason)
        given = parse_authorization(headers[0])
        found = self._key(given.access_key)
        if found is None:
            # All that can be wrong with a request is said first, in the same words as for a key that there is.
            verify(call, given, secrets.token_hex(), now)
            raise DrsError(Fault.SIGNATURE_INVALID, reason=WRONG)
        secret_key, caller = found
        verify(call, given, secret_key.reveal(), now)
        return caller

    def _key(self, access_key: str) -> tuple[Secret, Caller] | None:
        found = self._keys.get(access_key)
        if found is None:
            with self._store.read() as connection:
                row = identity.key(connection, access_key)
            if row is None:
                return None
            sealed, caller = row
            found = Secret(self._seal.open(sealed, identity.about_key(access_key))), caller
            self._keys.put(access_key, found)
        return found


def project_of(path: str) -> str | None:
    """The project that a path names, as sent: the word behind the version, or none."""
    words = unquote(path).split("/")
    if len(words) < 3 or not _VERSION.fullmatch(words[1]) or words[2] in NOT_PROJECTS:
        return None
    return words[2]


def check_project(caller: Caller, project_id: str | None) -> None:
    """Raises PROJECT_INVALID if it is not the one that the caller works in."""
    if project_id is not None and project_id != caller.project_id:
        reason = "it is not the project of this token or access key"
        raise DrsError(Fault.PROJECT_INVALID, reason=reason)


class _Memory(Generic[_T]):
    """What was found in the store, for REMEMBERED_S; at most REMEMBERED_MAX things."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, _T]] = {}

    def get(self, name: str) -> _T | None:
        with self._lock:
            until, value = self._kept.get(name, (0.0, None))
            return value if value is not None and self._clock() < until else None

    def put(self, name: str, value: _T) -> None:
        """From now on, and not prolonged by being asked for."""
        with self._lock:
            now = self._clock()
            self._kept.pop(name, None)
            if len(self._kept) >= REMEMBERED_MAX:
                self._kept = {old: kept for old, kept in self._kept.items() if now < kept[0]}
            if len(self._kept) >= REMEMBERED_MAX:
                del self._kept[next(iter(self._kept))]  # the oldest
            self._kept[name] = (now + REMEMBERED_S, value)
