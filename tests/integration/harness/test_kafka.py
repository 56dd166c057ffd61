"""Brokers start, are set up as promised, let in whom they should, and survive what tests will do to them."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource, ResourceType

from tests.harness import BROKERS, Kafka, KafkaOptions, Listener, Options, ServerFailed, ServerUnavailable
from tests.harness.catalogue import create_broker
from tests.harness.fixtures import NewTopic, StartKafka, not_exercised
from tests.harness.kafka import MECHANISMS
from tests.harness.proc import process
from tests.harness.server import USER
from tests.harness.workplace import RECORDS, workplace

REPOSITORY = Path(__file__).resolve().parents[3]
VERSIONS = {"kafka": r"4\.3\.\d+", "kafka39": r"3\.9\.\d+"}
ANSWER_S = 20.0

# Starts a broker, says where it is, and waits to be killed.
CHILD = """
import json, time
from tests.harness import create_broker
broker = create_broker()
broker.start()
print(json.dumps([broker.pid, str(broker.folder)]), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def open_house() -> Iterator[Kafka]:
    """A broker with every listener, where users may do what was granted to them."""
    options = KafkaOptions(listeners=list(Listener), authorizer=True)
    try:
        broker = create_broker("kafka", options)
    except ServerUnavailable as error:
        not_exercised("kafka", str(error))
    with broker:
        yield broker


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Kafka:
    found: Kafka = request.getfixturevalue(re.sub(r"(\d\d)$", r"_\1", request.param))
    return found


def send(producer: Producer, topic: str, values: Sequence[str], partition: int = 0) -> None:
    """Produce, and raise what the broker had against it."""
    errors = []
    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: errors.append(error))
    producer.flush(ANSWER_S)
    refused = [error for error in errors if error is not None]
    if refused:
        raise KafkaException(refused[0])


def fill(broker: Kafka, topic: str, *values: str, **options: Any) -> None:
    send(Producer({**broker.client(), **options}), topic, values)


def values(broker: Kafka, topic: str, **how: Any) -> list[str]:
    return [message.value.decode() for message in broker.consume(topic, **how) if message.value is not None]


def refusal(client: dict[str, Any]) -> int | None:
    """The code of the first error that says why the client is not let in; None if it is."""
    errors: list[int] = []
    asking = AdminClient({**client, "log_level": 0, "error_cb": lambda error: errors.append(error.code())})
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        asking.poll(0.01)
        told = [code for code in errors if code != KafkaError._ALL_BROKERS_DOWN]
        if told:
            return told[0]
        try:
            asking.list_topics(timeout=0.2)
        except KafkaException:
            continue
        return None
    raise AssertionError("neither let in nor refused")


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + ANSWER_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def setting(broker: Kafka, name: str) -> str:
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    asking = broker.admin()
    return str(asking.describe_configs([resource])[resource].result(ANSWER_S)[name].value)


# --- each version -------------------------------------------------------------------------


def test_every_name_has_an_expected_version() -> None:
    assert set(VERSIONS) == set(BROKERS)


def test_version(broker: Kafka, request: pytest.FixtureRequest) -> None:
    assert re.fullmatch(VERSIONS[request.node.callspec.params["broker"]], broker.version)


def test_messages_come_as_they_were_sent(broker: Kafka, topic: NewTopic) -> None:
    name = topic(broker, partitions=2)
    assert broker.consume(name) == []
    producer = Producer(broker.client())
    producer.produce(name, "é€😀", b"key", partition=1, timestamp=1_000, headers=[("a", b"1"), ("n", None)])
    producer.produce(name, None, partition=0, timestamp=2_000)
    producer.produce(name, b"", partition=0, timestamp=3_000)
    assert producer.flush(ANSWER_S) == 0
    found = broker.consume(name)
    assert [(one.topic, one.partition, one.offset) for one in found] == [(name, 0, 0), (name, 0, 1), (name, 1, 0)]
    assert [(one.key, one.value, one.timestamp_ms) for one in found] == [
        (None, None, 2_000),
        (None, b"", 3_000),
        (b"key", "é€😀".encode(), 1_000),
    ]
    assert [one.headers for one in found] == [(), (), (("a", b"1"), ("n", None))]
    assert broker.consume(name, begin=1) == found[1:2]


def test_isolation_of_transactions(broker: Kafka, topic: NewTopic) -> None:
    name, other = topic(broker), topic(broker)
    with Producer({**broker.client(), "transactional.id": name}) as producer:
        producer.init_transactions(ANSWER_S)
        for outcome in ("committed", "aborted", "kept", "lost", "gone"):
            producer.begin_transaction()
            send(producer, name, [f"{outcome} 1", f"{outcome} 2"])
            send(producer, other, [outcome])
            if outcome in ("committed", "kept"):
                producer.commit_transaction(ANSWER_S)
            else:
                producer.abort_transaction(ANSWER_S)
        # The last messages are aborted ones and the marks of their end.
        seen = ["committed 1", "committed 2", "kept 1", "kept 2"]
        assert values(broker, name) == seen
        both = broker.consume([name, other])
        assert [one.value for one in both if one.topic == other] == [b"committed", b"kept"]
        assert len(both) == 6
        assert len(values(broker, name, isolation="read_uncommitted")) == 10
        producer.begin_transaction()
        send(producer, name, ["open"])
        fill(broker, name, "behind an open one")
        assert values(broker, name) == seen
        assert values(broker, name, isolation="read_uncommitted")[-2:] == ["open", "behind an open one"]
        producer.abort_transaction(ANSWER_S)
    assert values(broker, name) == [*seen, "behind an open one"]


def test_topics(kafka: Kafka) -> None:
    kafka.create_topic("made", partitions=3, cleanup_policy="compact", **{"retention.ms": 1234})
    assert "made" in kafka.topics()
    assert not [name for name in kafka.topics() if name.startswith("_")]
    asking = kafka.admin()
    resource = ConfigResource(ConfigResource.Type.TOPIC, "made")
    config = asking.describe_configs([resource])[resource].result(ANSWER_S)
    assert (config["cleanup.policy"].value, config["retention.ms"].value) == ("compact", "1234")
    assert len(asking.list_topics(timeout=ANSWER_S).topics["made"].partitions) == 3
    with pytest.raises(KafkaException, match="already exists"):
        kafka.create_topic("made")
    kafka.delete_topic("made")
    assert "made" not in kafka.topics()
    with pytest.raises(KafkaException, match="there is no topic made"):
        kafka.consume("made")
    with pytest.raises(KafkaException):
        kafka.delete_topic("made")


def test_a_topic_is_not_made_by_writing_to_it(kafka: Kafka) -> None:
    with pytest.raises(KafkaException, match="UNKNOWN_TOPIC_OR_PART"):
        fill(kafka, "never_made", "x", **{"topic.metadata.propagation.max.ms": 100})
    assert "never_made" not in kafka.topics()


def test_a_broker_that_has_started_gives_out_producer_ids_at_once(start_kafka: StartKafka) -> None:
    broker = start_kafka()
    for options in ({"enable.idempotence": True}, {"transactional.id": "new"}):
        said: list[str] = []
        logger = logging.Logger("heard")
        logger.addHandler(Heard(said))
        producer = Producer({**broker.client(), **options}, logger=logger)
        if "transactional.id" in options:
            producer.init_transactions(ANSWER_S)
        producer.list_topics(timeout=ANSWER_S)
        producer.poll(0.1)  # for what it has to say
        assert said == []


class Heard(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


# --- life ---------------------------------------------------------------------------------


def test_only_the_loopback_interface_is_served(kafka: Kafka) -> None:
    for address in kafka._ports.values():
        with socket.create_connection(("127.0.0.1", address), 5):
            pass
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", address), 5):
            pass


def test_stop_kill_and_start_keep_ports_and_data(start_kafka: StartKafka) -> None:
    broker = start_kafka()
    broker.create_topic("kept")
    fill(broker, "kept", "at first")
    address, pid = broker.bootstrap, broker.pid
    broker.restart()
    assert (broker.bootstrap, values(broker, "kept")) == (address, ["at first"])
    assert broker.pid != pid
    fill(broker, "kept", "restarted")
    broker.kill()
    assert not broker.running
    broker.start()
    assert (broker.bootstrap, values(broker, "kept")) == (address, ["at first", "restarted"])
    fill(broker, "kept", "killed")
    os.kill(broker.pid, signal.SIGKILL)  # not through the harness
    while broker.running:
        time.sleep(0.01)
    broker.start()
    assert values(broker, "kept") == ["at first", "restarted", "killed"]
    broker.pause()
    broker.stop()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", broker.port), 5):
        pass


def test_an_open_transaction_outlives_sigkill(start_kafka: StartKafka) -> None:
    broker = start_kafka()
    broker.create_topic("t")
    client = {**broker.client(), "transactional.id": "one", "log_level": 0}
    with Producer(client) as producer:
        producer.init_transactions(ANSWER_S)
        producer.begin_transaction()
        send(producer, "t", ["before"])
        broker.kill()
        broker.start()
        send(producer, "t", ["after"])
        assert values(broker, "t") == []
        producer.commit_transaction(ANSWER_S)
    eventually_there(broker, "t", ["before", "after"])


def eventually_there(broker: Kafka, topic: str, wanted: list[str]) -> None:
    """A broker answers a commit before it has written the marks of it, behind which consumers see the messages."""
    until = time.monotonic() + ANSWER_S
    while values(broker, topic) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    assert values(broker, topic) == wanted


def test_pause_and_resume(start_kafka: StartKafka) -> None:
    broker = start_kafka()
    broker.create_topic("t")
    with Producer({**broker.client(), "acks": "all"}) as producer:
        send(producer, "t", ["before"])
        broker.pause()
        producer.produce("t", "meanwhile")
        assert producer.flush(0.3) == 1
        broker.resume()
        assert producer.flush(ANSWER_S) == 0
    assert values(broker, "t") == ["before", "meanwhile"]


def test_a_given_folder_keeps_the_data(start_kafka: StartKafka, tmp_path: Path) -> None:
    options = KafkaOptions(data=tmp_path / "data")
    broker = start_kafka(options)
    broker.create_topic("kept")
    fill(broker, "kept", "é")
    broker.close()
    assert values(start_kafka(options), "kept") == ["é"]


def test_each_broker_is_a_cluster_of_its_own(kafka: Kafka, start_kafka: StartKafka) -> None:
    ids = []
    for broker in (kafka, start_kafka()):
        asking = broker.admin()
        ids.append(asking.describe_cluster().result(ANSWER_S).cluster_id)
    assert len(set(ids)) == 2
    assert all(len(one) == 22 for one in ids)


def test_a_broker_that_cannot_start_says_why(start_kafka: StartKafka) -> None:
    with pytest.raises(ServerFailed, match=r"Invalid value many for configuration message\.max\.bytes"):
        start_kafka(KafkaOptions(settings={"message.max.bytes": "many"}))


# --- set-up -------------------------------------------------------------------------------


def test_settings_and_durability(start_kafka: StartKafka) -> None:
    wanted = {
        "auto.create.topics.enable": "true",
        "message.max.bytes": "2000",
        "transaction.max.timeout.ms": "7000",
    }
    broker = start_kafka(KafkaOptions(settings=wanted, durable=True, sustained=True))
    assert {name: setting(broker, name) for name in wanted} == wanted
    assert setting(broker, "log.flush.interval.messages") == "1"
    fill(broker, "made_by_writing", "x")
    assert broker.topics() == ["made_by_writing"]
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        fill(broker, "made_by_writing", "x" * 3000)
    client = {**broker.client(), "transactional.id": "t", "transaction.timeout.ms": 7001, "log_level": 0}
    with pytest.raises(KafkaException, match="INVALID_TRANSACTION_TIMEOUT"):
        Producer(client).init_transactions(ANSWER_S)
    broker.restart({"message.max.bytes": 4000})
    assert setting(broker, "message.max.bytes") == "4000"
    fill(broker, "made_by_writing", "x" * 3000)


def test_features_are_chosen_when_a_cluster_is_formatted(kafka: Kafka, start_kafka: StartKafka) -> None:
    assert kafka.features["transaction.version"] == 2
    older = start_kafka(KafkaOptions(features={"transaction.version": 1}))
    assert older.features["transaction.version"] == 1
    with pytest.raises(ServerFailed, match="transaction"):
        start_kafka(KafkaOptions(features={"transaction.version": 1}), "kafka39")


def test_kafka_39_has_no_newer_transactions(kafka_39: Kafka) -> None:
    assert "transaction.version" not in kafka_39.features


# --- who is let in ------------------------------------------------------------------------

SASL = [Listener.SASL_PLAINTEXT, Listener.SASL_SSL]


@pytest.mark.parametrize("listener", Listener)
def test_each_listener_lets_in(listener: Listener, open_house: Kafka) -> None:
    assert refusal(open_house.client(listener)) is None


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("listener", SASL)
def test_a_wrong_password_is_refused(listener: Listener, mechanism: Any, open_house: Kafka) -> None:
    assert refusal(open_house.client(listener, mechanism=mechanism)) is None
    assert refusal(open_house.client(listener, mechanism=mechanism, user="admin")) is None
    wrong = open_house.client(listener, mechanism=mechanism, password="wrong")
    assert refusal(wrong) == KafkaError._AUTHENTICATION
    nobody = open_house.client(listener, mechanism=mechanism, user="nobody", password="x")
    assert refusal(nobody) == KafkaError._AUTHENTICATION


@pytest.mark.parametrize("listener", [Listener.SSL, Listener.MTLS, Listener.SASL_SSL])
def test_a_broker_of_another_authority_is_refused(listener: Listener, open_house: Kafka, kafka: Kafka) -> None:
    client = open_house.client(listener)
    del client["ssl.ca.location"]  # the machine's own, which do not know ours
    # Which of the two is a matter of when it is found out: "certificate verify failed" it is in both.
    assert refusal(client) in (KafkaError._SSL, KafkaError._TRANSPORT)


def test_mtls_wants_a_certificate(open_house: Kafka) -> None:
    client = open_house.client(Listener.MTLS)
    without = {key: value for key, value in client.items() if "certificate" not in key and "key" not in key}
    # With TLS 1.3 a client takes itself for let in, until it is cut off.
    assert refusal(without) in (KafkaError._SSL, KafkaError._TRANSPORT)


def test_a_user_can_be_made(open_house: Kafka) -> None:
    open_house.create_user("eve", "first")
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        assert refusal(open_house.client(Listener.SASL_PLAINTEXT, user="eve", mechanism=mechanism)) is None
    open_house.create_user("eve", "second")
    assert refusal(open_house.client(Listener.SASL_PLAINTEXT, user="eve")) is None
    old = open_house.client(Listener.SASL_PLAINTEXT, user="eve", password="first")
    assert refusal(old) == KafkaError._AUTHENTICATION
    assert "eve:second@" in open_house.url(Listener.SASL_SSL, user="eve")


@pytest.mark.parametrize("listener", [Listener.SASL_SSL, Listener.MTLS])
def test_a_user_may_do_what_was_granted(listener: Listener, open_house: Kafka, topic: NewTopic) -> None:
    name = topic(open_house)
    client = {**open_house.client(listener), "log_level": 0}
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        send(Producer(client), name, ["no"])
    with pytest.raises(KafkaException, match="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"):
        Producer({**client, "transactional.id": name}).init_transactions(ANSWER_S)
    open_house.grant(USER, ResourceType.TOPIC, name, AclOperation.WRITE)
    open_house.grant(USER, ResourceType.TRANSACTIONAL_ID, name[:3], AclOperation.WRITE, prefixed=True)
    with Producer({**client, "transactional.id": name}) as producer:
        producer.init_transactions(ANSWER_S)
        producer.begin_transaction()
        send(producer, name, ["yes"])
        producer.commit_transaction(ANSWER_S)
    eventually_there(open_house, name, ["yes"])
    open_house.revoke(USER)
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        send(Producer(client), name, ["no more"])


def test_the_options_of_all_servers_choose_listeners(start_kafka: StartKafka) -> None:
    broker = start_kafka(Options(tls=True, auth="SCRAM-SHA-256"), "kafka39")
    assert set(broker.listeners) == {Listener.PLAINTEXT, Listener.SSL, Listener.SASL_SSL}
    assert refusal(broker.client(Listener.SASL_SSL, mechanism="SCRAM-SHA-256")) is None
    assert refusal(broker.client(Listener.SASL_SSL, mechanism="PLAIN")) == KafkaError._AUTHENTICATION
    with pytest.raises(ServerUnavailable, match="not GSSAPI"):
        create_broker("kafka", Options(auth="GSSAPI"))


def test_a_broken_network(open_house: Kafka, topic: NewTopic) -> None:
    name = topic(open_house)
    proxy = open_house.proxy
    assert proxy
    with Producer({**open_house.client(Listener.PROXIED), "enable.idempotence": True, "log_level": 0}) as producer:
        send(producer, name, ["whole"])
        sent = proxy.bytes_to_server
        assert sent > 0
        proxy.stall()
        producer.produce(name, "held up")
        assert producer.flush(0.3) == 1
        proxy.cut()
        proxy.forward()
        assert producer.flush(ANSWER_S) == 0
    assert values(open_house, name) == ["whole", "held up"]


# --- leftovers ----------------------------------------------------------------------------


def test_a_closed_broker_leaves_nothing(start_kafka: StartKafka) -> None:
    tasks, threads = Path("/proc/self/task"), set(threading.enumerate())
    before = len(list(tasks.iterdir()))
    broker = start_kafka(KafkaOptions(listeners=[Listener.PROXIED, Listener.SSL]))
    broker.create_topic("t")
    fill(broker, "t", "x")
    assert values(broker, "t") == ["x"]
    folder, pid = broker.folder, broker.pid
    broker.close()
    broker.close()
    assert not folder.exists()
    assert process(pid) is None
    assert not (workplace().path / RECORDS / folder.name).exists()
    assert not Path(f"/tmp/hsperfdata_root/{pid}").exists()
    assert {thread for thread in threading.enumerate() if thread.name != "harness-spawner"} <= threads
    # One more may have begun, which starts all servers; and the system counts one a little longer than it runs.
    assert until(lambda: len(list(tasks.iterdir())) <= before + 1)


@pytest.mark.usefixtures("kafka")  # without which the child would not start one either
def test_a_broker_dies_with_the_process_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], cwd=REPOSITORY, stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pid, folder = json.loads(owner.stdout.readline())
        broker = process(pid)
        assert broker
        owner.kill()
    assert until(lambda: not broker.alive())
    workplace()
    assert not Path(folder).exists()
