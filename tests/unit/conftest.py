"""Golden pages carry a mark, so that `make golden` can write them anew."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "golden: compares with a file that OPENDRS_GOLDEN=rewrite writes anew")
