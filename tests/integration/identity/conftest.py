"""A store with the first identity, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opendrs.model.caller import Caller, Wanted
from opendrs.model.endpoint import Secret
from opendrs.signature import Call, sign
from opendrs.store import identity
from opendrs.store.database import Store
from opendrs.store.sealing import Seal
from tests.integration.state_fixtures import store, url

__all__ = ["cheap", "seal", "store", "url", "user"]

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
PASSWORD, SECRET_KEY = "the-pass-w0rd", "the-secret-key-1"
WANTED = Wanted(
    project_id=PROJECT,
    user_name="anna",
    password=Secret(PASSWORD),
    access_key="AK1",
    secret_key=Secret(SECRET_KEY),
)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost little: what they cost is in the hash."""
    monkeypatch.setattr(identity, "_COST", (4, 8, 1))


@pytest.fixture
def seal() -> Seal:
    return Seal(bytes(32))


@pytest.fixture
def user(store: Store, seal: Seal) -> Caller:
    """The first identity, who may call."""
    identity.ensure(store, seal, WANTED)
    with store.read() as connection:
        login = identity.find_login(connection, "anna")
    assert login is not None
    return login.caller


def signed(
    path: str = f"/v5/{PROJECT}/jobs", *, access_key: str = "AK1", secret_key: str = SECRET_KEY, **headers: str
) -> Call:
    """A good request, unless something else is said. `x_project_id="p"` is the header X-Project-Id."""
    given = [("host", "h:1"), *((name.replace("_", "-"), value) for name, value in headers.items())]
    call = Call(method="GET", path=path, headers=given)
    made = sign(call, access_key, secret_key, NOW)
    return Call(method="GET", path=path, headers=[*given, *made.items()])
