"""Who a request comes from: tokens, signatures, projects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from opendrs.api.auth import REMEMBERED_MAX, REMEMBERED_S, Authenticator, project_of
from opendrs.errors import DrsError, Fault
from opendrs.model.caller import Caller
from opendrs.model.endpoint import Secret
from opendrs.signature import Call
from opendrs.store import identity
from opendrs.store.database import Store
from opendrs.store.sealing import Seal
from tests.integration.identity.conftest import NOW, PASSWORD, PROJECT, SECRET_KEY, WANTED, signed


class Clock:
    """The time that only passes when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(store: Store, seal: Seal, clock: Clock, user: Caller) -> Authenticator:
    return Authenticator(store, seal, clock)


@pytest.fixture
def statements(store: Store) -> Iterator[list[str]]:
    """What the store was asked."""
    found: list[str] = []

    def note(*facts: object) -> None:
        found.append(str(facts[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)


def token_of(store: Store) -> str:
    with store.write() as connection:
        login = identity.find_login(connection, "anna")
        assert login is not None
        issued = identity.issue_token(connection, login, NOW)
    assert issued is not None
    return issued[0].reveal()


def with_token(token: str, path: str = f"/v5/{PROJECT}/jobs", **headers: str) -> Call:
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Call(method="GET", path=path, headers=[("X-Auth-Token", token), *more])


def refused(door: Authenticator, call: Call, fault: Fault, seconds: float = 0) -> str:
    with pytest.raises(DrsError) as raised:
        door.authenticate(call, NOW + timedelta(seconds=seconds))
    assert raised.value.fault is fault
    return str(raised.value)


def test_a_signature_says_who_calls(door: Authenticator, user: Caller) -> None:
    assert door.authenticate(signed(), NOW) == user
    assert door.authenticate(signed(x_project_id=PROJECT), NOW) == user


def test_a_token_says_who_calls(door: Authenticator, store: Store, user: Caller) -> None:
    token = token_of(store)
    assert door.authenticate(with_token(token), NOW) == user
    assert door.authenticate(with_token(token, x_project_id=PROJECT), NOW + timedelta(hours=23)) == user


def test_nobody_is_told_which_access_keys_there_are(door: Authenticator) -> None:
    wrong = refused(door, signed(secret_key="another"), Fault.SIGNATURE_INVALID)
    unknown = refused(door, signed(access_key="AK2"), Fault.SIGNATURE_INVALID)
    assert wrong == unknown
    for key in ("AK1", "AK2"):
        late = signed(access_key=key)
        assert "minutes" in refused(door, late, Fault.SIGNATURE_INVALID, 901)
        assert refused(door, replace(late, path="/v5/x/jobs"), Fault.SIGNATURE_INVALID) == wrong


@pytest.mark.parametrize("value", [None, "Bearer x", "", "SDK-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x", "é"])
def test_without_a_proof_nobody_calls(door: Authenticator, value: str | None) -> None:
    headers = [] if value is None else [("Authorization", value)]
    refused(door, Call(method="GET", path=f"/v5/{PROJECT}/jobs", headers=headers), Fault.SIGNATURE_INVALID)


def test_two_proofs_of_a_kind_are_none(door: Authenticator, store: Store) -> None:
    call = signed()
    twice = replace(call, headers=[*call.headers, ("authorization", call.values("authorization")[0])])
    refused(door, twice, Fault.SIGNATURE_INVALID)
    token = with_token(token_of(store))
    refused(door, replace(token, headers=[*token.headers, *token.headers]), Fault.TOKEN_INVALID)


def test_a_token_decides(door: Authenticator, store: Store, user: Caller) -> None:
    """The SDK signs always, so both may come."""
    good, call = token_of(store), signed()
    assert door.authenticate(replace(signed(secret_key="wrong"), headers=with_token(good).headers), NOW) == user
    broken = replace(call, headers=[("Authorization", "nonsense"), *with_token(good).headers])
    assert door.authenticate(broken, NOW) == user
    for bad in ("", "x", good[:-1], good + "x", "é\udc80"):
        refused(door, replace(call, headers=[*call.headers, ("x-auth-token", bad)]), Fault.TOKEN_INVALID)
    refused(door, replace(call, headers=[*call.headers, ("x-auth-token", good)]), Fault.TOKEN_INVALID, 24 * 3600)


def test_an_expired_token_is_not_remembered_as_good(door: Authenticator, store: Store) -> None:
    call = with_token(token_of(store))
    door.authenticate(call, NOW + timedelta(hours=24, seconds=-1))
    refused(door, call, Fault.TOKEN_INVALID, 24 * 3600)


@pytest.mark.parametrize("other", ["p2", PROJECT.upper(), "", PROJECT + "%20", "%2e%2e"])
def test_another_project_is_refused(door: Authenticator, store: Store, other: str) -> None:
    refused(door, signed(f"/v5/{other}/jobs"), Fault.PROJECT_INVALID)
    refused(door, with_token(token_of(store), f"/v3/{other}/jobs"), Fault.PROJECT_INVALID)
    refused(door, signed(x_project_id=other), Fault.PROJECT_INVALID)
    refused(door, with_token(token_of(store), x_project_id=other), Fault.PROJECT_INVALID)


@pytest.mark.parametrize(
    ("path", "project_id"),
    [
        ("/v3/p/jobs", "p"),
        ("/v5.1/p/jobs/j", "p"),
        ("/v5/p", "p"),
        ("/v3/p%2Fq/jobs", "p"),
        ("/v3%2Fp/jobs", "p"),
        ("/v3//jobs", ""),
        ("/v3/auth/tokens", None),
        ("/v3/auth/projects", None),
        ("/v3/projects", None),
        ("/v3", None),
        ("/", None),
        ("", None),
        ("/health/p", None),
    ],
)
def test_which_project_a_path_names(path: str, project_id: str | None) -> None:
    assert project_of(path) == project_id


def test_what_the_store_said_is_remembered_for_moments(
    door: Authenticator, store: Store, clock: Clock, statements: list[str]
) -> None:
    calls = (with_token(token_of(store)), signed())
    for call in calls:
        statements.clear()
        door.authenticate(call, NOW)
        asked = len(statements)
        assert asked > 0
        for _ in range(5):
            clock.now_s += REMEMBERED_S / 6
            door.authenticate(call, NOW)
        assert len(statements) == asked
        clock.now_s += REMEMBERED_S / 6
        door.authenticate(call, NOW)
        assert len(statements) > asked, "it is not prolonged by being used"


def test_what_was_taken_back_is_soon_dead(door: Authenticator, store: Store, seal: Seal, clock: Clock) -> None:
    token, key = with_token(token_of(store)), signed()
    door.authenticate(token, NOW)
    door.authenticate(key, NOW)
    wanted = replace(WANTED, password=Secret("an0ther-one"), secret_key=Secret("another-secret"))
    identity.ensure(store, seal, wanted)
    clock.now_s += REMEMBERED_S
    refused(door, token, Fault.TOKEN_INVALID)
    refused(door, key, Fault.SIGNATURE_INVALID)
    door.authenticate(signed(secret_key="another-secret"), NOW)


def test_what_is_remembered_is_bounded(store: Store, seal: Seal, clock: Clock) -> None:
    memory = Authenticator(store, seal, clock)._tokens
    caller = Caller(user_id="1", user_name="a", domain="d", project_id="p", project_name="n")
    for number in range(REMEMBERED_MAX + 10):
        memory.put(str(number), (caller, NOW))
        assert memory.get(str(number)) is not None
    assert len(memory._kept) == REMEMBERED_MAX
    assert memory.get("9") is None and memory.get("10") is not None
    clock.now_s += REMEMBERED_S
    memory.put("x", (caller, NOW))
    assert list(memory._kept) == ["x"]


def test_a_wrong_seal_is_no_wrong_signature(store: Store, user: Caller) -> None:
    refused(Authenticator(store, Seal(bytes([1] * 32))), signed(), Fault.SEAL_BROKEN)


def test_no_secret_is_told(door: Authenticator, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    token = token_of(store)
    with caplog.at_level("DEBUG"):
        door.authenticate(signed(), NOW)
        door.authenticate(with_token(token), NOW)
        shown = refused(door, signed(secret_key="an0ther-key"), Fault.SIGNATURE_INVALID)
        shown += refused(door, with_token(token + "x"), Fault.TOKEN_INVALID)
        shown += refused(door, with_token(token, "/v5/other/jobs"), Fault.PROJECT_INVALID)
    shown += caplog.text + repr(door) + repr(vars(door)) + repr(door._keys._kept) + repr(door._tokens._kept)
    assert not [word for word in (token, SECRET_KEY, PASSWORD, "an0ther-key") if word in shown]
