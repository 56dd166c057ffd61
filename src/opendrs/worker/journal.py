"""Carries what the worker logs to the job's events, without making anybody wait for the store."""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Final

from opendrs.store.events import Event
from opendrs.telemetry import Mask

WAITING_MAX: Final = 1_000  # beyond it the oldest are lost to the store; the log file has them


class Journal(logging.Handler):
    """Keeps records that have an event name, from INFO on, until the heart fetches them."""

    def __init__(self, mask: Mask) -> None:
        super().__init__(logging.INFO)
        self._mask = mask
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        name = getattr(record, "event", "")
        if not name:
            return
        event = Event(
            name=name,
            message=self._mask(record.getMessage()),
            level=record.levelname.lower(),
            fields=self._mask.deep(getattr(record, "fields", {})),
            at=datetime.fromtimestamp(record.created, UTC),
        )
        with self._guard:
            self._waiting.append(event)

    def fetch(self) -> list[Event]:
        """What has gathered; it is the caller's now."""
        with self._guard:
            events = list(self._waiting)
            self._waiting.clear()
        return events

    def put_back(self, events: list[Event]) -> None:
        """They could not be written."""
        with self._guard:
            self._waiting = deque([*events, *self._waiting], maxlen=WAITING_MAX)
