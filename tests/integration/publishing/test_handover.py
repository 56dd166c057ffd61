"""From the load to the log: rows that are written meanwhile, and loads that are cut short, come once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from tests.harness.fold import changes
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing import keys
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import FORM, differing


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.publishing.tale.CHUNK_ROWS", 16)


def writing(tale: Tale, seed: int) -> Callable[[], None]:
    return lambda: keys.disturb(tale.source, tale.name, seed)


def while_loading(tale: Tale, seed: int) -> Callable[[], None]:
    return lambda: keys.disturb(tale.source, tale.name, seed, without=keys.HELD)


def test_rows_that_are_written_meanwhile(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(source, kafka, of={"readers": 2})
    keys.make(source, tale.name, 1)
    loading = ("chunk.written:3", "chunk.committed:20", "table.finished:5")
    others = ("sink.opened", "load.begun", "load.loaded", "schema.constrained")
    acts = {moment: writing(tale, seed) for seed, moment in enumerate(others)}
    tale.play(acts | {moment: while_loading(tale, 10 + seed) for seed, moment in enumerate(loading)})
    assert differing(tale) == []
    keys.disturb(source, tale.name, 100)
    tale.play()
    assert differing(tale) == []


def test_behind_the_open_transaction_of_another_job(mysql: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """Jobs may share the topic of their checkpoints. What was committed behind the begin of another's transaction is not
    seen before that ends."""
    tale = tell(mysql, kafka)
    tale.publishes(checkpoint_topic=f"shared.{tale.name}")
    tale.at_source("CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1)")
    tale.play()
    other = Producer({**kafka.client(), "transactional.id": f"{tale.name}.other"})
    other.init_transactions(30)

    def begin() -> None:
        other.begin_transaction()
        other.produce(tale.checkpoint_topic, key=b'["another","job"]', value=b"{}")
        other.flush(30)

    tale.at_source("INSERT INTO t VALUES (2)")
    tale.play({"sink.opened": begin})
    tale.at_source("INSERT INTO t VALUES (3)")
    ending = threading.Timer(2, other.abort_transaction)
    ending.start()
    tale.play()
    ending.join()
    assert differing(tale) == []


@pytest.mark.parametrize(("server", "readers"), [("mariadb", 1), ("mysql", 3)])
def test_a_load_that_is_cut_short_again_and_again(
    request: pytest.FixtureRequest, kafka: Kafka, tell: NewTale, server: str, readers: int
) -> None:
    source = request.getfixturevalue(server)
    tale = tell(source, kafka, of={"readers": readers})
    keys.make(source, tale.name, 2)
    for seed, moment in enumerate(("chunk.committed:7", "chunk.written:6", "chunk.committed:9", "table.finished:4")):
        acts = {"sink.opened": writing(tale, 10 * seed), "chunk.written:2": while_loading(tale, 10 * seed + 1)}
        tale.dies(moment, acts)
        writing(tale, 10 * seed + 2)()
    if readers == 1:
        tale.pauses("chunk.committed:5")
    writing(tale, 60)()
    tale.play({"chunk.written": while_loading(tale, 61), "load.loaded": writing(tale, 62)})
    values = tale.values()
    assert differing(tale, values) == []
    assert sum(change.initial for change in changes(values, FORM)) > 100


def test_a_table_without_snapshots_waits_for_its_own_load_only(
    source: FamilyServer, kafka: Kafka, tell: NewTale
) -> None:
    """Whoever writes to it meanwhile is let in when its last chunk is read."""
    tale = tell(source, kafka)
    tale.at_source("""
CREATE TABLE kept (id INT PRIMARY KEY, v INT) ENGINE=MyISAM;
CREATE TABLE large (id INT PRIMARY KEY, v TEXT);
INSERT INTO kept WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i, i FROM n;
INSERT INTO large SELECT id, REPEAT('x', 500) FROM kept
""")  # fmt: skip
    statements = "UPDATE kept SET v = v + 1;\nDELETE FROM kept WHERE id > 60;\nINSERT INTO kept VALUES (200, 1)"
    writer = threading.Thread(target=tale.at_source, args=(statements,))
    seen: list[bool] = []

    def write() -> None:
        writer.start()
        writer.join(0.3)
        seen.append(writer.is_alive())

    def let_in() -> None:
        writer.join(5)
        seen.append(writer.is_alive())

    tale.play({"chunk.committed": write, "chunk.written:9": let_in})
    assert seen == [True, False]
    assert differing(tale) == []
