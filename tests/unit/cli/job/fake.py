"""A service without a network: answers from a table, and every request kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from opendrs.cli.client import Client
from opendrs.cli.logins import Login
from opendrs.cli.service import Service
from opendrs.model.endpoint import Secret

PROJECT = "0123456789abcdef0123456789abcdef"
ID = "01234567-89ab-cdef-0123-456789ajb20p"
URL = "http://service:8920"
BY_KEY = Login(url=URL, project_id=PROJECT, access_key="AK", secret_key=Secret("a-secret-key"))
BY_TOKEN = Login(url=URL, project_id=PROJECT, user="me", token=Secret("a-token-of-mine"))

Answer = Any  # JSON; a pair of status and JSON; a function of the query; or an exception


@dataclass(slots=True)
class Fake:
    """`answers`: by `METHOD path`, without the project; a list is taken one by one, and its last for ever."""

    answers: dict[str, Answer]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        key = f"{request.method} {request.url.path.removeprefix(f'/v5/{PROJECT}')}"
        answer = self.answers[key]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(dict(request.url.params))
        if isinstance(answer, BaseException):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        if isinstance(body, httpx.Response):
            return body
        return httpx.Response(status, json=body)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    def client(self, login: Login = BY_TOKEN) -> Client:
        return Client(login, transport=self.transport)

    def service(self) -> Service:
        return Service(self.client())

    def bodies(self, method: str) -> list[Any]:
        return [json.loads(one.content) for one in self.requests if one.method == method and one.content]


def jobs(*named: Mapping[str, Any]) -> Callable[[Mapping[str, str]], Any]:
    """The answer of list_jobs, which filters by type and name as the service does."""

    def answer(query: Mapping[str, str]) -> Any:
        found = [
            row for row in named if query["job_type"] == "sync" and query.get("name", "").lower() in row["name"].lower()
        ]
        begin, limit = int(query.get("offset", 0)), int(query["limit"])
        return {"total_count": len(found), "jobs": found[begin : begin + limit]}

    return answer


def job(name: str, number: int = 0, status: str = "INCRE_TRANSFER_STARTED", **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:08x}-89ab-cdef-0123-456789ajb20p",
        "name": name,
        "status": status,
        "task_type": "FULL_INCR_TRANS",
        "create_time": f"2026-11-29T08:00:{number:02}Z",
        "source": "mysql://db1:3306",
        "target": "postgresql://db2:5432",
        **more,
    }
