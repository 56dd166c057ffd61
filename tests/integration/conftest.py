"""What holds for every test with servers."""

from __future__ import annotations

import pytest

from opendrs.pipeline import flow


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of the test's own process ends when its reader of the log has waited so long for its server."""
    monkeypatch.setattr(flow, "POLL_S", 0.02)
