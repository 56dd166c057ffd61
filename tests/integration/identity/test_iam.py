"""What the IAM part of the API answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exception_handler import DefaultExceptionHandler
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdrs.v5 import DrsClient, ListJobsRequest

from opendrs.api import iam
from opendrs.api.auth import Authenticator
from opendrs.model.caller import Caller
from opendrs.signature import Call
from opendrs.store import identity
from opendrs.store.database import Store
from opendrs.store.sealing import Seal
from tests.integration.identity.conftest import NOW, PASSWORD, PROJECT, SECRET_KEY
from tests.property.api.sdk import on_the_wire_prepared

GOOD: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "anna", "password": PASSWORD, "domain": {"name": "default"}}},
        },
        "scope": {"project": {"name": "default"}},
    }
}


def asking(**changes: Any) -> dict[str, Any]:
    """The good request with other things in the user, or with another scope or methods."""
    body = deepcopy(GOOD)
    if "scope" in changes:
        body["auth"]["scope"] = changes.pop("scope")
    if "methods" in changes:
        body["auth"]["identity"]["methods"] = changes.pop("methods")
    body["auth"]["identity"]["password"]["user"] |= changes
    return body


def refused(store: Store, body: object, status: int, code: str) -> dict[str, Any]:
    answer = iam.tokens(store, body, NOW)
    assert (answer.status, answer.body["error"]["code"], answer.body["error_code"]) == (status, status, code)
    assert answer.body["error"]["message"] == answer.body["error_msg"] and answer.body["error"]["title"]
    assert iam.HEADER not in answer.headers and PASSWORD not in json.dumps(answer.body)
    return answer.body


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"name": "default"}},
        {"project": {"id": PROJECT}},
        {"project": {"id": PROJECT, "name": "whatever"}},
        {"project": {"name": "default", "domain": {"name": "default"}}},
        {"domain": {"name": "default"}},
        {"domain": {"id": "default"}},
        {},
        None,
    ],
)
def test_a_token_for_a_password(store: Store, seal: Seal, user: Caller, scope: Any) -> None:
    answer = iam.tokens(store, asking(scope=scope), NOW)
    assert answer.status == 201
    token = answer.body["token"]
    assert json.loads(json.dumps(token)) == token
    domain = {"id": "default", "name": "default"}
    assert token["project"] == {"id": PROJECT, "name": "default", "domain": domain}
    assert (token["user"]["id"], token["user"]["name"], token["user"]["domain"]) == (user.user_id, "anna", domain)
    assert token["methods"] == ["password"] and token["roles"] and token["catalog"] == []
    assert token["issued_at"] == "2026-03-04T05:06:07.000000Z"
    assert token["expires_at"] == "2026-03-05T05:06:07.000000Z"
    call = Call(method="GET", path=f"/v5/{PROJECT}/jobs", headers=[("X-Auth-Token", answer.headers[iam.HEADER])])
    assert Authenticator(store, seal).authenticate(call, NOW + timedelta(hours=23)) == user
    assert answer.headers[iam.HEADER] not in repr(answer)


def test_a_user_may_be_named_by_id(store: Store, user: Caller) -> None:
    body = asking()
    body["auth"]["identity"]["password"]["user"] = {"id": user.user_id, "password": PASSWORD}
    assert iam.tokens(store, body, NOW).status == 201


def test_what_is_wrong_is_not_told(store: Store, user: Caller) -> None:
    wrong = [{"password": "wrong"}, {"password": ""}, {"name": "ben"}, {"domain": {"name": "other"}}, {"id": "7"}]
    bodies = [refused(store, asking(**change), 401, "APIGW.0301") for change in wrong]
    assert all(body == bodies[0] for body in bodies)
    refused(store, asking(password="x" * 100_000), 401, "APIGW.0301")
    refused(store, asking(password="\udc80\0"), 401, "APIGW.0301")


@pytest.mark.parametrize(
    "scope", [{"project": {"name": "other"}}, {"project": {"id": "p2"}}, {"domain": {"name": "other"}}]
)
def test_another_scope_is_refused_to_who_may_know(store: Store, user: Caller, scope: Any) -> None:
    refused(store, asking(scope=scope), 403, "DRS.M00261")
    refused(store, asking(scope=scope, password="wrong"), 401, "APIGW.0301")


@pytest.mark.parametrize("methods", [["token"], ["password", "totp"], [7], [None]])
def test_other_methods_are_not_there(store: Store, user: Caller, methods: Any) -> None:
    assert str(methods[-1]) in refused(store, asking(methods=methods), 401, "APIGW.0301")["error_msg"]


BROKEN: list[Callable[[], Any]] = [
    lambda: None,
    lambda: 7,
    lambda: [],
    lambda: {},
    lambda: {"auth": None},
    lambda: {"auth": {"identity": []}},
    lambda: asking(methods=[]),
    lambda: asking(methods="password"),
    lambda: asking(password=None),
    lambda: asking(password=7),
    lambda: asking(name=None),
    lambda: asking(name=["anna"]),
    lambda: asking(name="an\0na"),
    lambda: asking(name="an\udc80na"),
    lambda: asking(domain="default"),
    lambda: asking(scope="unscoped"),
    lambda: asking(scope={"project": "default"}),
    lambda: asking(scope={"project": None}),
    lambda: asking(scope={"domain": []}),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_what_is_no_such_request_is_said(store: Store, user: Caller, number: int) -> None:
    refused(store, BROKEN[number](), 400, "DRS.M00202")


def test_one_password_at_a_time(store: Store, user: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = threading.Semaphore(1)
    entered, go = threading.Event(), threading.Event()
    together: list[str] = []

    def slow(login: object, password: str) -> bool:
        if not inside.acquire(blocking=False):
            together.append(password)
        entered.set()
        go.wait(30)
        inside.release()
        return False

    monkeypatch.setattr(identity, "matches", slow)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(iam.tokens(store, asking(), NOW).status))
        for _ in range(iam.WAITING_MAX)
    ]
    for thread in threads:
        thread.start()
    assert entered.wait(30)
    # All places are taken as soon as all have come that far; whoever comes then is sent away at once.
    while iam._places._value:
        threading.Event().wait(0.01)
    refused(store, asking(), 429, "APIGW.0308")
    go.set()
    for thread in threads:
        thread.join()
    assert statuses == [401] * iam.WAITING_MAX and not together


def test_the_sdk_reads_a_refusal(store: Store, user: Caller) -> None:
    answer = iam.tokens(store, asking(password="wrong"), NOW)
    response = requests.Response()
    response.status_code = answer.status
    response._content = json.dumps(answer.body).encode()
    with pytest.raises(ClientRequestException) as raised:
        DefaultExceptionHandler().handle_exception(requests.Request(), response)
    assert raised.value.error_code == "APIGW.0301" and "password is wrong" in raised.value.error_msg


@pytest.mark.parametrize("name", [None, "default", "cn-north-4"])
def test_the_projects_are_the_one(user: Caller, name: str | None) -> None:
    answer = iam.projects(user, name)
    assert answer.status == 200
    [project] = answer.body["projects"]
    assert (project["id"], project["name"], project["enabled"]) == (PROJECT, "default", True)
    assert iam.projects(user, path="/v3/auth/projects").body["links"]["self"] == "/v3/auth/projects"


def test_the_sdk_finds_its_project(store: Store, seal: Seal, user: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a region, without the id of a project: it asks IAM first, and puts what it finds into the next path."""
    calls: list[Call] = []

    def answer(adapter: object, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        calls.append(on_the_wire_prepared(request))
        caller = Authenticator(store, seal).authenticate(calls[-1], datetime.now(UTC))
        response = requests.Response()
        response.request, response.status_code = request, 200
        response._content = json.dumps(iam.projects(caller).body).encode()
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    monkeypatch.setattr(BasicCredentials, "_CACHE", {})  # the project, for as long as the process lives
    credentials = BasicCredentials("AK1", SECRET_KEY).with_iam_endpoint("http://127.0.0.1:8080")
    region = Region("cn-north-4", "http://127.0.0.1:8080")
    client = DrsClient.new_builder().with_credentials(credentials).with_region(region).build()
    client.list_jobs(ListJobsRequest(job_type="sync", name="a b"))
    assert [(call.path, call.query) for call in calls] == [
        ("/v3/projects", "name=cn-north-4"),
        (f"/v5/{PROJECT}/jobs", "job_type=sync&name=a%20b"),
    ]


def test_no_secret_is_told(store: Store, user: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        answer = iam.tokens(store, asking(), NOW)
        wanted = iam._Wanted.of(asking())
    shown = caplog.text + repr(answer) + repr(wanted) + json.dumps(answer.body)
    assert PASSWORD not in shown and answer.headers[iam.HEADER] not in shown
