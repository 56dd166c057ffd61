"""Golden files of the DDL: `OPENDRS_GOLDEN=rewrite` writes them anew, for a person to read the difference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "golden: holds generated files against what is committed")


def agrees(path: Path, text: str) -> None:
    """The file holds this text; or, when told to, from now on."""
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        path.write_text(text)
    assert path.is_file(), f"{path.name} is missing: make golden"
    assert path.read_text() == text, f"{path.name} is stale: look at the difference, then make golden"
