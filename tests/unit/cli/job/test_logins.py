"""Where a login comes from, and how it is kept."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opendrs.cli import logins
from opendrs.cli.logins import Login
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
TOKEN = Login(url="http://s:1", project_id="p", user="me", token=Secret("tok"), expires_at=NOW + timedelta(hours=1))
KEYS = Login(url="https://s", project_id="p", access_key="AK", secret_key=Secret("sk"), ca="/ca.pem")


@pytest.mark.parametrize("login", [TOKEN, KEYS], ids=["token", "keys"])
def test_what_is_kept_comes_back(login: Login, tmp_path: Path) -> None:
    file = tmp_path / "opendrs" / "login.json"
    logins.keep(login, file)
    assert logins.load(file) == login
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == ["login.json"]
    assert logins.forget(file) and not logins.forget(file)
    assert logins.load(file) is None


def test_the_place(tmp_path: Path) -> None:
    assert logins.path({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "opendrs" / "login.json"
    assert logins.path({"XDG_CONFIG_HOME": "not/absolute"}) == Path.home() / ".config" / "opendrs" / "login.json"


def test_a_file_that_cannot_be_trusted_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    logins.keep(TOKEN, file)
    file.chmod(0o640)
    with pytest.raises(DrsError, match="others may read it"):
        logins.load(file)
    file.chmod(0o600)
    for text in ("", "[]", "{}", '{"version": 2}', json.dumps({"version": 1, "url": "u"})):
        file.write_text(text)
        with pytest.raises(DrsError, match="log in again"):
            logins.load(file)


def test_the_environment_wins(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    with pytest.raises(DrsError) as raised:
        logins.current(environ, NOW)
    assert raised.value.fault is Fault.NOT_LOGGED_IN
    logins.keep(TOKEN, logins.path(environ))
    assert logins.current(environ, NOW) == TOKEN
    keys = {"OPENDRS_ACCESS_KEY": "AK", "OPENDRS_SECRET_KEY": "sk"}
    assert logins.current(environ | keys, NOW) == TOKEN  # they may be meant for `opendrs serve`
    found = logins.current(environ | keys | {"OPENDRS_URL": "s:8920", "OPENDRS_PROJECT_ID": "p"}, NOW)
    assert (found.url, found.project_id, found.access_key) == ("https://s:8920", "p", "AK")
    with pytest.raises(DrsError, match="OPENDRS_SECRET_KEY"):
        logins.current(environ | {"OPENDRS_URL": "http://s", "OPENDRS_ACCESS_KEY": "AK"}, NOW)


def test_a_token_that_is_old_is_not_tried(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    logins.keep(TOKEN, logins.path(environ))
    with pytest.raises(DrsError) as raised:
        logins.current(environ, NOW + timedelta(hours=1))
    assert raised.value.fault is Fault.LOGIN_EXPIRED


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8920", "http://127.0.0.1:8920"),
        ("http://127.0.0.1:8920/", "http://127.0.0.1:8920"),
        ("127.0.0.1:8920", "http://127.0.0.1:8920"),
        ("localhost", "http://localhost"),
        ("drs.example.com", "https://drs.example.com"),
        ("http://[::1]:8920", "http://[::1]:8920"),
    ],
)
def test_an_address(text: str, url: str) -> None:
    assert logins.address(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "ftp://s", "http://", "http://s/v5", "http://s?x=1", "http://me:pw@s", "http://s:port", "http://s:99999"],
)
def test_no_address(text: str) -> None:
    with pytest.raises(DrsError) as raised:
        logins.address(text)
    assert "me:pw" not in str(raised.value)
