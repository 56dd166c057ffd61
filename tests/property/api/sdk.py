"""Requests as the official SDK signs them and as they then are on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import strategies as st

from opendrs.signature import Call

ACCESS_KEY = "AKIDEXAMPLE0123456789"
SECRET_KEY = "a-secret-key-of-forty-characters-0123456"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DATE = "20260304T050607Z"


def signed(
    method: str,
    segments: list[str],
    query: list[tuple[str, Any]],
    headers: dict[str, str],
    body: bytes | str = b"",
    *,
    secret_key: str = SECRET_KEY,
    date: str = DATE,
) -> Call:
    """A request of the SDK, through its signer and through the HTTP library that it uses."""
    request = SdkRequest(
        method=method,
        schema="http",
        host="127.0.0.1:8080",
        # As client.py puts values into a path.
        resource_path="/v5/p/" + "/".join(quote(segment, safe="") for segment in segments),
        query_params=query,
        header_params={"X-Sdk-Date": date, **headers},
        body=body,
    )
    Signer(BasicCredentials(ACCESS_KEY, secret_key, "p")).sign(request)
    return on_the_wire(request)


def on_the_wire(request: SdkRequest) -> Call:
    """What our server is given of it."""
    prepared = requests.Session().prepare_request(
        requests.Request(request.method, request.url, headers=request.header_params, data=request.body)
    )
    return on_the_wire_prepared(prepared)


def on_the_wire_prepared(prepared: requests.PreparedRequest) -> Call:
    """The same of what the HTTP library would send."""
    path, _, query = prepared.path_url.partition("?")
    body = prepared.body or b""
    return Call(
        method=str(prepared.method),
        path=path,
        query=query,
        headers=[(str(name), _latin(value)) for name, value in prepared.headers.items()],
        body=body.encode() if isinstance(body, str) else body,
    )


def _latin(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


# No surrogates: they cannot be sent.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# A segment of dots alone is gone before it is sent, and what is sent then is not what was signed.
segments = st.lists(text.filter(lambda value: value not in ("", ".", "..")), max_size=4)
queries = st.lists(st.tuples(text, text), max_size=5)
# Values as people write them: spaces at the ends, letters beyond ASCII, even ones whose last byte looks like a space.
_value = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("à \u3000\xa0\t"), max_size=12)
_name = st.from_regex(r"x-[a-z]{1,8}(-[A-Za-z0-9]{1,5})?", fullmatch=True).filter(lambda name: "sdk" not in name)
headers = st.dictionaries(_name, _value, max_size=4).map(
    lambda found: {"Content-Type": "application/json", "X-Project-Id": "p", **found}
)
bodies = st.binary(max_size=40) | text
