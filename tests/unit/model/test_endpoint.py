"""Endpoints as URLs: what is read, what is refused, and that no password is shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import OPTIONS, PORTS, SASL_MECHANISMS, SCHEMES, TLS_MODES, Endpoint, EngineName, Secret


def reason(url: str) -> str:
    with pytest.raises(DrsError) as raised:
        Endpoint.parse(url)
    assert raised.value.fault is Fault.ENDPOINT_INVALID
    return str(raised.value.details["reason"])


# --- Kafka ---


@pytest.mark.parametrize(
    ("url", "host", "port", "brokers"),
    [
        ("kafka://h", "h", 9092, None),
        ("kafka://h:1", "h", 1, None),
        ("kafka://h:0", "h", 9092, None),
        ("kafka://h1,h2", "h1", 9092, "h2"),
        ("kafka://h1:1,h2:2,h3", "h1", 1, "h2:2,h3"),
        ("kafka://[::1]", "::1", 9092, None),
        ("kafka://[::1]:1,[::2]:2", "::1", 1, "[::2]:2"),
        ("kafka://[::1],h2:2", "::1", 9092, "h2:2"),
        ("kafka://h1:1,[2001:db8::2]", "h1", 1, "[2001:db8::2]"),
        ("kafka://h1?brokers=h2:2,h3", "h1", 9092, "h2:2,h3"),
        ("kafka://h1,h2:2/t?brokers=h3,h4:4", "h1", 9092, "h2:2,h3,h4:4"),
        ("kafka://a_b.example-1:1", "a_b.example-1", 1, None),
    ],
)
def test_one_broker_or_several(url: str, host: str, port: int, brokers: str | None) -> None:
    for login in ("", "anna@", "anna:a,b@", "anna:[@"):
        endpoint = Endpoint.parse(url.replace("://", f"://{quote(login, safe='@:,')}"))
        assert (endpoint.engine, endpoint.host, endpoint.port) == ("kafka", host, port)
        assert endpoint.options.get("brokers") == brokers
        assert endpoint.user == ("anna" if login else "")


def test_a_login_may_hold_what_parts_a_url() -> None:
    endpoint = Endpoint.parse("kafka://a%40b:p,q%2F%3F@h1,h2/t")
    assert (endpoint.user, endpoint.password.reveal(), endpoint.host) == ("a@b", "p,q/?", "h1")
    assert endpoint.options == {"brokers": "h2"}


def test_the_path_is_a_topic() -> None:
    assert Endpoint.parse("kafka://h").database == ""
    assert Endpoint.parse("kafka://h/all").database == "all"
    assert Endpoint.parse("kafka://h1,h2:2/all?tls=require").database == "all"


def test_the_first_broker_and_the_topic_say_which_job_it_is() -> None:
    assert Endpoint.parse("kafka://anna:x@h1:1,h2/all?tls=require&sasl=PLAIN").where == "kafka://h1:1/all"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("tls=prefer", "tls is one of disable, require, verify-ca, verify-full"),
        ("tls=", "tls is one of"),
        ("tls=on", "tls is one of"),
        ("sasl=GSSAPI", "sasl is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        ("sasl=plain", "sasl is one of"),
        ("socket=/run/kafka", "unknown option 'socket'"),
        ("sslmode=require", "unknown option 'sslmode'"),
        ("format=json", "unknown option 'format'"),
        ("brokers=h 2", "'h 2' in brokers"),
        ("brokers=h2:x", "'h2:x' in brokers"),
        ("brokers=h2:", "'h2:' in brokers"),
        ("brokers=h2:65536", "'h2:65536' in brokers"),
        ("brokers=h2:0", "'h2:0' in brokers"),
        ("brokers=h2,%3A1", "':1' in brokers"),
        ("brokers=::1", "'::1' in brokers"),
        ("brokers=user:S3cret@h2", "'***@h2' in brokers"),
    ],
)
def test_options_that_are_refused(options: str, word: str) -> None:
    assert word in reason(f"kafka://h/t?{options}")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("kafka:///t", "no host"),
        ("kafka://,h2/t", "no host"),
        ("kafka://h:x,h2/t", "the port is no number"),
        ("kafka://h:65536/t", "the port is no number"),
        ("kafka://h1,h 2/t", "'h 2' in brokers"),
        ("kafka://h1,h2:99999/t", "'h2:99999' in brokers"),
        ("kafka://[::1/t", "not written as a URL"),
        ("rabbit://h/t", "unknown scheme 'rabbit'"),
        ("h:9092", "unknown scheme"),
    ],
)
def test_urls_that_are_refused(url: str, word: str) -> None:
    assert word in reason(url)


@pytest.mark.parametrize("engine", sorted(PORTS))
@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_which_engine_has_which_option(engine: EngineName, option: str) -> None:
    values = {"tls": "require", "sasl": "PLAIN", "brokers": "b:1", "connect_timeout": "3"}
    has = (option not in ("sasl", "brokers")) if engine != "kafka" else option != "socket"
    url = f"{engine}://h/d?{urlencode({option: values.get(option, '/path')})}"
    if has:
        assert option in Endpoint.parse(url).options
    else:
        wrong = reason(url)
        assert f"unknown option {option!r}" in wrong and option not in wrong.partition("there are")[2].split(", ")


def test_only_kafka_may_have_several_hosts() -> None:
    for engine in ("mysql", "postgresql"):
        assert "port" in reason(f"{engine}://h1:1,h2:2/d")


# --- whatever an endpoint is, its URL says it ---

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True)
ADDRESSES = NAMES | st.ip_addresses(v=6).map(str) | st.ip_addresses(v=4).map(str)
NUMBERS = st.integers(1, 65535)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@st.composite
def brokers(draw: st.DrawFn) -> str:
    found = []
    for host in draw(st.lists(ADDRESSES, min_size=1, max_size=4)):
        port = draw(st.none() | NUMBERS)
        found.append((f"[{host}]" if ":" in host else host) + (f":{port}" if port else ""))
    return ",".join(found)


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    engine = draw(st.sampled_from(sorted(PORTS)))
    kafka = engine == "kafka"
    options: dict[str, st.SearchStrategy[str]] = {
        "tls": st.sampled_from([mode for mode in TLS_MODES if not kafka or mode != "prefer"]),
        "tls_ca": WORDS,
        "tls_cert": WORDS,
        "tls_key": WORDS,
        "connect_timeout": NUMBERS.map(str),
        **({"sasl": st.sampled_from(SASL_MECHANISMS), "brokers": brokers()} if kafka else {"socket": WORDS}),
    }
    user = draw(WORDS)
    return Endpoint(
        engine=engine,
        host=draw(ADDRESSES),
        port=draw(NUMBERS),
        user=user,
        password=Secret(draw(WORDS) if user else ""),
        database=draw(WORDS.map(lambda word: word.lstrip("/"))),
        options=draw(st.fixed_dictionaries({}, optional=options)),
    )


@given(endpoints())
def test_a_url_says_all_of_an_endpoint(endpoint: Endpoint) -> None:
    assert Endpoint.parse(endpoint.url()) == endpoint


@given(endpoints(), brokers())
def test_brokers_may_stand_behind_the_host_or_among_the_options(endpoint: Endpoint, others: str) -> None:
    assume(endpoint.engine == "kafka")
    options: Mapping[str, str] = {name: value for name, value in endpoint.options.items() if name != "brokers"}
    here = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    query = f"?{urlencode(options)}" if options else ""
    parsed = Endpoint.parse(f"kafka://anna@{here}:{endpoint.port},{others}/t{query}")
    assert (parsed.host, parsed.port, parsed.options) == (endpoint.host, endpoint.port, {**options, "brokers": others})


# --- secrets ---


@given(endpoints())
def test_no_password_is_shown(endpoint: Endpoint) -> None:
    secret = "S3cr€t/pass word"
    shown = Endpoint(
        engine=endpoint.engine, host=endpoint.host, port=endpoint.port, user=endpoint.user or "anna",
        password=Secret(secret), database=endpoint.database, options=endpoint.options,
    )  # fmt: skip
    for text in (str(shown), repr(shown), shown.where, f"{shown}", str(shown.password), repr(shown.password)):
        assert secret not in text and quote(secret, safe="") not in text and "S3cr" not in text
    assert quote(secret, safe="") in shown.url()


@pytest.mark.parametrize(
    "url",
    [
        "kafka://anna:S3cret@h1:x,h2/t",
        "kafka://anna:S3cret@h1,h 2/t",
        "kafka://anna:S3cret@h/t?tls=prefer",
        "kafka://h1/t?brokers=anna:S3cret@h2",
        "kafka://anna:S3cret@/t",
        "kafka://anna:S3cret@[::1/t",
        "rabbit://anna:S3cret@h/t",
        # Python's parser quotes user and password where it does not like a character: U+2100 becomes a/c.
        "kafka://anna:S3cret\u2100@h1,h2/t",
        "mysql://anna:S3cret\u2100@h/t",
        "S3cret\u2100://anna:S3cret\u2100@h/t",
    ],
)
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(DrsError) as raised:
        Endpoint.parse(url)
    error: BaseException | None = raised.value
    while error is not None:
        assert "S3cret" not in f"{error} {error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_every_scheme_has_a_port() -> None:
    assert set(SCHEMES.values()) == PORTS.keys()
