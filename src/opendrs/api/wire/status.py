"""States of what is done behind an answer."""

from __future__ import annotations

from opendrs.model.action import Status
from opendrs.store.actions import OPEN


def status_word(status: Status) -> str:
    """pending, success or failed."""
    return "pending" if status in OPEN else status
