"""A client that sends anything, remembers every answer, and holds each against the contract."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from opendrs.spec import operations
from tests.harness.service import ACCESS_KEY, PASSWORD, PROJECT, SECRET_KEY, USER
from tests.harness.shapes import deviations

NOT_DONE = [operation for operation in operations() if operation.state != "done"]
DONE = [operation for operation in operations() if operation.state == "done"]

BOUNDARY = "a-boundary-of-the-tests"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(name: str, content: bytes, *, part: str = "file", more: bytes = b"") -> bytes:
    """A body with one file, of the type MULTIPART. `more`: parts before it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'
    return more + head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass
class Log(logging.Handler):
    """All that this process logs meanwhile, before anything is masked."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.lines.append(f"{record.getMessage()} {record.__dict__!r} {trace}")


class Raw:
    """Requests of a user with a token, or of nobody."""

    def __init__(self, url: str, log: Log) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=60)
        self.log = log
        self.seen: list[str] = []
        self.token = self.log_in()
        self.port = int(url.rpartition(":")[2])

    def log_in(self, user: str = USER, password: str = PASSWORD) -> str:
        proof = {"methods": ["password"], "password": {"user": {"name": user, "password": password}}}
        answer = self.client.post("/v3/auth/tokens", json={"auth": {"identity": proof}})
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def ask(
        self, method: str, path: str, body: Any = None, *, content: bytes | None = None, headers: Any = None,
        token: str | None = "", project: str = PROJECT, **query: Any,
    ) -> httpx.Response:  # fmt: skip
        """`path` behind the project, unless it begins with a slash. The answer has been looked at."""
        sent = {"Content-Type": "application/json"} if headers is None else dict(headers)
        if token is not None:
            sent["X-Auth-Token"] = token or self.token
        if content is None and body is not None:
            content = json.dumps(body).encode()
        where = path if path.startswith("/") else f"/v5/{project}/{path}"
        answer = self.client.request(method, where, content=content, headers=sent, params=query or None)
        self._look(answer)
        return answer

    def refused(self, code: str, *words: Any, status: int = 400, **more: Any) -> str:
        """Demands that it is refused with this code; returns the text."""
        answer = self.ask(*words, **more)
        found = answer.json()
        assert (found["error_code"], answer.status_code) == (code, status), (words, more, answer.text[:600])
        return str(found["error_msg"])

    def good(self, *words: Any, **more: Any) -> Any:
        answer = self.ask(*words, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def _look(self, answer: httpx.Response) -> None:
        self.seen.append(f"{answer.headers} {answer.text}")
        assert answer.status_code < 500, answer.text
        assert answer.headers["X-Request-Id"]
        assert "Traceback" not in answer.text
        if answer.status_code >= 400 and answer.request.method != "HEAD":
            assert deviations("v5", "list_jobs", answer.status_code, answer.json()) == [], answer.text

    def send(self, data: bytes, *, patience_s: float = 30) -> bytes:
        """Bytes as they are; what comes until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience_s) as connection:
            connection.sendall(data)
            found = bytearray()
            while part := connection.recv(1 << 16):
                found += part
        self.seen.append(found.decode("latin-1"))
        return bytes(found)

    def get(self, target: str, *, method: str = "GET", more: str = "") -> tuple[int, Any]:
        """A request with a target that no client would send: status, and the JSON."""
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-Auth-Token: {self.token}\r\n{more}\r\n"
        )
        answer = self.send(head.encode("latin-1"))
        top, _, body = answer.partition(b"\r\n\r\n")
        found = json.loads(body) if body else None
        status = int(top.split()[1])
        if status >= 400 and body:
            assert deviations("v5", "list_jobs", status, found) == [], found
        return status, found

    def end(self, secrets: tuple[str, ...]) -> None:
        """No secret was answered or logged, but for the token where it belongs; and nothing failed inside."""
        self.client.close()
        answers = "\n".join(self.seen)
        logged = "\n".join(self.log.lines)
        for secret in (*secrets, PASSWORD, SECRET_KEY, self.token):
            assert secret not in answers, secret
            assert secret not in logged, secret
        assert ACCESS_KEY not in answers
        assert "Traceback" not in logged, logged[logged.index("Traceback") :][:3000]
        assert "api.failed" not in logged


@contextmanager
def listening() -> Iterator[Log]:
    """Collects what is logged."""
    log, root = Log(), logging.getLogger()
    before = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    try:
        yield log
    finally:
        root.removeHandler(log)
        root.setLevel(before)
