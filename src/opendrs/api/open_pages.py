"""What anybody may read: whether the service lives and is ready, its figures, its description."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from opendrs.api.figures import exposition
from opendrs.signature import Call as Request
from opendrs.spec.openapi import document
from opendrs.store.database import Store

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
Page = tuple[int, str, bytes]


class Pages:
    """GET /healthz, /readyz, /metrics, /openapi.json."""

    def __init__(self, store: Store, trouble: Callable[[], str]) -> None:
        self._store = store
        self._trouble = trouble
        self._pages = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }
        self._document = b""

    def find(self, request: Request) -> Page | None:
        """The page; None: it is none of ours."""
        page = self._pages.get(request.path) if request.method in ("GET", "HEAD") else None
        return None if page is None else page(request)

    def _health(self, request: Request) -> Page:
        del request
        return 200, TEXT, b"ok\n"

    def _ready(self, request: Request) -> Page:
        """Ready is whose store answers, and whose workers are looked after."""
        del request
        try:
            with self._store.read() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return 503, TEXT, b"the state store does not answer\n"
        trouble = self._trouble()
        return (503, TEXT, f"{trouble}\n".encode()) if trouble else (200, TEXT, b"ready\n")

    def _metrics(self, request: Request) -> Page:
        del request
        return 200, CONTENT_TYPE_LATEST, exposition(self._store)

    def _openapi(self, request: Request) -> Page:
        del request
        if not self._document:
            # The server is where the document is from, whatever names it has: nothing is made anew for a request.
            self._document = json.dumps(document("/"), ensure_ascii=False).encode()
        return 200, JSON, self._document
