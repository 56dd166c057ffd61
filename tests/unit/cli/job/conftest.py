"""Commands run in this process, against a service without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from opendrs.cli import client, logins
from opendrs.cli.main import app
from opendrs.settings import VARIABLES
from tests.unit.cli.job.fake import BY_TOKEN, Answer, Fake

Run = Callable[..., Result]
Serve = Callable[[Mapping[str, Answer]], Fake]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a login, and nothing of ours in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    logins.keep(BY_TOKEN, logins.path({"XDG_CONFIG_HOME": str(tmp_path / ".config")}))
    return tmp_path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    real = client.Client

    def serve(answers: Mapping[str, Answer]) -> Fake:
        fake = Fake(dict(answers))
        monkeypatch.setattr(client, "Client", partial(real, transport=fake.transport))
        return fake

    return serve


@pytest.fixture
def run() -> Run:
    def run(*words: str, input: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=input)

    return run
