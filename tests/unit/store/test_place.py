"""Where the state store is, from what the user gave."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.settings import SECRET_VARIABLES, VARIABLES, State
from opendrs.store import migrating, tables


def test_the_default_is_below_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    state = State.read(None, {})
    folder = tmp_path / ".local/state/opendrs"
    assert state == State(f"sqlite:///{folder}/opendrs.db", folder)
    assert not folder.exists()
    state.prepare()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.folder_of("abc").stat().st_mode) == 0o700


def test_the_option_wins_over_the_environment(tmp_path: Path) -> None:
    environ = {"OPENDRS_STATE": str(tmp_path / "env.db")}
    assert State.read(None, environ).url == f"sqlite:///{tmp_path}/env.db"
    assert State.read(str(tmp_path / "x y.db"), environ).url == f"sqlite:///{tmp_path}/x y.db"


@pytest.mark.parametrize("form", ["sqlite:///{}", "sqlite:////{}"])
def test_an_sqlite_url_is_a_path(form: str, tmp_path: Path) -> None:
    url = form.format(str(tmp_path / "a.db").lstrip("/"))
    state = State.read(url, {})
    if form.count("/") == 4:
        assert state == State(f"sqlite:///{tmp_path}/a.db", tmp_path)
    else:
        assert state.folder.is_absolute()


def test_postgresql_keeps_its_files_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    state = State.read("postgres://u:p@h:1/d?sslmode=require", {})
    assert state == State("postgresql://u:p@h:1/d?sslmode=require", tmp_path / ".local/state/opendrs")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("postgresql://u@h:5432/d", "postgresql://u:a%40b@h:5432/d"),
        ("postgresql://u:own@h/d", "postgresql://u:own@h/d"),
        ("postgresql://h/d", "postgresql://h/d"),
    ],
)
def test_a_password_for_the_store_may_come_from_the_environment(given: str, found: str) -> None:
    """A worker does not inherit the variable."""
    assert State.read(given, {"PGPASSWORD": "a@b"}).url == found


@pytest.mark.parametrize("given", ["redis://h/1", "mysql://h/d", "sqlite://", "sqlite:///"])
def test_what_is_no_state_store_is_refused(given: str) -> None:
    with pytest.raises(DrsError) as raised:
        State.read(given, {})
    assert raised.value.fault is Fault.SETTING_INVALID


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DrsError, match="--state"):
        State.read(str(tmp_path / "file" / "state.db"), {}).prepare()


def test_every_secret_variable_is_documented() -> None:
    assert set(SECRET_VARIABLES) <= set(VARIABLES)


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    assert migrating.revisions()[-1] == tables.REVISION


def test_a_store_without_migrations_to_make_opens_without_alembic(tmp_path: Path) -> None:
    import subprocess
    import sys

    url = f"sqlite:///{tmp_path / 'state.db'}"
    look = (
        "import sys; from opendrs.store.database import open_store; open_store(sys.argv[1]).close();"
        "print([name for name in ('alembic', 'sqlalchemy.dialects.postgresql') if name in sys.modules])"
    )
    for _ in ("new", "there"):
        done = subprocess.run([sys.executable, "-c", look, url], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"
