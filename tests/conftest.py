"""Fixtures for every test: real servers, started once a session and only when asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.harness import memory

memory.use()

# What decides whether a change may land must not depend on luck, nor on how busy the machine is; OPENDRS_EXAMPLES=100
# tries its luck.
settings.register_profile("opendrs", derandomize="OPENDRS_EXAMPLES" not in os.environ, deadline=None)
settings.load_profile("opendrs")

pytest_plugins = ["tests.harness.fixtures"]

HERE = Path(__file__).parent
LONGEST_FIRST = ("torture", "integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that at the end no worker is alone with it and the others idle."""

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)
