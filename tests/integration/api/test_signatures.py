"""A request that the official SDK has signed, over the wire: as it was it is answered; with anything of it changed, or
much later, it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import huaweicloudsdkdrs.v5 as v5
import pytest
from requests import PreparedRequest

from opendrs.signature import Call, sign
from tests.harness.service import ACCESS_KEY, PROJECT, SECRET_KEY
from tests.integration.api.jobs import creation
from tests.integration.api.world import World

REFUSED = (401, "APIGW.0301")


@dataclass(frozen=True)
class Signed:
    """What was on the wire."""

    method: str
    path: str  # with the query
    headers: dict[str, str]
    body: bytes

    def send(self, world: World) -> tuple[int, str]:
        """Status and code of the answer."""
        answer = httpx.request(self.method, world.url + self.path, headers=self.headers, content=self.body)
        return answer.status_code, answer.json().get("error_code", "")

    def with_header(self, name: str, value: str | None) -> Signed:
        kept = {known: text for known, text in self.headers.items() if known.lower() != name.lower()}
        return replace(self, headers=kept if value is None else {**kept, name: value})


def seen(world: World, act: Callable[[v5.DrsClient], object]) -> Signed:
    """The request that the SDK makes of a call."""
    client = world.sdk()
    act(client.client)
    request: PreparedRequest = client.seen[-1].request
    body = request.body or b""
    return Signed(
        method=str(request.method),
        path=request.path_url,
        headers={str(name): str(value) for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


@pytest.fixture
def listing(world: World) -> Signed:
    return seen(world, lambda client: client.list_jobs(v5.ListJobsRequest(job_type="sync", limit=5, name="a b")))


@pytest.fixture
def creating(world: World) -> Signed:
    body = v5.CheckJobNameReq(name="some-name", type="trans")
    return seen(world, lambda client: client.validate_job_name(v5.ValidateJobNameRequest(body=body)))


def test_as_it_was_it_is_answered(world: World, listing: Signed, creating: Signed) -> None:
    assert listing.send(world) == (200, "")
    assert creating.send(world) == (200, "")


@pytest.mark.parametrize(
    "changed",
    [
        lambda one: replace(one, method="DELETE"),
        lambda one: replace(one, path=one.path.replace("/jobs", "/links")),
        lambda one: replace(one, path=one.path.replace("limit=5", "limit=6")),
        lambda one: replace(one, path=one.path.replace("limit=5", "offset=5")),
        lambda one: replace(one, path=one.path.replace("&limit=5", "").replace("limit=5&", "")),
        lambda one: replace(one, path=f"{one.path}&status=PAUSING"),
        lambda one: replace(one, path=one.path.partition("?")[0]),
        lambda one: one.with_header("X-Project-Id", "f" * 32),
        lambda one: one.with_header("X-Project-Id", None),
        lambda one: one.with_header("Content-Type", "text/plain"),
        lambda one: one.with_header("User-Agent", "somebody else"),
        lambda one: one.with_header("Host", "another.example"),
        lambda one: one.with_header("X-Sdk-Date", None),
        lambda one: one.with_header("X-Sdk-Date", "20200101T000000Z"),
        lambda one: one.with_header("Authorization", None),
        lambda one: one.with_header("Authorization", one.headers["Authorization"][:-1] + "x"),
        lambda one: one.with_header("Authorization", one.headers["Authorization"].replace(ACCESS_KEY, "SOMEBODYELSE")),
        lambda one: one.with_header("Authorization", one.headers["Authorization"].replace("host;", "")),
        lambda one: replace(one, body=b"{}"),
    ],
)
def test_with_anything_changed_it_is_refused(
    world: World, listing: Signed, changed: Callable[[Signed], Signed]
) -> None:
    other = changed(listing)
    assert other != listing
    assert other.send(world) == REFUSED


def test_another_body_is_refused(world: World, creating: Signed) -> None:
    other = json.dumps({**json.loads(creating.body), "name": "other-name"}).encode()
    changed = replace(creating, body=other).with_header("Content-Length", str(len(other)))
    assert changed.send(world) == REFUSED


@pytest.mark.parametrize(
    ("age", "answer"),
    [
        (timedelta(minutes=14), (200, "")),
        (timedelta(minutes=-14), (200, "")),
        (timedelta(minutes=16), REFUSED),
        (timedelta(minutes=-16), REFUSED),
    ],
)
def test_a_request_is_good_for_a_quarter_of_an_hour(world: World, age: timedelta, answer: tuple[int, str]) -> None:
    path, host = f"/v5/{PROJECT}/jobs", world.url.removeprefix("http://")
    headers = {"Host": host, "Content-Type": "application/json", "X-Project-Id": PROJECT}
    call = Call(method="GET", path=path, query="job_type=sync", headers=tuple(headers.items()), body=b"")
    proof = sign(call, ACCESS_KEY, SECRET_KEY, datetime.now(UTC) - age)
    signed = Signed(method="GET", path=f"{path}?job_type=sync", headers={**headers, **proof}, body=b"")
    assert signed.send(world) == answer


def test_nobody_s_key_creates_a_job(world: World) -> None:
    stranger = world.sdk(secret_key="a-wrong-secret-key-0000000000000")
    assert stranger.refused("create_job", body=creation("stolen")) == "APIGW.0301"
    assert world.sdk().call("list_jobs", job_type="sync").total_count == 0
