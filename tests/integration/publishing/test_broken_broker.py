"""A broker that is restarted, killed, cut off, or that ends a transaction which takes too long: nothing is lost, and
nothing comes twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from opendrs.engines.kafka import producing
from opendrs.errors import Fault
from tests.harness.catalogue import create_broker
from tests.harness.fixtures import not_exercised
from tests.harness.kafka import Kafka, KafkaOptions, Listener
from tests.harness.kafka_client import MARKS_S
from tests.harness.kafka_log import lose_end_mark
from tests.harness.kafka_wire import Forgetful
from tests.harness.mysql_family import FamilyServer
from tests.harness.proxy import Proxy
from tests.harness.server import ServerUnavailable
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.test_at_least_once import believed, there
from tests.integration.publishing.told import differing

TRANSACTION_MS = 1500
ROWS = "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i, i FROM n"


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    settings = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": 100}
    try:
        made = create_broker("kafka", KafkaOptions(listeners=(Listener.PROXIED,), settings=settings))
    except ServerUnavailable as error:
        not_exercised("kafka", str(error))
    with made:
        yield made


@pytest.fixture
def proxy(broker: Kafka) -> Proxy:
    assert broker.proxy is not None
    return broker.proxy


@pytest.fixture
def tale(mysql: FamilyServer, broker: Kafka, tell: NewTale, monkeypatch: pytest.MonkeyPatch) -> Tale:
    """A job that goes by the proxy."""
    monkeypatch.setattr("tests.integration.publishing.tale.CHUNK_ROWS", 16)
    if not broker.running:  # a test has failed
        broker.start()
    made = tell(mysql, broker)
    made.target = f"{broker.url(Listener.PROXIED)}?connect_timeout=2"
    made.at_source(f"CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t {ROWS}")
    return made


def gives_up(tale: Tale, *words: str, **how: Any) -> None:
    """Runs the job, whose patience is short this time, and in vain."""
    with patch.object(producing, "PATIENCE_S", 1.0), patch.object(producing, "CALL_S", 0.5):
        tale.fails(Fault.TARGET_UNREACHABLE, *words, **how)


def write(tale: Tale) -> None:
    tale.at_source(
        "UPDATE t SET v = v + 1;\nDELETE FROM t WHERE id MOD 9 = 0;\nREPLACE INTO t VALUES (500, 1), (501, 2)"
    )


def kill(broker: Kafka) -> None:
    """When the marks of the transaction before are written. Of those that Kafka (4.3) loses if it is killed in that very
    moment, there is a test of its own."""
    time.sleep(MARKS_S)
    broker.kill()


def kill_and_start(broker: Kafka) -> None:
    kill(broker)
    broker.start()


def test_restarted_within_transactions(broker: Kafka, tale: Tale) -> None:
    """The job waits, and goes on with the same transaction."""
    tale.play({"chunk.written:2": broker.restart})
    write(tale)
    tale.play({"window.written": lambda: kill_and_start(broker)})
    assert differing(tale) == []


def test_away_for_long(broker: Kafka, tale: Tale) -> None:
    """Within a transaction, and at the start of a worker."""
    gives_up(tale, acts={"chunk.written:2": lambda: kill(broker)})
    gives_up(tale, "Connect", "Check that the server runs")
    broker.start()
    tale.play()
    write(tale)
    gives_up(tale, acts={"window.written": broker.stop})
    write(tale)
    broker.start()
    tale.play()
    assert differing(tale) == []


@pytest.mark.parametrize("moment", ["load.begun", "chunk.committed:1", "chunk.committed:3", "window.flushed"])
def test_marks_of_an_end_that_the_broker_loses(broker: Kafka, tale: Tale, moment: str) -> None:
    """As one does that is killed behind a commit: when it is started again, it takes partitions without a leader for
    deleted ones (seen with 4.3.1), and counts the transaction as ended. The next mark would be for what came before, too."""
    if moment.startswith("window"):
        tale.play()
        write(tale)
    tale.dies(moment)
    partitions = [f"{topic}-0" for topic in (*tale.topics(), tale.checkpoint_topic)]
    assert tale.messages(), "the marks are there"
    broker.stop()
    for partition in partitions:
        lose_end_mark(broker.folder / "data" / partition)
    broker.start()
    tale.play()
    write(tale)
    tale.play()
    assert differing(tale) == []
    assert sum(b'"INIT_DDL"' in value for value in tale.values()) == 1


def test_connections_that_are_cut(tale: Tale, proxy: Proxy) -> None:
    tale.play({
        "load.begun": proxy.cut,
        "chunk.written:2": lambda: proxy.cut_after(100),
        "chunk.committed:3": proxy.cut,
        "load.loaded": lambda: proxy.cut_after(30),
    })  # fmt: skip
    write(tale)
    tale.play({"window.taken": proxy.cut, "window.written": lambda: proxy.cut_after(50), "window.flushed": proxy.cut})
    assert differing(tale) == []


def test_a_commit_of_which_nobody_knows_whether_it_was_one(tale: Tale, proxy: Proxy) -> None:
    """The broker may hear of it later, when another worker has the job: the checkpoint says what is there."""
    tale.play()
    for moment in ("window.written", "window.taken"):
        write(tale)
        gives_up(tale, acts={moment: proxy.stall})
        proxy.forward()
        tale.play()
        assert differing(tale) == []


def test_a_transaction_that_takes_too_long(broker: Kafka, tale: Tale) -> None:
    """The broker ends it, and the worker who was frozen comes too late."""
    limit = "transaction.max.timeout.ms"
    broker.restart({limit: TRANSACTION_MS})

    def freeze() -> None:
        time.sleep(TRANSACTION_MS / 1000 + 1)

    try:
        tale.fails(Fault.TARGET_UNREACHABLE, acts={"chunk.written:2": freeze})
        tale.play()
        write(tale)
        tale.fails(Fault.TARGET_UNREACHABLE, acts={"window.written": freeze})
        tale.play()
    finally:
        broker.restart({limit: 900_000})
    assert differing(tale) == []


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_a_message_that_the_broker_says_it_has_had(tale: Tale, proxy: Proxy, delivery: str) -> None:
    """And cannot say where: then it has not had it (KAFKA-15591), although librdkafka takes that for a success. Nothing
    counts as published that may lack it."""
    tale.publishes(delivery=delivery)
    for moment in ("load.begun", "window.taken"):
        forgetful = Forgetful(tale.name)
        gives_up(tale, "cannot say where", acts={moment: partial(proxy.change, forgetful)})
        assert forgetful.done
        proxy.forward()
        tale.play()
        write(tale)
    tale.play()
    if delivery == "exactly-once":
        assert differing(tale) == []
    else:
        assert believed(tale) == {key: str(value) for key, value in there(tale).items()}
