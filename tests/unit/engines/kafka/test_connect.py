"""How brokers are reached: settings of the library, and a client whose failures are Faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException
from confluent_kafka.admin import ResourceType

from opendrs._core import KafkaProducer
from opendrs.engines.kafka import connect
from opendrs.engines.kafka.connect import LIBRARY, Client, Topic, brokers, settings, timeout_s
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import SASL_MECHANISMS, TLS_MODES, Endpoint

HERE = "kafka://h:9092/t"
TLS = [mode for mode in TLS_MODES if mode != "prefer"]


def endpoint(url: str = HERE, **options: str) -> Endpoint:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return Endpoint.parse(f"{url}?{query}" if query else url)


# --- settings ---


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("kafka://h", "h:9092"),
        ("kafka://h:1/t", "h:1"),
        ("kafka://[::1]:1,h2,[::2]:3", "[::1]:1,h2,[::2]:3"),
        ("kafka://h?brokers=h2:2,h3", "h:9092,h2:2,h3"),
        ("kafka://h?brokers=,h2,,", "h:9092,h2"),
    ],
)
def test_brokers_to_begin_with(url: str, expected: str) -> None:
    assert brokers(Endpoint.parse(url)) == expected
    assert settings(Endpoint.parse(url))["bootstrap.servers"] == expected


PROTOCOLS = {
    ("disable", False): "PLAINTEXT", ("disable", True): "SASL_PLAINTEXT",
    **{(mode, False): "SSL" for mode in TLS[1:]}, **{(mode, True): "SASL_SSL" for mode in TLS[1:]},
}  # fmt: skip
VERIFIED = {"require": ("false", "none"), "verify-ca": ("true", "none"), "verify-full": ("true", "https")}


@pytest.mark.parametrize(("tls", "sasl"), list(product([None, *TLS], [None, "", *SASL_MECHANISMS])))
def test_every_combination_of_tls_and_login(tls: str | None, sasl: str | None) -> None:
    """`sasl` None: nobody logs in. Empty: with a password, and without saying how."""
    options = {**({"tls": tls} if tls else {}), **({"sasl": sasl} if sasl else {})}
    login = "" if sasl is None else "anna:S3cret@"
    found = settings(endpoint(f"kafka://{login}h:9092/t", **options))
    mode = tls or "disable"
    assert found["security.protocol"] == PROTOCOLS[mode, sasl is not None]
    sent = {name: value for name, value in found.items() if name.startswith("sasl.")}
    if sasl is None:
        assert sent == {}
    else:
        assert sent == {
            "sasl.mechanism": sasl or "PLAIN", "sasl.username": "anna", "sasl.password": "S3cret",
        }  # fmt: skip
    checked = {name: value for name, value in found.items() if "ssl." in name}
    if mode == "disable":
        assert checked == {}
    else:
        verify, name = VERIFIED[mode]
        assert checked == {
            "enable.ssl.certificate.verification": verify, "ssl.endpoint.identification.algorithm": name,
        }  # fmt: skip


def test_a_mechanism_alone_logs_nobody_in() -> None:
    assert not [name for name in settings(endpoint(sasl="SCRAM-SHA-512")) if name.startswith("sasl.")]


def test_files_of_certificates() -> None:
    files = {"tls_ca": "/ca.pem", "tls_cert": "/cert.pem", "tls_key": "/key.pem"}
    found = settings(endpoint(tls="verify-full", **files))
    assert {name: found[name] for name in found if name.endswith(".location")} == {
        "ssl.ca.location": "/ca.pem", "ssl.certificate.location": "/cert.pem", "ssl.key.location": "/key.pem",
    }  # fmt: skip
    # Without TLS they mean nothing.
    assert not [name for name in settings(endpoint(**files)) if name.endswith(".location")]


@pytest.mark.parametrize(("tls", "sasl"), list(product(TLS, [None, *SASL_MECHANISMS])))
def test_the_library_takes_them(tls: str, sasl: str | None) -> None:
    """Nothing is connected: the brokers are left out."""
    login = "anna:S3cret@" if sasl else ""
    options = {"tls": tls, **({"sasl": sasl} if sasl else {})}
    found = settings(endpoint(f"kafka://{login}h:9092/t", **options))
    del found["bootstrap.servers"]
    KafkaProducer(LIBRARY, list(found.items()), 1.0).close()


def test_nobody_makes_topics_by_looking_at_them() -> None:
    assert settings(endpoint())["allow.auto.create.topics"] == "false"


@pytest.mark.parametrize(("text", "seconds"), [("", 10.0), ("3", 3.0), ("0.5", 0.5), ("3600", 3600.0)])
def test_how_long_brokers_may_take(text: str, seconds: float) -> None:
    found = endpoint(**({"connect_timeout": text} if text else {}))
    assert timeout_s(found) == seconds
    # The library waits for a second at least.
    given = settings(found)
    assert given["socket.connection.setup.timeout.ms"] == str(max(1000, int(seconds * 1000)))
    del given["bootstrap.servers"]
    KafkaProducer(LIBRARY, list(given.items()), 1.0).close()


@pytest.mark.parametrize("text", ["0", "-1", "x", "nan", "inf", "3601", "1e9"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(DrsError) as raised:
        settings(endpoint("kafka://anna:S3cret@h/t", connect_timeout=text))
    assert raised.value.fault is Fault.ENDPOINT_INVALID
    assert text in raised.value.message and "S3cret" not in str(raised.value)


# --- the client ---


def failed(code: int, words: str = "their words") -> KafkaException:
    return KafkaException(ClientError(code, words))


class Admin:
    """In the place of confluent-kafka's."""

    def __init__(self, options: dict[str, Any], *, logger: Any) -> None:
        self.options = options
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, Any]] = []
        self.polls: list[ClientError] = []

    def poll(self, timeout: float) -> None:
        for said in self.polls:
            self.options["error_cb"](said)
        self.polls = []

    def _answer(self, what: str, asked: Any) -> Any:
        self.calls.append((what, asked))
        found = self.answers[what]
        if isinstance(found, Exception):
            raise found
        return found

    def list_topics(self, topic: str | None = None, *, timeout: float) -> Any:
        return self._answer("list", topic)

    def _future(self, what: str, asked: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(self._answer(what, asked))
        except KafkaException as error:
            future.set_exception(error)
        return future

    def describe_configs(self, resources: list[Any], **more: Any) -> dict[Any, Future[Any]]:
        return {one: self._future("describe", (one.restype, one.name)) for one in resources}

    def create_topics(self, topics: list[Any], **more: Any) -> dict[str, Future[Any]]:
        facts = [(one.topic, one.num_partitions, one.replication_factor, one.config) for one in topics]
        return {fact[0]: self._future("create", (*fact, more["validate_only"])) for fact in facts}

    def delete_topics(self, names: list[str], **more: Any) -> dict[str, Future[Any]]:
        return {name: self._future(f"delete {name}", name) for name in names}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(connect, "AdminClient", Admin)
    return Client(endpoint("kafka://anna:S3cret@h:9092/t"))


def admin(client: Client) -> Admin:
    found = client._admin
    assert isinstance(found, Admin)
    return found


def broker(host: str) -> SimpleNamespace:
    return SimpleNamespace(host=host, port=9092)


def partition(*replicas: int) -> SimpleNamespace:
    return SimpleNamespace(replicas=list(replicas))


def test_what_there_is(client: Client) -> None:
    topics = {
        "a": SimpleNamespace(error=None, partitions={0: partition(1, 2), 1: partition(1)}),
        "b": SimpleNamespace(error=None, partitions={}),
        "hidden": SimpleNamespace(error=ClientError(29), partitions={}),
    }
    admin(client).answers["list"] = SimpleNamespace(brokers={7: broker("y"), 3: broker("x")}, topics=topics)
    assert client.brokers() == ["y:9092", "x:9092"]
    assert client.broker_id() == "3"
    assert client.topics() == {
        "a": Topic(name="a", partitions=2, replicas=1), "b": Topic(name="b", partitions=0, replicas=0),
    }  # fmt: skip


def test_settings_that_are_not_told_are_not_there(client: Client) -> None:
    admin(client).answers["describe"] = {"a": SimpleNamespace(value="1"), "password": SimpleNamespace(value=None)}
    assert client.configuration(ResourceType.TOPIC, "t") == {"a": "1"}
    assert admin(client).calls == [("describe", (ResourceType.TOPIC, "t"))]


def test_a_topic_is_made_once(client: Client) -> None:
    admin(client).answers["create"] = None
    assert client.create("t", partitions=3, replicas=2, config={"a": "b"})
    assert client.create("t", partitions=3, replicas=2, config={}, dry=True)
    assert admin(client).calls == [("create", ("t", 3, 2, {"a": "b"}, False)), ("create", ("t", 3, 2, {}, True))]
    admin(client).answers["create"] = failed(ClientError.TOPIC_ALREADY_EXISTS)
    assert not client.create("t", partitions=3, replicas=2, config={})


def test_topics_that_are_gone_are_deleted(client: Client) -> None:
    client.delete([])
    assert admin(client).calls == []
    admin(client).answers |= {"delete a": failed(ClientError.UNKNOWN_TOPIC_OR_PART), "delete b": None}
    client.delete(["a", "b"])
    assert [what for what, _ in admin(client).calls] == ["delete a", "delete b"]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (ClientError.TOPIC_AUTHORIZATION_FAILED, Fault.PRIVILEGE_MISSING),
        (ClientError.POLICY_VIOLATION, Fault.TARGET_REFUSED),
        (ClientError._AUTHENTICATION, Fault.ACCESS_DENIED),
    ],
)
def test_failures_are_faults_that_say_what_was_done(client: Client, code: int, fault: Fault) -> None:
    admin(client).answers = {what: failed(code) for what in ("list", "describe", "create", "delete t")}
    calls = [
        client.brokers, client.broker_id, client.topics,
        lambda: client.configuration(ResourceType.TOPIC, "t"),
        lambda: client.create("t", partitions=1, replicas=1, config={}), lambda: client.delete(["t"]),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(DrsError) as raised:
            call()
        assert raised.value.fault is fault
        assert "their words" in raised.value.message and "S3cret" not in str(raised.value)
        if fault is not Fault.ACCESS_DENIED:
            assert raised.value.details["what"]


LOGIN = ClientError(ClientError._AUTHENTICATION, "wrong password")
DOWN = ClientError(ClientError._ALL_BROKERS_DOWN, "1/1 brokers are down")
REFUSED = ClientError(ClientError._TRANSPORT, "connection refused")


@pytest.mark.parametrize(
    ("code", "said", "fault", "words"),
    [
        (ClientError._TRANSPORT, [LOGIN, DOWN], Fault.ACCESS_DENIED, "wrong password"),
        (ClientError._TIMED_OUT, [LOGIN], Fault.ACCESS_DENIED, "wrong password"),
        (ClientError._ALL_BROKERS_DOWN, [REFUSED, LOGIN, DOWN], Fault.ACCESS_DENIED, "wrong password"),
        (ClientError._TRANSPORT, [LOGIN, REFUSED], Fault.TARGET_UNREACHABLE, "connection refused"),
        (ClientError._TRANSPORT, [DOWN], Fault.TARGET_UNREACHABLE, "their words"),
        (ClientError._TRANSPORT, [], Fault.TARGET_UNREACHABLE, "their words"),
        (ClientError.POLICY_VIOLATION, [LOGIN], Fault.TARGET_REFUSED, "their words"),
    ],
)
def test_that_nobody_answers_is_explained_by_what_was_said(
    client: Client, code: int, said: list[ClientError], fault: Fault, words: str
) -> None:
    admin(client).polls = list(said)
    admin(client).answers["list"] = failed(code)
    with pytest.raises(DrsError) as raised:
        client.brokers()
    assert raised.value.fault is fault and words in raised.value.message


def test_a_reason_that_comes_late_is_waited_for(client: Client) -> None:
    polls: list[float] = []

    def poll(wait_s: float) -> None:
        polls.append(wait_s)
        if len(polls) == 4:
            client._said.append(REFUSED)

    admin(client).poll = poll  # type: ignore[method-assign]
    admin(client).answers["list"] = failed(ClientError._TRANSPORT)
    with pytest.raises(DrsError, match="connection refused"):
        client.brokers()
    assert len(polls) == 4 and sum(polls) < 1


def test_settings_that_the_library_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(options: dict[str, Any], *, logger: Any) -> Any:
        raise failed(ClientError._INVALID_ARG, "no such file")

    monkeypatch.setattr(connect, "AdminClient", refuse)
    with pytest.raises(DrsError) as raised:
        Client(endpoint())
    assert raised.value.fault is Fault.ENDPOINT_INVALID and "no such file" in raised.value.message


# --- reading a topic ---


def message(key: bytes | None, value: bytes | None, error: ClientError | None = None) -> SimpleNamespace:
    return SimpleNamespace(key=lambda: key, value=lambda: value, error=lambda: error)


END = message(None, None, ClientError(ClientError._PARTITION_EOF))


class Consumer:
    """In the place of confluent-kafka's; the last one that was made, and what it is to find."""

    last: Consumer
    messages: ClassVar[list[Any]] = []
    refusals: ClassVar[list[ClientError]] = []

    def __init__(self, options: dict[str, Any], *, logger: Any) -> None:
        self.options, self.assigned, self.closed = options, [], False
        Consumer.last = self

    def get_watermark_offsets(self, partition: Any, *, timeout: float) -> tuple[int, int]:
        assert (partition.topic, partition.partition) == ("t", 0)
        if self.refusals:
            raise KafkaException(self.refusals.pop(0))
        return 5, 9

    def assign(self, partitions: list[Any]) -> None:
        self.assigned = [(one.topic, one.partition, one.offset) for one in partitions]

    def poll(self, timeout: float) -> Any:
        assert not self.closed
        return self.messages.pop(0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def reading(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(connect, "Consumer", Consumer)
    monkeypatch.setattr(connect, "PAUSE_S", 0.001)
    Consumer.refusals.clear()
    return client


def test_a_topic_is_read_from_its_first_record_to_its_last(reading: Client) -> None:
    Consumer.messages = [message(b"a", b"1"), message(b"a", None), message(None, b""), END]
    assert list(reading.read("t")) == [(b"a", b"1"), (b"a", None), (None, b"")]
    consumer = Consumer.last
    assert consumer.closed and consumer.assigned == [("t", 0, 5)]
    # What was not committed is not there, and a place that is not there is an error and not another place.
    assert consumer.options["isolation.level"] == "read_committed"
    assert consumer.options["auto.offset.reset"] == "error"
    assert consumer.options["enable.auto.commit"] is False


def test_a_topic_that_was_made_a_moment_ago_is_waited_for(reading: Client) -> None:
    Consumer.refusals += [ClientError(code) for code in connect.NOT_YET]
    Consumer.messages = [END]
    assert list(reading.read("t")) == []
    assert not Consumer.refusals and Consumer.last.assigned == [("t", 0, 5)]


def test_a_topic_that_never_comes_is_an_error(reading: Client) -> None:
    reading._timeout_s = 0.0
    Consumer.refusals += [ClientError(ClientError._UNKNOWN_PARTITION)]
    with pytest.raises(DrsError, match="read the topic t") as raised:
        list(reading.read("t"))
    assert raised.value.fault is Fault.TARGET_REFUSED and Consumer.last.closed


def test_what_is_no_matter_of_time_is_told_at_once(reading: Client) -> None:
    Consumer.refusals += [ClientError(ClientError.TOPIC_AUTHORIZATION_FAILED)] * 2
    with pytest.raises(DrsError) as raised:
        list(reading.read("t"))
    assert raised.value.fault is Fault.PRIVILEGE_MISSING and len(Consumer.refusals) == 1


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        (None, Fault.TARGET_UNREACHABLE),
        (message(None, None, ClientError(ClientError.TOPIC_AUTHORIZATION_FAILED)), Fault.PRIVILEGE_MISSING),
        (message(None, None, ClientError(ClientError._AUTO_OFFSET_RESET)), Fault.TARGET_REFUSED),
    ],
)
def test_a_topic_of_which_a_part_cannot_be_read_is_an_error(reading: Client, last: Any, fault: Fault) -> None:
    """Half a checkpoint is none."""
    Consumer.messages = [message(b"a", b"1"), last]
    records = reading.read("t")
    assert next(records) == (b"a", b"1")
    with pytest.raises(DrsError) as raised:
        next(records)
    assert raised.value.fault is fault and Consumer.last.closed


def test_whoever_stops_reading_lets_go(reading: Client) -> None:
    Consumer.messages = [message(b"a", b"1"), message(b"b", b"2")]
    records: Iterator[Any] = reading.read("t")
    next(records)
    records.close()  # type: ignore[attr-defined]
    assert Consumer.last.closed


def test_the_library_is_the_one_that_is_loaded_anyway() -> None:
    assert Path(LIBRARY).is_file()


class Late:
    """An answer that does not come."""

    def result(self, timeout_s: float) -> None:
        raise TimeoutError


def test_an_answer_that_does_not_come_in_time_is_told_as_such() -> None:
    with Client(Endpoint.parse("kafka://u:S3cret@h:1?connect_timeout=0.01")) as client:
        with pytest.raises(DrsError) as raised:
            client.answer(Late(), "read the settings of t")
        client._admin = SimpleNamespace(
            poll=lambda timeout_s: 0,
            create_topics=lambda *_, **__: {"t": Late()},
            delete_topics=lambda *_, **__: {"t": Late()},
        )
        for call in (
            lambda: client.create("t", partitions=1, replicas=1, config={}),
            lambda: client.delete(["t"]),
        ):
            with pytest.raises(DrsError) as also:
                call()
            assert also.value.fault is Fault.TARGET_UNREACHABLE
    assert raised.value.fault is Fault.TARGET_UNREACHABLE and "S3cret" not in str(raised.value)
