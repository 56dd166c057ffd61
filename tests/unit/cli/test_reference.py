"""docs/reference/cli.md is what the commands say of themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from typer.models import OptionInfo

from opendrs.cli import reference
from opendrs.cli.exits import MEANINGS, Code
from opendrs.cli.main import app
from opendrs.settings import VARIABLES

PAGE = Path(__file__).parents[3] / reference.FILE


@pytest.mark.golden
def test_the_page_is_fresh() -> None:
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(reference.page())
    assert PAGE.read_text() == reference.page(), "run `python -m opendrs.cli.reference`"


def test_everything_is_on_the_page() -> None:
    page = reference.page()
    names = [name for name, _ in reference.commands()]
    assert len(names) == len(set(names)) > len(app.registered_commands)
    assert "job create" in names and "job terminate" not in names
    for command, function in reference.commands():
        assert f"## `opendrs {command} " in page
        hints = get_type_hints(function, include_extras=True)
        for name, hint in hints.items():
            info = next((part for part in get_args(hint) if isinstance(part, OptionInfo)), None)
            given = info is not None and isinstance(info.default, str)
            spelled = info.default if info is not None and given else f"--{name.replace('_', '-')}"
            assert info is None or f"`{spelled.partition('/')[0]}" in page, name
    assert all(f"| `{name}` |" in page for name in VARIABLES)
    assert all(f"| `{code.value}` | {MEANINGS[code]} |" in page for code in Code)


def test_every_option_has_a_help() -> None:
    assert "|  |  |" not in reference.page().replace("default |\n|---|---|---|", "")
