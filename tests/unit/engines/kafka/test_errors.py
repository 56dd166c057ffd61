"""What the clients report, as Faults: every number and every kind, and never a password."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from confluent_kafka import KafkaError as ClientError

from opendrs._core import KafkaError
from opendrs.engines.kafka.errors import of_client, of_producer
from opendrs.errors import DrsError, Fault, Retry
from opendrs.model.endpoint import Endpoint

ENDPOINT = Endpoint.parse("kafka://anna:S3cret@h1:9092,h2/t?tls=require")
NUMBERS = {
    name: number
    for name in dir(ClientError)
    if name.isupper() and isinstance(number := getattr(ClientError, name), int) and number != ClientError.NO_ERROR
}
# Everything else is refused: told in the broker's words, and tried again a few times.
FAULTS = {
    Fault.TARGET_UNREACHABLE: {
        "_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION",
        "COORDINATOR_NOT_AVAILABLE", "LEADER_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS",
        "NOT_COORDINATOR", "NOT_LEADER_FOR_PARTITION", "OFFSET_NOT_AVAILABLE", "KAFKA_STORAGE_ERROR",
        "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH",
    },
    Fault.ACCESS_DENIED: {"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM"},
    Fault.ENDPOINT_INVALID: {"_SSL"},
    Fault.PRIVILEGE_MISSING: {
        "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    },
}  # fmt: skip
# What whoever watches a job must do about it.
RETRY: dict[Fault, Retry] = {
    Fault.TARGET_UNREACHABLE: "network",
    Fault.ACCESS_DENIED: "never",
    Fault.ENDPOINT_INVALID: "never",
    Fault.PRIVILEGE_MISSING: "never",
    Fault.TARGET_REFUSED: "later",
    Fault.MESSAGE_TOO_LARGE: "never",
    Fault.TOPIC_MISSING: "never",
    Fault.VALUE_UNREPRESENTABLE: "never",
}


def shows_no_secret(error: DrsError) -> bool:
    return "S3cret" not in f"{error} {error!r} {error.details}"


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_every_number_of_the_client(name: str) -> None:
    error = of_client(ClientError(NUMBERS[name], "their words"), ENDPOINT, "create the topic t")
    assert error.fault is next((fault for fault, names in FAULTS.items() if name in names), Fault.TARGET_REFUSED)
    assert "their words" in error.message and shows_no_secret(error)
    if error.fault in (Fault.TARGET_REFUSED, Fault.PRIVILEGE_MISSING):
        assert "create the topic t" in error.message


def test_every_number_that_means_something_is_one() -> None:
    assert set().union(*FAULTS.values()) <= NUMBERS.keys()


def failure(kind: str, **facts: Any) -> KafkaError:
    """As `rust/python/src/kafka.rs` raises them."""
    error = KafkaError("their words")
    usual = {"kind": kind, "code": 0, "message": "their words", "topic": None, "key": None, "table": None}
    for name, value in {**usual, **facts}.items():
        setattr(error, name, value)
    return error


KINDS = {
    "fenced": Fault.TARGET_UNREACHABLE, "unavailable": Fault.TARGET_UNREACHABLE, "aborted": Fault.TARGET_UNREACHABLE,
    "authentication": Fault.ACCESS_DENIED, "authorization": Fault.PRIVILEGE_MISSING,
    "too_large": Fault.MESSAGE_TOO_LARGE, "unknown_topic": Fault.TOPIC_MISSING, "value": Fault.VALUE_UNREPRESENTABLE,
    "refused": Fault.TARGET_REFUSED, "misuse": Fault.INTERNAL, "something new": Fault.INTERNAL,
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_the_producer(kind: str) -> None:
    error = of_producer(failure(kind), ENDPOINT, "commit")
    assert error.fault is KINDS[kind]
    assert "their words" in error.message and shows_no_secret(error)
    if error.fault is Fault.INTERNAL:
        assert kind in error.message


@pytest.mark.parametrize(
    "words",
    [
        "ssl://h1:9092/bootstrap: error:0A000086:SSL routines::certificate verify failed (after 4ms in SSL_HANDSHAKE)",
        "error:0A000412:SSL routines::sslv3 alert bad certificate",
        "SSL handshake failed: error:0A00010B:SSL routines::wrong version number",
    ],
)
def test_certificates_are_told_of_even_as_a_broken_connection(words: str) -> None:
    """Which of the two the library says is a matter of when it finds out."""
    for number in (ClientError._TRANSPORT, ClientError._SSL):
        assert of_client(ClientError(number, words), ENDPOINT, "list").fault is Fault.ENDPOINT_INVALID
    for kind, number in (("unavailable", ClientError._TRANSPORT), ("authentication", ClientError._SSL)):
        told = of_producer(failure(kind, code=number, message=words), ENDPOINT, "begin")
        assert told.fault is Fault.ENDPOINT_INVALID and words in told.message


def test_the_kinds_are_those_that_the_compiled_part_names() -> None:
    listed = (KafkaError.__doc__ or "").partition("kind")[2].partition("code")[0].partition(":")[2]
    assert {word.strip() for word in listed.split(",")} == KINDS.keys() - {"something new"}


@pytest.mark.parametrize("fault", RETRY, ids=lambda fault: fault.name)
def test_what_is_tried_again(fault: Fault) -> None:
    """Who is fenced is told as if nobody answered: opening the target anew tells who is the newer worker."""
    assert RETRY[fault] in get_args(Retry)
    assert fault.spec.retry == RETRY[fault]


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"table": "shop.orders", "key": '{"id":7}', "topic": "t"}, 'shop.orders, key {"id":7}'),
        ({"table": "shop.orders", "topic": "t"}, "shop.orders"),
        ({"topic": "t", "key": "k"}, "the topic t, key k"),
        ({"topic": "t"}, "the topic t"),
        ({"key": "k"}, "a table, key k"),
        ({}, "a table"),
    ],
)
@pytest.mark.parametrize("kind", ["too_large", "value"])
def test_a_message_that_is_refused_is_named_as_well_as_it_is_known(
    kind: str, facts: dict[str, str], place: str
) -> None:
    assert of_producer(failure(kind, **facts), ENDPOINT, "send messages").details["table"] == place


def test_a_topic_that_is_not_there_is_named() -> None:
    assert of_producer(failure("unknown_topic", topic="orders"), ENDPOINT, "send").details["topic"] == "orders"
    assert of_producer(failure("unknown_topic"), ENDPOINT, "send").details["topic"] == ""


def test_the_endpoint_is_shown_without_its_password() -> None:
    error = of_client(ClientError(ClientError._TRANSPORT, "down"), ENDPOINT, "connect")
    assert "kafka://anna:***@h1:9092/t" in error.message
