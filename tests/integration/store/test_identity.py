"""Who may call the API, as the store knows it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from opendrs.errors import DrsError, Fault
from opendrs.model.caller import Caller, Shown, Wanted
from opendrs.model.endpoint import Secret
from opendrs.store import identity
from opendrs.store.database import Store, open_store
from opendrs.store.identity import Login
from opendrs.store.sealing import Seal
from opendrs.store.tables import metadata, tokens

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SEAL = Seal(bytes(32))
GIVEN = Wanted(
    project_id="p1",
    user_name="anna",
    password=Secret("the-pass-w0rd"),
    access_key="AK1",
    secret_key=Secret("the-secret-key-1"),
)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost little: what they cost is in the hash."""
    monkeypatch.setattr(identity, "_COST", (4, 8, 1))


def start(store: Store, wanted: Wanted = GIVEN, seal: Seal = SEAL) -> Shown | None:
    return identity.ensure(store, seal, wanted)


def login_of(store: Store, name: str = "anna") -> Login:
    with store.read() as connection:
        login = identity.find_login(connection, name)
    assert login is not None
    return login


def key_of(store: Store, access_key: str) -> tuple[str, Caller] | None:
    with store.read() as connection:
        found = identity.key(connection, access_key)
    return None if found is None else (SEAL.open(found[0], identity.about_key(access_key)), found[1])


def issue(store: Store, now: datetime = NOW) -> str:
    login = login_of(store)
    with store.write() as connection:
        issued = identity.issue_token(connection, login, now)
    assert issued is not None
    assert issued[1] == now + timedelta(hours=24)
    return issued[0].reveal()


def caller_of(store: Store, token: str, now: datetime = NOW) -> Caller | None:
    with store.read() as connection:
        found = identity.caller_of_token(connection, token, now)
    return None if found is None else found[0]


def test_what_nobody_says_is_made_and_shown_once(store: Store) -> None:
    shown = start(store, Wanted())
    assert shown is not None and shown.password is not None and shown.secret_key is not None
    caller = shown.caller
    assert (caller.user_name, caller.domain, caller.project_name) == ("admin", "default", "default")
    assert len(caller.project_id) == 32 and int(caller.project_id, 16)
    assert len(shown.access_key) == 20 and shown.access_key.isalnum() and shown.access_key.upper() == shown.access_key
    assert len(shown.secret_key.reveal()) == 40 and len(shown.password.reveal()) == 24
    assert shown.password.reveal().isalnum()
    assert identity.matches(login_of(store, "admin"), shown.password.reveal())
    assert key_of(store, shown.access_key) == (shown.secret_key.reveal(), caller)
    assert start(store, Wanted()) is None
    assert key_of(store, shown.access_key) == (shown.secret_key.reveal(), caller)


def test_what_is_given_is_so_at_every_start(store: Store) -> None:
    assert start(store) is None
    caller = login_of(store).caller
    assert (caller.user_name, caller.project_id, caller.project_name) == ("anna", "p1", "default")
    assert key_of(store, "AK1") == ("the-secret-key-1", caller)
    token = issue(store)
    assert start(store) is None
    assert caller_of(store, token) == caller, "a start that changes nothing ended a token"
    assert start(store, Wanted()) is None, "what is no longer given stays"
    assert login_of(store).caller == caller


def test_half_of_it_may_be_given(store: Store) -> None:
    shown = start(store, replace(GIVEN, password=None))
    assert shown is not None and shown.password is not None
    assert (shown.secret_key, shown.access_key) == (None, "AK1")
    assert start(store, GIVEN) is None
    assert identity.matches(login_of(store), "the-pass-w0rd")


def test_another_key_replaces_the_one_there_was(store: Store) -> None:
    start(store)
    start(store, replace(GIVEN, access_key="AK2"))
    assert key_of(store, "AK1") is None
    start(store, replace(GIVEN, access_key="AK2", secret_key=Secret("the-secret-key-2")))
    found = key_of(store, "AK2")
    assert found is not None and found[0] == "the-secret-key-2"


def test_another_name_is_the_same_user(store: Store) -> None:
    start(store)
    token = issue(store)
    before = login_of(store).caller
    start(store, replace(GIVEN, user_name="ben"))
    assert caller_of(store, token) == replace(before, user_name="ben")
    with store.read() as connection:
        assert identity.find_login(connection, "anna") is None


@pytest.mark.parametrize("ids", [("p1", "p2", "p1"), ("default", "p2", "default-default", "default")])
def test_another_project_is_entered_and_left_again(store: Store, ids: tuple[str, ...]) -> None:
    for project_id in ids:
        start(store, replace(GIVEN, project_id=project_id))
        caller = login_of(store).caller
        assert (caller.project_id, caller.project_name) == (project_id, "default")
    with store.read() as connection:
        assert len(connection.execute(select(metadata.tables["projects"])).all()) == len(set(ids))


def test_another_password_ends_the_tokens(store: Store) -> None:
    start(store)
    token = issue(store)
    start(store, replace(GIVEN, password=Secret("an0ther-one")))
    assert caller_of(store, token) is None
    assert not identity.matches(login_of(store), "the-pass-w0rd")
    assert identity.matches(login_of(store), "an0ther-one")


def test_a_password_that_was_changed_meanwhile_gives_no_token(store: Store) -> None:
    start(store)
    login = login_of(store)
    assert identity.matches(login, "the-pass-w0rd")
    start(store, replace(GIVEN, password=Secret("an0ther-one")))
    with store.write() as connection:
        assert identity.issue_token(connection, login, NOW) is None


def test_a_token_lives_for_a_day_and_is_then_forgotten(store: Store) -> None:
    start(store)
    token = issue(store)
    assert len(token) == 43
    assert caller_of(store, token) == login_of(store).caller
    assert caller_of(store, token, NOW + timedelta(hours=24) - timedelta(seconds=1)) is not None
    assert caller_of(store, token, NOW + timedelta(hours=24)) is None
    assert caller_of(store, token + "x") is None
    assert caller_of(store, "half a pair \udc80 and \0") is None
    issue(store, NOW + timedelta(hours=24))
    with store.read() as connection:
        assert len(connection.execute(select(tokens)).all()) == 1
    with store.write() as connection:
        identity.end_token(connection, token)


def test_another_key_of_the_seal_is_said_at_the_start(store: Store) -> None:
    start(store)
    for wanted in (GIVEN, Wanted(), replace(GIVEN, access_key="AK2")):
        with pytest.raises(DrsError, match=r"secret\.key") as raised:
            start(store, wanted, Seal(bytes([1] * 32)))
        assert raised.value.fault is Fault.SEAL_BROKEN
    assert key_of(store, "AK1") is not None, "nothing was changed"


def test_many_that_start_together_agree(url: str) -> None:
    barrier = threading.Barrier(4, timeout=60)  # one that fails is told by its own error

    def begin(_: int) -> Shown | None:
        store = open_store(url)
        barrier.wait()
        try:
            return identity.ensure(store, SEAL, Wanted())
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        shown = [one for one in pool.map(begin, range(4)) if one is not None]
    assert len(shown) == 1
    store = open_store(url)
    assert key_of(store, shown[0].access_key) is not None
    store.close()


def test_passwords_are_hashed_with_their_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(user_id="1", user_name="a", domain="d", project_id="p", project_name="n")
    stored = identity.hash_password("päss")
    assert stored != identity.hash_password("päss")
    monkeypatch.setattr(identity, "_COST", (5, 4, 2))
    assert identity.matches(Login(caller, stored), "päss"), "the parameters of its own hash count"
    for wrong in ("pass", "", "päss ", "p\udc80", "x" * 10_000):
        assert not identity.matches(Login(caller, stored), wrong)
    assert not identity.matches(None, "päss")
    assert not identity.matches(Login(caller, identity.hash_password("x" * 5000)), "x" * 5000)


def test_an_unknown_user_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, ...]] = []

    def count(password: str, salt: bytes, *cost: int) -> bytes:
        calls.append(cost)
        return bytes(32)

    caller = Caller(user_id="1", user_name="a", domain="d", project_id="p", project_name="n")
    stored = identity.hash_password("x")
    monkeypatch.setattr(identity, "_scrypt", count)
    identity.matches(None, "x")
    identity.matches(Login(caller, stored), "y" * 100_000)
    assert calls == [(4, 8, 1)] * 2


def test_the_store_holds_no_secret(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        start(store)
        token = issue(store)
        shown = repr((GIVEN, start(store, replace(GIVEN, password=None)), login_of(store), SEAL))
    with store.read() as connection:
        tables = [table.name for table in metadata.sorted_tables]
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in tables]
    everything = repr(rows) + caplog.text + shown
    assert GIVEN.password is not None and GIVEN.secret_key is not None
    for secret in (GIVEN.password.reveal(), GIVEN.secret_key.reveal(), token):
        assert secret not in everything
    assert login_of(store).password_hash not in caplog.text + shown
