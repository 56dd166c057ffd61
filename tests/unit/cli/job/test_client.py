"""Requests as they leave, and what becomes of every kind of answer."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from opendrs.cli.exits import Refused
from opendrs.cli.logins import Login
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Secret
from opendrs.signature import Call, parse_authorization, verify
from tests.unit.cli.job.fake import BY_KEY, BY_TOKEN, PROJECT, URL, Fake


@pytest.mark.parametrize("url", ["http://service:8920", "http://service", "http://[::1]:8920"])
def test_what_is_signed_is_what_is_sent(url: str) -> None:
    fake = Fake({"POST /jobs/a b": {}})
    login = Login(url=url, project_id=PROJECT, access_key="AK", secret_key=Secret("a-secret-key"))
    with fake.client(login) as client:
        client.ask("POST", f"/v5/{PROJECT}/jobs/a%20b", {"name": "x y&=ü*", "limit": 3}, {"name": "ü"})
    request = fake.requests[0]
    path, _, query = request.url.raw_path.decode().partition("?")
    headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    call = Call(method="POST", path=path, query=query, headers=headers, body=request.content)
    given = parse_authorization(request.headers["authorization"])
    verify(call, given, "a-secret-key", datetime.now(UTC))
    assert {"host", "content-type", "x-project-id", "x-sdk-date"} == set(given.signed)
    assert "x-auth-token" not in request.headers and b"a-secret-key" not in request.content


def test_a_token_is_sent_alone() -> None:
    fake = Fake({"GET /jobs": {}})
    with fake.client() as client:
        client.ask("GET", f"/v5/{PROJECT}/jobs")
    assert fake.requests[0].headers["x-auth-token"] == "a-token-of-mine"
    assert "authorization" not in fake.requests[0].headers


def refusal(code: str, message: str) -> dict[str, str]:
    return {"error_code": code, "error_msg": message}


def test_a_refusal_keeps_its_code_and_words() -> None:
    fake = Fake({"GET /jobs": (400, refusal("DRS.M00304", "not while 任务 runs"))})
    with fake.client() as client, pytest.raises(Refused) as raised:
        client.ask("GET", f"/v5/{PROJECT}/jobs")
    assert (raised.value.code, raised.value.message) == ("DRS.M00304", "not while 任务 runs")
    assert "opendrs job show" in raised.value.hint


def test_a_token_that_is_refused_is_a_login_that_has_expired() -> None:
    fake = Fake({"GET /jobs": (403, refusal("DRS.M00100", "Invalid token"))})
    with fake.client(BY_TOKEN) as client, pytest.raises(DrsError) as raised:
        client.ask("GET", f"/v5/{PROJECT}/jobs")
    assert raised.value.fault is Fault.LOGIN_EXPIRED and "Log in again" in raised.value.hint
    with fake.client(BY_KEY) as client, pytest.raises(Refused):
        client.ask("GET", f"/v5/{PROJECT}/jobs")


@pytest.mark.parametrize(
    ("answer", "fault", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), Fault.SERVICE_UNREACHABLE, "refused"),
        (httpx.ReadTimeout("timed out"), Fault.SERVICE_UNREACHABLE, "in time"),
        (httpx.RemoteProtocolError(""), Fault.SERVICE_UNREACHABLE, "RemoteProtocolError"),
        ((502, httpx.Response(502, text="<html>")), Fault.SERVICE_UNREACHABLE, "HTTP 502"),
        ((404, httpx.Response(404, text="not here")), Fault.SERVICE_ODD, "HTTP 404"),
        ((301, httpx.Response(301, headers={"location": "https://elsewhere/"})), Fault.SERVICE_ODD, "HTTP 301"),
        ((200, httpx.Response(200, text="<html>")), Fault.SERVICE_ODD, "no JSON"),
    ],
    ids=str,
)
def test_silence_and_strange_answers(answer: object, fault: Fault, words: str) -> None:
    fake = Fake({"GET /jobs": answer})
    with fake.client() as client, pytest.raises(DrsError) as raised:
        client.ask("GET", f"/v5/{PROJECT}/jobs")
    assert raised.value.fault is fault and URL in raised.value.message and words in raised.value.message
    assert len(fake.requests) == 1 and "a-token-of-mine" not in str(raised.value)


def test_a_login_gives_a_token() -> None:
    token = {
        "expires_at": "2026-11-30T08:00:00.000000Z",
        "project": {"id": PROJECT},
        "user": {"name": "me"},
    }
    answer = httpx.Response(201, headers={"X-Subject-Token": "the-token"}, json={"token": token})
    fake = Fake({"POST /v3/auth/tokens": (201, answer)})
    with fake.client(Login(url=URL)) as client:
        got = client.log_in("me", Secret("the-password"), PROJECT)
    assert got.token.reveal() == "the-token" and got.expires_at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    auth = fake.bodies("POST")[0]["auth"]
    assert auth["scope"] == {"project": {"id": PROJECT}}
    assert auth["identity"]["password"]["user"] == {"name": "me", "password": "the-password"}
    assert "authorization" not in fake.requests[0].headers and "the-password" not in repr(got)


def test_an_answer_without_a_token_is_odd() -> None:
    fake = Fake({"POST /v3/auth/tokens": {"token": {}}})
    with fake.client(Login(url=URL)) as client, pytest.raises(DrsError, match="without a token"):
        client.log_in("me", Secret("the-password"))


def test_a_project_that_is_not_said_is_asked_for_once() -> None:
    fake = Fake({"GET /v3/auth/projects": {"projects": [{"id": PROJECT}]}, "GET /jobs/x": {"job": {}}})
    from opendrs.cli.service import Service

    with fake.client(Login(url=URL, access_key="AK", secret_key=Secret("a-secret-key"))) as client:
        service = Service(client)
        service.detail("x", "overview")
        service.detail("x", "overview")
    assert [request.url.path for request in fake.requests].count("/v3/auth/projects") == 1
