"""The signature, against the official SDK's own signer: whatever it signs is good, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.formdata import FormFile
from huaweicloudsdkdrs.v5 import DrsClient
from hypothesis import assume, given
from hypothesis import strategies as st

from opendrs.errors import DrsError, Fault
from opendrs.signature import Call, parse_authorization, sign, verify
from tests.property.api.sdk import (
    ACCESS_KEY,
    NOW,
    SECRET_KEY,
    bodies,
    headers,
    on_the_wire,
    queries,
    segments,
    signed,
    text,
)

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"])


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Requests of the SDK that are good."""
    return signed(draw(METHODS), draw(segments), draw(queries), draw(headers), draw(bodies))


def check(call: Call, *, secret_key: str = SECRET_KEY, now: datetime = NOW) -> None:
    verify(call, parse_authorization(call.values("authorization")[0]), secret_key, now)


def refused(call: Call, **facts: Any) -> str:
    with pytest.raises(DrsError) as raised:
        check(call, **facts)
    assert raised.value.fault is Fault.SIGNATURE_INVALID
    return raised.value.message


def with_header(call: Call, name: str, value: str | None) -> Call:
    """With another value; None: without it. At the end, if it is not there."""
    kept = [(key, old) for key, old in call.headers if key.lower() != name.lower()]
    return replace(call, headers=kept if value is None else [*kept, (name, value)])


@given(calls())
def test_what_the_sdk_signs_is_good(call: Call) -> None:
    given = parse_authorization(call.values("authorization")[0])
    assert given.access_key == ACCESS_KEY
    check(call)


@given(st.lists(st.integers(), min_size=1, max_size=5), queries)
def test_numbers_are_sorted_as_numbers_there(numbers: list[int], others: list[tuple[str, str]]) -> None:
    """9 before 10 as numbers, behind it as texts."""
    query = [*((f"other{key}", value) for key, value in others), *(("ids", number) for number in numbers)]
    check(signed("GET", ["jobs"], query, {}))


@given(calls())
def test_the_order_on_the_wire_does_not_matter(call: Call) -> None:
    """Other clients sign sorted and send as they were told."""
    check(replace(call, query="&".join(reversed(call.query.split("&")))))


def test_names_that_gateways_drop_are_not_signed() -> None:
    """As the SDK does it."""
    assert "x_a" not in parse_authorization(signed("GET", [], [], {"X_A": "1"}).values("authorization")[0]).signed
    made = sign(Call(method="GET", path="/", headers=[("host", "h"), ("X_A", "1")]), ACCESS_KEY, SECRET_KEY, NOW)
    assert parse_authorization(made["Authorization"]).signed == ("host", "x-sdk-date")


@pytest.mark.parametrize("value", [["b", "a b", ""], [10, 9], True, False, 3, 2.5, None, "x=y&z"])
def test_all_kinds_of_parameters(value: Any) -> None:
    check(signed("GET", ["jobs"], [("q", value), ("z", "1")], {}))


@given(METHODS, segments, queries, headers, bodies)
def test_what_we_sign_is_what_the_sdk_would(
    method: str, parts: list[str], query: list[tuple[str, str]], given_headers: dict[str, str], body: bytes | str
) -> None:
    theirs = signed(method, parts, query, given_headers, body)
    ours = with_header(with_header(theirs, "authorization", None), "x-sdk-date", None)
    # What the HTTP library adds behind the signer's back is not among what the SDK signs.
    names = parse_authorization(theirs.values("authorization")[0]).signed
    ours = replace(ours, headers=[(name, value) for name, value in ours.headers if name.lower() in names])
    made = sign(ours, ACCESS_KEY, SECRET_KEY, NOW)
    assert made["Authorization"] == theirs.values("authorization")[0]
    check(replace(ours, headers=[*ours.headers, *made.items()]))


@given(calls(), st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]))
def test_another_method_is_refused(call: Call, method: str) -> None:
    assume(method != call.method)
    refused(replace(call, method=method))


@given(calls(), text, st.integers(0, 60))
def test_another_path_is_refused(call: Call, more: str, at: int) -> None:
    where = min(at, len(call.path))
    assume("%" not in call.path[max(0, where - 2) : where])  # not into the middle of %2F
    changed = call.path[:where] + quote(more, safe="") + call.path[where:]
    # All that the algorithm cannot tell apart.
    assume(unquote(changed).rstrip("/") != unquote(call.path).rstrip("/"))
    refused(replace(call, path=changed))


@given(calls(), st.data())
def test_another_query_is_refused(call: Call, data: st.DataObject) -> None:
    pairs = parse_qsl(call.query, keep_blank_values=True)
    change = data.draw(st.sampled_from(["key", "value", "more", "less"] if pairs else ["more"]))
    changed = list(pairs)
    if change == "more":
        changed.append((data.draw(text), data.draw(text)))
    else:
        at = data.draw(st.integers(0, len(pairs) - 1))
        key, value = changed.pop(at)
        if change == "key":
            changed.insert(at, (data.draw(text), value))
        elif change == "value":
            changed.insert(at, (key, data.draw(text)))
    assume(sorted(changed) != sorted(pairs))
    refused(replace(call, query=urlencode(changed)))


@given(calls(), st.data())
def test_another_header_is_refused(call: Call, data: st.DataObject) -> None:
    names = [n for n in parse_authorization(call.values("authorization")[0]).signed if n != "x-sdk-date"]
    name = data.draw(st.sampled_from(names))
    other = data.draw(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
    assume([other.strip()] != call.values(name))
    refused(with_header(call, name, other))
    refused(with_header(call, name, None))
    # A second one, before or behind: nobody knows which is gone by.
    refused(replace(call, headers=[*call.headers, (name.upper(), other)]))
    refused(replace(call, headers=[(name, call.values(name)[0]), *call.headers]))


@given(calls(), st.binary(max_size=40))
def test_another_body_is_refused(call: Call, body: bytes) -> None:
    assume(body != call.body)
    refused(replace(call, body=body))


@given(calls(), st.integers(-899, 899).filter(bool))
def test_another_date_is_refused(call: Call, seconds: int) -> None:
    date = (NOW + timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")
    refused(with_header(call, "x-sdk-date", date))


@given(calls(), text.filter(lambda key: key != SECRET_KEY))
def test_another_key_is_refused(call: Call, key: str) -> None:
    refused(call, secret_key=key)


@given(calls(), st.integers(0, 63))
def test_another_signature_is_refused(call: Call, at: int) -> None:
    value = call.values("authorization")[0]
    where = len(value) - 1 - at
    refused(
        with_header(call, "authorization", value[:where] + ("1" if value[where] == "0" else "0") + value[where + 1 :])
    )


@given(calls(), st.data())
def test_a_header_taken_from_what_is_signed_is_refused(call: Call, data: st.DataObject) -> None:
    value = call.values("authorization")[0]
    names = parse_authorization(value).signed
    dropped = data.draw(st.sampled_from(names))
    fewer = [name for name in names if name != dropped]
    refused(with_header(call, "authorization", value.replace(";".join(names), ";".join(fewer))))


@given(
    st.text(st.characters(max_codepoint=0xFF)) | st.text("SDK-HMA25 Access=,;SignedHeaders Signature0fx", max_size=90)
)
def test_any_text_as_authorization_is_refused_in_order(value: str) -> None:
    with pytest.raises(DrsError) as raised:
        parse_authorization(value)
    assert raised.value.fault is Fault.SIGNATURE_INVALID


@given(
    st.text(st.characters(max_codepoint=0xFF), max_size=20),
    st.text(st.characters(max_codepoint=0xFF), max_size=20),
    st.lists(st.tuples(st.sampled_from(["host", "x-a", "x-sdk-date", "x-sdk-content-sha256"]), text), max_size=5),
    st.binary(max_size=5),
)
def test_any_request_is_refused_in_order(path: str, query: str, found: Sequence[tuple[str, str]], body: bytes) -> None:
    call = Call(method="GET", path=path, query=query, headers=found, body=body)
    authorization = parse_authorization(
        f"SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date;x-sdk-content-sha256, Signature={'0' * 64}"
    )
    with pytest.raises(DrsError) as raised:
        verify(call, authorization, SECRET_KEY, NOW)
    assert raised.value.fault is Fault.SIGNATURE_INVALID


@pytest.mark.parametrize("sign_of", [-1, 1])
@pytest.mark.parametrize(("minutes", "seconds", "good"), [(14, 59, True), (15, 0, True), (15, 1, False)])
def test_a_request_is_good_for_a_quarter_of_an_hour(sign_of: int, minutes: int, seconds: int, good: bool) -> None:
    call = signed("GET", ["jobs"], [], {})
    now = NOW + sign_of * timedelta(minutes=minutes, seconds=seconds)
    if good:
        check(call, now=now)
    else:
        assert "X-Sdk-Date" in refused(call, now=now)


@pytest.mark.parametrize(
    "date",
    ["20261304T050607Z", "2026034T050607Z", "20260304T050607", "2026-03-04T05:06:07Z", "", "２０２６0304T050607Z"],
)
def test_a_date_that_is_none_is_refused(date: str) -> None:
    wrong = with_header(signed("GET", ["jobs"], [], {}), "x-sdk-date", date.encode().decode("latin-1"))
    assert "X-Sdk-Date" in refused(wrong)


def upload() -> Call:
    """A file as the SDK uploads it: with the body left out of the signature."""
    client = DrsClient.new_builder().with_credentials(BasicCredentials(ACCESS_KEY, SECRET_KEY, "p"))
    client = client.with_endpoint("http://127.0.0.1:8080").build()
    with open(__file__, "rb") as file:  # noqa: PTH123 - the SDK wants this kind of file
        request = client.build_future_request(
            "POST", "/v5/{project_id}/jobs/{job_id}/template", {"job_id": "a b/中"}, [("is_clear", True)],
            {"Content-Type": "multipart/form-data", "X-Sdk-Date": "20260304T050607Z"},
            {"file": FormFile(file)}, {}, None, None, {}, None,
        ).result()  # fmt: skip
    request.body = b"--a part--"  # what it reads the file with has closed it by now
    return on_the_wire(request)


def test_an_upload_is_good_whatever_is_in_it() -> None:
    call = upload()
    assert call.values("x-sdk-content-sha256") == ["UNSIGNED-PAYLOAD"]
    check(call)
    check(replace(call, body=b"anything"))
    refused(replace(call, body=b""))


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/bson", "application/problem+json", ""]
)
def test_json_is_never_left_out_of_the_signature(kind: str) -> None:
    """Else whoever saw one request could send any body under it."""
    for typed in ([("content-type", kind)], []):
        call = Call(
            method="POST",
            path="/v5/p/jobs",
            headers=[("host", "h"), *typed, ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")],
            body=b"{}",
        )
        call = replace(call, headers=[*call.headers, *sign(call, ACCESS_KEY, SECRET_KEY, NOW).items()])
        assert "UNSIGNED-PAYLOAD" in refused(call)


@pytest.mark.parametrize("name", ["host", "x-sdk-date", "x-project-id", "x-sdk-content-sha256", "content-type"])
def test_what_must_be_signed(name: str) -> None:
    """A signature may cover less than the SDK's, but not less than the service goes by."""
    call = Call(
        method="POST",
        path="/v5/p/jobs",
        headers=[
            ("host", "h"),
            ("x-project-id", "p"),
            ("content-type", "multipart/form-data"),
            ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"),
        ],
        body=b"{}",
    )
    good = replace(call, headers=[*call.headers, *sign(call, ACCESS_KEY, SECRET_KEY, NOW).items()])
    check(good)
    less = replace(call, headers=[(key, value) for key, value in call.headers if key != name])
    made = sign(less, ACCESS_KEY, SECRET_KEY, NOW)
    if name == "x-sdk-date":
        made["Authorization"] = made["Authorization"].replace(";x-sdk-date", "")
    assert "signed" in refused(replace(call, headers=[*call.headers, *made.items()])).lower()


def test_a_stated_hash_must_be_that_of_the_body() -> None:
    call = Call(method="POST", path="/", headers=[("host", "h"), ("x-sdk-content-sha256", "0" * 64)], body=b"{}")
    call = replace(call, headers=[*call.headers, *sign(call, ACCESS_KEY, SECRET_KEY, NOW).items()])
    assert "hash" in refused(call)


@pytest.mark.parametrize(
    ("signed_path", "sent"),
    [("/v5/p/%EF%BF%BD", "/v5/p/%FF"), ("/v5/p/x?q=%EF%BF%BD", "/v5/p/x?q=%FF"), ("/a?q=%2B", "/a?q=+")],
)
def test_what_is_read_otherwise_than_it_was_signed_is_refused(signed_path: str, sent: str) -> None:
    """Web frameworks read bytes that are no UTF-8 as U+FFFD, and `+` as a space."""
    path, _, query = signed_path.partition("?")
    call = Call(method="GET", path=path, query=query, headers=[("host", "h")])
    made = sign(call, ACCESS_KEY, SECRET_KEY, NOW)
    path, _, query = sent.partition("?")
    refused(replace(call, path=path, query=query, headers=[*call.headers, *made.items()]))


def test_no_secret_prints_itself() -> None:
    call = signed("POST", ["jobs"], [], {"X-Auth-Token": "t0ken"}, b"passw0rd")
    given = parse_authorization(call.values("authorization")[0])
    shown = repr(call) + repr(given) + refused(call, secret_key="an0ther-key")
    assert not [word for word in ("t0ken", "passw0rd", given.signature, SECRET_KEY, "an0ther-key") if word in shown]
