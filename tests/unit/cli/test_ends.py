"""The ends of a job as a command line names them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.cli.ends import endpoint, target
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import OPTIONS, Endpoint
from opendrs.model.publishing import URL_OPTIONS, Publishing

VARIABLES = ("OPENDRS_SOURCE_PASSWORD", "OPENDRS_TARGET_PASSWORD", "MYSQL_PWD", "PGPASSWORD")


@pytest.fixture(autouse=True)
def _without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PGPASSFILE", "/dev/null")


def test_a_kafka_url_says_where_and_how() -> None:
    end, publishing = target(
        "kafka://anna:x@h1:1,[::2]:2/all?tls=require&format=avro&partitions=3&sasl=SCRAM-SHA-512&partition_policy=2"
    )
    assert end == Endpoint.parse("kafka://anna:x@h1:1,[::2]:2/all?tls=require&sasl=SCRAM-SHA-512")
    assert publishing == Publishing(format="avro", partitions=3, topic_policy=0, topic="all", partition_policy=2)


def test_the_path_is_the_topic_unless_the_policy_says_otherwise() -> None:
    assert target("kafka://h") == (Endpoint.parse("kafka://h"), Publishing())
    assert target("kafka://h/")[1] == Publishing()
    assert target("kafka://h/all")[1] == Publishing(topic_policy=0, topic="all")
    assert target("kafka://h/all?topic_policy=1")[1] == Publishing(topic_policy=1, topic="all")


@pytest.mark.parametrize("scheme", ["kafka", "Kafka", "KAFKA"])
def test_a_scheme_may_be_written_large(scheme: str) -> None:
    assert target(f"{scheme}://h/all?format=avro")[1].format == "avro"


def test_other_targets_publish_nothing() -> None:
    end, publishing = target("postgresql://ben:y@h:1/d?tls=require")
    assert end == Endpoint.parse("postgresql://ben:y@h:1/d?tls=require") and publishing == Publishing()
    with pytest.raises(DrsError) as raised:
        target("postgresql://h/d?format=json")
    assert raised.value.fault is Fault.ENDPOINT_INVALID


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("kafka://h/t?formats=json", Fault.ENDPOINT_INVALID),
        ("kafka://h/t?format=xml", Fault.SETTING_INVALID),
        ("kafka://h/t?format", Fault.SETTING_INVALID),
        ("kafka://h?topic_policy=0", Fault.SETTING_INVALID),
        ("kafka://h/a%20b", Fault.SETTING_INVALID),
        ("kafka://anna:S3cret@[::1/t?format=json", Fault.ENDPOINT_INVALID),
        ("kafka://anna:S3cret\u2100@h/t?format=json", Fault.ENDPOINT_INVALID),
        ("postgresql://anna:S3cret\u2100@h/d", Fault.ENDPOINT_INVALID),
        ("nonsense", Fault.ENDPOINT_INVALID),
    ],
)
def test_what_is_refused_shows_no_password(url: str, fault: Fault) -> None:
    with pytest.raises(DrsError) as raised:
        target(url)
    assert raised.value.fault is fault
    assert "S3cret" not in str(raised.value)


def test_options_of_both_kinds_keep_apart_whatever_their_order() -> None:
    words = ["tls=require", "format=json_c", "connect_timeout=3", "ddl_topic=d%2Bdl", "tls_ca=%2Fa%20b%26c"]
    for turned in (words, words[::-1]):
        with pytest.raises(DrsError):
            target(f"kafka://h/t?{'&'.join(turned)}")  # d+dl is no topic
    end, publishing = target("kafka://h/t?" + "&".join(words).replace("%2B", ""))
    assert end.options == {"tls": "require", "connect_timeout": "3", "tls_ca": "/a b&c"}
    assert (publishing.format, publishing.ddl_topic) == ("json_c", "ddl")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_password_is_the_endpoints(password: str) -> None:
    plain = Endpoint(engine="kafka", host="h", port=9092, user="anna", database="t")
    with_it = Endpoint.parse(plain.url().replace("anna@", f"anna:{quote(password, safe='')}@"))
    end, publishing = target(f"{with_it.url()}?format=avro")
    assert end == with_it and end.password.reveal() == password
    assert publishing == Publishing(format="avro", topic_policy=0, topic="t")


def test_a_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDRS_TARGET_PASSWORD", "of the target")
    monkeypatch.setenv("OPENDRS_SOURCE_PASSWORD", "of the source")
    end, _ = target("kafka://anna@h/t?format=avro")
    assert end.password.reveal() == "of the target"
    assert target("kafka://anna:own@h/t")[0].password.reveal() == "own"
    assert endpoint("mysql://anna@h", "SOURCE").password.reveal() == "of the source"


def test_a_client_of_another_engine_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", "x")
    monkeypatch.setenv("PGPASSWORD", "y")
    assert not target("kafka://anna@h/t")[0].password


def test_options_of_publishing_are_none_of_the_connection() -> None:
    assert not OPTIONS.keys() & URL_OPTIONS.keys()
